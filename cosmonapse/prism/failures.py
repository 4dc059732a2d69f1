"""Errors grouped by code and message, the newest first. Pure."""

from __future__ import annotations

import re
from collections import OrderedDict
from itertools import islice
from typing import Any

import attrs

from ..signals import Signal
from .record import finite

MOST_GROUPS = 500
_LONGEST_TEXT = 500
_CHANGING = re.compile(r"(?:evt|trc)_[0-9a-v]{26}|[0-9a-f]{16,}|\d+")


@attrs.define
class _Group:
    code: str
    message: str
    count: int
    last_ts: float
    trace_id: str
    neuron: str | None


class Failures:
    """Groups ERRORs by code and message; numbers and ids in a message do not form another group.

    Args:
        most: Most groups; beyond that the one without an error for the longest time is dropped.
    """

    def __init__(self, most: int = MOST_GROUPS) -> None:
        self._groups: OrderedDict[tuple[str, str], _Group] = OrderedDict()
        self._most = most

    def add(self, signal: Signal, neuron: str | None) -> None:
        """Record an ERROR of a neuron."""
        code, message = _text(signal.payload.get("code")), _text(signal.payload.get("message"))
        key = (code, _CHANGING.sub("#", message))
        group = self._groups.get(key)
        if group is None:
            group = self._groups[key] = _Group(code, message, 0, 0.0, "", None)
            if len(self._groups) > self._most:
                self._groups.popitem(last=False)
        group.count += 1
        group.message, group.last_ts = message, finite(signal.ts)
        group.trace_id, group.neuron = signal.trace_id, neuron
        self._groups.move_to_end(key)

    def view(self, most: int) -> list[dict[str, Any]]:
        """Return the groups for a page, the newest first."""
        return [attrs.asdict(group) for group in islice(reversed(self._groups.values()), most)]


def _text(value: Any) -> str:
    """Return the value as text, truncated; for a non-string return its type name."""
    if isinstance(value, str):
        return value[:_LONGEST_TEXT]
    return "" if value is None else f"({type(value).__name__})"
