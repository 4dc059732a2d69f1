"""What a Neuron is told about its task, and what it may say while it works."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Protocol

from .signals import Signal, SignalType


class Speaker(Protocol):
    """Sends what a Neuron says during its task."""

    async def say(self, signal_type: SignalType, payload: dict[str, Any]) -> Signal:
        """Send a Signal to the caller, ahead of the reply; wait while the way is full."""


class TaskContext(list[Any]):
    """The list of context items, and the task around them.

    Attributes:
        task: The TASK Signal.
    """

    def __init__(
        self,
        items: Iterable[Any],
        task: Signal,
        speaker: Speaker,
        remaining_s: Callable[[], float],
    ) -> None:
        super().__init__(items)
        self.task = task
        self._speaker = speaker
        self._remaining_s = remaining_s
        self._thoughts = 0

    @property
    def trace_id(self) -> str:
        """The workflow that the task belongs to."""
        return self.task.trace_id

    @property
    def remaining_s(self) -> float:
        """Seconds until the deadline of the task, at least 0."""
        return max(0.0, self._remaining_s())

    async def think(self, text: str) -> Signal:
        """Stream a piece of text to the caller; pieces arrive in order, complete, before the reply.

        Raises:
            TypeError: `text` is no str.
        """
        if not isinstance(text, str):
            raise TypeError(f"a thought is a str, not {type(text).__name__}")
        seq, self._thoughts = self._thoughts, self._thoughts + 1
        payload = {"delta": text, "seq": seq}
        return await self._speaker.say(SignalType.THOUGHT_DELTA, payload)
