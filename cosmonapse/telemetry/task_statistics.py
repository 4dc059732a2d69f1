"""How many tasks ended how, and how long they took, at their caller and at their worker.

Two of its methods are on the way of each task: what is usual of them is in the kernel.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from time import monotonic
from typing import Any

from ..error_codes import CODES
from ..kernel import Ends, Histogram, TaskEnds
from ..signals import QUESTIONS, Directed, Signal, SignalType
from .families import Family, Labels, counters, histograms
from .label_bounds import Bounded
from .task_observer import ArrivedTask, SentTask, TaskObserver

OK = "ok"
OTHER_ERROR = "OTHER_ERROR"
_OUTPUT = SignalType.AGENT_OUTPUT
_FINAL = SignalType.FINAL
_NOBODY = Directed()
_KNOWN = frozenset({*CODES, "ABANDONED", "SYNAPSE_AWAY"})


def outcome_of(signal_type: SignalType, payload: Mapping[str, Any]) -> str:
    """Return how a task has ended: `ok`, the type of a question, or the code of an ERROR.

    A code of a program's own is `OTHER_ERROR`, as there may be any number of them.
    """
    if signal_type is _OUTPUT or signal_type is _FINAL:
        return OK
    if signal_type in QUESTIONS:
        return signal_type.value.lower()
    code = payload.get("code")
    return code if isinstance(code, str) and code in _KNOWN else OTHER_ERROR


class TaskStatistics(TaskObserver):
    """Counts the tasks of the Dendrites that it observes.

    Attributes:
        neurons: Those that run here, by Axon.
        targets: Those that were sent from here, by their destination.
    """

    guards_itself = True

    def __init__(self) -> None:
        self.neurons: Bounded[Ends] = Bounded(Ends)
        self.targets: Bounded[Ends] = Bounded(Ends)
        self._usual = TaskEnds(monotonic, self._ended, self._settled)
        # The functions in C themselves, without one of ours around each.
        for name in ("on_end", "on_settled"):
            setattr(self, name, getattr(self._usual, name))

    # -- at the worker -----------------------------------------------------------------------------

    def on_end(self, job: ArrivedTask, signal_type: SignalType, payload: Mapping[str, Any]) -> None:
        """See `TaskObserver`."""
        self._usual.on_end(job, signal_type, payload)

    def _ended(self, job: Any, signal_type: SignalType, payload: Mapping[str, Any]) -> None:
        """Count any end of a task, and the first output of an Axon."""
        name = job.slots.axon.neuron_id
        ends = self.neurons.of(name)
        if name in self.neurons.all:  # one that shares `_other` comes by here each time
            self._usual.neurons[name] = ends
        _count(ends, outcome_of(signal_type, payload))
        if job.started_at_s is not None:
            ends.took.add(monotonic() - job.started_at_s)
            ends.waited.add(job.started_at_s - job.arrived_at_s)

    def on_first_said(self, job: ArrivedTask) -> None:
        """See `TaskObserver`."""
        ends = self.neurons.of(job.slots.axon.neuron_id)
        ends.first.add(monotonic() - job.arrived_at_s)

    # -- at the caller -----------------------------------------------------------------------------

    def on_settled(self, opened: SentTask, signal: Signal | str) -> None:
        """See `TaskObserver`."""
        self._usual.on_settled(opened, signal)

    def _settled(self, opened: Any, signal: Any) -> None:
        """Count any end of a task, and the first output from a destination."""
        ends = self._target(opened)
        abandoned = isinstance(signal, str)
        _count(ends, signal if abandoned else outcome_of(signal.type, signal.payload))
        ends.took.add(monotonic() - opened.expires_at_s + opened.timeout_s)

    def on_first_thought(self, opened: SentTask) -> None:
        """See `TaskObserver`."""
        self._target(opened).first.add(monotonic() - opened.expires_at_s + opened.timeout_s)

    def _target(self, opened: SentTask) -> Ends:
        """Return the counts of a destination; remember those that have a label of their own."""
        found = self._usual.addresses.get(opened.address)
        if found is not None:
            return found
        directed = opened.signal.directed or _NOBODY
        label = directed.id or f"capabilities:{','.join(directed.capabilities)}"
        ends = self.targets.of(label)
        if label in self.targets.all:
            self._usual.addresses[opened.address] = ends
        return ends

    # -- what is exposed ---------------------------------------------------------------------------

    def families(self) -> list[Family]:
        """Return what was counted; safe from another thread."""
        neurons, targets = _labelled("neuron", self.neurons), _labelled("target", self.targets)
        return [
            _outcomes("tasks", "Tasks that ended at this worker, by outcome.", neurons),
            _times("task_duration", "How long Neurons ran for a task.", neurons, _took),
            _times("task_queue", "How long tasks waited for a place.", neurons, _waited),
            _times("task_first_thought", "From arrival to first thought.", neurons, _first),
            _outcomes("calls", "Tasks of this caller that ended, by outcome.", targets),
            _times("call_duration", "From the sending of a task to its end.", targets, _took),
            _times("call_first_thought", "From sending to first thought.", targets, _first),
        ]


def _count(ends: Ends, outcome: str) -> None:
    if outcome == OK:
        ends.ok += 1
    else:
        ends.others[outcome] += 1


def _labelled(label: str, bounded: Bounded[Ends]) -> dict[Labels, Ends]:
    return {((label, name),): ends for name, ends in list(bounded.all.items())}


def _outcomes(name: str, text: str, labelled: Mapping[Labels, Ends]) -> Family:
    values: dict[Labels, float] = {
        (*labels, ("outcome", outcome)): count
        for labels, ends in labelled.items()
        for outcome, count in {OK: ends.ok, **ends.others}.items()
    }
    return counters(f"cosmonapse_{name}", text, values)


def _times(
    name: str, text: str, labelled: Mapping[Labels, Ends], part: Callable[[Ends], Histogram]
) -> Family:
    values = {labels: part(ends) for labels, ends in labelled.items()}
    return histograms(f"cosmonapse_{name}_seconds", text, values)


def _took(ends: Ends) -> Histogram:
    return ends.took


def _waited(ends: Ends) -> Histogram:
    return ends.waited


def _first(ends: Ends) -> Histogram:
    return ends.first
