"""One TASK in our hands, and the desk of the Axon that it is for."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any

from ...axon import Axon
from ...errors import SignalTooLarge
from ...runtime.threads import in_thread
from ...signals import Signal, SignalType
from ...transport import Outcome, Transport
from .reply_cache import ReplyStream

_BREATH = 32
Key = tuple[bytes, bytes]
"""Instance id of the caller, task id."""
Ask = Callable[[Signal, float], Coroutine[Any, Any, Signal]]
"""Sends a TASK and returns what settles it within so many seconds."""


class AxonSlots:
    """One Axon, what it runs and what waits for it."""

    __slots__ = ("axon", "detaching", "pool", "queue", "running", "task_name")

    def __init__(self, axon: Axon) -> None:
        self.axon = axon
        self.task_name = f"neuron {axon.neuron_id}"
        self.detaching = False
        self.pool: Any = None
        self.running: set[Job] = set()
        self.queue: deque[Job] = deque()


class Job:
    """One TASK in our hands; speaks for its Neuron while it runs. Slots: each TASK makes one.

    Attributes:
        desk: Whose it is.
        signal: The TASK.
        key: What tells it from every other.
        caller: Instance id of who waits for it.
        task: Task id.
        trace: Trace id.
        deadline_at_s: When nobody waits any more, on the clock of the loop.
        index: Number of the next reply.
        keep: True if it runs on when its caller goes.
        slot: Where its deadline is kept.
        patience: When it is given up, once it was cancelled.
        runner: The task that runs it, while it does.
        over: True once its function has ended.
        started: True once its function is called; an asyncio task that is cancelled before its
            first step never runs, so nothing in it can settle the job.
        stream: What it said so far, to be sent again if that gets lost.
        why_cancelled: The code of the ERROR if it is cancelled.
        thread: Ends when the thread of a plain function does, which may be after the job.
        taken_back: True once its caller took it back.
        settled: True once its last reply is sent.
        calls: What its Neuron waits for and must not outlive it.
    """

    __slots__ = (
        "_ask",
        "_over",
        "_said",
        "_send",
        "_transport",
        "caller",
        "calls",
        "deadline_at_s",
        "index",
        "keep",
        "key",
        "over",
        "patience",
        "runner",
        "settled",
        "signal",
        "slot",
        "slots",
        "started",
        "stream",
        "taken_back",
        "task",
        "thread",
        "trace",
        "why_cancelled",
    )

    def __init__(
        self,
        slots: AxonSlots,
        signal: Signal,
        caller: bytes,
        task: bytes,
        trace: bytes,
        deadline_at_s: float,
        transport: Transport,
        send: Callable[[Job, Signal, bytes, bool], Outcome],
        ask: Ask,
    ) -> None:
        self._transport = transport
        self._send = send
        self._ask = ask
        self._said = 0
        self.slots = slots
        self.signal = signal
        self.key: Key = (caller, task)
        self.caller = caller
        self.task = task
        self.trace = trace
        self.deadline_at_s = deadline_at_s
        self.index = 0
        self.keep = False
        self.stream: ReplyStream | None = None
        self.slot = 0
        self.patience: asyncio.TimerHandle | None = None
        self.runner: asyncio.Task[None] | None = None
        self.started = False
        self.over = False
        self._over: asyncio.Future[None] | None = None
        self.why_cancelled = "CANCELLED"
        self.taken_back = False
        self.thread: asyncio.Future[Any] | None = None
        self.settled = False
        self.calls: set[asyncio.Task[Any]] | None = None

    @property
    def cancelled(self) -> bool:
        """Tell whether nobody waits for it any more."""
        return self.settled or self.taken_back

    async def say(self, signal_type: SignalType, payload: dict[str, Any]) -> Signal:
        """Send a Signal ahead of the reply; wait while the way is full.

        Raises:
            CancelledError: The last reply has been sent already.
            SignalTooLarge: It is over the limit.
            UnencodableValue: It holds what no Signal can carry.
        """
        producer = self.slots.axon.producer
        return await self.say_signal(
            self.signal.reply(signal_type, payload=payload, directed=producer)
        )

    async def say_signal(self, signal: Signal) -> Signal:
        """Do as `say` does with a Signal that is made already."""
        if self.settled:
            raise asyncio.CancelledError
        body, limit = signal.encode(), self._transport.max_signal_bytes
        if len(body) > limit:
            raise SignalTooLarge(len(body), limit)
        while (outcome := self._send(self, signal, body, False)) is Outcome.BUSY:
            await self._transport.drained()
        self._said += 1
        if outcome is not Outcome.SENT:
            await self._transport.drained()
        elif self._said % _BREATH == 0:
            await asyncio.sleep(0)  # a Neuron that never waits must not stop the loop
        return signal

    async def ask(self, task: Signal, timeout_s: float) -> Signal:
        """Send a child task and return what settles it; it ends with this job at the latest."""
        if self.cancelled:
            raise asyncio.CancelledError
        signal: Signal = await self.owned(self._ask(task, timeout_s))
        return signal

    async def owned(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Do some work for the Neuron; it is cancelled if the job ends before it."""
        task = asyncio.current_task()
        if task is None or task is self.runner:
            return await work
        self.calls = self.calls or set()
        self.calls.add(task)
        try:
            return await work
        finally:
            self.calls.discard(task)

    def end_calls(self) -> None:
        """Cancel what the Neuron has left running."""
        for call in self.calls or ():
            call.cancel()

    def end(self) -> None:
        """Note that its function has ended."""
        self.runner = None
        self.over = True
        if self._over is not None and not self._over.done():
            self._over.set_result(None)

    def when_over(self) -> asyncio.Future[None]:
        """Return what is done when its function has ended."""
        if self._over is None:
            self._over = asyncio.get_running_loop().create_future()
            if self.over:
                self._over.set_result(None)
        return self._over

    async def in_thread(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Call a plain function in a thread of its own and return what it returns.

        When the job is cancelled it runs on, and `thread` tells when it has ended.
        """
        self.thread = in_thread(function, *arguments, name=self.slots.task_name)
        return await asyncio.shield(self.thread)
