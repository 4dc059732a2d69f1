"""The command: `python -m tools.soak [fault ...]`; the verdict on stdout, progress on stderr."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from cosmonapse.synapse.carriers import chosen_carrier

from .director import Director
from .explain import EXPECTATIONS, RESYNC
from .fabric import Fabric, Size
from .history import CuttableCarrier, History, parsed, read
from .hosts import Hosts
from .log import Log
from .node import CARRIERS
from .plan import (
    AT_THE_ONLY_ONE,
    BY_CABLE,
    BY_EVERYTHING,
    BY_ITSELF,
    BY_RELAY,
    BY_STANDBY,
    BY_THREAD,
    FAULTS,
    Planned,
    day,
    plan,
)
from .processes import SoakError
from .tasks import WEIGHTS
from .verdict import Verdict, judge, shown

_SIZE = Size()
_ZMTP, _LIBZMQ = "zmtp", "libzmq"
_DAY_OUTSTANDING, _DAY_TIMEOUT_S = 3, 12.0


def arguments_of(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line; ends the program on nonsense."""
    parser = argparse.ArgumentParser(prog="python -m tools.soak", description=__doc__)
    parser.add_argument(
        "faults", nargs="*", metavar="fault", help=f"only these: {', '.join(FAULTS)}; or none"
    )
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--minutes", type=float, help="how long, 1 by default")
    length.add_argument("--seconds", type=float, help="the same in seconds")
    parser.add_argument("--seed", type=int, help="of the dice; another one each time by default")
    parser.add_argument(
        "--expect", choices=EXPECTATIONS, default=RESYNC.name, help="the errors that are allowed"
    )
    _add_size(parser)
    parser.add_argument(
        "--only", choices=WEIGHTS, help="dispatch this kind of task alone, beside the echoes"
    )
    parser.add_argument(
        "--apart", type=float, default=0.0, metavar="S", help="more seconds between two faults"
    )
    _add_processes(parser)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the verdict there too")
    parser.add_argument(
        "--logs", type=Path, metavar="FOLDER", help="keep the logs there; else only broken runs do"
    )
    parser.add_argument(
        "--check", type=Path, metavar="FOLDER", help="only judge the logs of an earlier run"
    )
    given = parser.parse_args(arguments)
    _complete(parser, given)
    given.faults = _possible(parser, given)
    given.seconds = given.seconds or (given.minutes or 1.0) * 60
    if min(given.seconds, given.timeout) <= 0:
        parser.error("a length and a timeout over 0 are wanted")
    if min(given.workers, given.callers) < 2 or given.outstanding < 1:
        parser.error("two workers, two callers and one task are the least")
    return given


def _add_processes(parser: argparse.ArgumentParser) -> None:
    """Add what processes there are, and where."""
    parser.add_argument(
        "--two-hosts",
        action="store_true",
        help="the last worker and the last caller on another host, in a network namespace; as root",
    )
    parser.add_argument(
        "--javascript",
        choices=CARRIERS,
        metavar="CARRIER",
        help="every other worker and caller is written in JavaScript, over zmtp or libzmq",
    )
    parser.add_argument(
        "--standby",
        action="store_true",
        help="a second Synapse stands by, on the other host if there is one",
    )
    parser.add_argument(
        "--keys",
        action="store_true",
        help="Synapses with keys, and a key for each kind of client",
    )
    parser.add_argument(
        "--everything",
        action="store_true",
        help="keys, JavaScript, a standby, metrics, traces, logs of JSON, Prism, a cosmo worker "
        "that reloads; faults with pauses of ordinary work",
    )


def _add_size(parser: argparse.ArgumentParser) -> None:
    """Add the numbers of processes, and their load."""
    parser.add_argument("--workers", type=int, default=_SIZE.workers, help="2 or more")
    parser.add_argument("--callers", type=int, default=_SIZE.callers, help="2 or more")
    parser.add_argument(
        "--outstanding",
        type=int,
        help=f"tasks of each caller at a time, {_SIZE.outstanding} by default, "
        f"{_DAY_OUTSTANDING} with --everything",
    )
    parser.add_argument(
        "--timeout",
        type=float,
        metavar="S",
        help=f"of each task, {_SIZE.timeout_s:g} by default, {_DAY_TIMEOUT_S:g} with --everything",
    )


def _complete(parser: argparse.ArgumentParser, given: argparse.Namespace) -> None:
    """Turn on all that belongs to everything, and take the load that is usual then."""
    if given.everything:
        given.keys = given.standby = True
        given.javascript = given.javascript or _LIBZMQ
        if given.two_hosts:
            parser.error("--everything is on one host")
    if given.timeout is None:
        given.timeout = _DAY_TIMEOUT_S if given.everything else _SIZE.timeout_s
    if given.outstanding is None:
        given.outstanding = _DAY_OUTSTANDING if given.everything else _SIZE.outstanding


