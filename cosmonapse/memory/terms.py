"""The words of a text as a memory finds them again: of a text that is kept, and of a query. Pure.

Case and accents do not count. Scripts that put no spaces between words (Chinese, Japanese, Korean
as it is searched, Thai, Lao, Khmer, Burmese) are cut into pairs of neighbouring characters.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from itertools import groupby, pairwise

MAX_TERM_CHARS = 64
_DOTLESS = "\u0131"
"""What a Turkish I is in lower case."""
_ASCII_WORD = re.compile(r"[a-z0-9]+")
# Scripts without spaces. In Korean what stands behind a noun is written with it.
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u3005\u3006\u3040-\u30ff\u31f0-\u31ff"
    "\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7ff\uf900-\ufaff\U00020000-\U0003ffff]"
)
_WORD_KINDS = frozenset("LNM")


def indexed_terms(text: str) -> list[str]:
    """Return the terms under which a text is found, in their order."""
    return [term for word in _words(text) for term in _indexed(word)]


def query_terms(query: str, most: int) -> list[tuple[str, bool]]:
    """Return the first terms of a query, each once, and whether it is the start of a term."""
    found: dict[tuple[str, bool], None] = {}
    for word in _words(query):
        for term in _asked(word):
            found.setdefault(term)
            if len(found) == most:
                return list(found)
    return list(found)


def _indexed(word: str) -> Iterator[str]:
    if _UNSPACED.match(word):
        yield from (a + b for a, b in pairwise(word))
        yield word[-1]  # so that each character begins a term
    else:
        yield word[:MAX_TERM_CHARS]


def _asked(word: str) -> Iterator[tuple[str, bool]]:
    if _UNSPACED.match(word):
        if len(word) == 1:
            yield word, True
        yield from ((a + b, False) for a, b in pairwise(word))
    else:
        yield word[:MAX_TERM_CHARS], False


def _words(text: str) -> Iterator[str]:
    """Yield the runs of letters and digits; those of a script without spaces on their own."""
    if text.isascii():
        yield from _ASCII_WORD.findall(text.lower())
        return
    for kind, characters in groupby(_plain(text), _kind):
        if kind:
            yield "".join(characters)


def _plain(text: str) -> str:
    """Return a text without case, accents and forms of width."""
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    kept = "".join(each for each in folded if not _is_accent(each)).replace(_DOTLESS, "i")
    return unicodedata.normalize("NFC", kept)


def _is_accent(character: str) -> bool:
    """Tell accents, and the points of Hebrew and Arabic, from signs that make another letter."""
    kind = unicodedata.combining(character)
    return kind >= 200 or 10 <= kind <= 35


def _kind(character: str) -> int:
    if unicodedata.category(character)[0] not in _WORD_KINDS:
        return 0
    return 2 if _UNSPACED.match(character) else 1
