"""Which failure of a task which fault explains; everything else is a violation. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import attrs

from .history import Fault, Task

SETTLE_S = 1.5
"""How long after its end a fault may still be felt: reconnecting, registering again."""

FAILOVERS = frozenset({"failover", "failover_stop", "failover_freeze"})
"""Faults after which another Synapse leads."""
RESTARTS = frozenset({"synapse_kill", "synapse_term", "partition"}) | FAILOVERS
"""Faults after which all begin anew at a Synapse: a new one, or another one."""
STUCK_AFTER_S = 6.5
"""How long a worker may have blocked its loop until it gets no new tasks."""
NOTICED_S = 4.5
"""How long a worker that falls silent may be taken for one that works, or that comes back: its
connection stands until the heartbeats end it, and till then it is waited for."""
_REMEMBERED_S = 10.0
"""How long a worker that went together with the Synapse may still have a task, for its callers."""
_LINKS = frozenset({"link_reset", "link_stall", "link_half_open", "link_cut"})
_SILENT = frozenset({"worker_freeze", "link_stall", "link_cut"})
"""Faults that nobody is told of."""
_CUTS = RESTARTS | _LINKS
LOSSES = _LINKS | {"worker_kill", "worker_freeze"}
"""Faults that may take a worker away with what it has."""


_LEAVES = frozenset({"reload"})
"""Faults after which a worker leaves in order. Where its Synapse hangs or ends just then, nobody
hears that."""


@attrs.frozen
class Expectation:
    """The errors that are allowed, and why.

    Args:
        name: Its name on the command line.
        codes: For each kind of fault the codes that a task may end with because of it.
        together: Codes that only a restart of the Synapse and the loss of a worker, both during
            the task, may lead to.
    """

    name: str
    codes: Mapping[str, frozenset[str]]
    together: frozenset[str]


_ALONE = {"NO_SUCH_NEURON"}
_RESYNC = {
    "worker_kill": {"WORKER_LOST"} | _ALONE,
    "worker_term": _ALONE,
    "rolling_restart": _ALONE,
    "worker_freeze": {"WORKER_LOST"} | _ALONE,
    "worker_block": {"TIMEOUT", "OVERLOADED"},
    "link_reset": {"WORKER_LOST"},
    "link_stall": {"WORKER_LOST"},
    "link_half_open": {"WORKER_LOST"},
    # 04-liveness, "Absence" 5: what a caller had asked for is cancelled once it is away for long.
    "link_cut": {"WORKER_LOST", "CANCELLED"},
    # Each half goes on, and what is with a worker of the other one is told as of one that is away.
    "partition": {"WORKER_LOST", "CANCELLED", "TASK_LOST", "REPLY_LOST", "TIMEOUT"} | _ALONE,
}
_FORGETS = {"TIMEOUT", "NO_SUCH_NEURON", "TASK_LOST"}

RESYNC = Expectation(
    "resync",
    {kind: frozenset(codes) for kind, codes in _RESYNC.items()},
    frozenset({"TASK_LOST", "REPLY_LOST"}),
)
"""A Synapse that comes back, and a client that comes back, knows what was open."""

TODAY = Expectation(
    "today",
    {kind: frozenset(_RESYNC.get(kind, set()) | _FORGETS) for kind in _CUTS}
    | {kind: codes for kind, codes in RESYNC.codes.items() if kind not in _CUTS},
    RESYNC.together,
)
"""What was open when the connection went is forgotten, and its callers wait until the deadline."""

EXPECTATIONS: Mapping[str, Expectation] = {each.name: each for each in (RESYNC, TODAY)}


def overlap(one: Fault, other: Fault) -> bool:
    """Return whether there was a time at which both had an effect."""
    return one.at_s <= other.until_s(SETTLE_S) and other.at_s <= one.until_s(SETTLE_S)


def explanation(task: Task, faults: Sequence[Fault], expectation: Expectation) -> Fault | None:
    """Return the fault that explains how a task failed, or None."""
    if task.ended_at_s is None or task.code == "RAISED":
        return None
    felt = [fault for fault in faults if _felt_by(fault, task)]
    for fault in felt:
        if task.code in expectation.codes.get(fault.kind, ()) and _concerns(fault, task):
            return fault
        if task.code == "TIMEOUT" and (
            _out_of_reach_at_deadline(fault, task) or _unnoticed_at_deadline(fault, felt, task)
        ):
            return fault
    if task.code in expectation.together:
        return _together(felt, faults, task)
    return None


def _felt_by(fault: Fault, task: Task) -> bool:
    ended_at_s = task.ended_at_s or 0.0
    return fault.at_s <= ended_at_s and task.invoked_at_s <= fault.until_s(SETTLE_S)


def _concerns(fault: Fault, task: Task) -> bool:
    """Return whether a fault hit the processes of a task, as far as the logs show it."""
    if fault.kind == "partition":
        return _parted(fault, task)
    if fault.kind in RESTARTS:
        return True
    if task.code == "NO_SUCH_NEURON" and fault.kind not in _LINKS:
        return task.neuron in fault.sole
    if fault.kind == "worker_block":
        return _blocked(fault, task)
    if task.code == "WORKER_LOST":
        return _ran_there(fault, task)
    return task.caller in fault.callers or _ran_there(fault, task)


def _parted(fault: Fault, task: Task) -> bool:
    """Return whether a task may have been in one half, and its worker in the other.

    For a Neuron that no worker of its half serves an attempt may wait until its time is over.
    """
    if task.code == "TIMEOUT":
        return task.retry and task.neuron in fault.sole
    return task.code != "NO_SUCH_NEURON" or task.neuron in fault.sole


def _ran_there(fault: Fault, task: Task) -> bool:
    """Return whether a task may have been with a worker that was hit.

    One that no worker has started may have waited there. One that has a child, or several attempts,
    may depend on any worker.
    """
    many = task.kind == "child" or task.retry or not task.workers
    return many or not fault.workers.isdisjoint(task.workers)


def _blocked(fault: Fault, task: Task) -> bool:
    """Return whether a task may have waited for a worker that blocks its loop.

    Once that is noticed the worker gets no more tasks: only those without another are refused.
    """
    if task.code == "OVERLOADED":
        return task.neuron in fault.sole
    return task.invoked_at_s <= fault.at_s + STUCK_AFTER_S and _ran_there(fault, task)


def _out_of_reach_at_deadline(fault: Fault, task: Task) -> bool:
    """Return whether no answer could reach the caller when its time was over."""
    if fault.kind in ("partition", "rolling_restart"):
        return False  # each half goes on; and whoever is restarted in order ends its work first
    cut_off = fault.kind in RESTARTS or task.caller in fault.callers
    return cut_off and fault.at_s <= task.deadline_at_s <= fault.until_s(SETTLE_S)


def _unnoticed_at_deadline(fault: Fault, felt: Sequence[Fault], task: Task) -> bool:
    """Return whether the silence of its worker was unnoticed when the time of a task was over.

    Until then it may still answer, and only this worker knows its tasks. But it must have had the
    task for a reason: because of a restart or a cut shortly before.
    """
    if fault.kind not in _SILENT or not _ran_there(fault, task):
        return False
    delayed = any(
        other is not fault and other.kind in _CUTS and overlap(other, fault) for other in felt
    )
    until_s = min(fault.at_s + NOTICED_S, fault.until_s(SETTLE_S))
    return delayed and fault.at_s <= task.deadline_at_s <= until_s


def _together(felt: Sequence[Fault], faults: Sequence[Fault], task: Task) -> Fault | None:
    """Return the loss of a worker after which no process knows of a task after a restart.

    Either both were during the task; or the worker went with an earlier Synapse. Then its loss was
    not seen, and it is still waited for.
    """
    restarts = [fault for fault in felt if fault.kind in RESTARTS]
    left = (f for f in felt if f.kind in _LEAVES and any(overlap(f, each) for each in restarts))
    losses = [fault for fault in faults if fault.kind in LOSSES and _ran_there(fault, task)]
    losses += (fault for fault in left if _ran_there(fault, task))
    for loss in losses if restarts else ():
        remembered = any(
            0.0 <= restart.at_s - loss.at_s <= loss_s + _REMEMBERED_S
            for restart in restarts
            for loss_s in _lasted_with_restart(loss, faults)
        )
        if loss in felt or remembered:
            return loss
    return None


def _lasted_with_restart(loss: Fault, faults: Iterable[Fault]) -> Iterator[float]:
    """Yield how long after a loss each Synapse was back that had gone about the same time."""
    for fault in faults:
        if fault.kind in RESTARTS and overlap(fault, loss):
            yield fault.until_s(SETTLE_S) - loss.at_s
