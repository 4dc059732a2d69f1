"""A memory in one SQLite file with an index of its words (FTS5), for several processes at once."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..errors import MemoryFileError
from ..memory_ops import DEFAULT_HITS, Forget, Imprint, Recall, checked_id
from ..runtime import clock
from ..stores.sqlite_file import FileKind, KeptInFile
from . import match
from .terms import indexed_terms

if TYPE_CHECKING:
    import sqlite3

MAX_ENTRIES = 1_000_000
"""How many entries a file keeps by default."""
RECALL_S = 5.0
"""How long a recall may take by default."""
_CREATE = """
CREATE TABLE entries (
    n INTEGER PRIMARY KEY AUTOINCREMENT,
    space TEXT NOT NULL,
    id TEXT NOT NULL,
    text TEXT NOT NULL,
    data TEXT NOT NULL,
    imprinted_ts REAL NOT NULL,
    UNIQUE (space, id)
)
"""
# Numbers grow with each imprint, so that the highest is the newest. `terms` are the words as
# `terms.py` cuts them: the tokenizer is only to cut at spaces, which that of ASCII does.
_KIND = FileKind(
    program=0x434F5345,
    schema=1,
    tables=(
        _CREATE,
        "CREATE INDEX newest ON entries (space, n)",
        "CREATE VIRTUAL TABLE words USING fts5(space, terms, tokenize = 'ascii')",
        "CREATE TABLE totals (name TEXT PRIMARY KEY, count INTEGER NOT NULL) WITHOUT ROWID",
        "INSERT INTO totals VALUES ('entries', 0), ('dropped', 0)",
    ),
    error=MemoryFileError,
    without="use a Python whose module sqlite3 has it, or a MemoryStore of your own",
    private=True,
    needs_fts5=True,
)
_TOTAL = "SELECT count FROM totals WHERE name = ?"
_ADD = "UPDATE totals SET count = count + ? WHERE name = ?"
_PUT = "INSERT INTO entries (space, id, text, data, imprinted_ts) VALUES (?, ?, ?, ?, ?)"
_PUT_WORDS = "INSERT INTO words (rowid, space, terms) VALUES (?, ?, ?)"
_NEWEST = "SELECT id, text, data, 0.0, n FROM entries WHERE space = ? ORDER BY n DESC LIMIT ?"
_COUNT = "SELECT count(*) FROM (SELECT 1 FROM words WHERE words MATCH ? LIMIT ?)"
_ONE_SPACE = (
    "SELECT (SELECT min(space) FROM entries) = ?1 AND (SELECT max(space) FROM entries) = ?1"
)
# Without an order by rank inside, so that SQLite ranks the newest of those that match and no more.
_BEST = f"""
SELECT entries.id, entries.text, entries.data, -ranked.rank, entries.n FROM (
    SELECT rowid AS n, bm25(words, 0.0, 1.0) AS rank FROM words WHERE words MATCH ?1
    ORDER BY rowid DESC LIMIT {match.MAX_RANKED}
) AS ranked JOIN entries ON entries.n = ranked.n WHERE entries.space = ?2
ORDER BY ranked.rank, ranked.n DESC LIMIT ?3
"""


class SqliteMemory(KeptInFile):
    """Texts in a file, found again by their words: case and accents do not count.

    The best hit has the most and the rarest words of the query (bm25); of equals the newest is
    first. Several processes of one host may share a file; what was written survives a kill. It is a
    `MemoryStore` for `engram`, and can be called as it is, from any thread.

    Args:
        path: The file; it is created if missing, for its owner alone, its folder is not.
            `:memory:` for one that ends with the process.
        max_entries: How many entries it keeps, at least 1; the oldest is dropped and counted.
        recall_s: How long a recall may take, in seconds.
        clock: The wall clock, seconds UTC.

    Raises:
        MemoryFileError: The file cannot be opened, is not a database, belongs to another program or
            to a newer version of this one; or this Python has no SQLite, or one without FTS5. Every
            method raises it too, when the file cannot be read or written, a recall takes too long,
            after `close`, and in a forked child.
        ValueError: `max_entries` is below 1, or `recall_s` is not over 0.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        max_entries: int = MAX_ENTRIES,
        recall_s: float = RECALL_S,
        clock: Callable[[], float] = clock.now_ts,
    ) -> None:
        if max_entries < 1:
            raise ValueError(f"max_entries must be at least 1, not {max_entries}")
        if not recall_s > 0:
            raise ValueError(f"recall_s must be over 0, not {recall_s:g}")
        self._max_entries = max_entries
        self._recall_s = recall_s
        self._clock = clock
        super().__init__(path, _KIND)

    @property
    def counts(self) -> dict[str, int]:
        """The entries in the file, and how many were dropped for newer ones since it was made."""
        with self._file.reading() as file:
            return dict(file.execute("SELECT name, count FROM totals").fetchall())

    def imprint(self, id: str, text: str, *, space: str = "", data: Any = None) -> None:
        """Keep an entry; one with the same id in the same space is replaced.

        Args:
            id: 1 to 256 characters.
            text: Up to 65,536 bytes in UTF-8.
            space: Up to 256 characters.
            data: Any JSON, up to 65,536 bytes.

        Raises:
            ValueError: A value is not of this form.
        """
        given = Imprint(text, space=space, id=checked_id(id), data=data)
        terms = " ".join(indexed_terms(text))
        row = (space, given.id, text, json.dumps(data), self._clock())
        with self._file.writing() as file:
            self._drop(file, "space = ? AND id = ?", (space, id))
            number = file.execute(_PUT, row).lastrowid
            file.execute(_PUT_WORDS, (number, _token(space), terms))
            file.execute(_ADD, (1, "entries"))
            self._drop_surplus(file)

    def recall(
        self, query: str, *, space: str = "", limit: int = DEFAULT_HITS
    ) -> list[dict[str, Any]]:
        """Return up to `limit` entries of a space as {id, text, data, score}, the best first.

        Args:
            query: Any text; its first 4,096 characters and 32 words count. Without a word in it
                the newest entries are returned, with the score 0.
            space: Where to look.
            limit: 1 to 100.

        Raises:
            ValueError: A value is not of this form.
        """
        asked = Recall(query, space=space, limit=limit)
        phrases = match.phrases(asked.query)
        with self._file.reading(self._recall_s) as file:
            if not phrases:
                rows = file.execute(_NEWEST, (space, limit)).fetchall()
            else:
                rows = _best(file, phrases, space, limit)
        return [_hit(*row) for row in rows]

    def forget(self, id: str | None, *, space: str = "") -> int:
        """Drop an entry of a space, or all of them for None; return how many there were.

        Raises:
            ValueError: A value is not of its form, see `imprint`.
        """
        given = Forget(id, space=space)
        with self._file.writing() as file:
            if given.id is None:
                return self._drop(file, "space = ?", (space,))
            return self._drop(file, "space = ? AND id = ?", (space, given.id))

    def _drop(self, file: sqlite3.Connection, which: str, values: tuple[Any, ...]) -> int:
        """Drop the entries that a condition names, with their words."""
        numbers = f"SELECT n FROM entries WHERE {which}"
        file.execute(f"DELETE FROM words WHERE rowid IN ({numbers})", values)
        count = file.execute(f"DELETE FROM entries WHERE {which}", values).rowcount
        if count:
            file.execute(_ADD, (-count, "entries"))
        return count

    def _drop_surplus(self, file: sqlite3.Connection) -> None:
        (count,) = file.execute(_TOTAL, ("entries",)).fetchone()
        surplus = count - self._max_entries
        if surplus > 0:
            oldest = "n IN (SELECT n FROM entries ORDER BY n LIMIT ?)"
            file.execute(_ADD, (self._drop(file, oldest, (surplus,)), "dropped"))


def _best(
    file: sqlite3.Connection, phrases: list[str], space: str, limit: int
) -> list[tuple[Any, ...]]:
    """Return the rows of the best hits, each once."""
    (is_only,) = file.execute(_ONE_SPACE, (space,)).fetchone()
    token = _token(space)
    narrowed = None if is_only else token
    most = match.MAX_RANKED + 1
    counts = {
        each: file.execute(_COUNT, (match.within(each, narrowed), most)).fetchone()[0]
        for each in phrases
    }
    found: dict[int, tuple[Any, ...]] = {}
    for expression in match.planned(counts).expressions(token, narrowed):
        for row in file.execute(_BEST, (expression, space, limit)):
            found.setdefault(row[-1], row)
        if len(found) >= limit:
            break
    return list(found.values())[:limit]


def _token(space: str) -> str:
    """Return the word of a space in the index."""
    return hashlib.blake2b(space.encode(), digest_size=8).hexdigest()


def _hit(id: str, text: str, data: str, score: float, _: int) -> dict[str, Any]:
    return {"id": id, "text": text, "data": json.loads(data), "score": score}