def _possible(parser: argparse.ArgumentParser, given: argparse.Namespace) -> list[str]:
    """Return the faults of a run: those asked for, or all that there can be on its hosts."""
    strangers = sorted(set(given.faults) - {*FAULTS, "none"})
    if strangers:
        parser.error(f"no such fault: {', '.join(strangers)}; there are {', '.join(FAULTS)}, none")
    if "none" in given.faults and len(given.faults) > 1:
        parser.error("none is no fault beside others")
    if given.keys and given.javascript == _ZMTP:
        parser.error("with --keys every client is over libzmq: --javascript libzmq")
    given.standby = given.standby or not BY_STANDBY.isdisjoint(given.faults)
    impossible = BY_RELAY if given.two_hosts else BY_CABLE
    impossible = impossible | (AT_THE_ONLY_ONE if given.standby else BY_STANDBY)
    if not given.everything:
        impossible = impossible | BY_EVERYTHING
    if given.javascript == _ZMTP and chosen_carrier() != _ZMTP:
        impossible = impossible | BY_THREAD  # that Synapse waits for answers of their loops
    if "none" in given.faults:
        return []
    if wrong := sorted(impossible.intersection(given.faults)):
        parser.error(f"{', '.join(wrong)}: {_why_impossible(wrong, given)}")
    return given.faults or sorted(set(FAULTS) - impossible - BY_ITSELF)


def _why_impossible(wrong: Sequence[str], given: argparse.Namespace) -> str:
    if BY_THREAD.intersection(wrong):
        return "not with --javascript zmtp at a Synapse that waits for answers: COSMO_CARRIER=zmtp"
    if AT_THE_ONLY_ONE.intersection(wrong) and given.standby:
        return "not where there is a second Synapse"
    if BY_EVERYTHING.intersection(wrong):
        return "only with --everything"
    return "not between two hosts" if given.two_hosts else "only with --two-hosts"


def faults_of(given: argparse.Namespace, seed: int) -> Iterator[Planned]:
    """Return the faults of a run."""
    if not given.faults:
        return iter(())
    if not given.everything or given.apart:
        return plan(seed, given.faults, given.apart)
    return _day(given, seed)


def _day(given: argparse.Namespace, seed: int) -> Iterator[Planned]:
    began_s = time.monotonic()  # at the first fault: all is started then
    yield from day(seed, given.faults, given.seconds, lambda: time.monotonic() - began_s)


async def run(given: argparse.Namespace, seed: int, folder: Path) -> None:
    """Start everything, break it, end it."""
    log = Log(folder / "harness.log", "harness")
    kinds = given.only or "", given.javascript or ""
    load = given.workers, given.callers, given.outstanding, given.timeout
    size = Size(*load, *kinds, given.standby, given.keys, given.everything)
    faults = faults_of(given, seed)
    with Hosts() if given.two_hosts else contextlib.nullcontext() as hosts:
        fabric = Fabric(folder, size, seed, log, hosts)
        try:
            await fabric.start()
            await Director(fabric, log).run(faults, given.seconds)
            await fabric.finish()
        finally:
            await fabric.kill()


def run_all(given: argparse.Namespace) -> Path:
    """Run as the command line says; return the folder of the logs.

    Raises:
        SoakError: The harness failed, or the folder holds the logs of another run.
    """
    seed = given.seed if given.seed is not None else random.randrange(1_000_000)
    folder = given.logs or Path(tempfile.mkdtemp(prefix=f"soak-{seed}-"))
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.glob("*.log")):
        raise SoakError(f"there are logs of another run in {folder}: name another folder")
    print(f"soak: seed {seed}, {given.seconds:g} s, logs in {folder}", file=sys.stderr)
    asyncio.run(run(given, seed, folder))
    return folder


def history_of(folder: Path) -> History:
    """Read all logs of a folder.

    Raises:
        SoakError: There is none.
    """
    files = sorted(folder.glob("*.log"))
    if not files:
        raise SoakError(f"there are no logs in {folder}")

    def lines() -> Iterator[CuttableCarrier]:
        for file in files:
            with file.open() as text:
                yield from parsed(text)

    return read(lines())


def show(verdict: Verdict, history: History, path: Path | None) -> None:
    """Print the verdict, and write it down if asked to."""
    began_at_s = min(
        (task.invoked_at_s for task in history.tasks.values() if task.caller), default=0.0
    )
    print(shown(verdict, began_at_s))
    if path is not None:
        path.write_text(json.dumps({"began_at_s": began_at_s, **verdict.facts()}, indent=1))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, judge, show.

    Returns:
        0 if all held, 1 if not, 2 if the harness failed, 130 if it was interrupted.
    """
    given = arguments_of(arguments)
    try:
        folder = given.check or run_all(given)
        history = history_of(folder)
    except SoakError as error:
        print(f"soak: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    verdict = judge(history, EXPECTATIONS[given.expect])
    show(verdict, history, given.json)
    if verdict.holds and given.check is None and given.logs is None:
        shutil.rmtree(folder)
    else:
        print(f"soak: the logs are in {folder}", file=sys.stderr)
    return 0 if verdict.holds else 1


if __name__ == "__main__":
    sys.exit(main())
