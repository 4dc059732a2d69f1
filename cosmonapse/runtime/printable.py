"""Text for people: safe for a terminal, and cut to a length. Pure."""

from __future__ import annotations


def printable(text: str) -> str:
    """Return `text` with every character escaped that could control a terminal."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def printable_lines(text: str) -> str:
    """Return `text` escaped as by `printable`, but with its line ends."""
    return "\n".join(map(printable, text.split("\n")))


def shortened(text: str, most_chars: int) -> str:
    """Return a text of at most `most_chars` characters; an ellipsis stands for what is cut off."""
    return text if len(text) <= most_chars else text[: most_chars - 1].rstrip() + "…"
