"""One Signal as somebody who only listens has it. Pure."""

from __future__ import annotations

from typing import NamedTuple

from ..signals import Signal

_NOBODY = bytes(16)


class ObservedSignal(NamedTuple):
    """A Signal and what its copy says of its way; a tuple, for it is made for each Signal.

    Attributes:
        signal: The Signal.
        body: Its bytes; empty for one that was made here and never travelled.
        caller: Instance id of who has the task, 16 bytes; zero where there is no task.
        worker: Instance id of who works on it, 16 bytes; zero where nobody does.
    """

    signal: Signal
    body: bytes
    caller: bytes
    worker: bytes

    @property
    def neuron(self) -> str | None:
        """The neuron that sent it, or that a TASK is for; None where none is named."""
        directed = self.signal.directed
        return None if directed is None else directed.id


def hex_of(instance: bytes) -> str | None:
    """Return an instance id as people see it, 32 hex digits; None if it is nobody's."""
    return None if instance == _NOBODY or not instance else instance.hex()
