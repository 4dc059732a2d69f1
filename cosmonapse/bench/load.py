"""The load: a number of callers who each wait for their reply before they call again."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Self

import attrs

from .figures import percentiles

_FRAME_BYTES = 8  # the overhead of msgpack around the text, key included

Call = Callable[[dict[str, Any]], Awaitable[Any]]


def payload_of(size_bytes: int) -> dict[str, Any]:
    """Return a dict of about that many bytes as msgpack; exact from 60 to 200."""
    return {"text": "x" * (size_bytes - _FRAME_BYTES)}


PAYLOAD = payload_of(100)


@attrs.frozen
class Sample:
    """One round of calls.

    Args:
        calls: How many were answered.
        elapsed_s: From the first call to the last reply.
        p50_s: The median time of a reply.
        p90_s: The 90th percentile.
        p99_s: The 99th percentile.
        max_s: The slowest.
    """

    calls: int
    elapsed_s: float
    p50_s: float
    p90_s: float
    p99_s: float
    max_s: float

    @classmethod
    def of(cls, took_s: Sequence[float], elapsed_s: float) -> Self:
        """Return the sample of calls with these durations, in any order."""
        p50_s, p90_s, p99_s = percentiles(took_s, 50, 90, 99)
        return cls(len(took_s), elapsed_s, p50_s, p90_s, p99_s, max(took_s))

    @property
    def rate(self) -> float:
        """Calls per second."""
        return self.calls / self.elapsed_s


def median(samples: Sequence[Sample], field: str) -> float:
    """Return the median of a field over rounds."""
    values: list[float] = [getattr(sample, field) for sample in samples]
    return statistics.median(values)


async def drive(
    call: Call, outstanding: int, seconds: float, payload: dict[str, Any] = PAYLOAD
) -> Sample:
    """Keep `outstanding` calls in the air for `seconds` seconds, each with the same payload.

    Each of them is called once at least, however late a busy machine comes to it.
    """
    clock = time.perf_counter
    took_s: list[float] = []
    begin_s = clock()
    end_s = begin_s + seconds

    async def caller() -> None:
        called_s = clock()
        while True:
            await call(payload)
            now_s = clock()
            took_s.append(now_s - called_s)
            if now_s >= end_s:
                return
            called_s = now_s

    await asyncio.gather(*(caller() for _ in range(outstanding)))
    return Sample.of(took_s, clock() - begin_s)
