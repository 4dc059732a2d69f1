"""The rules for what runs beside the load: probes, metrics, traces and Prism. Pure."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Callable, Iterator, Sequence

from .answers import Probe, Scrape
from .explain import LOSSES, NOTICED_S, RESTARTS, SETTLE_S, Expectation
from .history import Fault, History
from .violation import Violation

SLOW_S = 10.0
HEALTH = "/healthz"
_SYNAPSE = "synapse"
_BLOCK = "worker_block"
_SILENT = frozenset({"worker_freeze", "failover_freeze", "frozen_watcher"})
_NO_ANSWER = 0
_OK = 200
_RUNNING = 40
"""So many tasks may run at a worker at a time: they have begun and not ended."""
_OFF = 0.001
_LOST = frozenset({"WORKER_LOST", "TASK_LOST", "REPLY_LOST"})


def _missing(history: History, _: Expectation) -> Iterator[Violation]:
    """What was on was there, and did something."""
    on = history.features[0]
    done = {
        "metrics": any(each.status == _OK for each in history.scrapes),
        "traces": bool(history.spans) and sum(history.span_counts.values()) > 0,
        "prism": any(each["signals"] for each in history.prism.values()),
        "reloads": any(each.kind == "reload" for each in history.faults.values()),
    }
    for name in on:
        if not done.get(name, True):
            yield Violation("missing", history.ends_at_s, f"{name} was on, and nothing came of it")


def _probes(history: History, _: Expectation) -> Iterator[Violation]:
    faults = list(history.faults.values())
    for each in history.probes:
        if each.asked == "ending":
            if each.status == _OK and each.path != HEALTH:
                yield _lies(each, "while it ends")
        elif each.status != _OK and not any(_excuses(fault, each) for fault in faults):
            yield _lies(each, "as it said that it is ready" if each.asked else "while all is well")


def _lies(each: Probe, when: str) -> Violation:
    answer = each.status or "nothing"
    text = f"{each.name}{each.path} answered {answer} {when}: {each.text or '-'}"
    return Violation("probe", each.at_s, text)


def _excuses(fault: Fault, probe: Probe) -> bool:
    """Return whether a fault explains that a probe is not answered with 200."""
    began_s = probe.at_s - probe.took_s
    if not fault.at_s <= probe.at_s or began_s > fault.until_s(NOTICED_S):
        return False
    if probe.asked:
        return fault.kind in RESTARTS
    if probe.path == HEALTH or probe.status == _NO_ANSWER:
        # Threads answer these: a loop that is blocked for less than ten seconds changes nothing.
        return _stops(fault, probe.name)
    return _stops(fault, probe.name) or fault.kind in RESTARTS or probe.name in _hit_by(fault)


def _hit_by(fault: Fault) -> frozenset[str]:
    return fault.workers | fault.callers | {fault.target}


def _stops(fault: Fault, name: str) -> bool:
    """Return whether a process is not there, or stands still, because of a fault."""
    if fault.kind == "reload" or fault.kind == _BLOCK or fault.kind.startswith("link"):
        return False
    is_one_synapse = fault.target.startswith(_SYNAPSE) and fault.target != name
    return name in ({fault.target} if is_one_synapse else _hit_by(fault))


def _scrapes(history: History, _: Expectation) -> Iterator[Violation]:
    faults = list(history.faults.values())
    before: dict[str, float] = {}
    for each in history.scrapes:
        since_s, before[each.name] = before.get(each.name, 0.0), each.at_s
        is_wrong = each.text or each.took_s > SLOW_S
        if is_wrong and not any(_keeps_from(fault, each) for fault in faults):
            text = f"{each.name} gave no metrics in {each.took_s:.1f} s: {each.text or '-'}"
            yield Violation("scrape", each.at_s, text)
        for back in each.back:
            if not _restarted(faults, each, since_s):
                yield Violation("went_back", each.at_s, f"{each.name}: {back}")


def _keeps_from(fault: Fault, scrape: Scrape) -> bool:
    felt = fault.at_s <= scrape.at_s and scrape.at_s - scrape.took_s <= fault.until_s(SETTLE_S)
    return felt and _stops(fault, scrape.name)


def _restarted(faults: Sequence[Fault], scrape: Scrape, since_s: float) -> bool:
    """Return whether the processes of a runner were others at the scrape before."""
    return scrape.name == "runner" and any(
        fault.kind == "reload" and fault.at_s <= scrape.at_s and fault.until_s(SETTLE_S) >= since_s
        for fault in faults
    )


def _miscounted(history: History, _: Expectation) -> Iterator[Violation]:
    """A worker counts as many tasks as it has run."""
    scrapes: dict[tuple[str, int], list[Scrape]] = {}
    for each in history.scrapes:
        if not each.text and each.name in history.starts:
            scrapes.setdefault((each.name, each.pid), []).append(each)
    for (name, _), (first, *_, last) in ((k, v) for k, v in scrapes.items() if len(v) > 1):
        starts, counted = history.starts[name], last.tasks - first.tasks
        ran = bisect(starts, last.asked_at_s) - bisect(starts, first.asked_at_s)
        if abs(counted - ran) > _RUNNING + ran * _OFF:
            text = f"{name} counted {counted:g} tasks from {first.at_s:.1f} s on, and ran {ran}"
            yield Violation("miscounted", last.at_s, text)


def _orphans(history: History, _: Expectation) -> Iterator[Violation]:
    """Every span has the span above it, in whatever process that is."""
    for (trace, own), span in history.spans.items():
        if span.parent is not None and (trace, span.parent) not in history.spans:
            text = f"{span.name} of {span.who}, {own} of trace {trace}, is below {span.parent}"
            yield Violation("orphan", span.at_s, f"{text}, which nobody started")


def _prism(history: History, _: Expectation) -> Iterator[Violation]:
    faults = list(history.faults.values())
    for at_s, text, code in history.prism_wrong:
        if not any(_parts(fault, code, at_s) for fault in faults):
            yield Violation("two_stories", at_s, text)


def _parts(fault: Fault, code: str, at_s: float) -> bool:
    """Return whether a caller may have got an ERROR for a task whose output others saw.

    The two go by connections of their own: one of them may end with what is on the way.
    """
    felt = fault.at_s <= at_s <= fault.until_s(NOTICED_S)
    return felt and code in _LOST and (fault.kind in RESTARTS or fault.kind in LOSSES)


RULES: tuple[Callable[[History, Expectation], Iterator[Violation]], ...] = (
    _missing,
    _probes,
    _scrapes,
    _miscounted,
    _orphans,
    _prism,
)
