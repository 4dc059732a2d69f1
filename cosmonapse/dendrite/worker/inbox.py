"""The worker's side: TASKs come in, Neurons run, replies go out. One asyncio task for each TASK."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from typing import Any

from ...axon import Axon, reply_of, reply_of_exception
from ...errors import BadSignal, UnencodableValue
from ...ids import id_text
from ...payloads import error_payload
from ...runtime.deadline_timer import DeadlineTimer, LoopClock
from ...runtime.deadlines import Deadlines
from ...signals import Signal, SignalType
from ...transport import Outcome, TaskFlag, Transport
from ..caller.questions import QUESTIONS
from ..watch.subscriptions import Subscriptions
from .invoke import run_function
from .job import Ask, AxonSlots, Job, Key
from .reply_cache import Answered, ReplyCache, ReplyStream
from .resync_source import repeat
from .task_pool import TaskPool

_LOG = logging.getLogger(__name__)
_GRACE_S = 0.25
_CANCEL_S = 1.0
_BARRIER_S = 1.0
_KEEP = int(TaskFlag.KEEP)


class Inbox:
    """The Axons of a Dendrite at work.

    Args:
        transport: What carries the replies.
        watching: Whose handlers see our own traffic.
        ask: Sends the child tasks of our Neurons.
        dendrite_id: Who we are, for the meta of a reply.
    """

    def __init__(
        self, transport: Transport, subscriptions: Subscriptions, ask: Ask, dendrite_id: str
    ) -> None:
        self.transport = transport
        self.counts: Counter[str] = Counter()
        self._subscriptions = subscriptions
        self._ask = ask
        self._clock = LoopClock()
        self._meta: dict[str, Any] = {"dendrite": dendrite_id}
        self._axon_slots: dict[str, AxonSlots] = {}
        self.answers = ReplyCache()
        self._ended = self.answers.ended
        self.jobs: dict[Key, Job] = {}
        self._stopped: set[Job] = set()
        self._deadlines: Deadlines[Key] = Deadlines()
        self._timer = DeadlineTimer(self._deadlines.next_at_s, self._expire)

    @property
    def axons(self) -> list[Axon]:
        """The Axons that serve, in the order in which they were added."""
        return [slots.axon for slots in self._axon_slots.values() if not slots.detaching]

    @property
    def hosts(self) -> bool:
        """Tell whether there is an Axon, be it one that takes leave."""
        return bool(self._axon_slots)

    def add(self, axon: Axon) -> None:
        """Host an Axon.

        Raises:
            ValueError: One with this id is hosted already.
        """
        if axon.neuron_id in self._axon_slots:
            raise ValueError(f"an Axon with the id {axon.neuron_id!r} is attached already")
        self._axon_slots[axon.neuron_id] = AxonSlots(axon)

    def axon(self, neuron_id: str) -> Axon:
        """Return the Axon with this id.

        Raises:
            ValueError: There is none.
        """
        slots = self._axon_slots.get(neuron_id)
        if slots is None or slots.detaching:
            raise ValueError(f"no Axon with the id {neuron_id!r} is attached")
        return slots.axon

    def load(self, neuron_id: str) -> tuple[int, int]:
        """Return how many tasks an Axon runs and how many wait for it."""
        slots = self._axon_slots[neuron_id]
        return len(slots.running), len(slots.queue)

    def job(self, task: bytes) -> Job | None:
        """Return the job of a TASK that runs here."""
        return next((job for key, job in self.jobs.items() if key[1] == task), None)

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
        slots = self._axon_slots.get(address)
        if (caller, task) in self.jobs or caller + task in self._ended:
            self._repeated(caller, task, trace)
            return
        if slots is None:
            self._refuse(caller, task, trace, "NO_SUCH_NEURON", f"{address} is not hosted here")
            return
        try:
            signal = _read_task(body)
        except BadSignal as error:
            self._refuse(caller, task, trace, "BAD_SIGNAL", str(error))
            return
        now_s = self._clock.now_s()
        job = Job(
            slots,
            signal,
            caller,
            task,
            trace,
            now_s + ttl_ms / 1000,
            self.transport,
            self._send,
            self._ask,
        )
        job.keep = bool(flags & _KEEP)
        self._show(job, signal)
        if ttl_ms == 0:
            self._settle(job, SignalType.ERROR, error_payload("EXPIRED", "it came too late"))
        elif len(slots.running) < slots.axon.concurrency:
            self._accept(job)
            self._start(job)
        elif len(slots.queue) < slots.axon.max_queued:
            self._accept(job)
            slots.queue.append(job)
        else:
            waiting = f"{slots.axon.concurrency} tasks run and {slots.axon.max_queued} wait"
            self._settle(job, SignalType.ERROR, error_payload("OVERLOADED", f"full: {waiting}"))

    def _repeated(self, caller: bytes, task: bytes, trace: bytes) -> None:
        """Answer a TASK that came before: it is not run again, its replies are sent again."""
        self.counts["drop.repeated_task"] += 1
        is_kept = repeat(self.transport, self.answers, caller, task, 0)
        if not is_kept and (caller, task) not in self.jobs:
            self._refuse(caller, task, trace, "REPLY_LOST", "it was answered long ago")

    def on_cancel(self, caller: bytes, task: bytes) -> None:
        """Cancel a TASK that runs or waits."""
        job = self.jobs.get((caller, task))
        if job is not None:
            job.taken_back = True
            if job not in self._stopped:  # it is cleaning up: that is not to be cancelled too
                self._cancel(job, "CANCELLED")

    def cancel_trace(self, trace_id: str) -> list[Job]:
        """Cancel what runs and waits of a trace; return what had not ended yet."""
        jobs = [job for job in self.jobs.values() if job.signal.trace_id == trace_id]
        for job in jobs:
            if job in self._stopped:
                continue
            self._stopped.add(job)
            if not job.taken_back:
                self._cancel(job, "CANCELLED")
        return jobs

    def _accept(self, job: Job) -> None:
        self.jobs[job.key] = job
        # Its caller takes it back at the deadline and tells everyone; we act if that does not come.
        until_s = job.deadline_at_s + _GRACE_S
        job.slot = self._deadlines.set(job.key, until_s)
        if until_s < self._timer.armed_at_s:
            self._timer.arm(until_s)

    def _start(self, job: Job) -> None:
        slots = job.slots
        slots.running.add(job)
        if slots.pool is None:
            slots.pool = TaskPool(self._run, slots.task_name)
        slots.pool.start(job)

    def _cancel(self, job: Job, why: str) -> None:
        job.why_cancelled = why
        if job.runner is not None:
            job.runner.cancel()
        if job.started:  # its function hears of it and may clean up; then it is settled
            if job.patience is None:
                loop = asyncio.get_running_loop()
                job.patience = loop.call_later(_CANCEL_S, self._give_up, job)
            return
        if job not in job.slots.running:
            job.slots.queue.remove(job)
        self._finish(job)
        self._settle(job, SignalType.ERROR, _cancelled(why))

    def _give_up(self, job: Job) -> None:
        """Settle a job whose function goes on after its cancellation; it keeps its place."""
        if job.settled:
            return
        self.counts["leaked_places"] += 1
        self._let_go(job)
        self._settle(job, SignalType.ERROR, _cancelled("CANCEL_TIMEOUT"))

    def _expire(self, now_s: float) -> None:
        for key in self._deadlines.due(now_s):
            job = self.jobs.get(key)
            if job is not None:
                self._cancel(job, "EXPIRED")

    # -- running ---------------------------------------------------------------------------------

    async def _run(self, job: Job) -> None:
        job.started = True
        try:
            signal_type, payload = reply_of(await run_function(job, self._clock.loop()))
        except asyncio.CancelledError:
            signal_type, payload = SignalType.ERROR, _cancelled(job.why_cancelled)
        except (KeyboardInterrupt, GeneratorExit):
            raise
        except BaseException as error:  # noqa: BLE001  # the last door: the caller is told
            signal_type, payload = reply_of_exception(error)
            if payload.get("code") == "NEURON_EXCEPTION":
                _LOG.exception("neuron %s raised", job.slots.axon.neuron_id)
        if job.settled:  # it was given up
            self._vacate(job)
            return
        self._finish(job)
        self._settle(job, signal_type, payload)

    def _finish(self, job: Job) -> None:
        """Free the place of a job and let the next one have it."""
        self._let_go(job)
        if job.thread is not None and not job.thread.done():
            self.counts["leaked_places"] += 1  # it runs on although nobody waits for it
            job.thread.add_done_callback(lambda _: self._vacate(job))
        else:
            self._vacate(job)

    def _let_go(self, job: Job) -> None:
        """Forget a job; only its place is still taken."""
        if job.patience is not None:
            job.patience.cancel()
        if job.calls:
            job.end_calls()
        self.jobs.pop(job.key, None)
        self._stopped.discard(job)
        self._deadlines.drop(job.key, job.slot)

    def _vacate(self, job: Job) -> None:
        slots = job.slots
        slots.running.discard(job)
        if slots.queue and len(slots.running) < slots.axon.concurrency:
            self._start(slots.queue.popleft())

    # -- what goes out ---------------------------------------------------------------------------

    def _send(self, job: Job, signal: Signal, body: bytes, settles: bool) -> Outcome:
        """Send one reply of a job, and show it to our own handlers."""
        index, code = job.index, signal.type.code
        outcome = self.transport.send_reply(
            job.caller,
            job.task,
            job.trace,
            code,
            body,
            index=index,
            settles=settles,
        )
        if settles:
            self._keep(job, index, code, body)
        if outcome in (Outcome.SENT, Outcome.WAITING):
            job.index = index + 1
            if not settles:
                job.stream = job.stream or ReplyStream()
                job.stream.add((index, code, body))
        elif settles:
            self.counts[f"drop.reply_{outcome.name.lower()}"] += 1
        if job.taken_back and settles:
            return outcome  # its caller has told everyone how it ended
        self._show(job, signal)
        return outcome

    def _show(self, job: Job, signal: Signal) -> None:
        """Show a Signal to our own handlers, unless they get it as its caller's."""
        subscriptions = self._subscriptions
        if (
            not subscriptions.is_idle
            and job.caller != self.transport.instance
            and subscriptions.may_want(signal.type, signal.trace_id)
        ):
            subscriptions.feed(signal)

    def _keep(self, job: Job, index: int, code: int, body: bytes) -> None:
        """Keep the replies of a job that has ended, in case they get lost on the way."""
        answered: Answered = body
        size = len(body)
        if index or job.stream is not None:
            stream = job.stream.replies if job.stream is not None else ()
            answered = (*stream, (index, code, body))
            size = sum(len(each) for _, _, each in answered)
        self.answers.settle(job.caller + job.task, answered, size, self._clock.now_s())

    def _settle(self, job: Job, signal_type: SignalType, payload: dict[str, Any]) -> None:
        if signal_type is SignalType.AGENT_OUTPUT and job.signal.payload.get("finalize") is True:
            signal_type, payload = SignalType.FINAL, {"result": payload["output"]}
        meta = self._meta
        if signal_type in QUESTIONS:  # with it, anybody can go on when the caller is gone
            meta = {**meta, "task": job.signal.payload}
        signal, body = self._encoded(job, signal_type, payload, meta)
        job.settled = True
        self._send(job, signal, body, True)

    def _encoded(
        self, job: Job, signal_type: SignalType, payload: dict[str, Any], meta: dict[str, Any]
    ) -> tuple[Signal, bytes]:
        """Return the last reply of a job; what cannot travel becomes an ERROR that says so."""
        producer = job.slots.axon.producer
        signal = job.signal.reply(signal_type, payload=payload, directed=producer, meta=meta)
        limit = self.transport.max_signal_bytes
        try:
            body = signal.encode()
            if len(body) <= limit:
                return signal, body
            if meta is not self._meta:
                return self._encoded(job, signal_type, payload, self._meta)
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
        await self.transport.barrier(_BARRIER_S)
        axon_slots = list(self._axon_slots.values())
        left = await self._let_end(axon_slots, timeout_s)
        self._timer.close()
        return left

    async def detach(self, neuron_id: str, timeout_s: float) -> int:
        """Take an Axon away; what it runs and what waits for it may end, as in `drain`."""
        slots = self._axon_slots[neuron_id]
        slots.detaching = True  # what was given to it before it took leave may still arrive
        await self.transport.barrier(_BARRIER_S)
        try:
            return await self._let_end([slots], timeout_s)
        finally:
            self._axon_slots.pop(neuron_id, None)

    def discard(self, neuron_id: str) -> None:
        """Take an Axon away that was never announced."""
        self._axon_slots.pop(neuron_id, None)

    async def _let_end(self, axon_slots: list[AxonSlots], timeout_s: float) -> int:
        loop = asyncio.get_running_loop()
        until_s = loop.time() + timeout_s
        while running := _running(axon_slots):
            left_s = until_s - loop.time()
            if left_s <= 0:
                break
            await asyncio.wait(running, timeout=left_s, return_when=asyncio.FIRST_COMPLETED)
        left = [
            job for slots in axon_slots for job in (*slots.queue, *slots.running) if not job.settled
        ]
        for job in left:
            self._cancel(job, "CANCELLED")
        if running := _running(axon_slots):
            await asyncio.wait(running, timeout=_CANCEL_S)
        for job in left:
            self._give_up(job)
        for slots in axon_slots:
            if slots.pool is not None:
                slots.pool.close()
        return len(left)


def _running(axon_slots: list[AxonSlots]) -> list[asyncio.Future[None]]:
    return [job.when_over() for slots in axon_slots for job in slots.running if not job.over]


def _read_task(body: bytes) -> Signal:
    signal = Signal.decode(body)
    if signal.type is not SignalType.TASK or "input" not in signal.payload:
        raise BadSignal("a TASK with an input belongs here")
    return signal


def _cancelled(code: str) -> dict[str, Any]:
    message = {
        "CANCELLED": "the task was cancelled",
        "EXPIRED": "the time of the task was over before it ended",
        "CANCEL_TIMEOUT": f"its function did not heed the cancellation within {_CANCEL_S:g} s",
    }[code]
    return error_payload(code, message)
