"""The fields of a Signal as bytes: a msgpack array. Spec: docs/spec/07-signals.md, "Values". Pure.

A value that msgpack cannot carry, or that the receiver would refuse, is refused here with its path:
the error occurs where the value was made. Bytes from the network are checked by the same rules.
"""

from __future__ import annotations

from typing import Any

import msgpack

from .errors import BadSignal, UnencodableValue

_LEAVES = frozenset({str, int, float, bool, type(None), bytes})
_LEAF_BASES = (str, int, float, bytes, bytearray, memoryview)
_MAX_DEPTH = 200
_MAX_ELEMENTS = 1 << 20
_KEPT_BYTES = 256 * 1024
_idle: list[msgpack.Packer] = []
"""Packers that are free: making one costs as much as packing. Each thread that packs at the same
time needs its own, since a Packer is not reentrant."""
_MIN_INT, _MAX_INT = -(1 << 63), (1 << 64) - 1


def pack(fields: list[Any]) -> bytes:
    """Return the bytes of the fields of a Signal; the last two are payload and meta.

    Raises:
        UnencodableValue: payload or meta holds a value that no Signal can carry.
    """
    payload, meta = fields[-2], fields[-1]
    if not _is_encodable(payload, _MAX_DEPTH) or (meta and not _is_encodable(meta, _MAX_DEPTH)):
        raise _culprit(payload, meta)
    try:
        return packed(fields)
    except (TypeError, ValueError, OverflowError, RecursionError, BufferError) as error:
        raise _culprit(payload, meta) from error


def packed(value: Any) -> bytes:
    """Return the bytes of any value, which this does not check.

    Raises:
        TypeError, ValueError, OverflowError, RecursionError, BufferError: msgpack refuses it.
    """
    try:
        packer = _idle.pop()
    except IndexError:
        packer = msgpack.Packer(use_bin_type=True)
    made: bytes = packer.pack(value)
    if len(made) <= _KEPT_BYTES:  # its buffer has the size of the largest it ever packed
        _idle.append(packer)
    return made


def _is_encodable(fields: dict[str, Any], depth: int) -> bool:
    """Return whether the receiver accepts depth, sizes, keys and types."""
    if len(fields) > _MAX_ELEMENTS:
        return False
    for key, item in fields.items():
        if key.__class__ is not str:
            return False
        if item.__class__ is dict:
            if not depth or not _is_encodable(item, depth - 1):
                return False
        elif item.__class__ not in _LEAVES and not _is_encodable_item(item, depth):
            return False
    return True


def _is_encodable_item(item: Any, depth: int) -> bool:
    if isinstance(item, dict):
        return depth > 0 and _is_encodable(item, depth - 1)
    if not isinstance(item, (list, tuple)):
        return isinstance(item, _LEAF_BASES)
    if depth == 0 or len(item) > _MAX_ELEMENTS or item.__class__ is msgpack.ExtType:
        return False  # ExtType is a tuple by its class
    return all(each.__class__ in _LEAVES or _is_encodable_item(each, depth - 1) for each in item)


def _culprit(payload: Any, meta: Any) -> UnencodableValue:
    """Find the value that cannot be encoded."""
    for name, root in (("payload", payload), ("meta", meta)):
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
            if isinstance(value, dict) and (fault := _key_fault(key)):
                return UnencodableValue(path, fault)
            step = f".{key}" if isinstance(value, dict) else f"[{key}]"
            found = _find(item, path + step, depth - 1)
            if found is not None:
                return found
        return None
    return _leaf_fault(value, path)


def _key_fault(key: Any) -> str:
    if key.__class__ is not str:
        return f"its key {key!a:.80} is not a str"
    return f"its key {key!a:.80} is not valid Unicode" if _leaf_fault(key, "") else ""


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
            return UnencodableValue(path, f"the text is not valid Unicode ({error.reason})")
        return None
    return UnencodableValue(path, f"it is of type {type(value).__name__}")


def unpack(body: bytes, count: int) -> list[Any]:
    """Return the first `count` fields of a Signal; the last two of them are payload and meta.

    Raises:
        BadSignal: The bytes are invalid; the text names the field.
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
        raise BadSignal(f"not a Signal: {str(error) or type(error).__name__}") from error
    if values.__class__ is not list or len(values) < count:
        raise BadSignal(f"not a Signal: expected an array of {count} or more fields")
    fields: list[Any] = values if len(values) == count else values[:count]
    payload, meta = fields[-2:]
    if payload.__class__ is not dict or meta.__class__ is not dict:
        raise BadSignal("payload and meta must be maps")
    if not _is_encodable(payload, _MAX_DEPTH) or (meta and not _is_encodable(meta, _MAX_DEPTH)):
        fault = _culprit(payload, meta)
        raise BadSignal(f"{fault.path}: {fault.reason}")
    return fields


def shown(value: Any) -> str:
    """Return a short text of an invalid value; the `repr` of a container may be too large."""
    if isinstance(value, (str, bytes)):
        return repr(value[:40])
    if value is None or isinstance(value, (bool, int, float)):
        return repr(value)
    return f"a {type(value).__name__}"


def _no_ext(code: int, data: bytes) -> Any:
    raise ValueError(f"extension type {code} with {len(data)} bytes")
