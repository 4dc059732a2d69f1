"""The memory of a Synapse: `python -m tools.memory [--dendrites 1000] [--tasks 1000000]`.

With many Dendrites, over real connections from a few processes, or after many tasks of one caller
and one worker. A Synapse of its own; under a minute, and a minute more for a million tasks.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from contextlib import ExitStack

from cosmonapse.bench import ends
from cosmonapse.bench.children import Child

from .bench import crowd
from .bench.started import synapse, taken

_NAMESPACE = "memory"
_OUTSTANDING = 256


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tools.memory", description=__doc__)
    parser.add_argument("--dendrites", type=int, default=1000, metavar="N", help="how many")
    parser.add_argument("--tasks", type=int, metavar="N", help="how many tasks, instead")
    given = parser.parse_args(arguments)
    if given.tasks is not None:
        _after_tasks(given.tasks)
        return
    count = given.dendrites
    count = max(1, count // crowd.PROCESSES) * crowd.PROCESSES  # the same in each process
    with synapse() as (pid, url), ExitStack() as stack:
        before = taken(pid)
        began_s = time.monotonic()
        crowds = crowd.gathered(stack, url, "memory", count)
        took_s = time.monotonic() - began_s
        with_all = taken(pid)
        crowd.dispersed(crowds)
        time.sleep(1.0)  # until it has closed their connections
        after = taken(pid)
    print(f"{'':>24}   memory  descriptors")
    for what, at in (("alone", before), (f"with {count:,} Dendrites", with_all), ("left", after)):
        print(f"{what:>24}  {at.rss_kib / 1024:4.1f} MiB  {at.descriptors:>10,}")
    more_kib = (with_all.rss_kib - before.rss_kib) / count
    print(f"{more_kib:.1f} KiB for each Dendrite with one Axon; they were there in {took_s:.1f} s")


def _after_tasks(count: int) -> None:
    """Run that many tasks, and print the memory of the Synapse on the way."""
    with synapse() as (pid, url), ExitStack() as stack:
        stack.enter_context(Child(ends.worker, url, _NAMESPACE))
        caller = stack.enter_context(Child(ends.caller, url, _NAMESPACE))
        caller.ask("load", _OUTSTANDING, 0.5)
        done, next_line = 0, 0
        while True:
            if done >= next_line:
                print(f"{done:>11,} tasks  {taken(pid).rss_kib / 1024:5.1f} MiB", flush=True)
                next_line += count // 10
            if done >= count:
                return
            done += caller.ask("load", _OUTSTANDING, 1.0).calls


if __name__ == "__main__":
    main()
