"""Waiting for a Synapse that is not there yet, with a report now and then."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from ..errors import SynapseUnreachable

T = TypeVar("T")
REPORT_EVERY_S = 10.0
_PAUSE_S = 0.5


async def when_reachable(
    attempt: Callable[[], Awaitable[T]],
    say: Callable[[str], None],
    on_failure: Callable[[SynapseUnreachable], None] = lambda error: None,
) -> T:
    """Return the result of the first attempt that reaches the Synapse; wait for it without an end.

    Args:
        attempt: Tries once, for some seconds at most; any other error than `SynapseUnreachable`
            ends the waiting.
        say: Receives the reason after the first attempt, and again every 10 s.
        on_failure: Receives the error of each attempt.
    """
    loop = asyncio.get_running_loop()
    began_at_s = loop.time()
    report_at_s = began_at_s
    while True:
        try:
            return await attempt()
        except SynapseUnreachable as error:
            on_failure(error)
            now_s = loop.time()
            if now_s >= report_at_s:
                say(f"waiting for {now_s - began_at_s:,.0f} s: {error}")
                report_at_s += REPORT_EVERY_S
        await asyncio.sleep(_PAUSE_S)
