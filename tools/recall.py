"""What a memory costs: `python -m tools.recall [--entries 100000]`.

Texts of 30 words whose frequency is that of words in a language (Zipf), in 10 spaces or in one.
Recalls bare and over a fabric on this machine; the size of the file; the cost of an imprint. Beside
the time on the clock is the time of the processor, which other programs do not make longer.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from itertools import accumulate
from pathlib import Path

from cosmonapse import Dendrite, SqliteMemory, SynapseServer, connect_synapse, engram

_WORDS = [f"w{number}" for number in range(20_000)]
_WEIGHTS = list(accumulate(1 / rank for rank in range(1, len(_WORDS) + 1)))
_ENTRY_WORDS = 30
_QUERIES = 200


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tools.recall", description=__doc__)
    parser.add_argument("--entries", type=int, default=100_000, metavar="N", help="how many")
    parser.add_argument("--spaces", type=int, default=1, metavar="N", help="in how many spaces")
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "mem.db"
        with SqliteMemory(path) as memory:
            imprints = _filled(memory, given.entries, given.spaces)
            recalls = _timed(lambda: memory.recall(_query(), space="space0"), time.perf_counter)
            used = _timed(lambda: memory.recall(_query(), space="space0"), time.process_time)
        size = sum(each.stat().st_size for each in Path(folder).iterdir())
        print(f"{given.entries:,} entries in {given.spaces} spaces: {size / 1e6:.1f} MB")
        _show("imprint, bare", imprints)
        _show("recall, bare", recalls)
        _show("recall, processor", used)
        asyncio.run(_over_a_fabric(path))


def _words(count: int) -> str:
    return " ".join(random.choices(_WORDS, cum_weights=_WEIGHTS, k=count))


def _query() -> str:
    return _words(random.randint(2, 8))


def _filled(memory: SqliteMemory, entries: int, spaces: int) -> list[float]:
    """Fill a memory as its users do, one by one; return how long each took, in seconds."""
    taken = []
    for number in range(entries):
        text = _words(_ENTRY_WORDS)
        begun_s = time.perf_counter()
        memory.imprint(str(number), text, space=f"space{number % spaces}")
        taken.append(time.perf_counter() - begun_s)
    return taken


def _timed(call: Callable[[], object], now_s: Callable[[], float]) -> list[float]:
    taken = []
    for _ in range(_QUERIES):
        begun_s = now_s()
        call()
        taken.append(now_s() - begun_s)
    return taken


async def _timed_on_loop(call: Callable[[], Awaitable[object]]) -> list[float]:
    taken = []
    for _ in range(_QUERIES):
        begun_s = time.perf_counter()
        await call()
        taken.append(time.perf_counter() - begun_s)
    return taken


async def _over_a_fabric(path: Path) -> None:
    with SynapseServer(port=0) as server, SqliteMemory(path) as memory:
        worker = Dendrite(synapse=await connect_synapse(server.url))
        worker.attach_axon(engram("memory", memory))
        async with worker, Dendrite(synapse=await connect_synapse(server.url)) as caller:
            recalls = await _timed_on_loop(lambda: caller.recall(_query(), space="space0"))
            imprints = await _timed_on_loop(lambda: caller.imprint(_words(_ENTRY_WORDS)))
    _show("recall, over the fabric", recalls)
    _show("imprint, over the fabric", imprints)


def _show(what: str, taken_s: list[float]) -> None:
    ordered = sorted(taken_s)
    p50, p95 = ordered[len(ordered) // 2], ordered[len(ordered) * 95 // 100]
    print(f"{what:25} p50 {p50 * 1e3:6.2f} ms, p95 {p95 * 1e3:6.2f} ms")


if __name__ == "__main__":
    main()
