"""The memory of a Synapse with many Dendrites: `python -m tools.memory [--dendrites 1000]`.

Real connections from a few processes to a Synapse of its own; under a minute.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from contextlib import ExitStack

from .bench import crowd
from .bench.started import synapse, taken


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tools.memory", description=__doc__)
    parser.add_argument("--dendrites", type=int, default=1000, metavar="N", help="how many")
    count = parser.parse_args(arguments).dendrites
    count = max(1, count // crowd.PROCESSES) * crowd.PROCESSES  # the same in each process
    with synapse() as (pid, url), ExitStack() as stack:
        before = taken(pid)
        began_s = time.monotonic()
        crowds = crowd.gathered(stack, url, "memory", count)
        took_s = time.monotonic() - began_s
        with_all = taken(pid)
        crowd.dispersed(crowds)
        time.sleep(1.0)  # let it close what they left
        after = taken(pid)
    print(f"{'':>24}   memory  descriptors")
    for what, at in (("alone", before), (f"with {count:,} Dendrites", with_all), ("left", after)):
        print(f"{what:>24}  {at.rss_kib / 1024:4.1f} MiB  {at.descriptors:>10,}")
    more_kib = (with_all.rss_kib - before.rss_kib) / count
    print(f"{more_kib:.1f} KiB for each Dendrite with one Axon; they were there in {took_s:.1f} s")


if __name__ == "__main__":
    main()
