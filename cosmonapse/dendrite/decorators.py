"""The decorators of a Dendrite: one generic path, and one table of named ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, overload

from ..handlers import Handler
from ..signals import Signal, SignalType
from .watching import Watching

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


class Decorators:
    """What a Dendrite inherits to be decorated with."""

    _watching: Watching

    on_agent_output = NamedDecorator(SignalType.AGENT_OUTPUT)
    on_deregister_signal = NamedDecorator(SignalType.DEREGISTER)
    on_error_signal = NamedDecorator(SignalType.ERROR)
    on_heartbeat_signal = NamedDecorator(SignalType.HEARTBEAT)
    on_register_signal = NamedDecorator(SignalType.REGISTER)
    on_task_signal = NamedDecorator(SignalType.TASK)
    on_thought_delta = NamedDecorator(SignalType.THOUGHT_DELTA)

    def on_signal(
        self,
        *types: SignalType,
        neuron: str | None = None,
        capability: str | None = None,
        trace_id: str | None = None,
    ) -> Callable[[F], F]:
        """Call the decorated function for every matching Signal of the namespace.

        It may be `def` (runs in a thread) or `async def`. Each has a queue of its own with 32,768
        places, in order; one that raises, hangs or is too slow never hurts another. After start it
        is in force before the next dispatch of this Dendrite sends anything.

        Args:
            types: Which types; at least one, or a `trace_id`.
            neuron: Only of this producer, or for a TASK to this target.
            capability: Only of producers that offer it, or for a TASK that asks for it.
            trace_id: Only of this workflow.

        Raises:
            ValueError: Neither a type nor a trace is named.
            BadSignal: `trace_id` is no id.
        """

        def decorate(function: F) -> F:
            self._watching.add(Handler(function, frozenset(types), neuron, capability, trace_id))
            return function

        return decorate

    def off(self, function: Callable[[Signal], Any]) -> int:
        """Take a decorated function out again and return how often it was in."""
        return self._watching.remove(function)
