"""The tables of a Synapse as JSON, and back: each field is checked by its type. Pure."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any, TypeVar

import attrs

from ..registry import DendriteRecord, NeuronRecord, SynapseState, TaskRecord

Record = NeuronRecord | DendriteRecord | TaskRecord | SynapseState
T = TypeVar("T")
TABLES: Mapping[str, type[Any]] = MappingProxyType(
    {
        "roster": NeuronRecord,
        "dendrites": DendriteRecord,
        "tasks": TaskRecord,
        "synapse": SynapseState,
    }
)
"""The tables by name, and what each is a list of."""
MOST_RECORDS = 20_000
_LONGEST_TEXT = 10_000
_MOST_ITEMS = 10_000
_MOST_INT = 2**53
_INSTANCE = re.compile(r"([0-9a-f]{32})?")
_STATES = frozenset({"alive", "stuck", "away", "draining", "running", "parked", "wanted"})


def to_rows(records: Iterable[Record]) -> list[dict[str, Any]]:
    """Return records as objects of JSON."""
    return [attrs.asdict(each) for each in records]


def from_rows(name: str, rows: Any) -> list[Any]:
    """Return the records of a table; fields that are not known are left out.

    Raises:
        ValueError, TypeError: They are no such records; the text names the field.
    """
    if not isinstance(rows, list) or len(rows) > MOST_RECORDS:
        raise ValueError(f"{name} must be a list of at most {MOST_RECORDS:,}")
    return [_record(TABLES[name], row) for row in rows]


def _record(kind: type[T], row: Any) -> T:
    if not isinstance(row, dict):
        raise TypeError(f"a {kind.__name__} must be an object")
    values: dict[str, Any] = {}
    for field in attrs.fields(kind):  # type: ignore[arg-type]
        if field.name not in row:
            if field.default is attrs.NOTHING:
                raise ValueError(f"{field.name} is missing")
            continue
        value = row[field.name]
        if not _fits(field.name, str(field.type), value):
            raise ValueError(f"{field.name} must be {field.type}")
        values[field.name] = tuple(value) if isinstance(value, list) else value
    return kind(**values)


def _fits(name: str, annotation: str, value: Any) -> bool:
    plain, _, optional = annotation.partition(" | ")
    if value is None:
        return bool(optional)
    if not _KINDS[plain](value):
        return False
    if name in ("instance", "caller_instance"):
        return _INSTANCE.fullmatch(value) is not None
    return name != "state" or value in _STATES


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= _LONGEST_TEXT


def _is_int(value: Any) -> bool:
    return value.__class__ is int and -_MOST_INT < value < _MOST_INT


def _is_number(value: Any) -> bool:
    return _is_int(value) or (isinstance(value, float) and math.isfinite(value))


def _is_counts(value: Any) -> bool:
    return (
        isinstance(value, dict) and len(value) <= _MOST_ITEMS and all(map(_is_int, value.values()))
    )


def _is_flat(value: Any) -> bool:
    """Return whether a value is an object of plain values: a page gets it as it is."""
    return (
        isinstance(value, dict)
        and len(value) <= _MOST_ITEMS
        and all(
            item is None or item.__class__ is bool or _is_number(item) or _is_text(item)
            for item in value.values()
        )
    )


def _is_list_of(check: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: (
        isinstance(value, (list, tuple)) and len(value) <= _MOST_ITEMS and all(map(check, value))
    )


_KINDS: Mapping[str, Callable[[Any], bool]] = MappingProxyType(
    {
        "str": _is_text,
        "int": _is_int,
        "float": _is_number,
        "bool": lambda value: value.__class__ is bool,
        "tuple[str, ...]": _is_list_of(_is_text),
        "dict[str, int]": _is_counts,
        "tuple[Mapping[str, Any], ...]": _is_list_of(_is_flat),
    }
)
