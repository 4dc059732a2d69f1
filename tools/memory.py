"""The memory of a Synapse with many Dendrites: `python -m tools.memory [--dendrites 1000]`.

Real connections from a few processes to a Synapse of its own; under a minute.
"""

from __future__ import annotations

import argparse
import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from multiprocessing.connection import Connection
from pathlib import Path

import attrs

from cosmonapse import Axon, Dendrite, synapse_from_url
from cosmonapse.bench.children import BenchError, Child, answer, rss_kib

_PROCESSES = 4
_AT_ONCE = 50
_STARTS_S = 50.0
_LISTENING = "Synapse listening on "


@attrs.frozen
class Taken:
    """What a process takes at one moment.

    Args:
        rss_kib: Resident memory.
        descriptors: Open files and connections.
    """

    rss_kib: int
    descriptors: int


def taken(pid: int) -> Taken:
    """Look at a process; on Linux only."""
    return Taken(rss_kib(pid), len(list((Path("/proc") / str(pid) / "fd").iterdir())))


@contextmanager
def synapse() -> Iterator[tuple[int, str]]:
    """Run `cosmo synapse start`; yield its pid and its URL."""
    command = [sys.executable, "-m", "cosmonapse.cli", "synapse", "start", "--port", "0", "--quiet"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            lines = process.stdout or ()
            url = next((line for line in lines if line.startswith(_LISTENING)), "")
            if not url:
                raise BenchError("the Synapse did not start")
            yield process.pid, url.removeprefix(_LISTENING).strip()
        finally:
            process.terminate()


def crowd(connection: Connection, url: str, count: int) -> None:
    """Start Dendrites with an Axon each, and keep them until the parent wants no more."""
    asyncio.run(_crowd(connection, url, count))


async def _crowd(connection: Connection, url: str, count: int) -> None:
    async def echo(given: object, context: object) -> object:
        return given

    where = synapse_from_url(url)
    dendrites = [Dendrite(synapse=where, namespace="memory") for _ in range(count)]
    for number, dendrite in enumerate(dendrites):
        dendrite.attach_axon(Axon(neuron_id=f"neuron-{number}", neuron_fn=echo))
    connection.send(None)

    async def start() -> None:
        for first in range(0, count, _AT_ONCE):
            some = dendrites[first : first + _AT_ONCE]
            await asyncio.gather(*(each.start(timeout_s=30.0) for each in some))

    async def stop() -> None:
        await asyncio.gather(*(each.stop(drain_s=0.0) for each in dendrites))

    await answer(connection, {"start": start, "stop": stop})


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tools.memory", description=__doc__)
    parser.add_argument("--dendrites", type=int, default=1000, metavar="N", help="how many")
    count = parser.parse_args(arguments).dendrites
    each = max(1, count // _PROCESSES)
    count = each * _PROCESSES
    with synapse() as (pid, url), ExitStack() as stack:
        before = taken(pid)
        crowds = [stack.enter_context(Child(crowd, url, each)) for _ in range(_PROCESSES)]
        began_s = time.monotonic()
        for child in crowds:
            child.ask("start", timeout_s=_STARTS_S)
        took_s = time.monotonic() - began_s
        with_all = taken(pid)
        for child in crowds:
            child.ask("stop", timeout_s=_STARTS_S)
        time.sleep(1.0)  # let it close what they left
        after = taken(pid)
    print(f"{'':>24}   memory  descriptors")
    for what, at in (("alone", before), (f"with {count:,} Dendrites", with_all), ("left", after)):
        print(f"{what:>24}  {at.rss_kib / 1024:4.1f} MiB  {at.descriptors:>10,}")
    more_kib = (with_all.rss_kib - before.rss_kib) / count
    print(f"{more_kib:.1f} KiB for each Dendrite with one Axon; they started in {took_s:.1f} s")


if __name__ == "__main__":
    main()
