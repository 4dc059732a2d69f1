"""How long a provider asks to wait, from the headers of its answer. Pure.

Sources: RFC 9110, section 10.2.3, for seconds and HTTP dates; `retry-after-ms` is more exact and
sent by OpenAI and Azure.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

MAX_RETRY_AFTER_S = 86_400.0


def retry_after_s(headers: Mapping[str, str], now_s: float) -> float | None:
    """Return the seconds to wait, at least 0 and at most a day; None if nothing was asked.

    A date is compared with the `date` of the answer, so that a wrong clock on either side does no
    harm.

    Args:
        headers: The headers of the answer, names in lower case or without regard to it.
        now_s: The wall clock, seconds since 1970; for an answer without a date.
    """
    wait_s = _number(headers.get("retry-after-ms"), 0.001)
    told = headers.get("retry-after")
    if wait_s is None:
        wait_s = _number(told, 1.0)
    if wait_s is None:
        then_s, sent_s = _instant(told), _instant(headers.get("date"))
        wait_s = None if then_s is None else then_s - (now_s if sent_s is None else sent_s)
    return None if wait_s is None else min(max(wait_s, 0.0), MAX_RETRY_AFTER_S)


def _number(text: str | None, unit_s: float) -> float | None:
    try:
        number = float(text or "")
    except ValueError:
        return None
    return None if math.isnan(number) else number * unit_s


def _instant(text: str | None) -> float | None:
    """Return the instant of an HTTP date, in seconds since 1970."""
    try:
        return parsedate_to_datetime(text or "").timestamp()
    except (TypeError, ValueError, OverflowError):
        return None
