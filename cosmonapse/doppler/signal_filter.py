"""A filter for Signals, by type, trace and neuron. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import attrs

from ..errors import BadSignal
from ..ids import ID_CHARS, id_bytes
from ..signals import SignalType
from .observed import ObservedSignal

SHORT_TRACE_CHARS = 8
"""The characters of a trace id that are shown."""
Choose = Callable[[ObservedSignal], Sequence[ObservedSignal]]
"""Returns what to show at a Signal, the oldest first."""
Past = list[tuple[float, ObservedSignal]]
"""Signals of before, each with its time of arrival, wall clock; the oldest first."""
_ALPHABET = frozenset("0123456789abcdefghijklmnopqrstuv")


def checked_trace(text: str) -> str:
    """Return a valid trace id, or the valid beginning of one.

    Raises:
        BadSignal: It is neither; the text says what is expected.
    """
    if len(text) >= ID_CHARS:
        id_bytes(text)
    if not text.startswith("trc_") or not set(text[4:]) <= _ALPHABET:
        raise BadSignal(
            f"{text!r:.80} is not a trace id: give trc_ and 26 characters of 0-9 a-v, "
            f"or the first {SHORT_TRACE_CHARS - len('trc_')} of them"
        )
    if len(text) < SHORT_TRACE_CHARS:
        raise BadSignal(f"{text!r} is too short: give the {SHORT_TRACE_CHARS} characters shown")
    return text


@attrs.frozen
class SignalFilter:
    """The Signals to show; an empty field accepts every Signal.

    Args:
        types: These types; empty for any.
        trace: A trace id, or its first 8 or more characters.
        neuron: The id of the neuron that sent it, or that a TASK is for.
    """

    types: frozenset[SignalType] = frozenset()
    trace: str | None = None
    neuron: str | None = None

    def __call__(self, observed: ObservedSignal) -> bool:
        """Return whether a Signal passes."""
        if self.types and observed.signal.type not in self.types:
            return False
        if self.trace is not None and not observed.signal.trace_id.startswith(self.trace):
            return False
        return self.neuron is None or observed.neuron == self.neuron

    def choose(self, observed: ObservedSignal) -> Sequence[ObservedSignal]:
        """Return the Signal if it passes, else nothing."""
        return (observed,) if self(observed) else ()

    @property
    def whole_trace(self) -> str | None:
        """The trace id if all of it is given; the Synapse then sends this trace only."""
        return self.trace if self.trace is not None and len(self.trace) == ID_CHARS else None
