"""The load: a number of callers who each wait for their reply before they call again."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import attrs

from .figures import percentile

# 100 bytes of msgpack: 8 of frame and key around the text.
PAYLOAD = {"text": "x" * 92}

Call = Callable[[dict[str, Any]], Awaitable[Any]]


@attrs.frozen
class Sample:
    """One round of calls.

    Args:
        calls: How many were answered.
        elapsed_s: From the first call to the last reply.
        p50_s: Half of the replies took at most this.
        p99_s: All but one of a hundred took at most this.
    """

    calls: int
    elapsed_s: float
    p50_s: float
    p99_s: float

    @property
    def rate(self) -> float:
        """Calls per second."""
        return self.calls / self.elapsed_s


async def drive(call: Call, outstanding: int, seconds: float) -> Sample:
    """Keep `outstanding` calls in the air for `seconds` seconds."""
    clock = time.perf_counter
    took_s: list[float] = []
    begin_s = clock()
    end_s = begin_s + seconds

    async def caller() -> None:
        called_s = clock()
        while called_s < end_s:
            await call(PAYLOAD)
            now_s = clock()
            took_s.append(now_s - called_s)
            called_s = now_s

    await asyncio.gather(*(caller() for _ in range(outstanding)))
    elapsed_s = clock() - begin_s
    took_s.sort()
    return Sample(len(took_s), elapsed_s, percentile(took_s, 50), percentile(took_s, 99))
