"""Sample a process each second: memory, descriptors, threads from outside, tasks from inside."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Callable
from pathlib import Path

from cosmonapse.bench.children import rss_kib

from .log import Log

EVERY_S = 1.0


async def count_tasks(log: Log) -> None:
    """Write down each second how many asyncio tasks there are in this process. Never returns."""
    while True:
        log.write("sample", of=os.getpid(), tasks=len(asyncio.all_tasks()))
        await asyncio.sleep(EVERY_S)


def counting_tasks(log: Log) -> Callable[[], None]:
    """Return a function that begins, on the loop of its first call, to write the same down."""
    begun: list[asyncio.TimerHandle] = []

    def count(loop: asyncio.AbstractEventLoop) -> None:
        log.write("sample", of=os.getpid(), tasks=len(asyncio.all_tasks(loop)))
        begun[:] = [loop.call_later(EVERY_S, count, loop)]

    def begin() -> None:
        if not begun:
            count(asyncio.get_running_loop())

    return begin


def sample(log: Log, name: str, pid: int) -> None:
    """Record the use of a process, on Linux only. Skip one that has ended."""
    try:
        folder = Path("/proc") / str(pid)
        descriptors = len(list((folder / "fd").iterdir()))
        threads = len(list((folder / "task").iterdir()))
        log.write(
            "sample",
            name=name,
            of=pid,
            rss_kib=rss_kib(pid),
            descriptors=descriptors,
            threads=threads,
        )
    except (OSError, StopIteration):
        return


def children_of(pid: int) -> list[int]:
    """Return the processes that a process has started, on Linux only."""
    with contextlib.suppress(OSError):
        return [*map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())]
    return []
