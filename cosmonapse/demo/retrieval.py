"""Which passage of some Markdown pages answers a question, if any does. Pure.

Ranking is Okapi BM25. A passage answers only if it covers the question, by three rules:

1. it has the rarest content words of the question, so one word that the pages never use is enough
   for "nothing covers this": the question is then about something else;
2. what it has of the content words is worth at least `COVERED_SHARE` of their idf, all together;
3. its heading has at least one of the content words, so a passage answers questions about its own
   subject; without that it must have all of them, and two at least.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

import attrs

K1 = 1.5
B = 0.75
HEADING_WEIGHT = 3
COVERED_SHARE = 0.6

_WORD = re.compile(r"[^\W_]+")
_NAME = re.compile(r"[^\W_]+(?:_[^\W_]+)+")
_SIBILANT_PLURAL = re.compile(r"(?:ss|sh|ch|x|z)es$")
_VERB = re.compile(r"(\w*[aeiouy]\w*[^\We])(?:ing|ed)")
_DOUBLED = re.compile(r"([bdgmnprt])\1$")
_HEADING = re.compile(r"(#{1,6})\s+(.+?)(?:\s+#+)?\s*$")
_FENCE = re.compile(r"\s*(?:```|~~~)")
_ITEM = re.compile(r"\s*(?:[-*+]|\d+[.)])\s+")
_NOT_PROSE = re.compile(r"\s*(?:\||<|>|\[[^\]]+\]:|-{3,}\s*$)")
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[A-Z0-9`*\"'(\[])")
_LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")
_MARKUP = re.compile(r"`|\*\*")
_NOT_IN_ANCHOR = re.compile(r"[^\w\- ]")

_STOP_WORDS = """
    a about actually after again all also am among an and any anyone anything are aren as at be
    because been before being between both but by can compare could couldn d describe did didn
    differ difference different do does doesn doing don done during each either else ever every
    everything exactly explain few for from get gets give given go goes good got had happen
    happened happening happens has have having he help her here his how i if important in
    instead into is isn it its just kind know learn let like ll long look m made make makes many
    may me mean meaning means meant might more most much must my need needs neither never no nor
    not now of off often ok on only or other our out over own please possible quite rather re
    really s same see seen shall she should show simply so some someone something sort still
    such t tell than that the their them then there these they thing things this those though
    through to too under until up us use used uses using ve versus very via vs want was wasn way
    we well were what whatever when where whether which while who whom whose why will with
    within without won word words would yes yet you your
    """
# Words that a question is made with, whatever it is about.
_STOP = frozenset(_STOP_WORDS.split())
# Stems that say the same in a question, and forms that no rule of `stem` reaches.
_SAME = {
    other: word
    for word, others in {
        "answer": "respond response reply",
        "ask": "question",
        "begin": "began begun",
        "choos": "chose chosen pick select",
        "connect": "connection talk speak communicat",
        "die": "died dying dead death crash kill vanish",
        "find": "found",
        "go": "gone went",
        "keep": "kept",
        "hold": "held",
        "automatic": "automatically",
        "los": "lost",
        "saf": "secur security",
        "overload": "overwhelm",
        "run": "ran",
        "send": "sent",
        "start": "launch boot",
        "stor": "storag persist persistent sav",
        "stuck": "hang hung freez frozen",
        "writ": "wrote written",
    }.items()
    for other in others.split()
}


@attrs.frozen
class Passage:
    """A paragraph of a page.

    Args:
        page: The name of the page, such as `glossary.md`.
        anchor: What a link to its section has behind the `#`.
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


@attrs.frozen
class Match:
    """The passage that answers a question best.

    Args:
        passage: The passage.
        score: Its BM25 score; it compares passages for one question and nothing else.
    """

    passage: Passage
    score: float

    @property
    def page(self) -> str:
        """The name of the page it stands on."""
        return self.passage.page


def stem(word: str) -> str:
    """Return `word`, in lower case, without plural, -ing and -ed, enough for forms to meet."""
    if len(word) > 4 and word.endswith(("ies", "ied")):
        word = word[:-3] + "y"
    elif _SIBILANT_PLURAL.search(word):
        word = word[:-2]
    elif len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        word = word[:-1]
    if (verb := _VERB.fullmatch(word)) and len(verb[1]) > 2:
        word = verb[1]
    word = _DOUBLED.sub(r"\1", word)
    word = word[:-1] if len(word) > 3 and word.endswith("e") else word
    return _SAME.get(word, word)


