"""Signals: the envelopes that Neurons, Axons and Dendrites exchange. Spec: docs/spec/07-signals.md.

Pure, but for two defaults (`id`, `ts`) that come from `runtime.clock`.
"""

from __future__ import annotations

import enum
import functools
from collections.abc import Iterable, Mapping
from typing import Any, Self, cast

import attrs

from . import codec
from .codec import shown
from .errors import BadSignal, NeedsAnswer, NeuronError
from .ids import ID_CHARS, new_event_id, new_trace_id, trace_begun_by
from .runtime import clock


class SignalType(enum.StrEnum):
    """The type of a Signal. `.code` is its byte on the wire."""

    code: int

    def __new__(cls, value: str, code: int) -> Self:
        """Make a member whose value is its name, with its code."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.code = code
        return member

    TASK = "TASK", 1
    AGENT_OUTPUT = "AGENT_OUTPUT", 2
    FINAL = "FINAL", 3
    ERROR = "ERROR", 4
    CLARIFICATION = "CLARIFICATION", 5
    CLARIFICATION_ANSWER = "CLARIFICATION_ANSWER", 6
    PERMISSION = "PERMISSION", 7
    PERMISSION_DECISION = "PERMISSION_DECISION", 8
    ESCALATION = "ESCALATION", 9
    THOUGHT_DELTA = "THOUGHT_DELTA", 10
    TOOL_CALL = "TOOL_CALL", 11
    TOOL_RESULT = "TOOL_RESULT", 12
    PLAN = "PLAN", 13
    CRITIQUE = "CRITIQUE", 14
    CONSENSUS = "CONSENSUS", 15
    CONTEXT_SYNC = "CONTEXT_SYNC", 16
    MEMORY_APPEND = "MEMORY_APPEND", 17
    REGISTER = "REGISTER", 18
    HEARTBEAT = "HEARTBEAT", 19
    DEREGISTER = "DEREGISTER", 20
    DISCOVER = "DISCOVER", 21
    TASK_OFFER = "TASK_OFFER", 22
    BID = "BID", 23
    TASK_AWARDED = "TASK_AWARDED", 24
    TASK_DECLINED = "TASK_DECLINED", 25
    STOP = "STOP", 26
    STOPPED = "STOPPED", 27


TYPE_OF_CODE: Mapping[int, SignalType] = {each.code: each for each in SignalType}
QUESTIONS = frozenset({SignalType.CLARIFICATION, SignalType.PERMISSION, SignalType.ESCALATION})
"""What a Neuron may ask instead of an output; each settles its TASK."""


def _names(values: Iterable[str]) -> tuple[str, ...]:
    return (values,) if isinstance(values, str) else tuple(values)


@attrs.frozen
class Directed:
    """The destination of a TASK; the producer of every other Signal.

    Args:
        id: A neuron id.
        type: The kind of participant, such as `neuron`.
        capabilities: The capabilities that it offers, or that a TASK requires.
    """

    id: str | None = None
    type: str | None = None
    capabilities: tuple[str, ...] = attrs.field(default=(), converter=_names)


@attrs.frozen(kw_only=True, weakref_slot=False)
class Signal:
    """One message between participants. Treat payload and meta as frozen too.

    It has no weak references, which saves memory in a program with many Signals.

    Args:
        type: A `SignalType` or its name.
        payload: Its content; the keys depend on its type.
        directed: Destination of a TASK, producer of every other Signal.
        trace_id: The workflow that it belongs to, `trc_` and 26 characters.
        parent_id: The Signal that it answers or follows.
        meta: Further values beside the payload.
        id: `evt_` and 26 characters.
        ts: Wall clock of its making, seconds UTC.
        v: Major version of the envelope.

    Attributes:
        origin: The name of the key that it came from, as the Synapse verified it. In a handler, a
            Signal of the same Dendrite has the name of its own key, or `uid:1000` if it is at a
            Unix socket. None where nobody verified it: without keys, for what another Dendrite
            sends from a Unix socket, for an ERROR that a caller makes itself because no reply
            came, and for a Signal that was just made. It is no part of the bytes, of equality and
            of the repr; a pickle and a copy keep it, `attrs.evolve` does not.

    Raises:
        ValueError: `type` is invalid.
        TypeError: payload or meta is not a dict.
    """

    type: SignalType = attrs.field()
    payload: dict[str, Any] = attrs.field(factory=dict)
    directed: Directed | None = None
    trace_id: str = attrs.field(factory=new_trace_id)
    parent_id: str | None = None
    meta: dict[str, Any] = attrs.field(factory=dict)
    id: str = attrs.field(factory=new_event_id)
    ts: float = attrs.field(factory=clock.now_ts)
    v: str = "1"
    origin: str | None = attrs.field(default=None, init=False, eq=False, repr=False)

    def __attrs_post_init__(self) -> None:
        if self.type.__class__ is not SignalType:
            object.__setattr__(self, "type", SignalType(self.type))  # type: ignore[call-arg]
        if not isinstance(self.payload, dict) or not isinstance(self.meta, dict):
            kinds = f"{type(self.payload).__name__} and {type(self.meta).__name__}"
            raise TypeError(f"payload and meta must be dicts, not {kinds}")

    def reply(
        self,
        type: SignalType,  # the public name of the field
        *,
        payload: dict[str, Any] | None = None,
        directed: Directed | None = None,
        meta: dict[str, Any] | None = None,
    ) -> Signal:
        """Return a Signal that answers this one: same trace, this one as its parent."""
        return made(type, payload or {}, directed, self.trace_id, self.id, meta or {})

    @property
    def output(self) -> dict[str, Any]:
        """Return the output that an AGENT_OUTPUT or FINAL carries.

        Raises:
            NeuronError: This is an ERROR; code, message and the rest are its own.
            NeedsAnswer: This is a CLARIFICATION, PERMISSION or ESCALATION.
            AttributeError: This Signal carries no output.
        """
        payload = self.payload
        if self.type is SignalType.AGENT_OUTPUT:
            output: dict[str, Any] = payload["output"]
            return output
        if self.type is SignalType.FINAL:
            result: dict[str, Any] = payload["result"]
            return result
        if self.type is SignalType.ERROR:
            raise NeuronError(
                str(payload.get("code", "NEURON_EXCEPTION")),
                str(payload.get("message", "")),
                bool(payload.get("recoverable", False)),
                retry_after_s=payload.get("retry_after_s"),
            )
        if self.type in (
            SignalType.CLARIFICATION,
            SignalType.PERMISSION,
            SignalType.ESCALATION,
        ):
            raise NeedsAnswer(self)
        raise AttributeError(f"a {self.type.value} carries no output")

    def encode(self) -> bytes:
        """Return the bytes for the wire.

        Raises:
            UnencodableValue: payload or meta holds a value that no Signal can carry; the path
                names it.
        """
        directed = self.directed
        fields = [
            self.v,
            self.id,
            self.trace_id,
            self.parent_id,
            self.type.code,
            None if directed is None else [directed.id, directed.type, directed.capabilities],
            float(self.ts),
            self.payload,
            self.meta,
        ]
        return codec.pack(fields)

    @staticmethod
    def decode(body: bytes) -> Signal:
        """Return the Signal of `body`.

        Raises:
            BadSignal: It is invalid; the text names the field.
        """
        v, id_, trace_id, parent_id, code, directed, ts, payload, meta = codec.unpack(body, 9)
        signal_type = TYPE_OF_CODE.get(code) if code.__class__ is int else None
        if (
            signal_type is None
            or v != "1"
            or ts.__class__ is not float
            or not (id_.__class__ is trace_id.__class__ is str)
            or not (len(id_) == len(trace_id) == ID_CHARS)
            or (
                parent_id is not None
                and (parent_id.__class__ is not str or len(parent_id) != ID_CHARS)
            )
        ):
            raise _fault(v, id_, trace_id, parent_id, code, ts)
        producer = None if directed is None else directed_of(directed)
        return filled(signal_type, payload, producer, trace_id, parent_id, meta, id_, ts)


def _fault(v: Any, id_: Any, trace_id: Any, parent_id: Any, code: Any, ts: Any) -> BadSignal:
    """Return the error that names the invalid field of a Signal."""
    if v != "1":
        return BadSignal(f"v is {shown(v)}, this package reads major version 1")
    if code.__class__ is not int or code not in TYPE_OF_CODE:
        return BadSignal(f"type {shown(code)} is unknown")
    for field, value in (("id", id_), ("trace_id", trace_id), ("parent_id", parent_id)):
        optional = field == "parent_id" and value is None
        if not optional and (value.__class__ is not str or len(value) != ID_CHARS):
            return BadSignal(f"{field} must be an id of {ID_CHARS} characters, not {shown(value)}")
    return BadSignal(f"ts must be a float, not {shown(ts)}")


_set_origin = Signal.__dict__["origin"].__set__


def came_from(signal: Signal, origin: str | None) -> None:
    """Record from which key a Signal came. Only for what the transport knows, never for a value of
    the Signal itself.
    """
    _set_origin(signal, origin)


class _Draft:
    """A Signal while its fields are set; then it gets its class.

    The constructor of a frozen class takes several times as long, and setting the slots past it
    twice.
    """

    # The same memory layout, else the class could not be changed.
    __slots__ = tuple(field.name for field in attrs.fields(Signal))

    type: SignalType
    payload: dict[str, Any]
    directed: Directed | None
    trace_id: str
    parent_id: str | None
    meta: dict[str, Any]
    id: str
    ts: float
    v: str
    origin: str | None


def filled(
    signal_type: SignalType,
    payload: dict[str, Any],
    directed: Directed | None,
    trace_id: str,
    parent_id: str | None,
    meta: dict[str, Any],
    id_: str,
    ts: float,
) -> Signal:
    """Return a Signal of checked values, for the hot path: much faster than the constructor."""
    draft = _Draft()
    draft.type = signal_type
    draft.payload = payload
    draft.directed = directed
    draft.trace_id = trace_id
    draft.parent_id = parent_id
    draft.meta = meta
    draft.id = id_
    draft.ts = ts
    draft.v = "1"
    draft.origin = None
    signal: Any = draft
    signal.__class__ = Signal
    return cast(Signal, signal)


def made(
    signal_type: SignalType,
    payload: dict[str, Any],
    directed: Directed | None,
    trace_id: str | None,
    parent_id: str | None,
    meta: dict[str, Any],
) -> Signal:
    """Return a new Signal of valid values, without checks; for the hot path.

    Without a `trace_id` it begins a trace of its own.
    """
    id_ = new_event_id()
    if trace_id is None:
        trace_id = trace_begun_by(id_)
    return filled(signal_type, payload, directed, trace_id, parent_id, meta, id_, clock.now_ts())


def directed_of(values: Any) -> Directed:
    """Return the destination or producer of a decoded array.

    Raises:
        BadSignal: It is invalid; the text names the field.
    """
    if not isinstance(values, list) or len(values) < 3:
        raise BadSignal("directed must be an array of id, type and capabilities")
    id_, kind, capabilities = values[:3]
    if not isinstance(capabilities, list):
        raise BadSignal("directed.capabilities must be an array of text")
    try:
        return _known_directed(id_, kind, tuple(capabilities))
    except TypeError:
        raise BadSignal("directed holds a value that is not text") from None


@functools.lru_cache(maxsize=1024)
def _known_directed(id_: Any, kind: Any, capabilities: tuple[Any, ...]) -> Directed:
    """Return the same object for the same producer: few producers send many Signals."""
    for field, value in (("directed.id", id_), ("directed.type", kind)):
        if value is not None and not isinstance(value, str):
            raise BadSignal(f"{field} must be text or nil, not {shown(value)}")
    if not all(isinstance(each, str) for each in capabilities):
        raise BadSignal("directed.capabilities must be an array of text")
    return Directed(id_, kind, capabilities)
