"""A registry store in one SQLite file, for several processes at once; outlives them all."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import attrs

from ..errors import RegistryStoreError
from ..registry import NeuronRecord
from ..runtime import clock
from . import history
from .port import Records
from .sqlite_file import FileKind, KeptInFile

if TYPE_CHECKING:
    import sqlite3

_SCHEMA = 2
_OURS = 0x434F534D
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
    description TEXT,
    card TEXT,
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
_KIND = FileKind(
    program=_OURS,
    schema=_SCHEMA,
    tables=(_CREATE,),
    upgrades={
        2: [f"ALTER TABLE neurons ADD COLUMN {each} TEXT" for each in ("description", "card")]
    },
    error=RegistryStoreError,
    without="use MemoryRegistryStore, or a Python that has the module sqlite3",
)


class SqliteRegistryStore(KeptInFile):
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
        self._max_records = max_records
        self._clock = clock
        super().__init__(path, _KIND)

    def upsert(self, record: NeuronRecord) -> None:
        """Store a record; see `RegistryStore.upsert`."""
        with self._file.writing() as file:
            old = history.best(_found(file, record.neuron_id, record.instance))
            fresh = history.merged(old, record, self._clock())
            file.execute(_PUT, _row(fresh))
            if old is None:
                self._forget_surplus(file, fresh)

    def get(self, neuron_id: str, instance: str | None = None) -> NeuronRecord | None:
        """Return a record, or None; see `RegistryStore.get`."""
        with self._file.reading() as file:
            return history.best(_found(file, neuron_id, instance))

    def list(self, capability: str | None = None, include_deregistered: bool = False) -> Records:
        """Return the records; see `RegistryStore.list`."""
        with self._file.reading() as file:
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
        with self._file.writing() as file:
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
        with self._file.writing() as file:
            there = [each for each in _found(file, neuron_id, instance) if history.is_there(each)]
            for old in there:
                file.execute(_PUT, _row(history.departed(old, reason, at_ts)))
            return bool(there)

    def _forget_surplus(self, file: sqlite3.Connection, newest: NeuronRecord) -> None:
        (count,) = file.execute("SELECT count(*) FROM neurons").fetchone()
        if count > self._max_records:
            key = history.key_of(newest)
            file.execute(_FORGET, (history.DEREGISTERED, *key, count - self._max_records))


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
