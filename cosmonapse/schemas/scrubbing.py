"""Removes from a text what it repeats of a value: an ERROR must not carry it further. Pure."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Mapping
from typing import Any

from ..runtime.printable import shortened

_MAX_LEAVES = 300
"""A value with more numbers and texts is not searched for: the whole text is replaced."""
_MAX_TEXT_CHARS = 300
_MIN_PART_CHARS = 3
"""Texts of the value with at least so many characters are removed within a word too."""
_SAYS_NOTHING = "It is refused by a check of its type"


def without(value: Any, text: str) -> str:
    """Return a text of a check of the user's own, on one line, with nothing of a value in it."""
    leaves = list(_leaves(value, _MAX_LEAVES))
    if len(leaves) >= _MAX_LEAVES:
        return _SAYS_NOTHING
    forms = sorted({form for leaf in leaves for form in _forms(leaf)}, key=len, reverse=True)
    if forms:
        text = re.sub("|".join(map(_pattern, forms)), "…", text, flags=re.IGNORECASE)
    return shortened(" ".join(text.split()), _MAX_TEXT_CHARS)


def _forms(leaf: Any) -> Iterator[str]:
    """Yield how a text may show a leaf: as it is, without its edges, escaped, as a number."""
    text = str(leaf)
    yield from filter(None, (text, text.strip(), repr(text)[1:-1]))
    try:
        number = float(text)
        yield from (str(number), str(int(number)))
    except (ValueError, OverflowError):
        return


def _pattern(form: str) -> str:
    escaped = re.escape(form)
    if form[0].isdigit() and form[-1].isdigit():
        return rf"(?<!\d){escaped}(?!\d)"
    return escaped if len(form) >= _MIN_PART_CHARS else rf"(?<!\w){escaped}(?!\w)"


def _leaves(value: Any, most: int) -> Iterator[Any]:
    waiting, count = [value], 0
    while waiting and count < most:
        each = waiting.pop()
        if isinstance(each, Mapping):
            waiting.extend(each.values())
        elif isinstance(each, list | tuple | set | frozenset):
            waiting.extend(each)
        elif dataclasses.is_dataclass(each) or hasattr(each, "model_fields_set"):
            waiting.extend(vars(each).values())
        elif not isinstance(each, bool | None):
            count += 1
            yield each
