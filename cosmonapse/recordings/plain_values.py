"""Every value of a Signal as JSON, and back without a change. Pure.

Most values are JSON as they are. Bytes, NaN, infinities and integers that not every reader of JSON
knows are an object of one key: `{"$bytes": "aGk="}`, `{"$float": "nan"}`, `{"$int": "-1234"}`. An
object that looks like one of them is `{"$dict": {...}}`.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

_SAFE_INT = 2**53
_LONGEST_INT = 24
_SIGN = "$"


def to_plain(value: Any) -> Any:
    """Return the value of JSON for a value of a Signal.

    Raises:
        TypeError: No Signal can carry it.
    """
    kind = value.__class__
    if kind is str or value is None or kind is bool:
        return value
    if kind is dict:
        plain = {key: to_plain(item) for key, item in value.items()}
        return {"$dict": plain} if _looks_special(plain) else plain
    if kind is list or kind is tuple:
        return [to_plain(item) for item in value]
    if isinstance(value, int):
        return value if -_SAFE_INT < value < _SAFE_INT else {"$int": str(value)}
    if isinstance(value, float):
        return value if math.isfinite(value) else {"$float": str(value)}
    if isinstance(value, (bytes, bytearray, memoryview)):
        return {"$bytes": base64.b64encode(bytes(value)).decode()}
    raise TypeError(f"no Signal carries a {kind.__name__}")


def from_plain(value: Any) -> Any:
    """Return the value of a Signal behind a value of JSON.

    Raises:
        ValueError, TypeError: It is none that `to_plain` returns.
    """
    if isinstance(value, list):
        return [from_plain(item) for item in value]
    if not isinstance(value, dict):
        return value
    if not _looks_special(value):
        return {key: from_plain(item) for key, item in value.items()}
    ((name, inner),) = value.items()
    read = _READ.get(name)
    if read is None:
        raise ValueError(f"{name!r:.40} is no kind of value")
    return read(inner)


def _looks_special(value: Mapping[str, Any]) -> bool:
    return len(value) == 1 and next(iter(value)).startswith(_SIGN)


def _dict(inner: Any) -> dict[str, Any]:
    if not isinstance(inner, dict):
        raise TypeError("$dict must be an object")
    return {key: from_plain(item) for key, item in inner.items()}


def _int(inner: Any) -> int:
    if not isinstance(inner, str) or len(inner) > _LONGEST_INT:
        raise ValueError("$int must be a text of digits")
    return int(inner)


def _float(inner: Any) -> float:
    if inner not in ("nan", "inf", "-inf"):
        raise ValueError("$float must be nan, inf or -inf")
    return float(inner)


def _bytes(inner: Any) -> bytes:
    if not isinstance(inner, str):
        raise TypeError("$bytes must be a text in base 64")
    return base64.b64decode(inner, validate=True)


_READ: Mapping[str, Callable[[Any], Any]] = MappingProxyType(
    {"$dict": _dict, "$int": _int, "$float": _float, "$bytes": _bytes}
)
