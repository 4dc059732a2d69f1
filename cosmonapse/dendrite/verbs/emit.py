"""The verbs that publish a Signal: one generic path, and one table of named ones."""

from __future__ import annotations

import functools
from collections.abc import Coroutine
from typing import Any, overload

from ...ids import id_bytes
from ...payloads import STREAMED, checked_emission, payload_of
from ...signals import Directed, Signal, SignalType, made
from .base import DendriteBase, verb


class NamedEmit:
    """One verb of a Dendrite: `emit` with its type filled in."""

    def __init__(self, signal_type: SignalType) -> None:
        self._type = signal_type
        self.__doc__ = f"Publish a {signal_type.value}; see `Dendrite.emit`."

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, dendrite: None, owner: type) -> NamedEmit: ...
    @overload
    def __get__(self, dendrite: EmitVerbs, owner: type) -> BoundEmit: ...
    def __get__(self, dendrite: EmitVerbs | None, owner: type) -> NamedEmit | BoundEmit:
        """Bind it to a Dendrite, once: it is found there from then on."""
        if dendrite is None:
            return self
        bound = dendrite.__dict__[self._name] = BoundEmit(dendrite, self._type)
        return bound


class BoundEmit:
    """Publishes Signals of one type."""

    def __init__(self, dendrite: EmitVerbs, signal_type: SignalType) -> None:
        self._dendrite = dendrite
        self._type = signal_type

    def __call__(
        self,
        *,
        about: Signal | None = None,
        trace_id: str | None = None,
        parent_id: str | None = None,
        neuron: str | None = None,
        meta: dict[str, Any] | None = None,
        **payload: Any,
    ) -> Coroutine[Any, Any, Signal]:
        """Publish a Signal with this payload and return it.

        Args:
            about: The Signal that it belongs to; gives trace_id and parent_id.
            trace_id: The workflow; by default that of `about`, else a new one.
            parent_id: The Signal that it follows; by default `about`.
            neuron: The producer; by default this Dendrite.
            meta: Further values beside the payload.
            payload: The keys of the type; `seq` of a THOUGHT_DELTA is a running number of this
                Dendrite by default.

        Raises:
            AccessRefused: The key of this Dendrite may not publish this type.
            TypeError: A key of the payload is missing or unknown.
            UnencodableValue: The payload holds a value that no Signal can carry.
            SignalTooLarge: It is over the limit.
            DendriteProtocolError: Not running.
        """
        if about is not None:
            trace_id = about.trace_id if trace_id is None else trace_id
            parent_id = about.id if parent_id is None else parent_id
        if self._type is SignalType.THOUGHT_DELTA:
            payload.setdefault("seq", next(self._dendrite._thoughts))
        checked = payload_of(self._type, payload)
        if meta and not isinstance(meta, dict):
            raise TypeError(f"meta must be a dict, not {type(meta).__name__}")
        producer = self._dendrite._producer(neuron)
        signal = made(self._type, checked, producer, trace_id, parent_id, meta or {})
        return self._dendrite.emit(signal)


class EmitVerbs(DendriteBase):
    """The `emit` methods of a Dendrite."""

    emit_bid = NamedEmit(SignalType.BID)
    emit_consensus = NamedEmit(SignalType.CONSENSUS)
    emit_context_sync = NamedEmit(SignalType.CONTEXT_SYNC)
    emit_critique = NamedEmit(SignalType.CRITIQUE)
    emit_error = NamedEmit(SignalType.ERROR)
    emit_escalation = NamedEmit(SignalType.ESCALATION)
    emit_final = NamedEmit(SignalType.FINAL)
    emit_memory_append = NamedEmit(SignalType.MEMORY_APPEND)
    emit_plan = NamedEmit(SignalType.PLAN)
    emit_thought_delta = NamedEmit(SignalType.THOUGHT_DELTA)
    emit_tool_call = NamedEmit(SignalType.TOOL_CALL)
    emit_tool_result = NamedEmit(SignalType.TOOL_RESULT)

    @verb
    async def emit(self, signal: Signal) -> Signal:
        """Publish a Signal to every subscriber of its type or its trace, and return it.

        A Signal of a Neuron at work (a thought, a tool call, a plan, ...) whose parent is a TASK
        that runs here goes to the caller of that TASK, in order and without loss; subscribers get a
        copy. Any other Signal goes by the broadcast plane, which drops it for a subscriber that is
        too slow. A BID names its neuron and goes to the Dendrite of its offer. With an older
        Synapse the call returns when the BID has a subscriber, or after 0.25 s.

        Raises:
            AccessRefused: The key of this Dendrite may not publish this type.
            UnencodableValue: It holds a value that no Signal can carry.
            SignalTooLarge: It is over the limit.
            DendriteProtocolError: It is a TASK or a Signal of presence; not running.
            TypeError: It is a BID without a cost, or with a value that is not a number.
            ValueError: It is a BID that names no neuron, or has a number out of range.
        """
        self._check_running()
        checked_emission(signal.type)
        if signal.type is SignalType.BID:
            return await self._bidder.place(signal)
        if signal.type in STREAMED and signal.parent_id is not None:
            job = self._inbox.job(id_bytes(signal.parent_id))
            if job is not None:
                return await job.say_signal(signal)
        self._publisher.publish(signal)
        return signal

    @functools.cached_property
    def _own_producer(self) -> Directed:
        return Directed(self.dendrite_id, "dendrite")

    def _producer(self, neuron: str | None) -> Directed:
        if neuron is None:
            return self._own_producer
        hosted = [axon.producer for axon in self._inbox.axons if axon.neuron_id == neuron]
        return hosted[0] if hosted else Directed(neuron, "neuron")
