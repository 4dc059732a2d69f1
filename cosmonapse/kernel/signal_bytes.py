"""Bytes of Signals for the hot path, without the objects in between. Pure.

Spec: docs/spec/07-signals.md, "Envelope", "Ids" and "Values". The reference is `Signal` with its
`encode` and `decode`: every function here gives what they give, or declines. A function that
declines returns None and has done nothing, not even taken an id. Its caller then goes the way of
the reference, which takes the value or says what is wrong with it.

This module is the specification of its compiled twin, see `cosmonapse.kernel`: both give the same
bytes, the same objects, and decline the same values. A *plain* value is None or of exactly the
type bool, int, float, str, bytes, list, tuple or dict, and so is everything in it. It keeps the
limits of `cosmonapse.codec`: 200 levels below the payload, 2^20 elements, ints of 64 bits, keys
that are exactly str, valid Unicode.
"""

from __future__ import annotations

from struct import Struct
from typing import Any

import msgpack

from ..codec import packed
from ..ids import ID_CHARS, new_event_id
from ..signals import TYPE_OF_CODE, Directed, Signal, SignalType, directed_of, filled

_LEAVES = frozenset({str, int, float, bool, type(None), bytes})
_MAX_DEPTH = 200
_MAX_ELEMENTS = 1 << 20
_TYPES: dict[int, SignalType] = dict(TYPE_OF_CODE)
_ts_bytes = Struct(">Bd").pack
_FLOAT_64 = 0xCB
_ID = b"\xbe"
"""The header of a text of 30 bytes."""
_TASK_START = b"\x99\xa11" + _ID
_TASK_TRACE = _ID + b"trc_"
_TASK_KIND = b"\xc0\x01"
_TASK_INPUT = b"\x81\xa5input"
_NO_META = b"\x80"


def encode_directed(directed: Directed) -> bytes:
    """Return the bytes of a destination or a producer, as `Signal.encode` writes them.

    Raises:
        TypeError: It holds a value that is not text.
    """
    return packed([directed.id, directed.type, directed.capabilities])


def encode_value(value: Any) -> bytes | None:
    """Return the bytes of a plain value, as they stand in a payload; None if it is not plain.

    Args:
        value: The value of a key of a payload or meta, or a whole payload or meta; the limit of
            200 levels counts from there as `Signal.encode` counts for the value of a key.
    """
    return _packed_value(value)


def encode_task(directed: bytes, given: Any, ts: float) -> tuple[bytes, bytes] | None:
    """Make the bytes of a TASK that begins a trace: `{"input": given}`, no parent, no meta.

    The bytes are those of `Signal(type=TASK, payload={"input": given}, directed=...,
    trace_id=trace_begun_by(id), id=id, ts=ts).encode()`, with the next id of `new_event_id`.

    Args:
        directed: Its destination, from `encode_directed`.
        given: The input.
        ts: Wall clock, seconds UTC.

    Returns:
        The 16 bytes of its id, which are those of its trace too, and its body. None if `given` is
        not plain.
    """
    value = _packed_value(given)
    if value is None:
        return None
    id_ = new_event_id()
    id_text = id_.encode()
    body = b"".join(
        (
            _TASK_START,
            id_text,
            _TASK_TRACE,
            id_text[4:],
            _TASK_KIND,
            directed,
            _ts_bytes(_FLOAT_64, ts),
            _TASK_INPUT,
            value,
            _NO_META,
        )
    )
    return int(id_[4:], 32).to_bytes(16, "big"), body


