"""Sample a process each second: memory and descriptors from outside, tasks from inside."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from cosmonapse.bench.children import rss_kib

from .log import Log

EVERY_S = 1.0


async def count_tasks(log: Log) -> None:
    """Write down each second how many asyncio tasks there are in this process. Never returns."""
    while True:
        log.write("sample", of=os.getpid(), tasks=len(asyncio.all_tasks()))
        await asyncio.sleep(EVERY_S)


def sample(log: Log, name: str, pid: int) -> None:
    """Record the memory and descriptors of a process; on Linux only. Skip one that has ended."""
    try:
        descriptors = len(list((Path("/proc") / str(pid) / "fd").iterdir()))
        log.write("sample", name=name, of=pid, rss_kib=rss_kib(pid), descriptors=descriptors)
    except (OSError, StopIteration):
        return
