"""What stands in a line of a log: bounded, and such that every reader of JSON takes it. Pure."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

MAX_TEXT: Final = 16_384
MAX_ITEMS: Final = 64
MAX_DEPTH: Final = 4
MAX_RECORD: Final = 65_536
_AROUND: Final = 4  # quotes, a comma and a space
_HALF: Final = MAX_TEXT // 2
_MAX_INT_BITS: Final = 1_024


def cut(text: str) -> str:
    """Return a text, of one that is too long the beginning and a count."""
    if len(text) <= MAX_TEXT:
        return text
    return f"{text[:MAX_TEXT]}... ({len(text) - MAX_TEXT:,} characters cut)"


def cut_inside(text: str) -> str:
    """Return a text, of one that is too long both ends: the end of a traceback says what it was."""
    if len(text) <= MAX_TEXT:
        return text
    missing = len(text) - 2 * _HALF
    return f"{text[:_HALF]}\n... ({missing:,} characters cut)\n{text[-_HALF:]}"


def time_text(at_s: float) -> str:
    """Return a time in seconds since 1970 as RFC 3339 in UTC, to the microsecond."""
    at = datetime.fromtimestamp(at_s, UTC)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond:06d}Z"


class Budget:
    """How many characters the further fields of one record may still have."""

    def __init__(self, left: int = MAX_RECORD) -> None:
        self._left = left

    def is_spent(self) -> bool:
        """Return whether nothing is left."""
        return self._left <= 0

    def take(self, text: str) -> str:
        """Return a text, cut to what is left, and count it."""
        if len(text) > max(self._left, 0):
            left = max(self._left, 0)
            text = f"{text[:left]}... ({len(text) - left:,} characters cut)"
        self._left -= len(text)
        return text

    def count(self, characters: int) -> None:
        """Count what has no text of its own."""
        self._left -= characters


def plain(value: Any, budget: Budget, depth: int = 0) -> Any:
    """Return a value of a program as one of JSON; what JSON has no form for is its `repr`, cut."""
    budget.count(_AROUND)
    if isinstance(value, str):
        return budget.take(cut(str(value)))
    if _is_plain(value):
        budget.count(len(repr(value)))
        return value
    if depth < MAX_DEPTH and isinstance(value, Mapping):
        return _plain_mapping(value, budget, depth)
    if depth < MAX_DEPTH and isinstance(value, list | tuple | set | frozenset):
        items: list[Any] = []
        for each in value:
            if len(items) >= MAX_ITEMS or budget.is_spent():
                break
            items.append(plain(each, budget, depth + 1))
        more = len(value) - len(items)
        return [*items, f"... ({more:,} more)"] if more > 0 else items
    return budget.take(_shown(value))


def _is_plain(value: Any) -> bool:
    """Return whether JSON has a form for a value that is no text and holds no others."""
    if type(value) is float:
        return math.isfinite(value)
    if type(value) is int:
        return value.bit_length() <= _MAX_INT_BITS
    return value is None or value is True or value is False


def _plain_mapping(value: Mapping[Any, Any], budget: Budget, depth: int) -> dict[str, Any]:
    found: dict[str, Any] = {}
    taken = 0
    for key, each in list(value.items()):
        if taken >= MAX_ITEMS or budget.is_spent():
            break
        found[budget.take(_key(key))] = plain(each, budget, depth + 1)
        taken += 1
    if len(value) > taken:
        found["..."] = f"{len(value) - taken:,} more"
    return found


def _key(key: Any) -> str:
    return cut(key) if isinstance(key, str) else _shown(key)


def _shown(value: Any) -> str:
    try:
        return cut(repr(value))
    except Exception as error:  # noqa: BLE001  # a value of the user
        return f"<{type(value).__name__}: its repr raised {type(error).__name__}>"


def as_line(fields: Mapping[str, Any]) -> str:
    """Return fields, each such as `plain` returns, as one object of JSON on a line, in ASCII."""
    return json.dumps({_whole(key): _whole(value) for key, value in fields.items()})


def _whole(value: Any) -> Any:
    """Return a value of JSON without halves of characters, which not every reader takes."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, list):
        return [_whole(each) for each in value]
    if isinstance(value, dict):
        return {_whole(key): _whole(each) for key, each in value.items()}
    return value
