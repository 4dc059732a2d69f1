"""One TASK in our hands, and the desk of the Axon that it is for."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from ..axon import Axon
from ..signals import Signal, SignalType
from ..transport import Outcome, Transport

_BREATH = 32
Key = tuple[bytes, bytes]
"""Instance id of the caller, task id."""


class Desk:
    """One Axon, what it runs and what waits for it."""

    __slots__ = ("_threads", "axon", "queue", "running", "task_name")

    def __init__(self, axon: Axon) -> None:
        self.axon = axon
        self.task_name = f"neuron {axon.neuron_id}"
        self.running: set[Job] = set()
        self.queue: deque[Job] = deque()
        self._threads: ThreadPoolExecutor | None = None

    @property
    def threads(self) -> ThreadPoolExecutor:
        """The threads for a plain function: as many as tasks may run at once."""
        if self._threads is None:
            self._threads = ThreadPoolExecutor(self.axon.concurrency, self.task_name)
        return self._threads

    def close(self) -> None:
        """Let the threads go; one that still runs ends by itself."""
        if self._threads is not None:
            self._threads.shutdown(wait=False, cancel_futures=True)


class Job:
    """One TASK in our hands; speaks for its Neuron while it runs. Slots: each TASK makes one.

    Attributes:
        desk: Whose it is.
        signal: The TASK.
        caller: Instance id of who waits for it.
        task: Task id.
        trace: Trace id.
        deadline_at_s: When nobody waits any more, on the clock of the loop.
        index: Number of the next reply.
        slot: Where its deadline is kept.
        runner: What runs it.
        started: True once its function is called; an asyncio task that is cancelled before its
            first step never runs, so nothing in it can settle the job.
        why_cancelled: The code of the ERROR if it is cancelled.
        taken_back: True once its caller took it back.
        settled: True once its last reply is sent.
    """

    __slots__ = (
        "_said",
        "_send",
        "_transport",
        "caller",
        "deadline_at_s",
        "desk",
        "index",
        "runner",
        "settled",
        "signal",
        "slot",
        "started",
        "taken_back",
        "task",
        "trace",
        "why_cancelled",
    )

    def __init__(
        self,
        desk: Desk,
        signal: Signal,
        caller: bytes,
        task: bytes,
        trace: bytes,
        deadline_at_s: float,
        transport: Transport,
        send: Callable[[Job, Signal, bytes, bool], Outcome],
    ) -> None:
        self._transport = transport
        self._send = send
        self._said = 0
        self.desk = desk
        self.signal = signal
        self.caller = caller
        self.task = task
        self.trace = trace
        self.deadline_at_s = deadline_at_s
        self.index = 0
        self.slot = 0
        self.runner: asyncio.Task[None] | None = None
        self.started = False
        self.why_cancelled = "CANCELLED"
        self.taken_back = False
        self.settled = False

    @property
    def key(self) -> Key:
        """Return what tells it from every other."""
        return self.caller, self.task

    @property
    def cancelled(self) -> bool:
        """Tell whether nobody waits for it any more."""
        return self.settled or self.taken_back

    async def say(self, signal_type: SignalType, payload: dict[str, Any]) -> Signal:
        """Send a Signal ahead of the reply; wait while the way is full.

        Raises:
            CancelledError: The last reply has been sent already.
        """
        if self.settled:
            raise asyncio.CancelledError
        signal = self.signal.reply(signal_type, payload=payload, directed=self.desk.axon.producer)
        outcome = self._send(self, signal, signal.encode(), False)
        self._said += 1
        if outcome is not Outcome.SENT:
            await self._transport.drained()
        elif self._said % _BREATH == 0:
            await asyncio.sleep(0)  # a Neuron that never waits must not stop the loop
        return signal
