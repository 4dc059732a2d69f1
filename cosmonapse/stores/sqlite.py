"""A registry store in one SQLite file, for several processes at once; outlives them all."""

from __future__ import annotations

import contextlib
import json
import os
import threading
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import attrs

from ..errors import RegistryStoreError
from ..registry import NeuronRecord
from ..runtime import clock
from . import history
from .port import Records

if TYPE_CHECKING:
    import sqlite3

_SCHEMA = 1
_OURS = 0x434F534D
_BUSY_S = 5.0
_COLUMNS = tuple(field.name for field in attrs.fields(NeuronRecord))
_CREATE = """
CREATE TABLE neurons (
    neuron_id TEXT NOT NULL,
    capabilities TEXT NOT NULL,
    dendrite_id TEXT NOT NULL,
    instance TEXT NOT NULL,
    state TEXT NOT NULL,
    open INTEGER NOT NULL,
    running INTEGER NOT NULL,
    queued INTEGER NOT NULL,
    loop_lag_ms INTEGER NOT NULL,
    version TEXT,
    role TEXT,
    first_seen_ts REAL NOT NULL,
    last_seen_ts REAL NOT NULL,
    reason TEXT,
    PRIMARY KEY (neuron_id, instance)
) WITHOUT ROWID
"""
_PUT = (
    f"INSERT OR REPLACE INTO neurons ({', '.join(_COLUMNS)}) "
    f"VALUES ({', '.join('?' * len(_COLUMNS))})"
)
_SELECT = f"SELECT {', '.join(_COLUMNS)} FROM neurons"
# The order of `history.surplus`.
_FORGET = """
DELETE FROM neurons WHERE (neuron_id, instance) IN (
    SELECT neuron_id, instance FROM neurons
    ORDER BY neuron_id = ?2 AND instance = ?3, state != ?1, last_seen_ts, neuron_id, instance
    LIMIT ?4
)
"""
_HINTS = (
    ("not a database", "it holds something else: name another file"),
    ("unable to open", "its folder must exist and be writable"),
    ("readonly", "make the file and its folder writable"),
    ("locked", f"another program holds it for over {_BUSY_S:g} s"),
)


