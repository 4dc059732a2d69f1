"""The checker: find the violations in the history of a run. Pure.

Each rule yields its violations; a run holds without any.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from . import check_beside, figures
from .explain import RESTARTS, STUCK_AFTER_S, Expectation, explanation, overlap
from .history import History, Task
from .tasks import CHILD, THOUGHTS
from .violation import Violation

LATE_S = 1.0
BACK_S = 3.0
TOLD_S = 1.0
GRACE_S = 12.0
ASKED_S = 0.5
"""How often, at the most, somebody looks at the roster."""
LEAK_AFTER_S = 300.0
MAX_RSS_KIB_PER_MIN = 2048.0
MAX_PER_MIN = 2.0
_ALL_THOUGHTS = f"0-{THOUGHTS - 1}"
_FIRST_THOUGHTS = re.compile(r"(0(-\d+)?)?")


def violations(history: History, expectation: Expectation) -> list[Violation]:
    """Return everything that must not have happened, the earliest first."""
    found = [each for rule in _RULES for each in rule(history, expectation)]
    return sorted(found, key=lambda violation: violation.at_s)


def _invoked(history: History) -> Iterator[Task]:
    return (task for task in history.tasks.values() if task.caller)


def _one_outcome(history: History, _: Expectation) -> Iterator[Violation]:
    for task in _invoked(history):
        if task.outcomes == 0:
            text = f"{_shown(task)} has no outcome"
            yield Violation("no_outcome", task.deadline_at_s, text)
        elif task.outcomes > 1:
            text = f"{_shown(task)} has {task.outcomes} outcomes"
            yield Violation("many_outcomes", task.invoked_at_s, text)


def _in_time(history: History, _: Expectation) -> Iterator[Violation]:
    for task in _invoked(history):
        late_s = (task.ended_at_s or 0.0) - task.deadline_at_s
        if late_s > LATE_S:
            text = f"{_shown(task)} ended {late_s:.1f} s after its deadline"
            yield Violation("late", task.deadline_at_s, text)


def _run_once(history: History, _: Expectation) -> Iterator[Violation]:
    for task in history.tasks.values():
        runs = len(set(task.attempts)) if task.retry else 1
        if len(task.attempts) > runs:
            where = ", ".join(task.workers)
            text = f"{_shown(task)} was started {len(task.attempts)} times: {where}"
            yield Violation("run_twice", task.invoked_at_s, text)


def _known(history: History, _: Expectation) -> Iterator[Violation]:
    for task in history.tasks.values():
        if not task.caller and task.id.removesuffix(CHILD) == task.id:
            text = f"{task.id} was run or ended without a dispatch"
            yield Violation("stranger", 0.0, text)
        elif task.caller and task.outcomes and not task.code and not task.attempts:
            text = f"{_shown(task)} was answered without a run"
            yield Violation("not_run", task.invoked_at_s, text)


def _right(history: History, _: Expectation) -> Iterator[Violation]:
    for task in _invoked(history):
        if task.outcomes and not task.code and task.got != task.want:
            text = f"{_shown(task)} got output {task.got}, which is not its own {task.want}"
            yield Violation("wrong_reply", task.ended_at_s or 0.0, text)


def _streams(history: History, _: Expectation) -> Iterator[Violation]:
    for task in _invoked(history):
        if task.kind != "stream" or not task.outcomes:
            continue
        if not task.code and task.thoughts != _ALL_THOUGHTS:
            text = f"{_shown(task)} saw thoughts {task.thoughts or 'none'}, not {_ALL_THOUGHTS}"
            yield Violation("broken_stream", task.ended_at_s or 0.0, text)
        elif task.code and not _FIRST_THOUGHTS.fullmatch(task.thoughts):
            text = f"{_shown(task)} saw thoughts {task.thoughts}, which are not the first ones"
            yield Violation("broken_stream", task.ended_at_s or 0.0, text)


def _explained(history: History, expectation: Expectation) -> Iterator[Violation]:
    faults = list(history.faults.values())
    for task in _invoked(history):
        if task.code and explanation(task, faults, expectation) is None:
            where = ", ".join(task.workers) or "nobody"
            text = f"{_shown(task)} ended with {task.code}, run by {where}: {task.text or '-'}"
            yield Violation("unexplained", task.ended_at_s or 0.0, text)


def _recovered(history: History, _: Expectation) -> Iterator[Violation]:
    restarts = [fault for fault in history.faults.values() if fault.kind in RESTARTS]
    for each in figures.recoveries(history):
        fault = each.fault
        name = f"{fault.kind} of {fault.target}"
        if not each.disturbed and (each.back_s or 0.0) > BACK_S:
            text = f"{name}: not all that it hit were served again within {BACK_S:g} s"
            yield Violation("not_back", fault.at_s, text)
        # While the Synapse is away, no end of a task can be reported.
        told_late = fault.kind == "worker_kill" and (each.told_s or 0.0) > TOLD_S
        if told_late and not any(overlap(fault, restart) for restart in restarts):
            text = f"{name}: a caller was told after {each.told_s:.1f} s, not within {TOLD_S:g} s"
            yield Violation("told_late", fault.at_s, text)


def _one_leader(history: History, _: Expectation) -> Iterator[Violation]:
    """Of several Synapses exactly one leads in the end."""
    if history.leaders is not None and len(history.leaders) != 1:
        text = f"in the end lead: {', '.join(history.leaders) or 'none'}"
        yield Violation("leaders", history.ends_at_s, text)


def _stuck(history: History, _: Expectation) -> Iterator[Violation]:
    """A worker that blocks its loop is shown as stuck, and never as away."""
    for fault in history.faults.values():
        if fault.kind != "worker_block" or fault.mended_at_s is None:
            continue
        until_s = fault.mended_at_s
        shown = {
            state
            for at_s, worker, state in history.states
            if worker == fault.target and fault.at_s <= at_s <= until_s
        }
        if "stuck" not in shown and until_s - fault.at_s > STUCK_AFTER_S + ASKED_S:
            text = f"{fault.target} blocked its loop and was never shown as stuck"
            yield Violation("not_stuck", fault.at_s, text)
        if "away" in shown:
            text = f"{fault.target} only blocked its loop and was shown as away"
            yield Violation("not_stuck", fault.at_s, text)


def _processes(history: History, _: Expectation) -> Iterator[Violation]:
    for each in history.ended:
        if each.code != 0 or each.took_s > GRACE_S:
            text = f"{each.name} ended with {each.code} after {each.took_s:.1f} s"
            yield Violation("bad_end", history.ends_at_s, text)
    for name, said in history.complaints:
        yield Violation("complaint", history.ends_at_s, f"{name} said: {said}")


def _growth(history: History, _: Expectation) -> Iterator[Violation]:
    for each in figures.slopes(history):
        if each.lived_s < LEAK_AFTER_S:
            continue
        limits = (
            ("KiB of memory", each.rss_kib or 0.0, MAX_RSS_KIB_PER_MIN),
            ("descriptors", each.descriptors, MAX_PER_MIN),
            ("asyncio tasks", each.tasks or 0.0, MAX_PER_MIN),
            ("threads", each.threads, MAX_PER_MIN),
        )
        for what, slope, limit in limits:
            if slope > limit:
                text = f"{each.name} grows by {slope:.1f} {what} a minute, over {limit:g}"
                yield Violation("leak", history.ends_at_s, text)


def _shown(task: Task) -> str:
    return f"{task.id} ({task.kind} for {task.neuron or 'a worker'}{', retry' * task.retry})"


_RULES: tuple[Callable[[History, Expectation], Iterator[Violation]], ...] = (
    _one_outcome,
    _in_time,
    _run_once,
    _known,
    _right,
    _streams,
    _explained,
    _recovered,
    _one_leader,
    _stuck,
    _processes,
    _growth,
    *check_beside.RULES,
)
