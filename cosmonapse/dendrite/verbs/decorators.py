"""The decorators of a Dendrite: one generic path, and one table of named ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, overload

from ...ids import id_bytes
from ...signals import Signal, SignalType
from ..watch.handlers import Handler
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
    ) -> Callable[[F], F]: ...
    def __call__(self, *functions: Any, **filters: Any) -> Any:
        """Decorate a function; see `Dendrite.on_signal` for the filters."""
        decorate: Callable[[Any], Any] = self._dendrite.on_signal(self._type, **filters)
        return decorate(functions[0]) if functions else decorate


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
    ) -> Callable[[F], F]:
        """Call the decorated function for every matching Signal of the namespace.

        It may be `def` (runs in a thread) or `async def`. Each function has an ordered queue of its
        own with 32,768 places; one that raises, hangs or is too slow does not affect another. After
        start it is in force before the next dispatch of this Dendrite sends anything.

        Args:
            types: The Signal types; at least one, or a `trace_id`.
            neuron: Only of this producer, or for a TASK to this target.
            capability: Only of producers that offer it, or for a TASK that requires it.
            trace_id: Only of this workflow.

        Raises:
            ValueError: Neither a type nor a trace is given.
            BadSignal: `trace_id` is not an id.
        """

        def decorate(function: F) -> F:
            self._subscriptions.add(
                Handler(function, frozenset(types), neuron, capability, trace_id)
            )
            return function

        return decorate

    def on_trace(self, trace_id: str, *types: SignalType) -> Callable[[F], F]:
        """Call the decorated function for every Signal of a trace; without types for any type.

        In causal order, as the Synapse saw them: a TASK, the Signals about it, its outcome, the
        next TASK. Remove it with `off`.

        Raises:
            BadSignal: `trace_id` is not an id.
        """
        id_bytes(trace_id)

        def decorate(function: F) -> F:
            handler = Handler(function, frozenset(types), trace_id=trace_id, ordered=True)
            self._subscriptions.add(handler)
            return function

        return decorate

    def off(self, function: Callable[[Signal], Any]) -> int:
        """Remove a decorated function and return how often it was added."""
        return self._subscriptions.remove(function)
