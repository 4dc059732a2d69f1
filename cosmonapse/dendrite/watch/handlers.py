"""The handlers of a Dendrite and their filters: one table for every decorator. Pure."""

from __future__ import annotations

import contextvars
from collections.abc import Callable, Iterable
from typing import Any

import attrs

from ...signals import Signal, SignalType

Function = Callable[[Signal], Any]


@attrs.frozen(eq=False)
class Handler:
    """A function and its filters; a filter that is None matches every Signal.

    Args:
        function: Is called with the Signal; `def` or `async def`.
        types: Signal types; empty means any, on `trace_id`.
        neuron: Neuron id of the producer, or of the target of a TASK.
        capability: A capability of the producer, or one that a TASK asks for.
        trace_id: The workflow.
        ordered: True if it receives the Signals of its trace in the order of the Synapse.
        direct: True if it is called at once and not through a queue; it must not block.
        directed: True if others hand over to this Dendrite what it is for. It then needs a
            subscription only while there are older ones that do not.
        context: The context variables that it sees: those of the place where it was made.

    Raises:
        ValueError: Neither a type nor a trace is given.
    """

    function: Function
    types: frozenset[SignalType] = frozenset()
    neuron: str | None = None
    capability: str | None = None
    trace_id: str | None = None
    ordered: bool = False
    direct: bool = False
    directed: bool = False
    context: contextvars.Context = attrs.field(factory=contextvars.copy_context, repr=False)

    def __attrs_post_init__(self) -> None:
        if not self.types and self.trace_id is None:
            raise ValueError("a handler needs at least one Signal type, or a trace_id")

    @property
    def name(self) -> str:
        """The name of the function, for log texts."""
        return getattr(self.function, "__qualname__", repr(self.function))

    def wants(self, signal: Signal) -> bool:
        """Return whether the Signal passes every filter."""
        if self.types and signal.type not in self.types:
            return False
        if self.trace_id is not None and signal.trace_id != self.trace_id:
            return False
        directed = signal.directed
        if self.neuron is not None and (directed is None or directed.id != self.neuron):
            return False
        return self.capability is None or (
            directed is not None and self.capability in directed.capabilities
        )


class HandlerTable:
    """The handlers of one Dendrite, by Signal type or by trace."""

    def __init__(self) -> None:
        self._by_type: dict[SignalType, list[Handler]] = {}
        self._by_trace: dict[str, list[Handler]] = {}

    def __bool__(self) -> bool:
        """Return whether there is any handler."""
        return bool(self._by_type or self._by_trace)

    def add(self, handler: Handler) -> None:
        """Add a handler."""
        for index, key in self._entries(handler):
            index.setdefault(key, []).append(handler)

    def remove(self, function: Function) -> list[Handler]:
        """Remove and return every handler of that function."""
        found = [each for each in self._all() if each.function == function]
        for handler in found:
            self.discard(handler)
        return found

    def discard(self, handler: Handler) -> None:
        """Remove one handler that is in the table."""
        for index, key in self._entries(handler):
            index[key].remove(handler)
            if not index[key]:
                del index[key]

    def alone_of_type(self, signal_type: SignalType) -> Handler | None:
        """Return the handler of a type if it is the only one and wants every Signal of it."""
        handlers = self._by_type.get(signal_type, ())
        if len(handlers) != 1:
            return None
        [handler] = handlers
        return handler if handler.neuron is None and handler.capability is None else None

    def of_trace_id(self, trace_id: str) -> list[Handler]:
        """Return the handlers of a trace."""
        return self._by_trace.get(trace_id, [])

    def may_want(self, signal_type: SignalType | None, trace_id: str) -> bool:
        """Return, before the Signal is decoded, whether a handler could want it."""
        return signal_type in self._by_type or trace_id in self._by_trace

    def of(self, signal: Signal) -> list[Handler]:
        """Return the handlers of a Signal: those of its type, then those of its trace."""
        return self.of_type(signal) + self.of_trace(signal)

    def of_type(self, signal: Signal) -> list[Handler]:
        """Return the handlers of its type that want it."""
        return [each for each in self._by_type.get(signal.type, ()) if each.wants(signal)]

    def of_trace(self, signal: Signal) -> list[Handler]:
        """Return the handlers of its trace that want it."""
        return [each for each in self._by_trace.get(signal.trace_id, ()) if each.wants(signal)]

    def _all(self) -> Iterable[Handler]:
        lists = (*self._by_type.values(), *self._by_trace.values())
        return dict.fromkeys(handler for each in lists for handler in each)

    def _entries(self, handler: Handler) -> list[tuple[dict[Any, list[Handler]], Any]]:
        """Return index and key for a handler: its trace if it has one, else each of its types."""
        if handler.trace_id is not None:
            return [(self._by_trace, handler.trace_id)]
        return [(self._by_type, each) for each in handler.types]
