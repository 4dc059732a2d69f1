"""The payload keys of each Signal that a program or a Neuron sends. Pure.

Spec: docs/spec/07-signals.md, "Payloads". `emit_*`, `context` and their error texts read one table.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import attrs

from .errors import DendriteProtocolError, facts_of, seconds_or_none
from .ids import new_event_id
from .signals import Signal, SignalType

_MAX_MESSAGE_CHARS = 10_000


@attrs.frozen
class Shape:
    """The keys of one type's payload.

    Args:
        required: Keys that must be given.
        optional: Keys that may be given.
        completed: True if a payload gets further keys, see `payload_of`.
    """

    required: tuple[str, ...]
    optional: tuple[str, ...] = ()
    completed: bool = False
    _least: frozenset[str] = attrs.field(init=False)
    _most: frozenset[str] = attrs.field(init=False)

    @_least.default
    def _required_keys(self) -> frozenset[str]:
        return frozenset(self.required)

    @_most.default
    def _known_keys(self) -> frozenset[str]:
        return frozenset(self.required + self.optional)

    def is_met_by(self, values: Mapping[str, Any]) -> bool:
        """Return whether the values are a payload as they are: no key is missing or left out."""
        if self.completed or not self._least <= values.keys() <= self._most:
            return False
        # Not `None in values.values()`: that asks each value whether it is equal to None.
        return all(value is not None for value in values.values())


SHAPES: Mapping[SignalType, Shape] = MappingProxyType(
    {
        SignalType.FINAL: Shape(("result",), ("cost",)),
        SignalType.BID: Shape(("cost",), ("eta_ms", "confidence")),
        SignalType.ERROR: Shape(
            ("code", "message"), ("recoverable", "retry_after_s"), completed=True
        ),
        SignalType.ESCALATION: Shape(("reason",), ("target", "context")),
        SignalType.THOUGHT_DELTA: Shape(("delta",), ("seq", "kind")),
        SignalType.TOOL_CALL: Shape(("tool_name",), ("args", "call_id"), completed=True),
        SignalType.TOOL_RESULT: Shape(
            ("tool_name",), ("result", "error", "call_id"), completed=True
        ),
        SignalType.PLAN: Shape(("steps",), ("rationale",)),
        SignalType.CRITIQUE: Shape(("target_event_id", "issues", "verdict")),
        SignalType.CONSENSUS: Shape(("members", "verdict"), ("votes",)),
        SignalType.CONTEXT_SYNC: Shape(("snapshot",), ("version",)),
        SignalType.MEMORY_APPEND: Shape(("key", "value")),
    }
)
STREAMED = frozenset(SHAPES) - {
    SignalType.BID,
    SignalType.FINAL,
    SignalType.ERROR,
    SignalType.ESCALATION,
}
"""The types that a Neuron may send while it works: to the caller of its task, before the reply."""

REASONING = "reasoning"
"""The `kind` of a THOUGHT_DELTA with the reasoning of a model, which is no part of its response."""

_FABRIC = frozenset(
    {
        SignalType.TASK,
        SignalType.REGISTER,
        SignalType.HEARTBEAT,
        SignalType.DEREGISTER,
        SignalType.DISCOVER,
    }
)


def response_text(signal: Signal) -> str | None:
    """Return the text that a Signal adds to a streamed response; None if it adds none.

    A THOUGHT_DELTA adds its `delta`, unless its `kind` says that it is reasoning.
    """
    payload = signal.payload
    if signal.type is not SignalType.THOUGHT_DELTA or payload.get("kind") == REASONING:
        return None
    return str(payload.get("delta", ""))


def checked_emission(signal_type: SignalType) -> SignalType:
    """Return the type if a program may publish such a Signal.

    Raises:
        DendriteProtocolError: Only the fabric publishes it.
    """
    if signal_type in _FABRIC:
        instead = "dispatch" if signal_type is SignalType.TASK else "attach an Axon for"
        raise DendriteProtocolError(
            f"a {signal_type.value} cannot be emitted: {instead} it, so that the Synapse records it"
        )
    return signal_type


def payload_of(signal_type: SignalType, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the payload of the given values; None counts as not given.

    Raises:
        TypeError: A key is missing or unknown; the text names all of them.
    """
    shape = SHAPES[signal_type]
    if shape.is_met_by(values):
        return dict(values)
    payload = {key: value for key, value in values.items() if value is not None}
    missing = [key for key in shape.required if key not in values]
    unknown = [key for key in values if key not in shape.required + shape.optional]
    if missing or unknown:
        wrong = [f"{key} is missing" for key in missing] + [f"{key} is unknown" for key in unknown]
        keys = ", ".join([*shape.required, *(f"{key}=None" for key in shape.optional)])
        raise TypeError(f"a {signal_type.value} takes {keys}: {'; '.join(wrong)}")
    for key in shape.required:
        payload.setdefault(key, values[key])
    _complete(signal_type, payload)
    return payload


def _complete(signal_type: SignalType, payload: dict[str, Any]) -> None:
    if signal_type in (SignalType.TOOL_CALL, SignalType.TOOL_RESULT):
        payload["tool"] = payload["tool_name"]
        payload.setdefault("call_id", new_event_id())
    if signal_type is SignalType.TOOL_CALL:
        payload.setdefault("args", {})
    elif signal_type is SignalType.TOOL_RESULT and "error" not in payload:
        payload.setdefault("result", None)
    elif signal_type is SignalType.ERROR:
        payload.setdefault("recoverable", facts_of(payload["code"]).recoverable)


def error_payload(
    code: str, message: str, recoverable: bool | None = None, retry_after_s: object = None
) -> dict[str, Any]:
    """Return the payload of an ERROR; `recoverable` is by default that of the code.

    `retry_after_s` is left out if it is not a number of seconds from 0.
    """
    if recoverable is None:
        recoverable = facts_of(code).recoverable
    payload: dict[str, Any] = {
        "code": _sendable(code),
        "message": _sendable(message),
        "recoverable": bool(recoverable),
    }
    wait_s = seconds_or_none(retry_after_s)
    return payload if wait_s is None else {**payload, "retry_after_s": wait_s}


def _sendable(text: str) -> str:
    """Return `text`, truncated to 10,000 characters, with lone surrogates escaped."""
    return text[:_MAX_MESSAGE_CHARS].encode("utf-8", "backslashreplace").decode()
