"""The worker's side of a Dendrite: receives TASKs, runs Neurons, sends replies.

Spec: docs/spec/03-routing.md, "Replies" and "CANCEL"; docs/spec/09-resync.md, "What each keeps".
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections import Counter
from contextvars import Token
from typing import Any

from ... import kernel
from ...axon import Axon, check_axon, reply_of, reply_of_exception
from ...errors import BadSignal
from ...kernel import Deadlines
from ...payloads import error_payload
from ...runtime.deadline_timer import DeadlineTimer
from ...runtime.last_door import must_pass
from ...runtime.loop_clock import LoopClock
from ...schemas import Unfit
from ...signals import SignalType
from ...tasks import task_in
from ...telemetry import current_trace
from ...telemetry.current_trace import fields_of
from ...telemetry.task_observer import Observers
from ...transport import ReplyFlag, TaskFlag, TaskItem, Transport
from ..caller.open_tasks import OpenTask
from ..watch.subscriptions import Subscriptions
from .axon_slots import AxonSlots
from .child_calls import ChildCalls
from .invoke import log_raised, run_function, warn_unchecked
from .job import Job, Key
from .reply_sender import ReplySender
from .resync_source import repeat
from .task_pool import TaskPool

_LOG = logging.getLogger(__name__)
_GRACE_S = 0.25
_CANCEL_S = 1.0
_BARRIER_S = 1.0
_LEAST_WAIT_S = 0.001  # a loop may count in milliseconds, and call at once for less
_KEEP = int(TaskFlag.KEEP)
_RUN = int(TaskFlag.RUN)
_SETTLES = int(ReplyFlag.SETTLES)


class Inbox:
    """The Axons of a Dendrite and the TASKs that they run.

    Args:
        transport: Carries the replies.
        subscriptions: The handlers that receive copies of our own traffic.
        child_calls: Sends the child tasks of our Neurons, and finds their tools.
        dendrite_id: The id of this Dendrite, for the meta of a reply.

    Attributes:
        reply_cache: The replies of the tasks that have ended here.
        jobs: The tasks that run or wait here.
    """

    def __init__(
        self,
        transport: Transport,
        subscriptions: Subscriptions,
        child_calls: ChildCalls,
        dendrite_id: str,
    ) -> None:
        self.transport = transport
        self.counts: Counter[str] = Counter()
        self._subscriptions = subscriptions
        self._senders = subscriptions.senders
        self.child_calls = child_calls
        self._clock = LoopClock()
        self._axon_slots: dict[str, AxonSlots[Job]] = {}
        self._replies = ReplySender(transport, subscriptions, self.counts, dendrite_id)
        self.reply_cache = self._replies.reply_cache
        self._ended = self.reply_cache.ended
        self.jobs: dict[Key, Job] = {}
        self._stopped: set[Job] = set()
        self._deadlines: Deadlines[Key] = Deadlines()
        self._timer = DeadlineTimer(self._deadlines.next_at_s, self._expire)
        self._observer: Observers | None = None

    @property
    def observer(self) -> Observers | None:
        """Whom to tell about every task; None if nobody wants to know."""
        return self._replies.observer

    @observer.setter
    def observer(self, observer: Observers | None) -> None:
        self._replies.observer = observer
        self._observer = observer if observer is not None and observer.follows_jobs else None

    @property
    def axons(self) -> list[Axon]:
        """The Axons that receive TASKs, in the order in which they were added."""
        return [slots.axon for slots in self._axon_slots.values() if not slots.detaching]

    @property
    def hosts(self) -> bool:
        """Whether this Dendrite hosts an Axon, one that is being detached included."""
        return bool(self._axon_slots)

    def add(self, axon: Axon) -> None:
        """Host an Axon.

        Raises:
            TypeError: It is no Axon.
            ValueError: An Axon with this id is hosted already.
        """
        check_axon(axon)
        if axon.neuron_id in self._axon_slots:
            raise ValueError(f"an Axon with the id {axon.neuron_id!r} is attached already")
        warn_unchecked(axon)
        self._axon_slots[axon.neuron_id] = AxonSlots(axon, kernel.encode_directed(axon.producer))

    def axon(self, neuron_id: str) -> Axon:
        """Return the Axon with this id.

        Raises:
            ValueError: No Axon with this id is hosted.
        """
        slots = self._axon_slots.get(neuron_id)
        if slots is None or slots.detaching:
            raise ValueError(f"no Axon with the id {neuron_id!r} is attached")
        return slots.axon

    def load(self, neuron_id: str) -> tuple[int, int]:
        """Return the number of tasks that an Axon runs and of those that wait for it."""
        slots = self._axon_slots[neuron_id]
        return len(slots.running), len(slots.queue)

    def loads(self) -> list[tuple[str, tuple[int, int, int]]]:
        """Return of each Axon how many tasks wait, run and could begin; from any thread."""
        return [(name, slots.load()) for name, slots in list(self._axon_slots.items())]

    def is_full(self, neuron_id: str) -> bool:
        """Return whether an Axon would refuse a task that came now."""
        slots = self._axon_slots[neuron_id]
        has_room = len(slots.queue) < slots.axon.max_queued
        return not has_room and not slots.may_begin(self._clock.now_s())

    def runs_here(self, task: asyncio.Task[Any] | None) -> bool:
        """Return whether an asyncio task runs a Neuron of this Dendrite now."""
        return task is not None and any(job.runner is task for job in self.jobs.values())

    def job(self, task: bytes) -> Job | None:
        """Return the job of a TASK that runs here."""
        return next((job for job in self.jobs.values() if job.task == task), None)

    def why_late(self, opened: OpenTask) -> str:
        """Return why a task that this Dendrite sent to an Axon of its own has not begun, or ""."""
        job = self.jobs.get(self.transport.instance + opened.task)
        return "" if job is None else job.why_waits()

    # -- TASKs and CANCELs -----------------------------------------------------------------------

    def on_tasks(self, caller: bytes, address: str, items: list[TaskItem]) -> None:
        """Run the TASKs of one message, queue them, or answer them at once with an ERROR."""
        slots, now_s = self._axon_slots.get(address), self._clock.now_s()
        for item in items:
            try:
                self._on_task(slots, caller, address, item, now_s)
            except Exception:  # noqa: BLE001  # the last door: one TASK must not cost the others
                _LOG.exception("a TASK could not be handled and is dropped")

    def _on_task(
        self,
        slots: AxonSlots[Job] | None,
        caller: bytes,
        address: str,
        item: TaskItem,
        now_s: float,
    ) -> None:
        task, trace, _, ttl_ms, flags, body = item
        key = caller + task
        if key in self.jobs or key in self._ended:
            self._repeated(caller, task, trace)
            return
        if slots is None:
            message = f"{address} is not hosted here"
            self._replies.refuse(caller, task, trace, "NO_SUCH_NEURON", message)
            return
        try:
            signal = task_in(body)
        except BadSignal as error:
            self._replies.refuse(caller, task, trace, "BAD_SIGNAL", str(error))
            return
        if "input" not in signal.payload:
            self._replies.send_card(caller, task, trace, slots.axon)
            return
        if self._senders.have_names:
            self._senders.mark(signal, caller)
        job = Job(
            slots,
            signal,
            caller,
            task,
            trace,
            key,
            now_s,
            now_s + ttl_ms / 1000,
            flags & _KEEP != 0,
            flags & _RUN != 0,
            self.transport,
            self._replies,
            self.child_calls,
        )
        if self._observer is not None or self._subscriptions.watches_tasks:
            self._tell_of(job)
        self._admit(job, ttl_ms, now_s)

    def _admit(self, job: Job, ttl_ms: int, now_s: float) -> None:
        """Start a job, queue it, or refuse it."""
        slots = job.slots
        if ttl_ms == 0:
            message = "the task arrived after its deadline"
            self._replies.settle(job, SignalType.ERROR, error_payload("EXPIRED", message))
        elif slots.may_begin(now_s):
            self._accept(job)
            self._start(job)
        elif len(slots.queue) < slots.axon.max_queued:
            self._accept(job)
            slots.queue.append(job)
            if slots.bucket is not None:
                self._start_next(slots)
        else:
            wait_s = slots.retry_after_s(now_s)
            payload = error_payload("OVERLOADED", slots.why_full(), retry_after_s=wait_s)
            self._replies.settle(job, SignalType.ERROR, payload)

    def _tell_of(self, job: Job) -> None:
        """Tell whoever wants to know that a TASK has arrived."""
        if self._observer is not None:
            self._observer.on_arrived(job)
        if self._subscriptions.watches_tasks:
            self._replies.show(job, job.signal)

    def _repeated(self, caller: bytes, task: bytes, trace: bytes) -> None:
        """Send the replies of a TASK that arrived before again; it is not run again."""
        # 09-resync, "What each keeps", 3.
        self.counts["drop.repeated_task"] += 1
        is_stored = repeat(self.transport, self.reply_cache, caller, task, 0)
        if not is_stored and caller + task not in self.jobs:
            message = "the task ran before and its replies are no longer stored"
            self._replies.refuse(caller, task, trace, "REPLY_LOST", message)

    def on_cancel(self, caller: bytes, task: bytes) -> None:
        """Cancel a TASK that runs or waits, for its caller."""
        job = self.jobs.get(caller + task)
        # 03-routing, "CANCEL" 4: it may come twice, and the function cleans up since the first one.
        if job is not None and not job.caller_cancelled:
            job.caller_cancelled = True
            # A STOP has cancelled it before: its function cleans up, and a second cancellation
            # would interrupt that (07-signals, "Stopping a trace", 1).
            if job not in self._stopped:
                self._cancel(job, "CANCELLED")

    def cancel_trace(self, trace_id: str) -> list[Job]:
        """Cancel the jobs of a trace that run or wait; return every job that had not ended."""
        jobs = [job for job in self.jobs.values() if job.signal.trace_id == trace_id]
        for job in jobs:
            if job in self._stopped:
                continue
            self._stopped.add(job)
            if not job.caller_cancelled:
                self._cancel(job, "CANCELLED")
        return jobs

    def _accept(self, job: Job) -> None:
        self.jobs[job.key] = job
        # 03-routing, "Overdue": deadlines belong to the caller, which normally cancels at the
        # deadline and publishes the ERROR. This timer is the fallback.
        until_s = job.deadline_at_s + _GRACE_S
        job.deadline_slot = self._deadlines.set(job.key, until_s)
        if until_s < self._timer.armed_at_s:
            self._timer.arm(until_s)

    def _start(self, job: Job) -> None:
        slots = job.slots
        slots.admit(job)
        if slots.pool is None:
            slots.pool = TaskPool(self._run, slots.task_name)
        slots.pool.start(job)

    def _start_next(self, slots: AxonSlots[Job]) -> None:
        """Start the jobs that wait, as far as there are places and the rate limit allows it."""
        while slots.queue and slots.has_place:
            wait_s = 0.0 if slots.bucket is None else slots.bucket.wait_s(self._clock.now_s())
            if wait_s > 0.0:
                if slots.wake is None and wait_s < math.inf:  # else the job that begins goes on
                    loop = self._clock.loop()
                    slots.wake = loop.call_later(max(wait_s, _LEAST_WAIT_S), self._wake, slots)
                return
            self._start(slots.queue.popleft())

    def _wake(self, slots: AxonSlots[Job]) -> None:
        slots.wake = None
        self._start_next(slots)

    def _cancel(self, job: Job, code: str) -> None:
        job.cancel_code = code
        if job.child_waits():
            extra = fields_of(job.signal.trace_id, job.slots.axon.neuron_id)
            _LOG.warning("a task ended in vain: %s", job.why_waits(), extra=extra)
        if job.runner is not None:
            job.runner.cancel()
        if job.started:  # its function may clean up; `_run` settles the job after that
            if job.cancel_timer is None:
                loop = asyncio.get_running_loop()
                job.cancel_timer = loop.call_later(_CANCEL_S, self._settle_running, job)
            return
        if job not in job.slots.running:
            job.slots.queue.remove(job)
        elif job.slots.bucket is not None:
            job.slots.bucket.give_back()
        job.end()
        self._finish(job)
        self._replies.settle(job, SignalType.ERROR, _cancelled(code))

    def _settle_running(self, job: Job) -> None:
        """Settle a job whose function runs on after its cancellation; it occupies its place."""
        if job.settled:
            return
        self.counts["leaked_places"] += 1
        self._forget(job)
        self._replies.settle(job, SignalType.ERROR, _cancelled("CANCEL_TIMEOUT"))

    def _expire(self, now_s: float) -> None:
        for key in self._deadlines.due(now_s):
            job = self.jobs.get(key)
            if job is not None:
                self._cancel(job, "EXPIRED")

    # -- running ---------------------------------------------------------------------------------

    async def _run(self, job: Job) -> None:
        job.started_at_s = self._clock.now_s()
        if job.slots.bucket is not None:
            job.slots.bucket.begun(job.started_at_s)
            self._start_next(job.slots)
        told = _told_to_logs(job) if current_trace.is_followed else None
        interrupt: BaseException | None = None
        observer = self._observer
        if observer is not None:
            observer.on_start(job)
        try:
            running = run_function(job, self._clock.loop(), self.counts)
            signal_type, payload = reply_of(await running)
            if job.runs is not None:
                await job.thoughts_sent()
        except asyncio.CancelledError:
            signal_type, payload = SignalType.ERROR, _cancelled(job.cancel_code)
        except BaseException as error:
            if isinstance(error, GeneratorExit) and must_pass(error):
                raise
            signal_type, payload = self._reply_of_raised(job, error)
            interrupt = error if must_pass(error) else None
        if job.settled:  # by `_settle_running`
            self._free_place(job)
        else:
            self._finish(job)
            self._replies.settle(job, signal_type, payload)
        if told is not None or observer is not None:
            _leave(job, told, observer)
        if interrupt is not None:
            raise interrupt

    def _reply_of_raised(self, job: Job, error: BaseException) -> tuple[SignalType, dict[str, Any]]:
        """Return the reply for what a Neuron raised; log it if it tells nothing itself."""
        signal_type, payload = reply_of_exception(error)
        if isinstance(error, Unfit):
            was_input = error.code == "BAD_INPUT"
            self.counts["refused.bad_input" if was_input else "refused.bad_output"] += 1
        if payload.get("code") == "NEURON_EXCEPTION":
            # 07-signals, "The deadline", 4: its child task had what was left of its time, and
            # who looks at the clock first must not decide on the code.
            if isinstance(error, TimeoutError) and self._clock.now_s() >= job.deadline_at_s:
                payload = _cancelled("EXPIRED")
            else:
                log_raised(job.slots.axon, error)
        return signal_type, payload

    def _finish(self, job: Job) -> None:
        """Remove a job and free its place, once a thread of it has ended."""
        self._forget(job)
        if job.thread is not None and not job.thread.done():
            # A thread cannot be cancelled. Its place stays occupied, so that `concurrency` bounds
            # the threads that really run.
            self.counts["leaked_places"] += 1
            job.thread.add_done_callback(lambda _: self._free_place(job))
        else:
            self._free_place(job)

    def _forget(self, job: Job) -> None:
        """Remove a job from every table; its place remains occupied."""
        if job.cancel_timer is not None:
            job.cancel_timer.cancel()
        if job.child_calls:
            job.cancel_child_calls()
        self.jobs.pop(job.key, None)
        if self._stopped:
            self._stopped.discard(job)
        self._deadlines.drop(job.key, job.deadline_slot)

    def _free_place(self, job: Job) -> None:
        slots = job.slots
        slots.running.discard(job)
        if slots.queue:
            self._start_next(slots)

    # -- the end ---------------------------------------------------------------------------------

    async def drain(self, timeout_s: float) -> int:
        """Wait for the jobs that run or wait; cancel the rest after `timeout_s` seconds.

        Returns:
            The number of tasks that were cancelled.
        """
        await self.transport.barrier(_BARRIER_S)
        axon_slots = list(self._axon_slots.values())
        left = await self._jobs_end(axon_slots, timeout_s)
        self._timer.close()
        return left

    async def detach(self, neuron_id: str, timeout_s: float) -> int:
        """Remove an Axon; its jobs may end, as in `drain`."""
        slots = self._axon_slots[neuron_id]
        # It stays in the table until the barrier: a TASK that the Synapse sent before our
        # DEREGISTER may still arrive.
        slots.detaching = True
        await self.transport.barrier(_BARRIER_S)
        try:
            return await self._jobs_end([slots], timeout_s)
        finally:
            self._axon_slots.pop(neuron_id, None)

    def discard(self, neuron_id: str) -> None:
        """Remove an Axon that was never announced."""
        self._axon_slots.pop(neuron_id, None)

    async def _jobs_end(self, axon_slots: list[AxonSlots[Job]], timeout_s: float) -> int:
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
            self._settle_running(job)
        for slots in axon_slots:
            if slots.wake is not None:
                slots.wake.cancel()
            if slots.pool is not None:
                slots.pool.close()
        return len(left)


def _running(axon_slots: list[AxonSlots[Job]]) -> list[asyncio.Future[None]]:
    """Return what is done as soon as one of the jobs is, those that wait for a rate included."""
    jobs = [job for slots in axon_slots for job in (*slots.running, *slots.queue)]
    return [job.when_over() for job in jobs if not job.over]


def _told_to_logs(job: Job) -> Token[current_trace.CurrentTask | None]:
    task = (job.signal.trace_id, job.slots.axon.neuron_id)
    return current_trace.CURRENT.set(task)


def _leave(
    job: Job, told: Token[current_trace.CurrentTask | None] | None, observer: Observers | None
) -> None:
    """Leave the asyncio task as it was: it runs the next job, too."""
    if observer is not None:
        observer.on_leave(job)
    if told is not None:
        current_trace.CURRENT.reset(told)


def _cancelled(code: str) -> dict[str, Any]:
    message = {
        "CANCELLED": "the task was cancelled",
        "EXPIRED": "the deadline of the task passed before it ended",
        "CANCEL_TIMEOUT": f"its function did not end within {_CANCEL_S:g} s after its cancellation",
    }[code]
    return error_payload(code, message)
