"""The command: `python -m tools.bench [kind ...]`; tables on stdout, progress on stderr."""

from __future__ import annotations

import argparse
import importlib.util
import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import attrs

from cosmonapse.bench import output, plot
from cosmonapse.bench.children import LOOP, BenchError
from cosmonapse.bench.figures import Report
from cosmonapse.runtime.environment import CARRIER_VARIABLE
from cosmonapse.synapse.carriers import CARRIERS

from . import conclusions, guard, page, pinning
from .kinds import ALSO, KINDS, UNPINNED, measured
from .run import QUICK, SMOKE, Options
from .systems.found import NAMES, present
from .systems.system import System

_FLOORS = Path(__file__).with_name("floors.toml")


def parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line; ends the program on nonsense."""
    parser = argparse.ArgumentParser(prog="python -m tools.bench", description=__doc__)
    add = parser.add_argument
    add("kinds", nargs="*", metavar="kind", help=f"{', '.join(KINDS)}; all")
    add("--seconds", type=float, help="length of one round of calls")
    add("--rounds", type=int, help="rounds of each system")
    add("--quick", action="store_true", help="rough, held to no floor; about two minutes")
    add("--smoke", action="store_true", help="does every kind run? the figures say nothing")
    add("--pin", action="store_true", help="everything on one core: steady ratios")
    add("--against", metavar="A,B", help=f"only these beside ours: {', '.join(NAMES[1:])}")
    add("--beside", type=Path, metavar="FOLDER", help="another checkout of this project, too")
    add("--carrier", choices=CARRIERS, help="of every Python process and every Synapse of ours")
    add("--pure", action="store_true", help="without the compiled kernel, in all of ours")
    add("--uvloop", action="store_true", help="all Python processes on uvloop")
    add("--json", type=Path, metavar="FILE", help="write the figures there too")
    add("--csv", type=Path, metavar="FILE", help="write the figures there too, one a line")
    add("--plots", type=Path, metavar="FOLDER", help="write the plots there")
    add("--write", action="store_true", help=f"all of it, pinned and not, into {page.PAGE.name}")
    given = parser.parse_args(arguments)
    given.kinds = list(dict.fromkeys(ALSO.get(kind, kind) for kind in given.kinds))
    strangers = sorted(set(given.kinds) - set(KINDS))
    if strangers:
        parser.error(f"no such kind: {', '.join(strangers)}; there are {', '.join(KINDS)}")
    lengths = (given.seconds, given.rounds)
    if any(length is not None and length <= 0 for length in lengths):
        parser.error("--seconds and --rounds must be over 0")
    given.against = NAMES if given.against is None else tuple(given.against.split(","))
    if unknown := sorted(set(given.against) - {*NAMES, ""}):
        parser.error(f"no such system: {', '.join(unknown)}; there are {', '.join(NAMES[1:])}")
    if given.uvloop and importlib.util.find_spec("uvloop") is None:
        parser.error("--uvloop wants uvloop, the extra [speed]: pip install uvloop")
    return given


def options_of(given: argparse.Namespace) -> Options:
    """Return how long to measure."""
    options = SMOKE if given.smoke else QUICK if given.quick else Options()
    changes = {"seconds": given.seconds, "rounds": given.rounds}
    return attrs.evolve(options, **{k: v for k, v in changes.items() if v is not None})


def measured_as(
    is_pinned: bool, kinds: Sequence[str], options: Options, systems: tuple[System, ...]
) -> tuple[dict[str, str], dict[str, Report]]:
    """Return the machine, as it was used, and the programs found on it."""
    with pinning.pinned() if is_pinned else nullcontext():
        return page.machine(), measured(kinds, options, systems)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, show and record the figures, and hold those of a full run to their floors."""
    given = parsed(arguments)
    options = options_of(given)
    _set_form(given)
    systems, lacks = present(given.against, given.beside)
    for name, lack in lacks.items():
        print(f"without {name}: {lack}", file=sys.stderr)
    is_whole = given.write and not (given.quick or given.smoke or given.kinds)
    if given.write and not is_whole:
        print(f"{page.PAGE.name} stays as it is: that wants a full run", file=sys.stderr)
    is_pinned = given.pin or given.write
    try:
        facts, reports = measured_as(is_pinned, given.kinds or list(KINDS), options, systems)
        free = measured_as(False, UNPINNED, options, systems) if is_whole else None
    except BenchError as error:
        sys.exit(f"bench: {error}")
    except KeyboardInterrupt:
        sys.exit("bench: interrupted")
    found = output.found(facts, attrs.asdict(options), reports)
    aims = guard.read(_FLOORS.read_text())
    is_rough = given.quick or given.smoke
    goals = aims.table(found["kinds"]) if is_pinned and not is_rough else None
    section = page.rendered(facts, reports.values(), goals)
    print(section)
    meaning = conclusions.lines(found["kinds"])
    if meaning and not given.smoke:
        print("\n" + "\n".join(["**in short**", "", *meaning]))
    if is_rough and is_pinned:
        print("\nRough figures of a short run: not compared with the goals, held to no floor.")
    if free is not None:
        others = page.rendered(free[0], free[1].values())
        print(f"\n{others}")
        found["unpinned"] = output.found(free[0], attrs.asdict(options), free[1])
        page.write({"in short": "\n".join(meaning), "pinned": section, "unpinned": others})
    _keep(given, found, facts, reports, is_whole)
    if is_pinned and not is_rough and (falls := aims.falls(found["kinds"])):
        sys.exit("\n".join(f"bench: {fall}" for fall in falls))


def _set_form(given: argparse.Namespace) -> None:
    """Set the form in which the processes of the bench run."""
    form = {
        LOOP: "uvloop" if given.uvloop else None,
        CARRIER_VARIABLE: given.carrier,
        "COSMO_PURE": "1" if given.pure else None,
    }
    os.environ.update({name: value for name, value in form.items() if value is not None})


def _keep(
    given: argparse.Namespace,
    found: Mapping[str, Any],
    facts: Mapping[str, str],
    reports: Mapping[str, Report],
    is_whole: bool,
) -> None:
    if given.json:
        given.json.write_text(output.as_json(found))
    if given.csv:
        given.csv.write_text(output.as_csv(found))
    folder = given.plots or (page.PLOTS if is_whole else None)
    if folder:
        folder.mkdir(parents=True, exist_ok=True)
        note = f"{facts['cores']} cores, {facts['commit']}"
        for each in (each for report in reports.values() for each in report.plots):
            (folder / f"{each.name}.svg").write_text(plot.svg(each, note))


if __name__ == "__main__":
    main()
