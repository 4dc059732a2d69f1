"""Stops of a whole trace: what we have open is taken back, what runs here is cancelled.

Spec: docs/spec/07-signals.md. Every Dendrite that hosts Axons answers every STOP with one STOPPED,
once the functions have ended.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Collection
from typing import Any

from ..errors import BadSignal, SynapseUnreachable
from ..ids import id_bytes
from ..signals import Directed, Signal, SignalType
from ..transport import Transport
from .caller.dispatcher import Dispatcher
from .caller.open_tasks import OpenTask
from .caller.task_errors import error_for
from .watch.handlers import Handler
from .watch.publisher import Publisher, publish_heard
from .watch.subscriptions import Subscriptions
from .worker.inbox import Inbox
from .worker.job import Job
from .worker.user_callbacks import GivenUp, UserCallbacks, was_cancelled

_LOG = logging.getLogger(__name__)
_STOPS = 1024
_ACKS = 10_000
_ROLLBACKS = 1024
_HEARD_S = 0.1
_OWN_S = 0.25
_BARRIER_S = 1.0
_END_S = 5.0
_ROLLBACK_S = 5.0


class _Ending:
    """A trace that is being stopped; several STOPs may be about it at the same time."""

    def __init__(self) -> None:
        self.stops = 0
        self.cancelled: set[Job] = set()
        self.undone: set[Job] = set()


class TraceStops:
    """Stops traces, and obeys the STOPs of others.

    Args:
        transport: Who knows which Dendrites there are.
        publisher: Who shows STOP and STOPPED.
        watching: Where they are heard.
        dispatcher: Whose open tasks are taken back.
        inbox: Whose jobs are cancelled.
        dendrite_id: Who we are, for people.
    """

    def __init__(
        self,
        transport: Transport,
        publisher: Publisher,
        subscriptions: Subscriptions,
        dispatcher: Dispatcher,
        inbox: Inbox,
        dendrite_id: str,
    ) -> None:
        self.counts: Counter[str] = Counter()
        self._transport = transport
        self._publisher = publisher
        self._subscriptions = subscriptions
        self._dispatcher = dispatcher
        self._inbox = inbox
        self._producer = Directed(dendrite_id, "dendrite")
        self._calls = UserCallbacks(_ROLLBACKS)
        self._endings: dict[str, _Ending] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._listens = False

    def made(self, trace_id: str, rollback: bool, reason: str | None, acks: bool = False) -> Signal:
        """Return the STOP of a trace.

        Args:
            trace_id: The workflow.
            rollback: Whether what is cancelled shall be undone.
            reason: For people.
            acks: Whether somebody waits for the STOPPEDs.

        Raises:
            BadSignal: `trace_id` is no id.
        """
        id_bytes(trace_id)
        payload: dict[str, Any] = {"rollback": bool(rollback)}
        if reason is not None:
            payload["reason"] = reason
        return Signal(
            type=SignalType.STOP,
            payload=payload,
            directed=self._producer,
            trace_id=trace_id,
            meta={"acks": True} if acks else {},
        )

    # -- stopping --------------------------------------------------------------------------------

    async def stop(self, stop: Signal, timeout_s: float) -> list[Signal]:
        """Publish a STOP, take our own tasks of its trace back, return the STOPPEDs if wanted.

        Args:
            stop: From `made`.
            timeout_s: How long STOPPEDs are waited for.
        """
        clock = asyncio.get_running_loop().time
        answers: list[Signal] = []
        news = asyncio.Event()

        def on_signal(signal: Signal) -> None:
            answer = signal.type is SignalType.STOPPED and signal.parent_id == stop.id
            if answer and len(answers) < _ACKS:
                answers.append(signal)
            news.set()

        self._subscriptions.add(Handler(on_signal, trace_id=stop.trace_id, direct=True))
        try:
            try:
                await self._subscriptions.settle()
                until_s = clock() + timeout_s
                await publish_heard(self._publisher, stop, _HEARD_S)
                await self._own_end(stop.trace_id, news)
            finally:
                self._take_back(stop.trace_id)
            if stop.meta.get("acks"):
                await self._all_answer(answers, news, until_s)
        finally:
            self._subscriptions.remove(on_signal)
        return list(answers)

    async def _own_end(self, trace_id: str, news: asyncio.Event) -> None:
        """Let workers end our tasks; a CANCEL that overtakes the STOP would hide them from it."""
        trace, clock = id_bytes(trace_id), asyncio.get_running_loop().time
        until_s = clock() + _OWN_S
        while (left_s := until_s - clock()) > 0:
            opened = self._dispatcher.open_tasks.on_trace(trace)
            if all(each.question is not None for each in opened):
                return
            await _next(news, left_s)

    def _take_back(self, trace_id: str) -> None:
        for opened in self._dispatcher.open_tasks.on_trace(id_bytes(trace_id)):
            asked = opened.question is not None
            self._dispatcher.abandon(opened)
            if asked:
                _tell(opened)

    async def _all_answer(self, answers: list[Signal], news: asyncio.Event, until_s: float) -> None:
        """Return when every Dendrite on the roster has answered, or at the end of the time."""
        clock = asyncio.get_running_loop().time
        try:
            seats = await self._transport.roster("", "", max(0.001, until_s - clock()))
            wanted = {seat.instance for seat in seats}
        except SynapseUnreachable:
            wanted = {"nobody knows whose"}
        while (left_s := until_s - clock()) > 0:
            if wanted <= {str(each.meta.get("instance")) for each in answers}:
                return
            await _next(news, left_s)

    # -- being stopped ---------------------------------------------------------------------------

    def attend(self) -> None:
        """Listen to STOPs if, and only if, we host an Axon."""
        wanted = self._inbox.hosts
        if wanted and not self._listens:
            handler = Handler(self._on_stop, frozenset({SignalType.STOP}), direct=True)
            self._subscriptions.add(handler)
        elif self._listens and not wanted:
            self._subscriptions.remove(self._on_stop)
        self._listens = wanted

    async def close(self, timeout_s: float) -> None:
        """Let what is being stopped end, for at most `timeout_s` seconds."""
        if self._tasks:
            _, left = await asyncio.wait(self._tasks, timeout=timeout_s)
            for task in left:
                task.cancel()
            if left:
                await asyncio.wait(left, timeout=_HEARD_S)

    def _on_stop(self, stop: Signal) -> None:
        try:
            id_bytes(stop.trace_id)
        except BadSignal as error:
            self.counts["drop.bad_stop"] += 1
            _LOG.warning("a STOP is dropped: %s", error)
            return
        jobs = set(self._inbox.cancel_trace(stop.trace_id))
        if len(self._tasks) >= _STOPS:
            self.counts["drop.stopped"] += 1  # obeyed all the same, but not answered
            return
        ending = self._endings.setdefault(stop.trace_id, _Ending())
        ending.stops += 1
        task = asyncio.get_running_loop().create_task(
            self._wind_up(stop, jobs, ending), name="stop of a trace"
        )
        self._tasks.add(task)
        task.add_done_callback(lambda done: self._wound_up(done, stop.trace_id, ending))

    def _wound_up(self, task: asyncio.Task[None], trace_id: str, ending: _Ending) -> None:
        self._tasks.discard(task)
        ending.stops -= 1
        if not ending.stops:
            self._endings.pop(trace_id, None)

    async def _wind_up(self, stop: Signal, jobs: set[Job], ending: _Ending) -> None:
        """Wait until the functions have ended, undo what is wanted, say so."""
        cancelled = jobs - ending.cancelled
        ending.cancelled |= cancelled
        await self._transport.barrier(_BARRIER_S)
        late = set(self._inbox.cancel_trace(stop.trace_id))  # it was on its way when we were told
        cancelled |= late - ending.cancelled
        ending.cancelled |= late
        jobs = jobs | late
        await _ended(jobs)
        rolled_back = 0
        if stop.payload.get("rollback") is True:
            undo = [job for job in jobs if job not in ending.undone]
            ending.undone.update(undo)
            rolled_back = sum(await asyncio.gather(*(self._undo(job) for job in undo)))
        stopped = stop.reply(
            SignalType.STOPPED,
            payload={
                "cancelled": len(cancelled),
                "rolled_back": rolled_back,
                "node": self._producer.id,
            },
            directed=self._producer,
            meta={"instance": self._transport.instance.hex()},
        )
        await publish_heard(self._publisher, stopped, _HEARD_S if stop.meta.get("acks") else 0.0)

    async def _undo(self, job: Job) -> bool:
        """Call the `rollback_fn` of a job whose function has ended; True if that went well."""
        axon = job.slots.axon
        if axon.rollback_fn is None or not job.started:
            return False
        if _is_running(job):
            self.counts["rollback_skipped"] += 1
            _LOG.warning("neuron %s is not rolled back: its function runs on", axon.neuron_id)
            return False
        try:
            await self._calls.call(
                axon.rollback_fn,
                job.signal,
                timeout_s=_ROLLBACK_S,
                name=f"rollback_fn of {axon.neuron_id}",
            )
        except GivenUp as error:
            self.counts["rollback_failed"] += 1
            _LOG.warning("rollback_fn of neuron %s is given up: %s", axon.neuron_id, error)
        except (KeyboardInterrupt, GeneratorExit):
            raise
        except BaseException as error:
            if was_cancelled(error):
                raise
            self.counts["rollback_failed"] += 1  # the last door: others are rolled back
            _LOG.exception("rollback_fn of neuron %s raised", axon.neuron_id)
        else:
            return True
        return False


def _tell(opened: OpenTask) -> None:
    """Tell whoever waits for an answer; for others the task had ended with its question."""
    error = error_for(opened, "CANCELLED")
    if opened.waiter is not None and not opened.waiter.done():
        opened.waiter.set_result(error)
    if opened.pathway is not None and not opened.pathway.closed:
        opened.pathway.take(error)
        opened.pathway.end(error)


async def _next(news: asyncio.Event, timeout_s: float) -> None:
    """Return when there is news, or after `timeout_s` seconds."""
    news.clear()
    try:
        async with asyncio.timeout(timeout_s):
            await news.wait()
    except TimeoutError:
        return


def _is_running(job: Job) -> bool:
    return job.runner is not None or (job.thread is not None and not job.thread.done())


async def _ended(jobs: Collection[Job]) -> None:
    """Return when the functions of the jobs have ended, or after 5 s."""
    clock = asyncio.get_running_loop().time
    until_s = clock() + _END_S
    running = [job.when_over() for job in jobs if job.runner is not None]
    if running:
        await asyncio.wait(running, timeout=_END_S)
    threads = [job.thread for job in jobs if job.thread is not None]  # known once they have begun
    if threads:
        await asyncio.wait(threads, timeout=max(0.0, until_s - clock()))
