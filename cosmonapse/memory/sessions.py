"""The turns of chats in one SQLite file, for several processes at once."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..errors import MemoryFileError, NeuronError
from ..ids import new_event_id
from ..runtime import clock
from ..signals import Signal
from ..stores.sqlite_file import FileKind, KeptInFile
from . import turns
from .failures import told_to_callers
from .turns import Message

if TYPE_CHECKING:
    import sqlite3

MAX_TURNS = 1000
"""How many turns of a session are kept by default."""
MAX_SESSIONS = 10_000
"""How many sessions are kept by default."""
MAX_TURN_BYTES = 65_536
"""How many bytes of a turn are kept by default, as JSON."""
_CREATE = """
CREATE TABLE turns (
    n INTEGER PRIMARY KEY AUTOINCREMENT,
    session TEXT NOT NULL,
    task TEXT NOT NULL,
    messages TEXT NOT NULL,
    answered_ts REAL NOT NULL,
    UNIQUE (session, task)
)
"""
_KIND = FileKind(
    program=0x434F5353,
    schema=1,
    tables=(
        _CREATE,
        "CREATE INDEX of_session ON turns (session, n)",
        "CREATE INDEX by_age ON turns (answered_ts)",
        "CREATE TABLE sessions (session TEXT PRIMARY KEY, newest INTEGER NOT NULL) WITHOUT ROWID",
        "CREATE INDEX longest_silent ON sessions (newest)",
        "CREATE TABLE totals (name TEXT PRIMARY KEY, count INTEGER NOT NULL) WITHOUT ROWID",
        "INSERT INTO totals VALUES ('cut_turns', 0), ('dropped_turns', 0)",
    ),
    error=MemoryFileError,
    without="use a Python that has the module sqlite3, or a context_fetcher of your own",
    private=True,
)
_LAST = """
SELECT messages FROM turns WHERE session = ? AND answered_ts >= ? ORDER BY n DESC LIMIT ?
"""
_PUT = "INSERT OR IGNORE INTO turns (session, task, messages, answered_ts) VALUES (?, ?, ?, ?)"
_ADD = "UPDATE totals SET count = count + ? WHERE name = ?"
_SURPLUS_TURNS = """
n IN (SELECT n FROM turns WHERE session = ? ORDER BY n DESC LIMIT -1 OFFSET ?)
"""
_SURPLUS_SESSIONS = """
session IN (SELECT session FROM sessions ORDER BY newest DESC LIMIT -1 OFFSET ?)
"""


class Sessions(KeptInFile):
    """The turns of chats: a `context_fetcher` that also keeps each turn after its answer.

    `Axon(..., context_fetcher=Sessions("chat.db"))` and a TASK with `context_ref={"session": "s1",
    "last": 20}`: the context items are the last 20 turns of s1 as messages {role, content}, the
    oldest first. After the output, or a question of the Neuron, what the input said and the answer
    are kept as one turn; after an ERROR nothing is. A further attempt of a task that was answered
    adds no second turn. Several processes of one host may share a file.

    Args:
        path: The file; it is created if missing, for its owner alone, its folder is not.
            `:memory:` for one that ends with the process.
        max_turns: How many turns of a session it keeps; the oldest is dropped and counted.
        max_sessions: How many sessions it keeps; the one that is silent the longest is dropped.
        max_turn_bytes: How many bytes of a turn it keeps, as JSON; the end of a longer text is cut.
        max_age_s: After how many seconds a turn is dropped; None for never.
        clock: The wall clock, seconds UTC.

    Raises:
        MemoryFileError: The file cannot be opened, is not a database, belongs to another program or
            to a newer version of this one; or this Python has no SQLite. Every method raises it
            too, when the file cannot be read or written, after `close`, and in a forked child.
        ValueError: A bound is below 1, `max_turn_bytes` below 1,024.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        max_turns: int = MAX_TURNS,
        max_sessions: int = MAX_SESSIONS,
        max_turn_bytes: int = MAX_TURN_BYTES,
        max_age_s: float | None = None,
        clock: Callable[[], float] = clock.now_ts,
    ) -> None:
        bounds = {"max_turns": max_turns, "max_sessions": max_sessions}
        for name, bound in bounds.items():
            if bound < 1:
                raise ValueError(f"{name} must be at least 1, not {bound}")
        if max_turn_bytes < 1024:
            raise ValueError(f"max_turn_bytes must be at least 1024, not {max_turn_bytes}")
        if max_age_s is not None and not max_age_s > 0:
            raise ValueError(f"max_age_s must be over 0, not {max_age_s:g}")
        self._max_turns, self._max_sessions = max_turns, max_sessions
        self._max_turn_bytes, self._max_age_s = max_turn_bytes, max_age_s
        self._clock = clock
        super().__init__(path, _KIND)

    @property
    def counts(self) -> dict[str, int]:
        """The sessions and turns in the file, and the turns that were cut and dropped so far."""
        with self._file.reading() as file:
            (turn_count,) = file.execute("SELECT count(*) FROM turns").fetchone()
            (session_count,) = file.execute("SELECT count(*) FROM sessions").fetchone()
            totals = dict(file.execute("SELECT name, count FROM totals").fetchall())
        return {"sessions": session_count, "turns": turn_count, **totals}

    def __call__(self, context_ref: Any) -> list[Any]:
        """Return the context items that a `context_ref` names; a list is the items themselves.

        Raises:
            NeuronError: BAD_INPUT, it is neither a list nor names a session; or MEMORY_FAILED, the
                file cannot be read.
        """
        if isinstance(context_ref, list):
            return context_ref
        try:
            wanted = turns.session_ref(context_ref)
        except ValueError as error:
            raise NeuronError("BAD_INPUT", str(error), recoverable=False) from None
        with told_to_callers():
            return self.history(wanted.session, last=wanted.last)

    def history(self, session: str, *, last: int = turns.DEFAULT_LAST) -> list[Message]:
        """Return the messages of the last turns of a session, the oldest first.

        Args:
            session: Its name, 1 to 256 characters; an unknown one has no turns.
            last: How many turns, 1 to 1,000.

        Raises:
            ValueError: A value is not of this form.
        """
        wanted = turns.session_ref({"session": session, "last": last})
        with self._file.reading() as file:
            return self._last(file, wanted.session, wanted.last)

    def append(self, session: str, role: str, content: str) -> None:
        """Add a message to a session as a turn of its own.

        Args:
            session: Its name, 1 to 256 characters.
            role: `user` or `assistant`.
            content: The text.

        Raises:
            ValueError: A value is not of this form.
        """
        if role not in turns.ROLES:
            raise ValueError(f"a message has the role user or assistant, not {role!r:.100}")
        if not isinstance(content, str):
            raise ValueError(f"a message is a text, not a {type(content).__name__}")  # noqa: TRY004
        name, text = turns.checked_session(session), turns.checked_text(content)
        with self._file.writing() as file:
            self._put(file, name, new_event_id(), [{"role": role, "content": text}])

    def remember(self, task: Signal, reply: Signal) -> None:
        """Keep a task with a `context_ref` and its reply as a turn; the Dendrite calls it.

        Raises:
            ValueError: The `context_ref` names no session.
        """
        context_ref = task.payload.get("context_ref")
        if context_ref is None or isinstance(context_ref, list):
            return
        session = turns.session_ref(context_ref).session
        said, answer = turns.said_in(task), turns.answer_in(reply)
        key = str(task.meta.get("idempotency_key") or task.id)
        with self._file.writing() as file:
            history = self._last(file, session, max(1, len(said)))
            self._put(file, session, key, turns.turn_of(said, answer, history))

    def forget(self, session: str) -> int:
        """Drop a session; return how many turns it had.

        Raises:
            ValueError: It is no name of a session.
        """
        name = turns.checked_session(session)
        with self._file.writing() as file:
            file.execute("DELETE FROM sessions WHERE session = ?", (name,))
            return file.execute("DELETE FROM turns WHERE session = ?", (name,)).rowcount

    def _oldest_ts(self) -> float:
        return 0.0 if self._max_age_s is None else self._clock() - self._max_age_s

    def _last(self, file: sqlite3.Connection, session: str, count: int) -> list[Message]:
        rows = file.execute(_LAST, (session, self._oldest_ts(), count)).fetchall()
        return [message for (each,) in reversed(rows) for message in json.loads(each)]

    def _put(
        self, file: sqlite3.Connection, session: str, task: str, messages: list[Message]
    ) -> None:
        """Add a turn, unless it is there, and drop what is over a bound."""
        kept = turns.cut(messages, self._max_turn_bytes)
        row = (session, task, json.dumps(kept, default=str), self._clock())
        put = file.execute(_PUT, row)
        if not put.rowcount:
            return
        if kept != messages:
            file.execute(_ADD, (1, "cut_turns"))
        file.execute("INSERT OR REPLACE INTO sessions VALUES (?, ?)", (session, put.lastrowid))
        self._drop(file, _SURPLUS_TURNS, (session, self._max_turns))
        if self._max_age_s is not None:
            self._drop(file, "answered_ts < ?", (self._oldest_ts(),))
        self._drop(file, _SURPLUS_SESSIONS, (self._max_sessions,))
        file.execute(f"DELETE FROM sessions WHERE {_SURPLUS_SESSIONS}", (self._max_sessions,))

    def _drop(self, file: sqlite3.Connection, which: str, values: tuple[Any, ...]) -> None:
        count = file.execute(f"DELETE FROM turns WHERE {which}", values).rowcount
        if count:
            file.execute(_ADD, (count, "dropped_turns"))
