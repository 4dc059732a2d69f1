"""Signals as bytes: a msgpack array in field order. Spec: docs/spec/07-signals.md. Pure.

What msgpack cannot carry, and what the far end would refuse, is refused here with its path, so that
it fails where it was made. Bytes from the network are never trusted.
"""

from __future__ import annotations

from typing import Any

import msgpack

from .errors import BadSignal, UnencodableValue
from .ids import ID_CHARS
from .signals import TYPE_OF_CODE, Directed, Signal

_LEAVES = frozenset({str, int, float, bool, type(None), bytes})
_LEAF_BASES = (str, int, float, bytes, bytearray, memoryview)
_MAX_DEPTH = 200
_MAX_ELEMENTS = 1 << 20
_MIN_INT, _MAX_INT = -(1 << 63), (1 << 64) - 1
_FIELDS = 9


def encode(signal: Signal) -> bytes:
    """Return the bytes of a Signal.

    Raises:
        UnencodableValue: payload or meta holds what no Signal can carry.
    """
    directed = signal.directed
    values = [
        signal.v,
        signal.id,
        signal.trace_id,
        signal.parent_id,
        signal.type.code,
        None if directed is None else [directed.id, directed.type, directed.capabilities],
        float(signal.ts),
        signal.payload,
        signal.meta,
    ]
    if not (_travels(signal.payload, _MAX_DEPTH) and _travels(signal.meta, _MAX_DEPTH)):
        raise _culprit(signal)
    try:
        packed: bytes = msgpack.packb(values, use_bin_type=True)
    except (TypeError, ValueError, OverflowError, RecursionError, BufferError) as error:
        raise _culprit(signal) from error
    return packed


def _travels(value: Any, depth: int) -> bool:
    """Tell whether depth, sizes, keys and types are such that the far end takes them."""
    if len(value) > _MAX_ELEMENTS:
        return False
    items = value
    if isinstance(value, dict):
        for key in value:
            if key.__class__ is not str:
                return False
        items = value.values()
    for item in items:
        kind = item.__class__
        if kind in _LEAVES:
            continue
        if isinstance(item, (dict, list, tuple)):
            if depth == 0 or kind is msgpack.ExtType or not _travels(item, depth - 1):
                return False  # ExtType is a tuple by its class
        elif not isinstance(item, _LEAF_BASES):
            return False
    return True


def _culprit(signal: Signal) -> UnencodableValue:
    """Find the value that cannot travel."""
    for name, root in (("payload", signal.payload), ("meta", signal.meta)):
        found = _find(root, name, _MAX_DEPTH)
        if found is not None:
            return found
    return UnencodableValue("a field beside payload and meta", "msgpack refuses it")


def _find(value: Any, path: str, depth: int) -> UnencodableValue | None:
    if isinstance(value, (dict, list, tuple)) and value.__class__ is not msgpack.ExtType:
        if depth < 0:
            return UnencodableValue(path[:200], f"nested over {_MAX_DEPTH} deep, or cyclic")
        if len(value) > _MAX_ELEMENTS:
            return UnencodableValue(path, f"it has over {_MAX_ELEMENTS:,} elements")
        pairs = value.items() if isinstance(value, dict) else enumerate(value)
        for key, item in pairs:
            if isinstance(value, dict) and key.__class__ is not str:
                return UnencodableValue(path, f"its key {key!r:.80} is no str")
            step = f".{key}" if isinstance(value, dict) else f"[{key}]"
            found = _find(item, path + step, depth - 1)
            if found is not None:
                return found
        return None
    return _leaf_fault(value, path)


def _leaf_fault(value: Any, path: str) -> UnencodableValue | None:
    if value is None or isinstance(value, (float, bool, bytes, bytearray)):
        return None
    if isinstance(value, memoryview):
        return None if value.c_contiguous else UnencodableValue(path, "the memoryview has gaps")
    if isinstance(value, int):
        fits = _MIN_INT <= value <= _MAX_INT
        return None if fits else UnencodableValue(path, "the int has over 64 bits")
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError as error:
            return UnencodableValue(path, f"the text is no valid Unicode ({error.reason})")
        return None
    return UnencodableValue(path, f"it is of type {type(value).__name__}")


def decode(body: bytes) -> Signal:
    """Return the Signal behind `body`.

    Raises:
        BadSignal: It is none; the text names the field.
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
    except (ValueError, msgpack.UnpackException, RecursionError) as error:
        raise BadSignal(f"no Signal: {error or type(error).__name__}") from error
    if not isinstance(values, list) or len(values) < _FIELDS:
        raise BadSignal(f"no Signal: an array of {_FIELDS} or more fields belongs here")
    return _signal(values)


def _signal(values: list[Any]) -> Signal:
    v, id_, trace_id, parent_id, code, directed, ts, payload, meta = values[:_FIELDS]
    if v != "1":
        raise BadSignal(f"v is {_shown(v)}, this package reads major version 1")
    signal_type = TYPE_OF_CODE.get(code) if code.__class__ is int else None
    if signal_type is None:
        raise BadSignal(f"type {_shown(code)} is unknown")
    _check_id("id", id_)
    _check_id("trace_id", trace_id)
    if parent_id is not None:
        _check_id("parent_id", parent_id)
    if ts.__class__ is not float:
        raise BadSignal(f"ts must be a float, not {_shown(ts)}")
    if payload.__class__ is not dict or meta.__class__ is not dict:
        raise BadSignal("payload and meta must be maps")
    if not (_travels(payload, _MAX_DEPTH) and _travels(meta, _MAX_DEPTH)):
        fault = _find(payload, "payload", _MAX_DEPTH) or _find(meta, "meta", _MAX_DEPTH)
        raise BadSignal(f"{fault.path}: {fault.reason}" if fault else "payload or meta is too deep")
    return Signal(
        type=signal_type,
        payload=payload,
        directed=None if directed is None else _directed(directed),
        trace_id=trace_id,
        parent_id=parent_id,
        meta=meta,
        id=id_,
        ts=ts,
    )


def _check_id(field: str, value: Any) -> None:
    if value.__class__ is not str or len(value) != ID_CHARS:
        raise BadSignal(f"{field} must be an id of {ID_CHARS} characters, not {_shown(value)}")


def _directed(values: Any) -> Directed:
    if not isinstance(values, list) or len(values) < 3:
        raise BadSignal("directed must be an array of id, type and capabilities")
    id_, kind, capabilities = values[:3]
    for field, value in (("directed.id", id_), ("directed.type", kind)):
        if value is not None and not isinstance(value, str):
            raise BadSignal(f"{field} must be text or nil, not {_shown(value)}")
    if not isinstance(capabilities, list) or not all(isinstance(c, str) for c in capabilities):
        raise BadSignal("directed.capabilities must be an array of text")
    return Directed(id_, kind, tuple(capabilities))


def _shown(value: Any) -> str:
    """Say what came instead; the `repr` of a deep or large container is not for an error text."""
    if isinstance(value, (str, bytes)):
        return repr(value[:40])
    if value is None or isinstance(value, (bool, int, float)):
        return repr(value)
    return f"a {type(value).__name__}"


def _no_ext(code: int, data: bytes) -> Any:
    raise ValueError(f"extension type {code} with {len(data)} bytes")
