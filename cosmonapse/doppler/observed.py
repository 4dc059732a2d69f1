"""A Signal with its routing metadata, as observed. Pure."""

from __future__ import annotations

from typing import NamedTuple

from ..signals import Signal

_NOBODY = bytes(16)


class ObservedSignal(NamedTuple):
    """A Signal and the two ends of its task. It is a tuple, as one is made for each Signal.

    Attributes:
        signal: The Signal.
        body: Its bytes as received; empty for one that was made here.
        caller: Instance id of the caller of its task, 16 bytes; zero without a task.
        worker: Instance id of the worker of its task, 16 bytes; zero without a worker.
        duration_s: The time from its TASK to this reply, if both were seen.
    """

    signal: Signal
    body: bytes
    caller: bytes
    worker: bytes
    duration_s: float | None = None

    @property
    def neuron(self) -> str | None:
        """The neuron that sent it, or that a TASK is for; None if it names no neuron."""
        directed = self.signal.directed
        return None if directed is None else directed.id


def hex_of(instance: bytes) -> str | None:
    """Return an instance id as 32 hex digits; None if it is empty or zero."""
    return None if instance == _NOBODY or not instance else instance.hex()
