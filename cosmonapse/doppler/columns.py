"""Texts and columns measured in the cells of a terminal. Pure.

A Chinese character or an emoji takes two cells, a combining mark none.
"""

from __future__ import annotations

import unicodedata

import attrs

_CUT = "…"


def cells(text: str) -> int:
    """Return how many cells a printable text takes."""
    return len(text) if text.isascii() else sum(map(_cells_of, text))


def _cells_of(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def cut(text: str, room: int) -> str:
    """Return as much of the beginning of `text` as fits into `room` cells, at least 1."""
    if len(text) <= room // 2 or cells(text) <= room:
        return text
    left, end = room - 1, 0
    while end < len(text) and (left := left - _cells_of(text[end])) >= 0:
        end += 1
    return text[:end] + _CUT


def cut_front(text: str, room: int) -> str:
    """Return as much of the end of `text` as fits into `room` cells, at least 1."""
    if len(text) <= room // 2 or cells(text) <= room:
        return text
    left, start = room - 1, len(text)
    while start and (left := left - _cells_of(text[start - 1])) >= 0:
        start -= 1
    return _CUT + text[start:]


def padded(text: str, room: int) -> str:
    """Return `text` in exactly `room` cells."""
    fitting = cut(text, room)
    return fitting + " " * (room - cells(fitting))


@attrs.frozen
class Layout:
    """The cells of each column; a column of 0 is left out.

    Args:
        clock: 12 with milliseconds, 8 without.
        type: The name of the type.
        trace: The short id of the trace.
        neuron: The neuron.
    """

    clock: int
    type: int
    trace: int
    neuron: int


_LAYOUTS = (
    (100, Layout(12, 20, 8, 20)),
    (70, Layout(8, 14, 8, 12)),
    (50, Layout(0, 14, 8, 12)),
    (0, Layout(0, 10, 0, 10)),
)


def layout_of(width: int) -> Layout:
    """Return the columns for a terminal of `width` cells; at least a fifth is left for the text."""
    return next(layout for least, layout in _LAYOUTS if width >= least)
