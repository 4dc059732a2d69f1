"""From which key a Signal came: writes `Signal.origin`. Spec: docs/spec/07-signals.md, "Origin".

The name is that of the instance in the header, which the Synapse verified. Nothing in the body of a
Signal counts. Without keys nobody has a name, and that is one test for each Signal.
"""

from __future__ import annotations

from ..signals import Signal, SignalType, came_from
from ..transport import Transport

_NOBODY = bytes(16)


class Senders:
    """Names the keys behind the instances of other Dendrites.

    Args:
        transport: Knows the names.

    Attributes:
        have_names: True if the Synapse has keys, as its last WELCOME said.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self.have_names = False

    def on_welcomed(self) -> None:
        """Find out whether the Synapse has keys."""
        self.have_names = self._transport.user != ""

    def name_of(self, instance: bytes) -> str | None:
        """Return the name of the key of a Dendrite; None if it is not known."""
        return self._transport.origin_of(instance) if self.have_names else None

    def name_of_copy(self, signal_type: SignalType, caller: bytes, worker: bytes) -> str | None:
        """Return from whom a broadcast Signal came: a TASK is its caller's, a reply its worker's.

        Args:
            signal_type: Its type.
            caller: As the header says.
            worker: As the header says; zero for what a client publishes.
        """
        is_callers = worker == _NOBODY or signal_type is SignalType.TASK
        return self.name_of(caller if is_callers else worker)

    def mark(self, signal: Signal, instance: bytes) -> None:
        """Record that a Signal came from a Dendrite."""
        came_from(signal, self._transport.origin_of(instance))

    def mark_own(self, signal: Signal) -> None:
        """Record that a Signal is of this Dendrite itself."""
        came_from(signal, self._transport.user)

    def mark_copy(self, signal: Signal, caller: bytes, worker: bytes) -> None:
        """Record from whom a broadcast Signal came; see `name_of_copy`."""
        came_from(signal, self.name_of_copy(signal.type, caller, worker))
