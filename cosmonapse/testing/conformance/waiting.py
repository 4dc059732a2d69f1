"""Wait for a condition, with a bound."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


async def until(
    condition: Callable[[], T], timeout_s: float = 20.0, what: str = "the condition"
) -> T:
    """Return the result of `condition` as soon as that is true.

    Raises:
        AssertionError: It is still false after `timeout_s` seconds; `what` names it.
    """
    end_s = time.perf_counter() + timeout_s
    while not (value := condition()):
        if time.perf_counter() > end_s:
            raise AssertionError(f"{what} did not come true within {timeout_s:g} s")
        await asyncio.sleep(0.002)
    return value
