"""Text for a terminal. Pure."""

from __future__ import annotations


def printable(text: str) -> str:
    """Return `text` with everything escaped that could steer a terminal."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
