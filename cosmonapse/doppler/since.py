"""The option `--since`: a time of day, or how long ago. Pure."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

_AGO = re.compile(r"(\d{1,9}(?:\.\d{1,3})?)\s?(s|m|h|d)", re.ASCII)
_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?", re.ASCII)
_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}


def since_ts(text: str, now_ts: float) -> float:
    """Return the time that `--since` means, as wall clock.

    Args:
        text: Such as `30s`, `5m`, `2h`, `1d`, or the last `14:05` or `14:05:30` of this time zone.
        now_ts: The end of what is shown, wall clock.

    Raises:
        ValueError: It is neither; the text says what is expected.
    """
    ago = _AGO.fullmatch(text.strip())
    if ago is not None:
        return now_ts - float(ago[1]) * _SECONDS[ago[2]]
    clock = _CLOCK.fullmatch(text.strip())
    if clock is None:
        raise ValueError(f"expected such as 30s, 5m, 2h or 14:05, got {text!r:.40}")
    now = datetime.fromtimestamp(now_ts).astimezone()
    hour, minute, second = (int(each or 0) for each in clock.groups())
    at = now.replace(hour=hour, minute=minute, second=second, microsecond=0)
    if at > now:
        at -= timedelta(days=1)
    return at.timestamp()
