"""The command: `python -m tools.bench [kind ...]`; tables on stdout, progress on stderr."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import attrs

from cosmonapse.bench.figures import Report

from . import (
    calls,
    handlers,
    in_process,
    nobody,
    page,
    pathways,
    pinning,
    start,
    streaming,
    unwatched,
)
from .children import BenchError
from .run import Options, Run
from .systems.found import NAMES, present

KINDS: dict[str, Callable[[Run], Report]] = {
    "calls": calls.measure,
    "handlers": handlers.measure,
    "in_process": in_process.measure,
    "nobody": nobody.measure,
    "pathways": pathways.measure,
    "start": start.measure,
    "streaming": streaming.measure,
    "unwatched": unwatched.measure,
}
_QUICK = Options(
    seconds=0.5, rounds=3, nobody_count=100, start_count=10, unwatched_count=100, pathway_count=1000
)


def parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line; ends the program on nonsense."""
    parser = argparse.ArgumentParser(prog="python -m tools.bench", description=__doc__)
    parser.add_argument("kinds", nargs="*", metavar="kind", help=f"{', '.join(KINDS)}; all")
    parser.add_argument("--seconds", type=float, help="length of one round of calls")
    parser.add_argument("--rounds", type=int, help="rounds of each system")
    parser.add_argument("--quick", action="store_true", help="under half a minute, rough")
    parser.add_argument(
        "--against", metavar="A,B", help=f"only these beside ours: {', '.join(NAMES[1:])}"
    )
    parser.add_argument("--pin", action="store_true", help="everything on one core: steady ratios")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    parser.add_argument(
        "--write", action="store_true", help=f"put the tables into {page.PAGE.name}"
    )
    given = parser.parse_args(arguments)
    strangers = sorted(set(given.kinds) - set(KINDS))
    if strangers:
        parser.error(f"no such kind: {', '.join(strangers)}; there are {', '.join(KINDS)}")
    lengths = (given.seconds, given.rounds)
    if any(length is not None and length <= 0 for length in lengths):
        parser.error("--seconds and --rounds must be over 0")
    if given.write and (given.quick or given.kinds):
        parser.error("--write wants a full run: without --quick, and of every kind")
    return given


def options_of(given: argparse.Namespace) -> Options:
    """Return how long to measure."""
    options = _QUICK if given.quick else Options()
    changes = {"seconds": given.seconds, "rounds": given.rounds}
    return attrs.evolve(options, **{k: v for k, v in changes.items() if v is not None})


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, show, and write down if asked to."""
    given = parsed(arguments)
    options = options_of(given)
    if given.pin:
        pinning.pin()
    facts = page.machine()
    began_s = time.monotonic()

    def say(text: str) -> None:
        print(f"{time.monotonic() - began_s:6.1f} s  {text}", file=sys.stderr)

    systems, lacks = present(given.against.split(",") if given.against else NAMES)
    for name, lack in lacks.items():
        print(f"without {name}: {lack}", file=sys.stderr)
    run = Run(options, systems, say)
    try:
        reports = {kind: KINDS[kind](run) for kind in given.kinds or KINDS}
    except BenchError as error:
        sys.exit(f"bench: {error}")
    section = page.rendered(
        facts, [table for report in reports.values() for table in report.tables]
    )
    print(section)
    if given.json:
        kinds = {kind: report.facts for kind, report in reports.items()}
        found = {"machine": facts, "options": attrs.asdict(options), "kinds": kinds}
        given.json.write_text(json.dumps(found, indent=2) + "\n")
    if given.write:
        name = "pinned" if given.pin else "unpinned"
        page.PAGE.write_text(page.with_section(page.PAGE.read_text(), name, section))


if __name__ == "__main__":
    main()
