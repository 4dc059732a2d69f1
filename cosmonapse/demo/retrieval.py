"""The passage that answers a question, if one does: ranked by SQLite FTS5 with BM25.

Words meet by their stems (`porter`) and by `_SYNONYMS`. A passage answers only if it covers the
question, by three rules:

1. it has the rarest content word of the question; so one word that the pages never use is enough
   for "no answer": the question is then about something else;
2. its content words of the question have at least `COVERED_SHARE` of the idf of all of them;
3. its headings have at least one of the content words, so a passage answers questions about its own
   subject; without that it must have all of them, and two at least.
"""

from __future__ import annotations

import math
import re
import sqlite3
import weakref
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import attrs

from ..errors import LocalError
from .passages import Passage

COVERED_SHARE = 0.6

_WORD = re.compile(r"[^\W_]+")
_NAME = re.compile(r"[^\W_]+(?:_[^\W_]+)+")

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
# Words of questions about any subject.
_STOP = frozenset(_STOP_WORDS.split())
# Words that say the same in a question, and forms that no stem reaches.
_SYNONYMS = """
    answer respond response reply
    ask question
    begin began begun
    choose chose chosen pick select
    connect talk speak communicate
    die dies dying death dead crash kill vanish
    find found
    go gone went
    keep kept
    hold held
    lose lost
    safe secure security
    overload overwhelm
    queue queued
    run ran
    send sent
    start launch boot
    store storage persist persistent save
    stuck hang hung freeze frozen
    write wrote written
    """
_TABLES = """
    CREATE VIRTUAL TABLE synonyms USING fts5(words, tokenize = porter);
    CREATE VIRTUAL TABLE passages USING fts5(above, title, body, tokenize = porter);
"""
_SYNONYMS_OF = "SELECT words FROM synonyms WHERE synonyms MATCH ?"
# Of each passage with a word: its score, headings weighing threefold, and where the word stands.
_PASSAGES_WITH = """
    SELECT rowid, -bm25(passages, 3, 3, 1), bm25(passages, 1, 1, 0) < 0, bm25(passages, 0, 1, 0) < 0
    FROM passages WHERE passages MATCH ?
"""


class NoFullTextSearch(LocalError):
    """The SQLite of this Python was built without FTS5."""

    def __init__(self) -> None:
        super().__init__(
            "the sqlite3 module of this Python has no FTS5, with which the offline librarian "
            "searches: use a Python that has it, such as Debian's, or set HF_TOKEN for a model"
        )


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


class _Hit(NamedTuple):
    """A word in a passage."""

    score: float
    is_in_headings: bool
    is_in_title: bool


Hits = dict[int, _Hit]
"""The passages that have a word, by their number."""


def content_words(text: str) -> list[str]:
    """Return the words that `text` is about, each once: all but those any question is made with.

    A name such as `WORKER_LOST` counts as its words and, after them, as one word of its own.
    """
    return list(dict.fromkeys(_words(text) + _NAME.findall(text.lower())))


class Index:
    """Passages ready for questions, in a database in memory. Safe to use from several threads.

    Args:
        passages: The passages that can be found.

    Raises:
        NoFullTextSearch: SQLite was built without FTS5.
    """

    def __init__(self, passages: Iterable[Passage]) -> None:
        self._passages = tuple(passages)
        self._database = sqlite3.connect(":memory:", check_same_thread=False)
        try:
            self._database.executescript(_TABLES)
        except sqlite3.OperationalError as error:
            self._database.close()
            raise NoFullTextSearch from error
        weakref.finalize(self, self._database.close)
        lines = [(line.strip(),) for line in _SYNONYMS.strip().splitlines()]
        self._database.executemany("INSERT INTO synonyms VALUES (?)", lines)
        self._database.executemany(
            "INSERT INTO passages (rowid, above, title, body) VALUES (?, ?, ?, ?)",
            [(number, *_columns(each)) for number, each in enumerate(self._passages)],
        )

    def best(self, question: str) -> Match | None:
        """Return the best passage that covers `question`, or None if there is none.

        A passage whose innermost heading has just the content words of the question goes before all
        others; among such, the one whose heading is spelt as in the question, then the first.
        """
        words = content_words(question)
        hits: list[Hits] = []
        for word in words:
            hits.append(self._passages_with(word))
            if not hits[-1]:
                return None  # by the first rule: a word of no passage is the rarest
        worth = [self._idf(len(each)) for each in hits]
        plain = [each for word, each in zip(words, hits, strict=True) if "_" not in word]
        numbers = sorted({number for each in hits for number in each})
        scores = {
            number: score
            for number in numbers
            if (score := _score(number, hits, worth)) is not None
        }
        if not scores:
            return None
        named = {
            number: _how_named(self._passages[number], question, number, plain) for number in scores
        }
        most = max(named.values())
        among = [number for number in scores if named[number] == most]
        best = among[0] if most[0] else max(among, key=scores.__getitem__)
        return Match(self._passages[best], scores[best])

    def _passages_with(self, word: str) -> Hits:
        quoted = f'"{word}"'
        same = self._database.execute(_SYNONYMS_OF, (quoted,)).fetchall()
        either = [quoted, *(f'"{other}"' for (line,) in same for other in line.split())]
        rows = self._database.execute(_PASSAGES_WITH, (" OR ".join(either),))
        return {number: _Hit(*row) for number, *row in rows}

    def _idf(self, having: int) -> float:
        return math.log(1 + (len(self._passages) - having + 0.5) / (having + 0.5))


def _score(number: int, hits: Sequence[Hits], worth: Sequence[float]) -> float | None:
    """Return the score of a passage, or None if it breaks one of the three rules."""
    there = [each[number] for each in hits if number in each]
    missing = [idf for each, idf in zip(hits, worth, strict=True) if number not in each]
    if any(hit.is_in_headings for hit in there):
        allowed = (1 - COVERED_SHARE) * sum(worth)
        covers = max(worth) not in missing and sum(missing) <= allowed
    else:
        covers = not missing and len(hits) > 1
    return sum(hit.score for hit in there) if covers else None


def _how_named(
    passage: Passage, question: str, number: int, hits: Sequence[Hits]
) -> tuple[bool, bool]:
    """Return whether the innermost heading is the subject of the question, and spelt alike."""
    title = _title(passage)
    offered = [word for word in content_words(title) if "_" not in word]
    is_named = len(hits) == len(offered) and all(
        number in each and each[number].is_in_title for each in hits
    )
    spelt = (title, title[:1].lower() + title[1:])
    return is_named, is_named and any(form in question for form in spelt)


def _title(passage: Passage) -> str:
    return passage.heading[-1] if passage.heading else ""


def _columns(passage: Passage) -> tuple[str, str, str]:
    """Return the texts that are searched: the outer headings, the innermost one, the passage."""
    return " ".join(passage.heading[:-1]), _title(passage), passage.text


def _words(text: str) -> list[str]:
    return [word for word in _WORD.findall(text.lower()) if word not in _STOP]