class SqliteRegistryStore:
    """A `RegistryStore` in a file. Several processes may share one; written records survive a kill.

    Args:
        path: The file; it is created if missing, its folder is not.
        max_records: How many records it keeps, at least 1.
        clock: The wall clock, seconds UTC.

    Raises:
        RegistryStoreError: The file cannot be opened, is not a database, belongs to another program
            or to a newer version of this one; or this Python comes without SQLite. Every method
            raises it too, when the file cannot be read or written, after `close`, and in a forked
            child.
        ValueError: `max_records` is below 1.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        max_records: int = history.MAX_RECORDS,
        clock: Callable[[], float] = clock.now_ts,
    ) -> None:
        if max_records < 1:
            raise ValueError(f"max_records must be at least 1, not {max_records}")
        self.path = os.fspath(path)
        self._max_records = max_records
        self._clock = clock
        self._lock = threading.Lock()
        self._pid = os.getpid()
        self._connection: sqlite3.Connection | None = _opened(self.path)

    def __repr__(self) -> str:
        """Name it with its file."""
        return f"SqliteRegistryStore({self.path!r})"

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        """Close."""
        self.close()

    def close(self) -> None:
        """Close the file. Idempotent."""
        if os.getpid() != self._pid:
            return  # it is the parent's
        with self._lock, _told(self.path):
            connection, self._connection = self._connection, None
            if connection is not None:
                connection.close()

    def upsert(self, record: NeuronRecord) -> None:
        """Store a record; see `RegistryStore.upsert`."""
        with self._writing() as file:
            old = history.best(_found(file, record.neuron_id, record.instance))
            fresh = history.merged(old, record, self._clock())
            file.execute(_PUT, _row(fresh))
            if old is None:
                self._forget_surplus(file, fresh)

    def get(self, neuron_id: str, instance: str | None = None) -> NeuronRecord | None:
        """Return a record, or None; see `RegistryStore.get`."""
        with self._reading() as file:
            return history.best(_found(file, neuron_id, instance))

    def list(self, capability: str | None = None, include_deregistered: bool = False) -> Records:
        """Return the records; see `RegistryStore.list`."""
        with self._reading() as file:
            records = _all(file)
        return history.wanted(records, capability, include_deregistered)

    def touch_heartbeat(
        self,
        neuron_id: str,
        instance: str = "",
        *,
        running: int = 0,
        queued: int = 0,
        loop_lag_ms: int = 0,
        at_ts: float | None = None,
    ) -> bool:
        """Record a heartbeat; see `RegistryStore.touch_heartbeat`."""
        at_ts = self._clock() if at_ts is None else at_ts
        with self._writing() as file:
            old = history.best(_found(file, neuron_id, instance))
            if old is None or not history.is_there(old):
                return False
            file.execute(_PUT, _row(history.touched(old, running, queued, loop_lag_ms, at_ts)))
            return True

    def mark_deregistered(
        self,
        neuron_id: str,
        instance: str | None = None,
        *,
        reason: str | None = None,
        at_ts: float | None = None,
    ) -> bool:
        """Record that an Axon has deregistered; see `RegistryStore.mark_deregistered`."""
        at_ts = self._clock() if at_ts is None else at_ts
        with self._writing() as file:
            there = [each for each in _found(file, neuron_id, instance) if history.is_there(each)]
            for old in there:
                file.execute(_PUT, _row(history.departed(old, reason, at_ts)))
            return bool(there)

    def _forget_surplus(self, file: sqlite3.Connection, newest: NeuronRecord) -> None:
        (count,) = file.execute("SELECT count(*) FROM neurons").fetchone()
        if count > self._max_records:
            key = history.key_of(newest)
            file.execute(_FORGET, (history.DEREGISTERED, *key, count - self._max_records))

    @contextlib.contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        """Give the connection to one thread at a time."""
        if os.getpid() != self._pid:
            raise RegistryStoreError(
                self.path, "it was opened before a fork", "open it again in each child"
            )
        with self._lock, _told(self.path):
            if self._connection is None:
                raise RegistryStoreError(self.path, "it is closed", "make a new one")
            yield self._connection

    @contextlib.contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """Give the connection in a transaction that no other process can come between."""
        with self._reading() as connection, connection:  # the second one commits or rolls back
            connection.execute("BEGIN IMMEDIATE")
            yield connection


@contextlib.contextmanager
def _told(path: str) -> Iterator[None]:
    """Raise errors of SQLite, and values that no column can hold, as `RegistryStoreError`."""
    import sqlite3  # some Pythons come without it

    try:
        yield
    except (sqlite3.Error, OverflowError, ValueError) as error:
        hints = (hint for sign, hint in _HINTS if sign in str(error))
        raise RegistryStoreError(
            path, str(error), next(hints, "look at the file and the room on its disk")
        ) from error


def _opened(path: str) -> sqlite3.Connection:
    try:
        import sqlite3
    except ImportError as error:
        hint = "use MemoryRegistryStore, or a Python that has the module sqlite3"
        raise RegistryStoreError(path, f"this Python has no SQLite ({error})", hint) from error
    with _told(path):
        connection = sqlite3.connect(
            path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False
        )
        try:
            _patiently(lambda: _set_up(connection, path))
        except BaseException:
            connection.close()
            raise
    return connection


def _patiently(set_up: Callable[[], None]) -> None:
    """Try again while another process opens the file too: the change to WAL does not wait."""
    import sqlite3

    from tenacity import Retrying, retry_if_exception, stop_after_delay, wait_random

    def is_locked(error: BaseException) -> bool:
        return isinstance(error, sqlite3.OperationalError) and "locked" in str(error)

    retries = Retrying(
        retry=retry_if_exception(is_locked),
        stop=stop_after_delay(_BUSY_S),
        wait=wait_random(0.002, 0.02),
        reraise=True,
    )
    retries(set_up)


def _set_up(connection: sqlite3.Connection, path: str) -> None:
    with connection:
        connection.execute("BEGIN IMMEDIATE")
        _prepare(connection, path)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")


def _prepare(connection: sqlite3.Connection, path: str) -> None:
    """Make the table in a new file; refuse a file that is not ours."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (program,) = connection.execute("PRAGMA application_id").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if program == _OURS:
        if version > _SCHEMA:
            raise RegistryStoreError(
                path,
                f"a newer version wrote it (schema {version}, this one reads {_SCHEMA})",
                "update this package, or name another file",
            )
    elif program or version or tables:
        raise RegistryStoreError(path, "it belongs to another program", "name another file")
    else:
        connection.execute(_CREATE)
        connection.execute(f"PRAGMA application_id = {_OURS}")
        connection.execute(f"PRAGMA user_version = {_SCHEMA}")


def _found(file: sqlite3.Connection, neuron_id: str, instance: str | None) -> Records:
    if instance is None:
        rows = file.execute(f"{_SELECT} WHERE neuron_id = ?", (neuron_id,))
    else:
        rows = file.execute(
            f"{_SELECT} WHERE neuron_id = ? AND instance = ?", (neuron_id, instance)
        )
    return [_record(row) for row in rows]


def _all(file: sqlite3.Connection) -> Records:
    return [_record(row) for row in file.execute(_SELECT)]


def _row(record: NeuronRecord) -> tuple[Any, ...]:
    values = attrs.asdict(record) | {"capabilities": json.dumps(record.capabilities)}
    return tuple(values[name] for name in _COLUMNS)


def _record(row: tuple[Any, ...]) -> NeuronRecord:
    values = dict(zip(_COLUMNS, row, strict=True))
    return NeuronRecord(**values | {"capabilities": tuple(json.loads(values["capabilities"]))})
