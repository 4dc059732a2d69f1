"""Stopping a trace: a STOP goes out, our own tasks of the trace end, STOPPEDs are collected.

Spec: docs/spec/07-signals.md, "Stopping a trace", 4 and 5. `stop_receiver` is the other side.
"""

from __future__ import annotations

import asyncio
from typing import Any

from ..errors import SynapseUnreachable
from ..ids import id_bytes
from ..signals import Directed, Signal, SignalType
from ..transport import Transport
from .caller.dispatcher import Dispatcher
from .caller.open_tasks import OpenTask
from .caller.task_errors import error_for
from .watch.handlers import Handler
from .watch.publisher import Publisher, publish_until_subscribed
from .watch.subscriptions import Subscriptions

_MAX_STOPPED = 10_000
_PUBLISH_S = 0.1
_OWN_TASKS_S = 0.25
_UNKNOWN_ROSTER = frozenset({"unknown"})
"""Matches no instance id, so that a missing roster lets the wait last its whole time."""


class StopSender:
    """Stops traces.

    Args:
        transport: Answers which Dendrites host Axons.
        publisher: Publishes the STOP.
        subscriptions: Receives the STOPPEDs.
        dispatcher: Holds our open tasks.
        dendrite_id: The producer of the STOP.
    """

    def __init__(
        self,
        transport: Transport,
        publisher: Publisher,
        subscriptions: Subscriptions,
        dispatcher: Dispatcher,
        dendrite_id: str,
    ) -> None:
        self._transport = transport
        self._publisher = publisher
        self._subscriptions = subscriptions
        self._dispatcher = dispatcher
        self._producer = Directed(dendrite_id, "dendrite")

    def stop_signal(
        self, trace_id: str, rollback: bool, reason: str | None, acks: bool = False
    ) -> Signal:
        """Return the STOP of a trace.

        Args:
            trace_id: The workflow.
            rollback: Whether workers undo the tasks that they cancel.
            reason: A text for people.
            acks: Whether a caller waits for the STOPPEDs.

        Raises:
            BadSignal: `trace_id` is not an id.
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

    async def stop(self, stop: Signal, timeout_s: float) -> list[Signal]:
        """Publish a STOP, end our own tasks of its trace, return the STOPPEDs if requested.

        Args:
            stop: From `stop_signal`.
            timeout_s: How long to wait for STOPPEDs.
        """
        clock = asyncio.get_running_loop().time
        answers: list[Signal] = []
        arrived = asyncio.Event()

        def on_signal(signal: Signal) -> None:
            is_answer = signal.type is SignalType.STOPPED and signal.parent_id == stop.id
            if is_answer and len(answers) < _MAX_STOPPED:
                answers.append(signal)
            arrived.set()

        handler = Handler(on_signal, trace_id=stop.trace_id, direct=True, directed=True)
        self._subscriptions.add(handler)
        try:
            try:
                await self._subscriptions.settle()
                until_s = clock() + timeout_s
                await publish_until_subscribed(self._publisher, stop, _PUBLISH_S)
                await self._own_tasks_end(stop.trace_id, arrived)
            finally:
                self._abandon_own_tasks(stop.trace_id)
            if stop.meta.get("acks"):
                await self._all_answer(answers, arrived, until_s)
        finally:
            self._subscriptions.remove(on_signal)
        return list(answers)

    async def _own_tasks_end(self, trace_id: str, arrived: asyncio.Event) -> None:
        """Return when the workers have ended our tasks of the trace, or after 0.25 s."""
        # Rule 5: a CANCEL that overtakes the STOP would hide these tasks from the STOP, and the
        # worker would neither count them nor roll them back.
        trace, clock = id_bytes(trace_id), asyncio.get_running_loop().time
        until_s = clock() + _OWN_TASKS_S
        while (left_s := until_s - clock()) > 0:
            if all(each.question is not None for each in self._dispatcher.of_trace(trace)):
                return
            await _next_event(arrived, left_s)

    def _abandon_own_tasks(self, trace_id: str) -> None:
        for opened in self._dispatcher.of_trace(id_bytes(trace_id)):
            waits_for_answer = opened.question is not None
            self._dispatcher.abandon(opened)
            if waits_for_answer:
                _end_cancelled(opened)

    async def _all_answer(
        self, answers: list[Signal], arrived: asyncio.Event, until_s: float
    ) -> None:
        """Return when every Dendrite on the roster has answered, or at `until_s`."""
        clock = asyncio.get_running_loop().time
        wanted: set[str] | frozenset[str] = _UNKNOWN_ROSTER
        try:
            seats = await self._transport.roster("", "", max(0.001, until_s - clock()))
            wanted = {seat.instance for seat in seats}
        except SynapseUnreachable:
            pass  # nobody knows who has to answer: wait for the whole time
        while (left_s := until_s - clock()) > 0:
            if wanted <= {str(each.meta.get("instance")) for each in answers}:
                return
            await _next_event(arrived, left_s)


def _end_cancelled(opened: OpenTask) -> None:
    """End the caller that waits for an answer; for all others the question ended the task."""
    error = error_for(opened, "CANCELLED")
    if opened.waiter is not None and not opened.waiter.done():
        opened.waiter.set_result(error)
    if opened.pathway is not None and not opened.pathway.closed:
        opened.pathway.take(error)
        opened.pathway.end(error)


async def _next_event(arrived: asyncio.Event, timeout_s: float) -> None:
    """Return after the next Signal of the trace, or after `timeout_s` seconds."""
    arrived.clear()
    try:
        async with asyncio.timeout(timeout_s):
            await arrived.wait()
    except TimeoutError:
        return
