"""Text for a terminal. Pure."""

from __future__ import annotations


def printable(text: str) -> str:
    """Return `text` with every character escaped that could control a terminal."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def printable_lines(text: str) -> str:
    """Return `text` escaped as by `printable`, but with its line ends."""
    return "\n".join(map(printable, text.split("\n")))
