"""The decorators of a Dendrite: one generic path, and one table of named ones."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Any, Self, TypeVar, overload

from ...ids import id_bytes
from ...signals import Signal, SignalType
from ..watch.handlers import Function, Handler
from ..watch.subscriptions import Subscriptions
from .base import DendriteBase

F = TypeVar("F", bound=Callable[[Signal], Any])


class NamedDecorator:
    """One decorator of a Dendrite: `on_signal` with its type filled in."""

    def __init__(self, signal_type: SignalType) -> None:
        self._type = signal_type
        self.__doc__ = (
            f"Call the function for every {signal_type.value} of the namespace; "
            "see `on_signal` for the filters."
        )

    @overload
    def __get__(self, dendrite: None, owner: type) -> NamedDecorator: ...
    @overload
    def __get__(self, dendrite: Decorators, owner: type) -> BoundDecorator: ...
    def __get__(self, dendrite: Decorators | None, owner: type) -> NamedDecorator | BoundDecorator:
        """Bind it to a Dendrite."""
        return self if dendrite is None else BoundDecorator(dendrite, self._type)


class BoundDecorator:
    """A decorator that is used bare or called with filters."""

    def __init__(self, dendrite: Decorators, signal_type: SignalType) -> None:
        self._dendrite = dendrite
        self._type = signal_type

    @overload
    def __call__(self, function: F, /) -> F: ...
    @overload
    def __call__(
        self,
        *,
        neuron: str | None = None,
        capability: str | None = None,
        trace_id: str | None = None,
    ) -> HandlerDecorator: ...
    def __call__(self, *functions: Any, **filters: Any) -> Any:
        """Decorate a function; see `Dendrite.on_signal` for the filters."""
        decorate: Callable[[Any], Any] = self._dendrite.on_signal(self._type, **filters)
        return decorate(functions[0]) if functions else decorate


class HandlerDecorator:
    """Adds the functions that it decorates as handlers; with `async with` for the block only.

    Args:
        subscriptions: Holds the handlers.
        handler: Makes the handler of a function.
    """

    def __init__(
        self, subscriptions: Subscriptions, handler: Callable[[Function], Handler]
    ) -> None:
        self._subscriptions = subscriptions
        self._handler = handler
        self._is_block = False
        self._added: list[Handler] = []

    def __call__(self, function: F) -> F:
        """Add a function."""
        handler = self._handler(function)
        self._subscriptions.add_for_user(handler)
        self._added.append(handler)
        if self._is_block:
            self._subscriptions.hold(handler)
        return function

    async def __aenter__(self) -> Self:
        """Begin a block; what it decorated before belongs to it too."""
        self._is_block = True
        for handler in self._added:
            self._subscriptions.hold(handler)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        """Let the functions handle what has arrived, for at most 5 s, and remove them."""
        added, self._added, self._is_block = self._added, [], False
        if error is None:
            await self._subscriptions.finish(added)
        else:
            self._subscriptions.remove_all(added)


class Decorators(DendriteBase):
    """The decorators of a Dendrite."""

    on_agent_output = NamedDecorator(SignalType.AGENT_OUTPUT)
    on_bid = NamedDecorator(SignalType.BID)
    on_clarification = NamedDecorator(SignalType.CLARIFICATION)
    on_clarification_answer = NamedDecorator(SignalType.CLARIFICATION_ANSWER)
    on_consensus = NamedDecorator(SignalType.CONSENSUS)
    on_context_sync = NamedDecorator(SignalType.CONTEXT_SYNC)
    on_critique = NamedDecorator(SignalType.CRITIQUE)
    on_deregister_signal = NamedDecorator(SignalType.DEREGISTER)
    on_error_signal = NamedDecorator(SignalType.ERROR)
    on_escalation = NamedDecorator(SignalType.ESCALATION)
    on_final = NamedDecorator(SignalType.FINAL)
    on_heartbeat_signal = NamedDecorator(SignalType.HEARTBEAT)
    on_memory_append = NamedDecorator(SignalType.MEMORY_APPEND)
    on_permission = NamedDecorator(SignalType.PERMISSION)
    on_permission_decision = NamedDecorator(SignalType.PERMISSION_DECISION)
    on_plan = NamedDecorator(SignalType.PLAN)
    on_register_signal = NamedDecorator(SignalType.REGISTER)
    on_task_awarded = NamedDecorator(SignalType.TASK_AWARDED)
    on_task_declined = NamedDecorator(SignalType.TASK_DECLINED)
    on_task_offer = NamedDecorator(SignalType.TASK_OFFER)
    on_task_signal = NamedDecorator(SignalType.TASK)
    on_thought_delta = NamedDecorator(SignalType.THOUGHT_DELTA)
    on_tool_call = NamedDecorator(SignalType.TOOL_CALL)
    on_tool_result = NamedDecorator(SignalType.TOOL_RESULT)

    def on_signal(
        self,
        *types: SignalType,
        neuron: str | None = None,
        capability: str | None = None,
        trace_id: str | None = None,
    ) -> HandlerDecorator:
        """Call the decorated function for every matching Signal of the namespace.

        It may be `def` (runs in a thread) or `async def`. Each function has an ordered queue of its
        own with 32,768 places; one that raises, hangs or is too slow does not affect another. After
        start it is in force before the next dispatch of this Dendrite sends anything.

        Args:
            types: The Signal types; at least one, or a `trace_id`.
            neuron: Only of this producer, or for a TASK to this target.
            capability: Only of producers that offer it, or for a TASK that requires it.
            trace_id: Only of this workflow; it ends by itself as that of `on_trace`.

        Raises:
            ValueError: Neither a type nor a trace is given.
            BadSignal: `trace_id` is not an id.
            AccessRefused: The key of this Dendrite may not listen to that. Before the start nobody
                knows; then `start` raises it.
        """
        return HandlerDecorator(
            self._subscriptions,
            lambda function: Handler(function, frozenset(types), neuron, capability, trace_id),
        )

    def on_trace(self, trace_id: str, *types: SignalType) -> HandlerDecorator:
        """Call the decorated function for every Signal of a trace; without types for any type.

        In causal order, as the Synapse saw them: a TASK, the Signals about it, its outcome, the
        next TASK. It sees the context variables of the place where it was decorated.

        It ends by itself 30 s after the last TASK of its trace has ended and nothing more came; a
        question without an answer keeps it. In `async with dendrite.on_trace(trace_id) as on:` the
        functions that `on` decorates last as long as the block. `off` removes one at any time.

        Raises:
            BadSignal: `trace_id` is not an id.
            AccessRefused: The key of this Dendrite may not listen to traces; before the start, see
                `on_signal`.
        """
        id_bytes(trace_id)
        return HandlerDecorator(
            self._subscriptions,
            lambda function: Handler(function, frozenset(types), trace_id=trace_id, ordered=True),
        )

    def off(self, function: Callable[[Signal], Any]) -> int:
        """Remove a decorated function and return how often it was added."""
        return self._subscriptions.remove(function)
