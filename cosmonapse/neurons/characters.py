"""Characters that a provider cut in two: halves are joined, and a lone one is U+FFFD. Pure.

A character may be cut between two texts as UTF-16, `\\ud83d` and `\\udc0e`, or as the bytes of
UTF-8, which `errors="surrogateescape"` decodes one by one.
"""

from __future__ import annotations

import codecs
import re

import attrs

_LONE = re.compile("[\ud800-\udc7f\udd00-\udfff]")
_FIRST_HALF = ("\ud800", "\udbff")


@attrs.define
class CharacterJoiner:
    """Joins the texts of one stream; each result is valid Unicode."""

    _held: str = attrs.field(default="", init=False)

    def join(self, text: str) -> str:
        """Return `text` after the held beginning of a character; hold the next one."""
        if not self._held and text.isascii():
            return text
        text, self._held = _paired(self._held + text), ""
        half = text[-1:] if _FIRST_HALF[0] <= text[-1:] <= _FIRST_HALF[1] else ""
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        joined = decoder.decode(_as_bytes(text.removesuffix(half)), final=bool(half))
        self._held = decoder.getstate()[0].decode("utf-8", "surrogateescape") + half
        return joined

    def end(self) -> str:
        """Return U+FFFD for a held character whose rest never came, else nothing."""
        held, self._held = self._held, ""
        return "\ufffd" if held else ""


def valid(text: str) -> str:
    """Return `text` as valid Unicode."""
    joiner = CharacterJoiner()
    return joiner.join(text) + joiner.end()


def _paired(text: str) -> str:
    """Return `text` with two halves that follow each other as one character."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")


def _as_bytes(text: str) -> bytes:
    return _LONE.sub("\ufffd", text).encode("utf-8", "surrogateescape")
