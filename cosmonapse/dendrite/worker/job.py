"""One TASK at its worker, from its arrival to its last reply."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Protocol

from ...errors import SignalTooLarge
from ...kernel import MAX_RUN_TEXTS
from ...runtime.threads import in_thread
from ...signals import Signal, SignalType
from ...tool_definitions import ToolDefinitions
from ...transport import Outcome, Transport
from .axon_slots import AxonSlots
from .child_calls import ChildCalls
from .reply_cache import ReplyStream
from .run_sender import RunPort, RunSender

_YIELD_EVERY = 32
Key = bytes
"""Instance id of the caller and task id, 32 bytes: a worker knows a task by both (09-resync, "What
each keeps", 3)."""


class ReplyPort(RunPort, Protocol):
    """Sends the replies of a job."""

    def send(self, job: Job, signal: Signal, body: bytes, settles: bool) -> Outcome:
        """Send one reply, and pass it to our own handlers."""

    def may_run(self, task: Signal) -> bool:
        """Return whether the thoughts about a TASK may travel as runs."""


class Job:
    """One TASK at its worker; sends the Signals of its Neuron. Slots: each TASK makes one.

    Attributes:
        slots: The places of its Axon.
        signal: The TASK.
        key: Instance id of the caller and task id.
        caller: Instance id of the caller.
        task: Task id.
        trace: Trace id.
        arrived_at_s: When it arrived, on the clock of the loop.
        deadline_at_s: The end of the caller's wait, on the same clock.
        index: Number of the next reply.
        keep: True if it runs on when its caller disconnects.
        deadline_slot: The slot of its deadline in the table of the inbox.
        cancel_timer: Ends the wait for a function that was cancelled.
        runner: The asyncio task that runs it, while it does.
        over: True once its function has ended.
        started_at_s: When its function was called, None before; an asyncio task that is cancelled
            before its first step never runs, so nothing in it can settle the job.
        stream: The replies that it has sent so far, for a resync.
        cancel_code: The code of the ERROR if it is cancelled.
        thread: Ends with the thread of a plain function, possibly after the job.
        caller_cancelled: True once its caller sent a CANCEL.
        settled: True once its last reply was sent.
        child_calls: The asyncio tasks of its Neuron that must end with it.
        runs: Gathers its thoughts; None before the first, if they go one by one, and at its end.
    """

    __slots__ = (
        "_children",
        "_over",
        "_reads_runs",
        "_replies",
        "_said_count",
        "_thought_count",
        "_transport",
        "arrived_at_s",
        "caller",
        "caller_cancelled",
        "cancel_code",
        "cancel_timer",
        "child_calls",
        "deadline_at_s",
        "deadline_slot",
        "index",
        "keep",
        "key",
        "over",
        "runner",
        "runs",
        "settled",
        "signal",
        "slots",
        "started_at_s",
        "stream",
        "task",
        "thread",
        "trace",
    )

    def __init__(
        self,
        slots: AxonSlots[Job],
        signal: Signal,
        caller: bytes,
        task: bytes,
        trace: bytes,
        key: Key,
        arrived_at_s: float,
        deadline_at_s: float,
        keep: bool,
        reads_runs: bool,
        transport: Transport,
        replies: ReplyPort,
        child_calls: ChildCalls,
    ) -> None:
        self._transport = transport
        self._replies = replies
        self._children = child_calls
        self._said_count = 0
        self._thought_count = 0
        self._reads_runs = reads_runs
        self.runs: RunSender | None = None
        self.slots = slots
        self.signal = signal
        self.key = key
        self.caller = caller
        self.task = task
        self.trace = trace
        self.arrived_at_s = arrived_at_s
        self.deadline_at_s = deadline_at_s
        self.index = 0
        self.keep = keep
        self.stream: ReplyStream | None = None
        self.deadline_slot = 0
        self.cancel_timer: asyncio.TimerHandle | None = None
        self.runner: asyncio.Task[None] | None = None
        self.started_at_s: float | None = None
        self.over = False
        self._over: asyncio.Future[None] | None = None
        self.cancel_code = "CANCELLED"
        self.caller_cancelled = False
        self.thread: asyncio.Future[Any] | None = None
        self.settled = False
        self.child_calls: set[asyncio.Task[Any]] | None = None

    @property
    def cancelled(self) -> bool:
        """Whether its caller no longer waits for it."""
        return self.settled or self.caller_cancelled

    @property
    def started(self) -> bool:
        """Whether its function was called."""
        return self.started_at_s is not None

    def child_waits(self) -> bool:
        """Return whether it runs while a child task of it waits for a place of the same Axon."""
        own_id, slots = self.signal.id, self.slots
        if self not in slots.running or slots.has_place:
            return False
        return any(each.signal.parent_id == own_id for each in slots.queue)

    def why_waits(self) -> str:
        """Return why it or its child task waits for a place of its Axon; "" if neither does."""
        slots = self.slots
        bound = f"Axon {slots.axon.neuron_id} (concurrency={slots.axon.concurrency})"
        waits = self in slots.queue
        parents = {each.signal.id: each for each in slots.running}
        parent = parents.get(self.signal.parent_id or "") if waits else self
        if parent is not None and parent.child_waits():
            return (
                f"a Neuron of {bound} waits for a task of the same Axon, which waits for its "
                "place: a deadlock; give the child task an Axon of its own, or raise concurrency"
            )
        return slots.why_waits() if waits else ""

    async def say(self, signal_type: SignalType, payload: dict[str, Any]) -> Signal:
        """Send a Signal before the last reply; wait while the outbox is full.

        Raises:
            CancelledError: The last reply was sent already.
            SignalTooLarge: It is over the limit.
            UnencodableValue: It holds a value that no Signal can carry.
        """
        producer = self.slots.axon.producer
        return await self.say_signal(
            self.signal.reply(signal_type, payload=payload, directed=producer)
        )

    async def say_signal(self, signal: Signal) -> Signal:
        """Send a complete Signal as `say` does."""
        if self.runs is not None:
            await self.thoughts_sent()
        if self.settled:
            raise asyncio.CancelledError
        body, limit = signal.encode(), self._transport.max_signal_bytes
        if len(body) > limit:
            raise SignalTooLarge(len(body), limit)
        while (outcome := self._replies.send(self, signal, body, False)) is Outcome.BUSY:
            await self._transport.drained()
        self._said_count += 1
        if outcome is not Outcome.SENT:
            await self._transport.drained()
        elif self._said_count % _YIELD_EVERY == 0:
            await asyncio.sleep(0)  # a Neuron that never waits must not block the loop
        return signal

    def think(self, text: str, kind: str | None) -> Coroutine[Any, Any, Signal]:
        """Send a thought as `say` does; those of one turn may travel together."""
        seq = self._thought_count
        self._thought_count = seq + 1
        return self._think(text, seq, kind)

    def think_now(self, text: str) -> bool:
        """Send a thought without a Signal of it; return False if `think` has to wait with it."""
        runs = self.runs or self._begin_runs()
        if runs is None or runs.must_yield or runs.gather(text, self._thought_count) is None:
            return False
        self._thought_count += 1
        return True

    def _begin_runs(self) -> RunSender | None:
        """Return what gathers the thoughts from the first on; most jobs have none."""
        if self._reads_runs and not self.settled and self._replies.may_run(self.signal):
            self.runs = RunSender(self, self._replies, self._transport)
        return self.runs

    async def _think(self, text: str, seq: int, kind: str | None) -> Signal:
        runs = self.runs or self._begin_runs()
        run = runs.gather(text, seq) if runs is not None and kind is None else None
        if runs is None or run is None:
            payload: dict[str, Any] = {"delta": text, "seq": seq}
            if kind is not None:
                payload["kind"] = kind
            return await self.say(SignalType.THOUGHT_DELTA, payload)
        signal = runs.signal_of(run, seq)
        if runs.gathered_count % MAX_RUN_TEXTS == 0:
            await asyncio.sleep(0)  # a Neuron that never waits must not block the loop
        return signal

    async def thoughts_sent(self) -> None:
        """Return when every thought has left; wait while the outbox is full."""
        if self.runs is not None and self.runs.has_unsent:
            await self.runs.flushed()

    async def ask(self, task: Signal, timeout_s: float) -> Signal:
        """Send a child task and return the Signal that settles it; it ends with this job."""
        if self.cancelled:
            raise asyncio.CancelledError
        signal: Signal = await self.owned(self._asked(task, timeout_s))
        return signal

    async def _asked(self, task: Signal, timeout_s: float) -> Signal:
        await self.thoughts_sent()  # 03-routing, "Runs", 3: what it says may be why it asks
        return await self._children.ask(task, timeout_s)

    async def tools(self, patterns: Sequence[str], timeout_s: float) -> ToolDefinitions:
        """Return the live Neurons that match a pattern, as tools of a model."""
        if self.cancelled:
            raise asyncio.CancelledError
        own = self.slots.axon.neuron_id
        found: ToolDefinitions = await self.owned(self._children.tools(patterns, timeout_s, own))
        return found

    async def owned(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Run a coroutine for the Neuron; it is cancelled if the job ends first."""
        task = asyncio.current_task()
        if task is None or task is self.runner:
            return await work
        self.child_calls = self.child_calls or set()
        self.child_calls.add(task)
        try:
            return await work
        finally:
            self.child_calls.discard(task)

    def cancel_child_calls(self) -> None:
        """Cancel the calls that the Neuron has left running."""
        for call in self.child_calls or ():
            call.cancel()

    def end(self) -> None:
        """Record that its function has ended."""
        self.runner = None
        self.over = True
        if self._over is not None and not self._over.done():
            self._over.set_result(None)

    def when_over(self) -> asyncio.Future[None]:
        """Return a future that is done when its function has ended."""
        if self._over is None:
            self._over = asyncio.get_running_loop().create_future()
            if self.over:
                self._over.set_result(None)
        return self._over

    async def in_thread(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Call a plain function in a thread of its own and return its result.

        The function runs on when the job is cancelled; `thread` is done when it has ended.
        """
        self.thread = in_thread(function, *arguments, name=self.slots.task_name)
        return await asyncio.shield(self.thread)
