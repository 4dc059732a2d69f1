"""The load of streams: one as fast as it goes, and many at the pace of a model."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from itertools import pairwise
from typing import Any

import attrs

from .children import BenchError
from .load import Sample

TOKEN = " token"
_clock = time.perf_counter  # one clock for all processes of a host

Read = Callable[[dict[str, Any]], AsyncIterator[str]]
"""Begins a stream with this input and yields its tokens."""


async def tokens(given: Mapping[str, Any]) -> AsyncIterator[str]:
    """Yield the tokens that an input asks for.

    Args:
        given: `count`, and for a pace `every_s`: then each token is the time at which it was said.
    """
    if "every_s" not in given:
        for _ in range(given["count"]):
            yield TOKEN
        return
    next_s = _clock() + given["after_s"]
    for _ in range(given["count"]):
        await asyncio.sleep(max(0.0, next_s - _clock()))
        next_s += given["every_s"]
        yield f"{_clock():.6f} "


def reading(read: Read) -> dict[str, Callable[..., Awaitable[Any]]]:
    """Return the verbs `stream` and `paced` of a caller."""

    async def stream(count: int) -> Sample:
        return await read_stream(read, count)

    async def paced(streams: int, tokens_per_s: float, seconds: float) -> Sample:
        return await read_paced(read, streams, tokens_per_s, seconds)

    return {"stream": stream, "paced": paced}


async def read_stream(read: Read, count: int) -> Sample:
    """Read one stream of `count` tokens as fast as it goes; the times are those between two.

    Raises:
        BenchError: A token is missing or is another one.
    """
    came_s: list[float] = []
    begin_s = _clock()
    async for text in read({"count": count}):
        came_s.append(_clock())
        if text != TOKEN:
            raise BenchError(f"a token came as {text!r}")
    if len(came_s) != count:
        raise BenchError(f"{count} tokens were sent and {len(came_s)} came")
    between_s = [later_s - sooner_s for sooner_s, later_s in pairwise(came_s)]
    return attrs.evolve(Sample.of(between_s, came_s[-1] - begin_s), calls=count)


async def read_paced(read: Read, streams: int, tokens_per_s: float, seconds: float) -> Sample:
    """Read many streams at once; the times are the delays from worker to reader.

    Raises:
        BenchError: A token is missing.
    """
    count, every_s = max(1, int(seconds * tokens_per_s)), 1 / tokens_per_s
    delays_s: list[float] = []

    async def one(number: int) -> None:
        given = {"count": count, "every_s": every_s, "after_s": every_s * number / streams}
        delays_s.extend([_clock() - float(text) async for text in read(given)])

    begin_s = _clock()
    await asyncio.gather(*(one(number) for number in range(streams)))
    if len(delays_s) != count * streams:
        raise BenchError(f"{count * streams} tokens were sent and {len(delays_s)} came")
    return Sample.of(delays_s, _clock() - begin_s)