def content_words(text: str) -> list[str]:
    """Return the stems of what `text` is about: its words, less those any question is made with.

    A name such as `WORKER_LOST` counts as its words and, beside them, as one word of its own.
    """
    lower = text.lower()
    words = [stem(word) for word in _WORD.findall(lower) if word not in _STOP]
    return words + _NAME.findall(lower)


def split_pages(pages: Mapping[str, str]) -> list[Passage]:
    """Split Markdown `pages` (name -> text) into passages, in reading order.

    Code blocks, tables, quotes and HTML are left out. A list belongs to the paragraph that
    announces it with a colon, otherwise it is a passage of its own; each item is a sentence.
    """
    return [passage for page, text in pages.items() for passage in _split_page(page, text)]


def _as_tuple(passages: Iterable[Passage]) -> tuple[Passage, ...]:
    return tuple(passages)


@attrs.define
class Index:
    """Passages made ready to be asked.

    Args:
        passages: What can be found.
    """

    passages: tuple[Passage, ...] = attrs.field(converter=_as_tuple)
    _counts: list[Counter[str]] = attrs.field(init=False)
    _passages_with: Counter[str] = attrs.field(init=False)
    _mean_length: float = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self._counts = [_word_counts(passage) for passage in self.passages]
        self._passages_with = Counter(word for counts in self._counts for word in counts)
        total = sum(counts.total() for counts in self._counts)
        self._mean_length = total / max(len(self._counts), 1)

    def best(self, question: str) -> Match | None:
        """Return the best passage that covers `question`, or None if there is none.

        A passage whose heading has just the content words of the question goes before all others;
        among such, the one whose heading is spelt as in the question, then the first on its page.
        """
        words = set(content_words(question))
        if not words or not words <= self._passages_with.keys():
            return None  # by the first rule: a word of no passage is the rarest
        worth = {word: self._idf(word) for word in sorted(words)}
        found = [
            (_how_named(passage, question, words), Match(passage, self._score(counts, worth)))
            for passage, counts in zip(self.passages, self._counts, strict=True)
            if _covers(passage, counts, worth)
        ]
        if not found:
            return None
        named = max(named for named, _ in found)
        matches = [match for how, match in found if how == named]
        return matches[0] if named[0] else max(matches, key=lambda match: match.score)

    def _idf(self, word: str) -> float:
        having = self._passages_with[word]
        return math.log(1 + (len(self.passages) - having + 0.5) / (having + 0.5))

    def _score(self, counts: Counter[str], worth: Mapping[str, float]) -> float:
        norm = K1 * (1 - B + B * counts.total() / self._mean_length)
        return sum(
            idf * counts[word] * (K1 + 1) / (counts[word] + norm) for word, idf in worth.items()
        )


def _covers(passage: Passage, counts: Counter[str], worth: Mapping[str, float]) -> bool:
    """Apply the three rules of the header; `worth` maps the content words to their idf."""
    missing = [idf for word, idf in worth.items() if word not in counts]
    if worth.keys().isdisjoint(content_words(" ".join(passage.heading))):
        return not missing and len(worth) > 1
    allowed = (1 - COVERED_SHARE) * sum(worth.values())
    return max(worth.values()) not in missing and sum(missing) <= allowed


def _how_named(passage: Passage, question: str, words: set[str]) -> tuple[bool, bool]:
    """Tell whether the innermost heading is what the question asks for, and spelt alike."""
    title = passage.heading[-1] if passage.heading else ""
    asked, offered = (
        {word for word in side if "_" not in word} for side in (words, content_words(title))
    )
    spelt = (title, title[:1].lower() + title[1:])
    return asked == offered, asked == offered and any(form in question for form in spelt)


def _word_counts(passage: Passage) -> Counter[str]:
    heading = content_words(" ".join(passage.heading))
    return Counter(heading * HEADING_WEIGHT + content_words(passage.text))


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
    """Yield the lines of each heading and paragraph, a list with what announces it."""
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
