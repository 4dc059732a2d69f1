"""Text for a terminal. Pure."""

from __future__ import annotations


def printable(text: str) -> str:
    """Return `text` with everything escaped that could steer a terminal."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def printable_lines(text: str) -> str:
    """Return `text` with its line ends as they are, and everything else as `printable` does."""
    return "\n".join(map(printable, text.split("\n")))
