"""Passages of Markdown pages: paragraphs with their headings, as plain sentences. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping

import attrs

_HEADING = re.compile(r"(#{1,6})\s+(.+?)(?:\s+#+)?\s*$")
_FENCE = re.compile(r"\s*(?:```|~~~)")
_ITEM = re.compile(r"\s*(?:[-*+]|\d+[.)])\s+")
_NOT_PROSE = re.compile(r"\s*(?:\||<|>|\[[^\]]+\]:|-{3,}\s*$)")
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[A-Z0-9`*\"'(\[])")
_LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")
_MARKUP = re.compile(r"`|\*\*")
_NOT_IN_ANCHOR = re.compile(r"[^\w\- ]")


@attrs.frozen
class Passage:
    """A paragraph of a page.

    Args:
        page: The name of the page, such as `glossary.md`.
        anchor: The part of a link to its section after the `#`.
        heading: The headings above it, outermost first, without the title of the page.
        sentences: Its sentences as plain text; at least one.
    """

    page: str
    anchor: str
    heading: tuple[str, ...]
    sentences: tuple[str, ...] = attrs.field(validator=attrs.validators.min_len(1))

    @property
    def text(self) -> str:
        """The sentences as one line."""
        return " ".join(self.sentences)


def split_pages(pages: Mapping[str, str]) -> list[Passage]:
    """Split Markdown `pages` (name -> text) into passages, in reading order.

    Code blocks, tables, quotes and HTML are left out. A list belongs to the paragraph that
    announces it with a colon, otherwise it is a separate passage; each item is a sentence.
    """
    return [passage for page, text in pages.items() for passage in _split_page(page, text)]


def _split_page(page: str, text: str) -> Iterator[Passage]:
    path: dict[int, str] = {}
    anchor = ""
    used: Counter[str] = Counter()
    for block in _blocks(text):
        if heading := _HEADING.match(block[0]):
            level, title = len(heading[1]), _plain(heading[2])
            path = {above: name for above, name in path.items() if above < level} | {level: title}
            anchor = _anchor(title, used)
            continue
        names = tuple(name for level, name in sorted(path.items()) if level > 1)
        if sentences := _sentences(block):
            yield Passage(page, anchor, names, sentences)


def _blocks(text: str) -> Iterator[list[str]]:
    """Yield the lines of each heading and paragraph, a list with its introduction."""
    block: list[str] = []
    fenced = False
    ended = False
    for line in text.splitlines():
        if _FENCE.match(line):
            fenced, ended = not fenced, True
        elif fenced or _NOT_PROSE.match(line) or not line.strip():
            ended = True
        elif _HEADING.match(line):
            if block:
                yield block
            yield [line]
            block = []
        else:
            announced = block and block[-1].endswith(":") and _ITEM.match(line)
            goes_on = block and _ITEM.match(block[-1]) and _ITEM.match(line)
            if block and ended and not announced and not goes_on:
                yield block
                block = []
            block.append(line.rstrip())
            ended = False
    if block:
        yield block


def _sentences(block: list[str]) -> tuple[str, ...]:
    pieces = [""]
    for line in block:
        if item := _ITEM.match(line):
            pieces.append(line[item.end() :].strip())
        else:
            pieces[-1] = f"{pieces[-1]} {line.strip()}".strip()
    plain = (_plain(sentence) for piece in pieces for sentence in _SENTENCE_END.split(piece))
    return tuple(sentence for sentence in plain if sentence)


def _plain(markdown: str) -> str:
    return _MARKUP.sub("", _LINK.sub(r"\1", markdown)).strip()


def _anchor(title: str, used: Counter[str]) -> str:
    """Make the anchor of a heading as code hosts do: a repeated one gets a number."""
    name = _NOT_IN_ANCHOR.sub("", title.lower()).replace(" ", "-")
    used[name] += 1
    return name if used[name] == 1 else f"{name}-{used[name] - 1}"
