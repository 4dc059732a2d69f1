"""Removes from a text what it repeats of a value: an ERROR must not carry it further. Pure."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Mapping
from typing import Any

_MAX_LEAVES = 100


def without(value: Any, text: str) -> str:
    """Return a text of a check of the user's own in which nothing of a value is left."""
    leaves = list(_leaves(value, _MAX_LEAVES))
    if len(leaves) >= _MAX_LEAVES:
        return "It is refused by a check of its type"
    for leaf in sorted(leaves, key=len, reverse=True):
        text = re.sub(rf"(?<!\w){re.escape(leaf)}(?!\w)", "…", text)
    return text


def _leaves(value: Any, most: int) -> Iterator[str]:
    waiting, count = [value], 0
    while waiting and count < most:
        each = waiting.pop()
        if isinstance(each, Mapping):
            waiting.extend(each.values())
        elif isinstance(each, list | tuple | set | frozenset):
            waiting.extend(each)
        elif dataclasses.is_dataclass(each) or hasattr(each, "model_fields_set"):
            waiting.extend(vars(each).values())
        elif (text := str(each)) and not isinstance(each, bool | None):
            count += 1
            yield text
