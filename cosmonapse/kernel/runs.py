"""Runs: several thoughts of one task in one body, and the Signals that they stand for. Pure.

Spec: docs/spec/07-signals.md, "Runs of thoughts". The reference of a run of one text is `Signal`:
`encode_thoughts` gives the bytes that its `encode` gives. This module is the specification of its
compiled twin, see `cosmonapse.kernel`.
"""

from __future__ import annotations

from struct import Struct
from typing import Any, Final, cast

import msgpack

from ..codec import packed
from ..errors import BadSignal
from ..ids import ID_CHARS, id_after, id_bytes
from ..signals import Directed, Signal, SignalType, directed_of, filled
from .signal_bytes import decode_signal

MAX_RUN_TEXTS: Final = 128
"""The first one included."""
MAX_RUN_BYTES: Final = 16 * 1024
_THOUGHT = SignalType.THOUGHT_DELTA
_FIELDS, _PAYLOAD = 9, 7
_MAX_ELEMENTS = 1 << 20
_MAX_SEQ = 1 << 53
_ARRAY_OF_NINE, _ARRAY_OF_TEN = b"\x99\xa11\xbe", b"\x9a\xa11\xbe"
_LONGER_ARRAYS = frozenset(b"\x9a\xdc\xdd")
_ts_bytes = Struct(">Bd").pack
_FLOAT_64 = 0xCB
_KIND = bytes((_THOUGHT.code,))
_DELTA = b"\x82\xa5delta"
_SEQ = b"\xa3seq"
_NO_META = b"\x80"


def encode_thoughts(
    id_: str,
    trace_id: str,
    parent_id: str,
    producer: bytes,
    ts: float,
    seq: int,
    texts: list[str],
) -> bytes:
    """Return the body of a THOUGHT_DELTA for one text, and that of a run for several.

    Args:
        id_: The id of the first Signal, 30 ASCII characters; the others have those after it.
        trace_id: The trace of the TASK, 30 ASCII characters.
        parent_id: The id of the TASK, 30 ASCII characters.
        producer: The producer, from `encode_directed`.
        ts: Wall clock, seconds UTC.
        seq: The `seq` of the first, from 0 to 2^53 - 129.
        texts: 1 to 128 texts of valid Unicode.
    """
    several = len(texts) > 1
    return b"".join(
        (
            _ARRAY_OF_TEN if several else _ARRAY_OF_NINE,
            f"{id_}\xbe{trace_id}\xbe{parent_id}".encode("latin-1"),
            _KIND,
            producer,
            _ts_bytes(_FLOAT_64, ts),
            _DELTA,
            packed(texts[0]),
            _SEQ,
            packed(seq),
            _NO_META,
            packed(texts[1:]) if several else b"",
        )
    )


def thought_text(body: bytes) -> str | None:
    """Return the text of a THOUGHT_DELTA, without its Signal.

    Returns:
        Its `delta` if the body is a valid Signal of nine fields with the payload of a run's first;
        else None, and `Signal.decode` says what it is.
    """
    values = _values(body)
    if values is None or len(values) != _FIELDS:
        return None
    text: str = values[_PAYLOAD]["delta"]
    return text


def run_texts(body: bytes) -> list[str] | None:
    """Return the texts of a run, the first included, without their Signals; None if it is none.

    Everything that `run_signals` needs is checked.
    """
    values = _values(body)
    if values is None or len(values) == _FIELDS:
        return None
    further = values[_FIELDS]
    if further.__class__ is not list or not 0 < len(further) < MAX_RUN_TEXTS:
        return None
    if any(text.__class__ is not str for text in further) or not _is_id(values[1]):
        return None
    further.insert(0, values[_PAYLOAD]["delta"])
    return cast("list[str]", further)


def run_signals(body: bytes) -> list[Signal]:
    """Return the Signals that a run stands for.

    Raises:
        BadSignal: It is no run.
    """
    texts = run_texts(body)
    if texts is None:
        raise BadSignal("not a run: expected a THOUGHT_DELTA and a list of 1 to 127 texts")
    first = decode_signal(body)
    trace_id, parent_id, directed, ts = first.trace_id, first.parent_id, first.directed, first.ts
    seq: int = first.payload["seq"]
    return [
        first,
        *(
            thought(id_after(first.id, k), trace_id, parent_id, directed, ts, seq + k, texts[k])
            for k in range(1, len(texts))
        ),
    ]


def heard_signals(body: bytes) -> list[Signal]:
    """Return the Signal of the body of a copy, or the Signals if it is a run.

    Raises:
        BadSignal: It is invalid; the text names the field.
    """
    if body and body[0] in _LONGER_ARRAYS and run_texts(body) is not None:
        return run_signals(body)
    return [decode_signal(body)]


def thought(
    id_: str,
    trace_id: str,
    parent_id: str | None,
    directed: Directed | None,
    ts: float,
    seq: int,
    text: str,
) -> Signal:
    """Return the Signal of one text of a run, of valid values."""
    payload = {"delta": text, "seq": seq}
    return filled(_THOUGHT, payload, directed, trace_id, parent_id, {}, id_, ts)


def _values(body: bytes) -> list[Any] | None:
    """Return the fields of a valid THOUGHT_DELTA with the payload of a run's first; else None."""
    try:
        values = msgpack.unpackb(
            body,
            raw=False,
            strict_map_key=True,
            max_ext_len=0,
            max_array_len=_MAX_ELEMENTS,
            max_map_len=_MAX_ELEMENTS,
        )
        v, id_, trace_id, parent_id, code, directed, ts, payload, meta = values[:_FIELDS]
        if directed is not None:
            directed_of(directed)
    except (ValueError, TypeError, BadSignal, msgpack.UnpackException, RecursionError):
        return None
    if (
        values.__class__ is not list
        or v != "1"
        or code.__class__ is not int
        or code != _THOUGHT.code
        or ts.__class__ is not float
        or not (id_.__class__ is trace_id.__class__ is str)
        or not (len(id_) == len(trace_id) == ID_CHARS)
        or (
            parent_id is not None and (parent_id.__class__ is not str or len(parent_id) != ID_CHARS)
        )
        or meta != {}
        or not _is_plain_thought(payload)
    ):
        return None
    return values


def _is_plain_thought(payload: Any) -> bool:
    if payload.__class__ is not dict or len(payload) != 2:
        return False
    seq = payload.get("seq")
    return payload.get("delta").__class__ is str and seq.__class__ is int and 0 <= seq < _MAX_SEQ


def _is_id(text: str) -> bool:
    try:
        id_bytes(text)
    except BadSignal:
        return False
    return True
