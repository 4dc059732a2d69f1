"""The worker's side: TASKs come in, Neurons run, replies go out. One asyncio task for each TASK."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections import Counter, deque
from typing import Any

from ..axon import Axon, error_payload, payload_of_exception, reply_of
from ..context import TaskContext
from ..deadlines import Deadlines
from ..errors import BadSignal, UnencodableValue
from ..ids import id_text
from ..signals import Signal, SignalType
from ..transport import Outcome, Transport
from .timer import Sweeper
from .watching import Watching

_LOG = logging.getLogger(__name__)
_BREATH = 32
_GRACE_S = 0.25
Key = tuple[bytes, bytes]


class _Desk:
    """One Axon, what it runs and what waits for it."""

    __slots__ = ("axon", "queue", "running", "task_name")

    def __init__(self, axon: Axon) -> None:
        self.axon = axon
        self.task_name = f"neuron {axon.neuron_id}"
        self.running: set[_Job] = set()
        self.queue: deque[_Job] = deque()


class _Job:
    """One TASK in our hands. Speaks for its Neuron while it runs."""

    __slots__ = (
        "_inbox",
        "_said",
        "body_task",
        "caller",
        "deadline_at_s",
        "desk",
        "index",
        "runner",
        "signal",
        "slot",
        "taken_back",
        "task",
        "trace",
        "why_cancelled",
    )

    def __init__(
        self,
        inbox: Inbox,
        desk: _Desk,
        signal: Signal,
        caller: bytes,
        task: bytes,
        trace: bytes,
        deadline_at_s: float,
    ) -> None:
        self._inbox = inbox
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
        self.why_cancelled = "CANCELLED"
        self.taken_back = False

    @property
    def key(self) -> Key:
        return self.caller, self.task

    async def say(self, signal_type: SignalType, payload: dict[str, Any]) -> Signal:
        """Send a Signal ahead of the reply; wait while the way is full."""
        signal = self.signal.reply(signal_type, payload=payload, directed=self.desk.axon.producer)
        body = signal.encode()
        outcome = self._inbox.send(self, signal, body, settles=False)
        self._said += 1
        if outcome is not Outcome.SENT:
            await self._inbox.transport.drained()
        elif self._said % _BREATH == 0:
            await asyncio.sleep(0)  # a Neuron that never waits must not stop the loop
        return signal


class Inbox:
    """The Axons of a Dendrite at work.

    Args:
        transport: What carries the replies.
        watching: Whose handlers see our own traffic.
        dendrite_id: Who we are, for the meta of a reply.
    """

    def __init__(self, transport: Transport, watching: Watching, dendrite_id: str) -> None:
        self.transport = transport
        self.counts: Counter[str] = Counter()
        self._watching = watching
        self._meta = {"dendrite": dendrite_id}
        self._desks: dict[str, _Desk] = {}
        self._jobs: dict[Key, _Job] = {}
        self._deadlines: Deadlines[Key] = Deadlines()
        self._sweeper = Sweeper(self._deadlines.next_at_s, self._expire)
        self._idle = asyncio.Event()
        self._idle.set()

    @property
    def axons(self) -> list[Axon]:
        """The Axons, in the order in which they were added."""
        return [desk.axon for desk in self._desks.values()]

    def add(self, axon: Axon) -> None:
        """Host an Axon.

        Raises:
            ValueError: One with this id is hosted already.
        """
        if axon.neuron_id in self._desks:
            raise ValueError(f"an Axon with the id {axon.neuron_id!r} is attached already")
        self._desks[axon.neuron_id] = _Desk(axon)

    def load(self, neuron_id: str) -> tuple[int, int]:
        """Return how many tasks an Axon runs and how many wait for it."""
        desk = self._desks[neuron_id]
        return len(desk.running), len(desk.queue)

    # -- what comes in ---------------------------------------------------------------------------

    def on_task(
        self,
        caller: bytes,
        address: str,
        task: bytes,
        trace: bytes,
        kind: int,
        ttl_ms: int,
        flags: int,
        body: bytes,
    ) -> None:
        """Run a TASK, let it wait, or say at once why not."""
        desk = self._desks.get(address)
        if (caller, task) in self._jobs:
            self.counts["drop.repeated_task"] += 1
            return
        if desk is None:
            self._refuse(caller, task, trace, "NO_SUCH_NEURON", f"{address} is not hosted here")
            return
        try:
            signal = _read_task(body)
        except BadSignal as error:
            self._refuse(caller, task, trace, "BAD_SIGNAL", str(error))
            return
        now_s = asyncio.get_running_loop().time()
        job = _Job(self, desk, signal, caller, task, trace, now_s + ttl_ms / 1000)
        if caller != self.transport.instance and self._watching.may_want(
            SignalType.TASK, signal.trace_id
        ):
            self._watching.feed(signal)
        if ttl_ms == 0:
            self._settle(job, SignalType.ERROR, error_payload("EXPIRED", "it came too late"))
        elif len(desk.running) < desk.axon.concurrency:
            self._accept(job)
            self._start(job)
        elif len(desk.queue) < desk.axon.max_queued:
            self._accept(job)
            desk.queue.append(job)
        else:
            waiting = f"{desk.axon.concurrency} tasks run and {desk.axon.max_queued} wait"
            self._settle(job, SignalType.ERROR, error_payload("OVERLOADED", f"full: {waiting}"))

    def on_cancel(self, caller: bytes, task: bytes) -> None:
        """Cancel a TASK that runs or waits."""
        job = self._jobs.get((caller, task))
        if job is not None:
            job.taken_back = True
            self._cancel(job, "CANCELLED")

    def _accept(self, job: _Job) -> None:
        self._jobs[job.key] = job
        self._idle.clear()
        # Its caller takes it back at the deadline and tells everyone; we act if that does not come.
        until_s = job.deadline_at_s + _GRACE_S
        job.slot = self._deadlines.set(job.key, until_s)
        self._sweeper.arm(until_s)

    def _start(self, job: _Job) -> None:
        job.desk.running.add(job)
        job.runner = asyncio.get_running_loop().create_task(self._run(job), name=job.desk.task_name)

    def _cancel(self, job: _Job, why: str) -> None:
        job.why_cancelled = why
        if job.runner is not None:
            job.runner.cancel()
        else:
            job.desk.queue.remove(job)
            self._finish(job)
            self._settle(job, SignalType.ERROR, _cancelled(why))

    def _expire(self, now_s: float) -> None:
        for key in self._deadlines.due(now_s):
            job = self._jobs.get(key)
            if job is not None:
                self._cancel(job, "EXPIRED")

    # -- running ---------------------------------------------------------------------------------

    async def _run(self, job: _Job) -> None:
        try:
            signal_type, payload = reply_of(await self._call(job))
        except asyncio.CancelledError:
            signal_type, payload = SignalType.ERROR, _cancelled(job.why_cancelled)
        except (Exception, SystemExit) as error:  # noqa: BLE001  # the last door: the caller is told
            signal_type, payload = SignalType.ERROR, payload_of_exception(error)
            if payload["code"] == "NEURON_EXCEPTION":
                _LOG.exception("neuron %s raised", job.desk.axon.neuron_id)
        self._finish(job)
        self._settle(job, signal_type, payload)

    async def _call(self, job: _Job) -> Any:
        """Call the function, on the loop or in a thread, and drive what it gives back."""
        loop = asyncio.get_running_loop()
        axon, signal = job.desk.axon, job.signal
        items = signal.payload.get("context_ref") or ()
        items = items if isinstance(items, list) else ()
        context = TaskContext(items, signal, job, lambda: job.deadline_at_s - loop.time())
        given = signal.payload["input"]
        if axon.is_coroutine:
            return await axon.neuron_fn(given, context)
        if axon.on_loop:
            value = axon.neuron_fn(given, context)
        else:
            value = await asyncio.to_thread(axon.neuron_fn, given, context)
        if inspect.isawaitable(value):
            return await value
        if hasattr(value, "__aiter__"):
            return await self._stream(value, context)
        return value

    async def _stream(self, values: Any, context: TaskContext) -> Any:
        """Send each text that a generator yields; the last dict it yields is the output."""
        texts: list[str] = []
        output: dict[str, Any] | None = None
        try:
            async for value in values:
                if isinstance(value, str):
                    texts.append(value)
                    await context.think(value)
                elif isinstance(value, dict):
                    output = value
                else:
                    kind = type(value).__name__
                    raise TypeError(f"a Neuron yields str or a final dict, not {kind}")
        finally:
            if hasattr(values, "aclose"):
                await values.aclose()
        return {"response": "".join(texts)} if output is None else output

    def _finish(self, job: _Job) -> None:
        """Free the place of a job and let the next one have it."""
        desk = job.desk
        self._jobs.pop(job.key, None)
        self._deadlines.drop(job.key, job.slot)
        desk.running.discard(job)
        if desk.queue and len(desk.running) < desk.axon.concurrency:
            self._start(desk.queue.popleft())
        if not self._jobs:
            self._idle.set()

    # -- what goes out ---------------------------------------------------------------------------

    def send(self, job: _Job, signal: Signal, body: bytes, *, settles: bool) -> Outcome:
        """Send one reply of a job, and show it to our own handlers."""
        outcome = self.transport.send_reply(
            job.caller,
            job.task,
            job.trace,
            signal.type.code,
            body,
            index=job.index,
            settles=settles,
        )
        job.index += 1
        if outcome in (Outcome.BUSY, Outcome.CLOSED):
            self.counts[f"drop.reply_{outcome.name.lower()}"] += 1
        if job.taken_back and settles:
            return outcome  # its caller has told everyone how it ended
        if job.caller != self.transport.instance and self._watching.may_want(
            signal.type, signal.trace_id
        ):
            self._watching.feed(signal)
        return outcome

    def _settle(self, job: _Job, signal_type: SignalType, payload: dict[str, Any]) -> None:
        signal, body = self._encoded(job, signal_type, payload)
        self.send(job, signal, body, settles=True)

    def _encoded(
        self, job: _Job, signal_type: SignalType, payload: dict[str, Any]
    ) -> tuple[Signal, bytes]:
        """Return the last reply of a job; what cannot travel becomes an ERROR that says so."""
        producer = job.desk.axon.producer
        signal = job.signal.reply(signal_type, payload=payload, directed=producer, meta=self._meta)
        limit = self.transport.max_signal_bytes
        try:
            body = signal.encode()
            if len(body) <= limit:
                return signal, body
            fault = f"the output has {len(body):,} bytes, the limit is {limit:,}"
        except UnencodableValue as error:
            fault = str(error)
        self.counts["bad_output"] += 1
        signal = job.signal.reply(
            SignalType.ERROR,
            payload=error_payload("BAD_OUTPUT", fault),
            directed=producer,
            meta=self._meta,
        )
        return signal, signal.encode()

    def _refuse(self, caller: bytes, task: bytes, trace: bytes, code: str, message: str) -> None:
        """Answer a TASK that cannot be read or is not for us."""
        self.counts[f"refused.{code.lower()}"] += 1
        signal = Signal(
            type=SignalType.ERROR,
            payload=error_payload(code, message),
            trace_id=id_text("trc_", trace),
            parent_id=id_text("evt_", task),
            meta=self._meta,
        )
        body = signal.encode()
        code_byte = SignalType.ERROR.code
        self.transport.send_reply(caller, task, trace, code_byte, body, index=0, settles=True)

    # -- the end ---------------------------------------------------------------------------------

    async def drain(self, timeout_s: float) -> int:
        """Let what runs and waits come to its end; cancel what is left after `timeout_s` seconds.

        Returns:
            How many tasks had to be cancelled.
        """
        try:
            async with asyncio.timeout(timeout_s):
                await self._idle.wait()
        except TimeoutError:
            pass
        left = list(self._jobs.values())
        for job in left:
            self._cancel(job, "CANCELLED")
        runners = [job.runner for job in left if job.runner is not None]
        if runners:
            await asyncio.wait(runners, timeout=1.0)
        self._sweeper.close()
        return len(left)


def _read_task(body: bytes) -> Signal:
    signal = Signal.decode(body)
    if signal.type is not SignalType.TASK or "input" not in signal.payload:
        raise BadSignal("a TASK with an input belongs here")
    return signal


def _cancelled(code: str) -> dict[str, Any]:
    message = {
        "CANCELLED": "the task was cancelled",
        "EXPIRED": "the time of the task was over before it ended",
    }[code]
    return error_payload(code, message)
