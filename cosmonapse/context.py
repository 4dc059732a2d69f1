"""What a Neuron is told about its task, and what it may say while it works."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterable
from typing import Any, Protocol

from .signals import Signal, SignalType


class Speaker(Protocol):
    """Sends what a Neuron says during its task."""

    @property
    def cancelled(self) -> bool:
        """Whether nobody waits for the task any more."""

    def say(self, signal_type: SignalType, payload: dict[str, Any]) -> Coroutine[Any, Any, Signal]:
        """Send a Signal to the caller, ahead of the reply; wait while the way is full."""


class TaskContext(list[Any]):
    """The list of context items, and the task around them.

    A function on the event loop awaits the calls; a plain `def` in its thread leaves `await` away,
    and the call returns when the Signal is sent.

    Attributes:
        task: The TASK Signal.
    """

    def __init__(
        self,
        items: Iterable[Any],
        task: Signal,
        speaker: Speaker,
        remaining_s: Callable[[], float],
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        super().__init__(items)
        self.task = task
        self._speaker = speaker
        self._remaining_s = remaining_s
        self._loop = loop
        self._thread_id = threading.get_ident()
        self._thoughts = 0

    @property
    def trace_id(self) -> str:
        """The workflow that the task belongs to."""
        return self.task.trace_id

    @property
    def remaining_s(self) -> float:
        """Seconds until the deadline of the task, at least 0."""
        return max(0.0, self._remaining_s())

    @property
    def cancelled(self) -> bool:
        """Whether nobody waits for the task any more; a function in a thread may look and stop."""
        return self._speaker.cancelled

    def think(self, text: str) -> Any:
        """Stream a piece of text to the caller; pieces arrive in order, complete, before the reply.

        Returns:
            On the loop an awaitable of the Signal; in a thread the Signal, once it is sent.

        Raises:
            TypeError: `text` is no str.
        """
        if not isinstance(text, str):
            raise TypeError(f"a thought is a str, not {type(text).__name__}")
        seq, self._thoughts = self._thoughts, self._thoughts + 1
        return self._say(SignalType.THOUGHT_DELTA, {"delta": text, "seq": seq})

    def _say(self, signal_type: SignalType, payload: dict[str, Any]) -> Any:
        saying = self._speaker.say(signal_type, payload)
        if threading.get_ident() == self._thread_id:
            return saying
        return asyncio.run_coroutine_threadsafe(saying, self._loop).result()
