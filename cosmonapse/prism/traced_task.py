"""One task of a trace. Pure."""

from __future__ import annotations

from ..doppler.observed import ObservedSignal
from ..signals import SignalType
from .record import neuron_of
from .trace_steps import Thoughts


class TracedTask:
    """A TASK of a trace, or what it left if it was not seen itself.

    Args:
        observed: It, or a Signal about it.
        parent: The task that dispatched it; None for one at the top.

    Attributes:
        first_ts: The clock of its worker at its first thought; None before that.
        ended: The type of its outcome; None before that.
        is_lost: Whether its outcome is not waited for any more.
        thoughts: The step that its next thought belongs to.
    """

    __slots__ = (
        "caller",
        "ended",
        "first_ts",
        "is_lost",
        "neuron",
        "parent",
        "seen",
        "thoughts",
        "ts",
    )

    def __init__(self, observed: ObservedSignal, parent: TracedTask | None) -> None:
        self.ts = observed.signal.ts
        self.caller = observed.caller
        self.neuron = neuron_of(observed)
        self.parent = parent
        self.seen = observed.signal.type is SignalType.TASK
        self.first_ts: float | None = None
        self.ended: SignalType | None = None
        self.is_lost = False
        self.thoughts: Thoughts | None = None