def encode_reply(
    code: int,
    trace_id: str,
    parent_id: str,
    producer: bytes,
    key: bytes,
    value: Any,
    meta: bytes,
    ts: float,
) -> bytes | None:
    """Make the bytes of a reply with one key in its payload, and the next id of `new_event_id`.

    Args:
        code: Type code of the Signal, 1 to 127.
        trace_id: The trace of the TASK.
        parent_id: The id of the TASK.
        producer: The producer, from `encode_directed`.
        key: The key of the payload, from `encode_value`.
        value: The value of that key.
        meta: The meta, from `encode_value`.
        ts: Wall clock, seconds UTC.

    Returns:
        The body. None if `value` is not plain, or an id is not of 30 ASCII characters.
    """
    if not (
        len(trace_id) == len(parent_id) == ID_CHARS and trace_id.isascii() and parent_id.isascii()
    ):
        return None
    packed_value = _packed_value(value)
    if packed_value is None:
        return None
    return b"".join(
        (
            _TASK_START,
            f"{new_event_id()}\xbe{trace_id}\xbe{parent_id}".encode("latin-1"),
            bytes((code,)),
            producer,
            _ts_bytes(_FLOAT_64, ts),
            b"\x81",
            key,
            packed_value,
            meta,
        )
    )


def encode_signal(signal: Signal) -> bytes:
    """Return the bytes of a Signal: `signal.encode()`.

    Raises:
        UnencodableValue: payload or meta holds a value that no Signal can carry; the path names it.
    """
    return signal.encode()


def decode_signal(body: bytes) -> Signal:
    """Return the Signal of `body`: `Signal.decode(body)`, with all of its checks.

    Raises:
        BadSignal: It is invalid; the text names the field.
    """
    try:
        values = msgpack.unpackb(
            body,
            raw=False,
            strict_map_key=True,
            ext_hook=_no_ext,
            max_ext_len=0,  # a timestamp is an extension that never reaches the hook
            max_array_len=_MAX_ELEMENTS,
            max_map_len=_MAX_ELEMENTS,
        )
        v, id_, trace_id, parent_id, code, directed, ts, payload, meta = values
        signal_type = _TYPES[code]
    except (ValueError, TypeError, KeyError, msgpack.UnpackException, RecursionError):
        return Signal.decode(body)  # it has more than nine fields, or an error that this names
    if (
        v != "1"
        or code.__class__ is not int
        or ts.__class__ is not float
        or not (id_.__class__ is trace_id.__class__ is str)
        or not (len(id_) == len(trace_id) == ID_CHARS)
        or (
            parent_id is not None and (parent_id.__class__ is not str or len(parent_id) != ID_CHARS)
        )
        or payload.__class__ is not dict
        or meta.__class__ is not dict
        or not _is_plain_map(payload, _MAX_DEPTH)
        or (meta and not _is_plain_map(meta, _MAX_DEPTH))
    ):
        return Signal.decode(body)
    producer = None if directed is None else directed_of(directed)
    return filled(signal_type, payload, producer, trace_id, parent_id, meta, id_, ts)


def _packed_value(value: Any) -> bytes | None:
    """Return the bytes of a plain value of a key of a payload; None if it is not plain."""
    try:
        if value.__class__ is dict:
            if not _is_plain_map(value, _MAX_DEPTH - 1):
                return None
        elif value.__class__ not in _LEAVES and not _is_plain(value, _MAX_DEPTH):
            return None
        return packed(value)
    except (ValueError, OverflowError, RuntimeError):
        # A lone surrogate, an int of over 64 bits, a dict that another thread changes meanwhile.
        return None


def _is_plain_map(fields: dict[Any, Any], depth: int) -> bool:
    if len(fields) > _MAX_ELEMENTS:
        return False
    for key, item in fields.items():
        if key.__class__ is not str:
            return False
        if item.__class__ is dict:
            if not depth or not _is_plain_map(item, depth - 1):
                return False
        elif item.__class__ not in _LEAVES and not _is_plain(item, depth):
            return False
    return True


def _is_plain(item: Any, depth: int) -> bool:
    kind = item.__class__
    if kind is dict:
        return depth > 0 and _is_plain_map(item, depth - 1)
    if kind is not list and kind is not tuple:
        return kind in _LEAVES
    if depth == 0 or len(item) > _MAX_ELEMENTS:
        return False
    return all(each.__class__ in _LEAVES or _is_plain(each, depth - 1) for each in item)


def _no_ext(code: int, data: bytes) -> Any:
    raise ValueError(f"extension type {code} with {len(data)} bytes")
