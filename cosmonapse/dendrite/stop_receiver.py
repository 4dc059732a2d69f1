"""Obeying a STOP: the tasks of its trace that run here are cancelled, rolled back and counted.

Spec: docs/spec/07-signals.md, "Stopping a trace", 1 to 3. Every Dendrite that hosts Axons answers
every STOP with one STOPPED after the functions have ended.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Collection

from ..errors import BadSignal
from ..ids import id_bytes
from ..runtime.last_door import must_pass
from ..signals import Directed, Signal, SignalType
from ..telemetry.current_trace import fields_of
from ..transport import Transport
from .watch.handlers import Handler
from .watch.publisher import Publisher, publish_until_subscribed
from .watch.subscriptions import Subscriptions
from .worker.inbox import Inbox
from .worker.job import Job
from .worker.user_callbacks import CallbackTimeout, UserCallbacks

_LOG = logging.getLogger(__name__)
_MAX_STOPS = 1024
_MAX_ROLLBACKS = 1024
_PUBLISH_S = 0.1
_BARRIER_S = 1.0
_FUNCTIONS_S = 5.0
_ROLLBACK_S = 5.0


class _StoppedTrace:
    """A trace that is being stopped, possibly by several STOPs at the same time."""

    def __init__(self) -> None:
        self.stop_count = 0
        self.cancelled: set[Job] = set()
        self.rolled_back: set[Job] = set()


class StopReceiver:
    """Obeys the STOPs of this and other Dendrites.

    Args:
        transport: Tells whether a TASK may still be on its way to us.
        publisher: Publishes the STOPPEDs.
        subscriptions: Receives the STOPs.
        inbox: Holds the jobs.
        dendrite_id: The producer of a STOPPED.
    """

    def __init__(
        self,
        transport: Transport,
        publisher: Publisher,
        subscriptions: Subscriptions,
        inbox: Inbox,
        dendrite_id: str,
    ) -> None:
        self.counts: Counter[str] = Counter()
        self._transport = transport
        self._publisher = publisher
        self._subscriptions = subscriptions
        self._inbox = inbox
        self._producer = Directed(dendrite_id, "dendrite")
        self._callbacks = UserCallbacks(_MAX_ROLLBACKS)
        self._stopped_traces: dict[str, _StoppedTrace] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_subscribed = False

    def update_subscription(self) -> None:
        """Obey STOPs if, and only if, this Dendrite hosts an Axon."""
        wanted = self._inbox.hosts
        if wanted and not self._is_subscribed:
            stop = frozenset({SignalType.STOP})
            handler = Handler(self._on_stop, stop, direct=True, directed=True)
            self._subscriptions.add(handler)
        elif self._is_subscribed and not wanted:
            self._subscriptions.remove(self._on_stop)
        self._is_subscribed = wanted

    async def close(self, timeout_s: float) -> None:
        """Wait at most `timeout_s` seconds for the STOPs in progress, then cancel them."""
        if self._tasks:
            _, left = await asyncio.wait(self._tasks, timeout=timeout_s)
            for task in left:
                task.cancel()
            if left:
                await asyncio.wait(left, timeout=_PUBLISH_S)

    def _on_stop(self, stop: Signal) -> None:
        try:
            id_bytes(stop.trace_id)
        except BadSignal as error:
            self.counts["drop.bad_stop"] += 1
            _LOG.warning("a STOP is dropped: %s", error)
            return
        jobs = set(self._inbox.cancel_trace(stop.trace_id))
        if len(self._tasks) >= _MAX_STOPS:
            self.counts["drop.stopped"] += 1  # obeyed all the same, but not answered
            return
        stopped = self._stopped_traces.setdefault(stop.trace_id, _StoppedTrace())
        stopped.stop_count += 1
        task = asyncio.get_running_loop().create_task(
            self._finish(stop, jobs, stopped), name="stop of a trace"
        )
        self._tasks.add(task)
        task.add_done_callback(lambda done: self._finished(done, stop.trace_id, stopped))

    def _finished(self, task: asyncio.Task[None], trace_id: str, stopped: _StoppedTrace) -> None:
        self._tasks.discard(task)
        stopped.stop_count -= 1
        if not stopped.stop_count:
            self._stopped_traces.pop(trace_id, None)

    async def _finish(self, stop: Signal, jobs: set[Job], stopped: _StoppedTrace) -> None:
        """Wait until the functions have ended, roll back if requested, publish the STOPPED."""
        cancelled = jobs - stopped.cancelled
        stopped.cancelled |= cancelled
        # A TASK that the Synapse sent before the STOP travels on another socket and may arrive
        # after it; the barrier returns when every such TASK is here.
        await self._transport.barrier(_BARRIER_S)
        late = set(self._inbox.cancel_trace(stop.trace_id))
        cancelled |= late - stopped.cancelled
        stopped.cancelled |= late
        jobs = jobs | late
        await _functions_end(jobs)
        rolled_back = 0
        if stop.payload.get("rollback") is True:
            # Rule 2: each task is undone once, whichever of several STOPs comes first.
            to_undo = [job for job in jobs if job not in stopped.rolled_back]
            stopped.rolled_back.update(to_undo)
            rolled_back = sum(await asyncio.gather(*(self._call_rollback(job) for job in to_undo)))
        answer = stop.reply(
            SignalType.STOPPED,
            payload={
                "cancelled": len(cancelled),
                "rolled_back": rolled_back,
                "node": self._producer.id,
            },
            directed=self._producer,
            meta={"instance": self._transport.instance.hex()},
        )
        await publish_until_subscribed(
            self._publisher, answer, _PUBLISH_S if stop.meta.get("acks") else 0.0
        )

    async def _call_rollback(self, job: Job) -> bool:
        """Call the `rollback_fn` of a job whose function has ended; return True on success."""
        axon = job.slots.axon
        if axon.rollback_fn is None or not job.started:
            return False
        extra = fields_of(job.signal.trace_id, axon.neuron_id)
        if _is_running(job):
            self.counts["rollback_skipped"] += 1
            text = "neuron %s is not rolled back: its function still runs"
            _LOG.warning(text, axon.neuron_id, extra=extra)
            return False
        try:
            await self._callbacks.call(
                axon.rollback_fn,
                job.signal,
                timeout_s=_ROLLBACK_S,
                name=f"rollback_fn of {axon.neuron_id}",
            )
        except CallbackTimeout as error:
            self.counts["rollback_failed"] += 1
            text = "rollback_fn of neuron %s is cancelled: %s"
            _LOG.warning(text, axon.neuron_id, error, extra=extra)
        except BaseException as error:
            if must_pass(error):
                raise
            self.counts["rollback_failed"] += 1  # the last door: others are rolled back
            _LOG.exception("rollback_fn of neuron %s raised", axon.neuron_id, extra=extra)
        else:
            return True
        return False


def _is_running(job: Job) -> bool:
    return job.runner is not None or (job.thread is not None and not job.thread.done())


async def _functions_end(jobs: Collection[Job]) -> None:
    """Return when the functions of the jobs have ended, or after 5 s."""
    clock = asyncio.get_running_loop().time
    until_s = clock() + _FUNCTIONS_S
    running = [job.when_over() for job in jobs if job.runner is not None]
    if running:
        await asyncio.wait(running, timeout=_FUNCTIONS_S)
    threads = [job.thread for job in jobs if job.thread is not None]  # set once the function runs
    if threads:
        await asyncio.wait(threads, timeout=max(0.0, until_s - clock()))
