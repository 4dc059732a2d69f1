"""The verbs that send a TASK."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable
from threading import get_ident
from typing import Any, Required, TypedDict, Unpack

from ...runtime import clock
from ...signals import Signal
from ...tasks import task_for
from ..caller.pathway import Pathway, Scope
from ..caller.plain_calls import Destination
from ..caller.retry import RetryStrategy
from .base import DendriteBase, gives_coroutine, verb


class WaitedTask(TypedDict, total=False):
    """The arguments of `dispatch_and_wait`."""

    neuron: str | None
    capabilities: Iterable[str] | None
    input: Required[Any]
    timeout_s: float
    retry: RetryStrategy | None
    trace_id: str | None
    parent_id: str | None
    context_ref: Any
    finalize: bool
    meta: dict[str, Any] | None
    answer_elsewhere: bool


class DispatchVerbs(DendriteBase):
    """The dispatch methods of a Dendrite."""

    @verb
    async def dispatch_task(
        self,
        *,
        neuron: str | None = None,
        capabilities: Iterable[str] | None = None,
        input: Any,
        timeout_s: float = 300.0,
        trace_id: str | None = None,
        parent_id: str | None = None,
        context_ref: Any = None,
        finalize: bool = False,
        meta: dict[str, Any] | None = None,
    ) -> Signal:
        """Send a TASK and return it; its outcome goes to the handlers. It survives its caller.

        Args:
            neuron: The neuron id; replicas share the load. Or:
            capabilities: One Axon that offers all of them runs it.
            input: The input of the Neuron.
            timeout_s: The longest time that it may take, over 0 and at most 30 days.
            trace_id: The workflow; a new one by default.
            parent_id: The Signal that it follows.
            context_ref: The list of context items, or the argument of the Axon's `context_fetcher`.
            finalize: True if the output ends the workflow: it arrives as FINAL.
            meta: Further values beside the payload.

        Raises:
            ValueError: Neither or both of neuron and capabilities, or an invalid name.
            UnencodableValue: The input holds a value that no Signal can carry.
            SignalTooLarge: The TASK is over the limit.
            AccessRefused: The key of this Dendrite may not send TASKs there.
            DendriteProtocolError: Not running, or in the role of a worker.
        """
        self._check_may_dispatch()
        signal = task_for(
            neuron, capabilities, input, trace_id, parent_id, meta, context_ref, finalize
        )
        await self._dispatcher.send(signal, timeout_s)
        return signal

    @verb
    async def dispatch(
        self,
        *,
        neuron: str | None = None,
        capabilities: Iterable[str] | None = None,
        input: Any,
        timeout_s: float = 300.0,
        scope: Scope = "all",
        trace_id: str | None = None,
        parent_id: str | None = None,
        context_ref: Any = None,
        finalize: bool = False,
        meta: dict[str, Any] | None = None,
        answer_elsewhere: bool = False,
    ) -> Pathway:
        """Send a TASK and return a Pathway, which receives all of its Signals.

        Other arguments and errors as for `dispatch_task`.

        Args:
            scope: `all`: the Pathway follows this TASK and ends with it. `terminal`: it follows the
                whole trace, of all Dendrites, and ends at a FINAL or an ERROR.
            answer_elsewhere: True to wait for answers of another Dendrite, or of `cosmo answer`,
                to its questions.
        """
        self._check_may_dispatch()
        signal = task_for(
            neuron, capabilities, input, trace_id, parent_id, meta, context_ref, finalize
        )
        return await self._pathways.dispatch(signal, timeout_s, scope, answer_elsewhere)

    dispatch_and_subscribe = dispatch

    @gives_coroutine
    def dispatch_and_wait(
        self,
        *,
        neuron: str | None = None,
        capabilities: Iterable[str] | None = None,
        input: Any,
        timeout_s: float = 30.0,
        retry: RetryStrategy | None = None,
        trace_id: str | None = None,
        parent_id: str | None = None,
        context_ref: Any = None,
        finalize: bool = False,
        meta: dict[str, Any] | None = None,
        answer_elsewhere: bool = False,
    ) -> Coroutine[Any, Any, Signal]:
        """Send a TASK and return the Signal that settles it: an output, an ERROR or a question.

        A question (CLARIFICATION, PERMISSION, ESCALATION) settles it only without an answer: the
        call waits while a handler of ours for the question runs, and after a `respond_...` for the
        output that follows. Cancelling the call cancels the task.

        Other arguments as for `dispatch_task`.

        Args:
            timeout_s: The overall limit, answers and further attempts included.
            retry: The retry strategy. A stop of the trace ends the call with ERROR `CANCELLED`,
                also in a pause.
            answer_elsewhere: True to wait for answers of another Dendrite, or of `cosmo answer`,
                to its questions.

        Raises:
            TimeoutError: Nothing settled it in time; the text has neuron, trace and time.
            ValueError: Neither or both of neuron and capabilities, or an invalid name.
            UnencodableValue: The input holds a value that no Signal can carry.
            SignalTooLarge: The TASK is over the limit.
            AccessRefused: The key of this Dendrite may not send TASKs there.
            DendriteProtocolError: Not running, stopped meanwhile, or in the role of a worker.
        """
        # By hand and not with `verb`, since each task comes by here.
        if self._forks != clock.forks() or self._home_thread != get_ident():
            self._check_process()
        if (
            neuron is not None
            and capabilities is None
            and retry is None
            and trace_id is None
            and parent_id is None
            and context_ref is None
            and not finalize
            and meta is None
        ):
            destination = self._dispatcher.plain_calls.destination(neuron)
            return self._called(neuron, destination, input, timeout_s, answer_elsewhere)
        signal = task_for(
            neuron, capabilities, input, trace_id, parent_id, meta, context_ref, finalize
        )
        return self._settled(signal, timeout_s, retry, answer_elsewhere)

    async def _called(
        self,
        neuron: str,
        destination: Destination,
        given: Any,
        timeout_s: float,
        answer_elsewhere: bool,
    ) -> Signal:
        """Send a TASK with nothing but a destination and an input, and wait for its end."""
        self._check_may_dispatch()
        own_rights = self._subscriptions.own_rights
        if own_rights.limits_dispatch:
            own_rights.check_dispatch(neuron)
        dispatcher = self._dispatcher
        opened = dispatcher.plain_calls.start(destination, given, timeout_s, answer_elsewhere)
        if opened is None:
            return await dispatcher.wait(task_for(neuron, None, given), timeout_s, answer_elsewhere)
        try:
            settled: Signal = await opened.waiter
        except asyncio.CancelledError:
            dispatcher.abandon(opened)
            raise
        return settled

    async def _settled(
        self,
        signal: Signal,
        timeout_s: float,
        retry: RetryStrategy | None,
        answer_elsewhere: bool,
    ) -> Signal:
        self._check_may_dispatch()
        if retry is None:
            return await self._dispatcher.wait(signal, timeout_s, answer_elsewhere)
        return await self._retries.run(signal, timeout_s, retry, answer_elsewhere)

    @gives_coroutine
    def ask(self, **task: Unpack[WaitedTask]) -> Coroutine[Any, Any, dict[str, Any]]:
        """Send a TASK as `dispatch_and_wait` does and return its output.

        Raises:
            NeuronError: The outcome is an ERROR.
            NeedsAnswer: The outcome is a question.
            TimeoutError: There is no outcome in time.
        """
        return _output_of(self.dispatch_and_wait(**task))

    @verb
    async def observe_pathway(self, trace_id: str) -> Pathway:
        """Return a Pathway on a trace of other Dendrites, in force when this returns.

        It receives copies of the Signals from now on, and ends at a FINAL or when it is closed.

        Raises:
            BadSignal: `trace_id` is not an id.
            AccessRefused: The key of this Dendrite may not follow a trace.
            DendriteProtocolError: Not running.
        """
        self._check_running()
        return await self._pathways.observe(trace_id)


async def _output_of(replied: Coroutine[Any, Any, Signal]) -> dict[str, Any]:
    return (await replied).output
