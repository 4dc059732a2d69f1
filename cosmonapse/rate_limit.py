"""Rate limits: how often the function of an Axon may begin. Pure.

A bucket holds one token, so the starts are evenly spaced. A bucket of N tokens would let through N
at once after a quiet time, and so up to twice N within one period, which a provider refuses.
"""

from __future__ import annotations

import math
import re
from typing import Any

_FORM = re.compile(r"([0-9]{1,9})/([0-9]{1,9}(?:\.[0-9]{1,9})?)?([smh])", re.ASCII)
_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0}
_MIN_INTERVAL_S = 0.001  # the timer of an event loop is no finer
_MAX_INTERVAL_S = 86_400.0


def checked_rate(value: Any) -> str | None:
    """Return a rate limit as it was given, if it is one, or None.

    Raises:
        ValueError: It is not such as `10/s`, `100/m` or `5/2s`, or it is over 1,000 in a second or
            below one in a day.
        TypeError: It is not a text.
    """
    if value is None:
        return None
    if not isinstance(value, str):
        raise TypeError(f"rate_limit must be a text such as '10/s', not {value!r:.100}")
    interval_of(value)
    return value


def interval_of(rate_limit: str) -> float:
    """Return the seconds between two starts.

    Raises:
        ValueError: It is no rate limit.
    """
    found = _FORM.fullmatch(rate_limit.replace(" ", ""))
    count = int(found[1]) if found else 0
    period_s = float(found[2] or 1) * _SECONDS[found[3]] if found else 0.0
    if count == 0 or period_s == 0.0:
        raise ValueError(
            "rate_limit must be a number of tasks and a time, such as '10/s', '100/m', '1000/h' "
            f"or '5/2s', not {rate_limit!r:.100}"
        )
    interval_s = period_s / count
    if not _MIN_INTERVAL_S <= interval_s <= _MAX_INTERVAL_S:
        raise ValueError(
            f"rate_limit must be between one in 24 h and 1000/s, not {rate_limit!r:.100}: leave it "
            "out for none"
        )
    return interval_s


class RateBucket:
    """One token. It is there again an interval after what took it has begun.

    Attributes:
        interval_s: The seconds between two starts.
    """

    __slots__ = ("_before_s", "_free_at_s", "interval_s")

    def __init__(self, interval_s: float) -> None:
        self.interval_s = interval_s
        self._free_at_s = self._before_s = -math.inf

    def wait_s(self, now_s: float) -> float:
        """Return how long it takes until the token is there; infinity while it is taken."""
        return max(0.0, self._free_at_s - now_s)

    def take(self) -> None:
        """Take the token, which must be there."""
        self._before_s, self._free_at_s = self._free_at_s, math.inf

    def begun(self, now_s: float) -> None:
        """Record that what took the token begins now: the interval counts from here."""
        self._free_at_s = now_s + self.interval_s

    def give_back(self) -> None:
        """Put the token back: what took it does not begin."""
        self._free_at_s = self._before_s
