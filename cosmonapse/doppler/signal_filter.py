"""Which Signals somebody wants to see. Pure."""

from __future__ import annotations

import attrs

from ..errors import BadSignal
from ..ids import ID_CHARS, id_bytes
from ..signals import SignalType
from .observed import ObservedSignal

SHORT_TRACE_CHARS = 8
"""As many characters of a trace id as the screens show."""
_ALPHABET = frozenset("0123456789abcdefghijklmnopqrstuv")


def checked_trace(text: str) -> str:
    """Return a trace id, or how one begins, if it is one.

    Raises:
        BadSignal: It is neither; the text says what is wanted.
    """
    if len(text) >= ID_CHARS:
        id_bytes(text)
    if not text.startswith("trc_") or not set(text[4:]) <= _ALPHABET:
        raise BadSignal(
            f"no trace id: {text!r:.80}; one is trc_ and 26 characters of 0-9 a-v, "
            f"of which the first {SHORT_TRACE_CHARS - len('trc_')} are enough"
        )
    if len(text) < SHORT_TRACE_CHARS:
        raise BadSignal(f"{text!r} is too short: give the {SHORT_TRACE_CHARS} characters shown")
    return text


@attrs.frozen
class SignalFilter:
    """What is let through; what is not named is not looked at.

    Args:
        types: These types; empty means any.
        trace: A trace id, or its first 8 or more characters.
        neuron: A neuron id: who sent it, or whom a TASK names.
    """

    types: frozenset[SignalType] = frozenset()
    trace: str | None = None
    neuron: str | None = None

    def __call__(self, observed: ObservedSignal) -> bool:
        """Tell whether a Signal is wanted."""
        if self.types and observed.signal.type not in self.types:
            return False
        if self.trace is not None and not observed.signal.trace_id.startswith(self.trace):
            return False
        return self.neuron is None or observed.neuron == self.neuron

    @property
    def whole_trace(self) -> str | None:
        """The trace id if all of it is given: then the Synapse need not send us the others."""
        return self.trace if self.trace is not None and len(self.trace) == ID_CHARS else None
