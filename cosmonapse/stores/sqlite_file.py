"""One SQLite file of ours: opened, checked, shared with other processes, and never another's."""

from __future__ import annotations

import contextlib
import errno
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType, TracebackType
from typing import TYPE_CHECKING, Self

import attrs

from ..runtime.uncaught import shorten_mistakes

if TYPE_CHECKING:
    import sqlite3

MEMORY = ":memory:"
"""The path of a file that is in no file, and gone with its process."""
_BUSY_S = 5.0
_SHORT_S = 0.1
_WAIT_MS = "PRAGMA busy_timeout = {:.0f}"
_STEPS = 2000  # between two looks at the clock: about 0.1 ms
_SURROUNDINGS = "its folder must exist and be writable"
_DAMAGED = "the file is damaged: bring back a copy of it, or name another file"
# What SQLite says, what to do about it, and whether it may be over by itself.
_HINTS = (
    ("not a database", "it holds something else: name another file", False),
    ("unable to open", _SURROUNDINGS, False),
    ("readonly", "make the file and its folder writable for this user", False),
    ("locked", f"another program holds it for over {_BUSY_S:g} s", True),
    ("interrupted", "it took longer than it may: ask for less, or raise the limit", True),
    ("disk is full", "make room on its disk", True),
    ("malformed", _DAMAGED, False),
    ("vtable constructor failed", _DAMAGED, False),
)
_OTHER_HINT = ("", "look at the file and the room on its disk", True)
# The same of the operating system, by the number of its error.
_HINTS_OF_SYSTEM = {
    errno.EISDIR: ("name a file in it", False),
    errno.EACCES: ("make the file and its folder writable for this user", False),
    errno.EPERM: ("make the file and its folder writable for this user", False),
    errno.EROFS: ("name a file on a disk that may be written", False),
    errno.ENAMETOOLONG: ("give it a shorter name", False),
    errno.ENOSPC: ("make room on its disk", True),
    errno.EDQUOT: ("make room on its disk", True),
    errno.EMFILE: ("raise the limit of open files", True),
    errno.ENFILE: ("raise the limit of open files", True),
}
_MAKING = threading.Lock()
_FTS5 = "SELECT count(*) FROM pragma_module_list WHERE name = 'fts5'"


@attrs.frozen
class FileKind:
    """What a file holds.

    Args:
        program: Its `application_id`, by which a file of another program is told apart.
        schema: The number of its form; a file with a higher one is refused.
        tables: The statements that make it.
        upgrades: The statements that bring a file of an older schema to each later one.
        error: Makes the error to raise, of path, reason, hint and whether it may be over by itself.
        without: What to do in a Python that comes without SQLite.
        private: Whether only its owner may read a file that is new.
        needs_fts5: Whether it has an index of words.
    """

    program: int
    schema: int
    tables: Sequence[str]
    error: Callable[..., OSError]
    without: str
    upgrades: Mapping[int, Sequence[str]] = MappingProxyType({})
    private: bool = False
    needs_fts5: bool = False


class SqliteFile:
    """A connection to one file, given to one thread at a time.

    Args:
        path: The file; it is created if missing, its folder is not. `:memory:` for none.
        kind: What it holds.

    Raises:
        OSError: The error of `kind`: the file cannot be opened, is not a database, belongs to
            another program or to a newer version of this one; or this Python comes without SQLite.
            `reading` and `writing` raise it too, when the file cannot be read or written, after
            `close`, and in a forked child.
    """

    def __init__(self, path: str | os.PathLike[str], kind: FileKind) -> None:
        self.path = os.fspath(path)
        self._kind = kind
        self._lock = threading.Lock()
        self._pid = os.getpid()
        self._connection: sqlite3.Connection | None = _opened(self.path, kind)

    def close(self) -> None:
        """Close the file. Idempotent."""
        if os.getpid() != self._pid:
            return  # it is the parent's
        with self._lock, _told(self.path, self._kind):
            connection, self._connection = self._connection, None
            if connection is not None:
                connection.close()

    @contextlib.contextmanager
    def reading(self, timeout_s: float | None = None) -> Iterator[sqlite3.Connection]:
        """Give the connection to one thread at a time.

        Args:
            timeout_s: How long it may read; then it is interrupted.
        """
        if os.getpid() != self._pid:
            raise self._kind.error(
                self.path, "it was opened before a fork", "open it again in each child"
            )
        with self._lock, _told(self.path, self._kind):
            if self._connection is None:
                raise self._kind.error(self.path, "it is closed", "make a new one")
            with _limited(self._connection, timeout_s):
                yield self._connection

    @contextlib.contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Give the connection in a transaction that no other process can come between.

        Whoever waits for a thread that waits for another process has the same time as that one:
        many threads do not wait one after the other.
        """
        asked_at_s = time.monotonic()
        with self.reading() as connection, connection:  # the second one commits or rolls back
            _begin(connection, time.monotonic() - asked_at_s)
            yield connection


class KeptInFile:
    """What is kept in one file; also a context manager that closes it.

    Args:
        path: The file, as for `SqliteFile`.
        kind: What it holds.

    Attributes:
        path: The file.

    Raises:
        OSError: As `SqliteFile`.
    """

    def __init__(self, path: str | os.PathLike[str], kind: FileKind) -> None:
        shorten_mistakes()
        self._file = SqliteFile(path, kind)
        self.path = self._file.path

    def __repr__(self) -> str:
        """Name it with its file."""
        return f"{type(self).__name__}({self.path!r})"

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
        self._file.close()


def _begin(connection: sqlite3.Connection, waited_s: float) -> None:
    """Begin to write, within what is left of the time after the wait for other threads."""
    if waited_s < _SHORT_S:
        connection.execute("BEGIN IMMEDIATE")
        return
    connection.execute(_WAIT_MS.format(max(0.0, _BUSY_S - waited_s) * 1000))
    try:
        connection.execute("BEGIN IMMEDIATE")
    finally:
        connection.execute(_WAIT_MS.format(_BUSY_S * 1000))


@contextlib.contextmanager
def _limited(connection: sqlite3.Connection, timeout_s: float | None) -> Iterator[None]:
    if timeout_s is None:
        yield
        return
    until_s = time.monotonic() + timeout_s
    connection.set_progress_handler(lambda: time.monotonic() > until_s, _STEPS)
    try:
        yield
    finally:
        connection.set_progress_handler(None, 0)


@contextlib.contextmanager
def _told(path: str, kind: FileKind) -> Iterator[None]:
    """Raise errors of SQLite, and values that no column can hold, as the error of the kind."""
    import sqlite3  # some Pythons come without it

    try:
        yield
    except (sqlite3.Error, OverflowError, ValueError) as error:
        known = (each for each in _HINTS if each[0] in str(error))
        _, hint, may_pass = next(known, _OTHER_HINT)
        raise kind.error(path, str(error), hint, may_pass) from error


def _opened(path: str, kind: FileKind) -> sqlite3.Connection:
    try:
        import sqlite3
    except ImportError as error:
        raise kind.error(path, f"this Python has no SQLite ({error})", kind.without) from error
    if not path:
        raise kind.error(path, "it has no name", f"name a file, or {MEMORY} for none")
    if path != MEMORY:
        _make(path, kind)
    with _told(path, kind):
        connection = sqlite3.connect(
            path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False
        )
        try:
            _patiently(lambda: _set_up(connection, path, kind))
        except BaseException:
            connection.close()
            raise
    return connection


def _make(path: str, kind: FileKind) -> None:
    """Make a new file, for its owner alone if it is private; look whether an older one is usable.

    SQLite gives its other files the same mode.
    """
    try:
        real = os.path.realpath(path)  # behind a link that leads nowhere yet
        with _MAKING:
            if not os.path.lexists(real):
                _make_empty(real, 0o600 if kind.private else 0o644)
        _check_usable(real)
    except OSError as error:
        hint, may_pass = _HINTS_OF_SYSTEM.get(error.errno or 0, (_SURROUNDINGS, False))
        raise kind.error(path, str(error.strerror), hint, may_pass) from error
    except ValueError as error:
        raise kind.error(path, str(error), "name another file") from error


def _make_empty(path: str, mode: int) -> None:
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    with contextlib.suppress(FileExistsError):  # another process was faster
        os.close(os.open(path, flags, mode))


def _check_usable(path: str) -> None:
    """Look at a file without opening it.

    To close it again would end all locks of this process on it, SQLite's too: see 2.2 of
    sqlite.org/howtocorrupt.html.
    """
    number = errno.EISDIR if os.path.isdir(path) else errno.EACCES
    if number == errno.EISDIR or not os.access(path, os.R_OK | os.W_OK):
        raise OSError(number, os.strerror(number))


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


def _set_up(connection: sqlite3.Connection, path: str, kind: FileKind) -> None:
    with connection:
        connection.execute("BEGIN IMMEDIATE")
        _prepare(connection, path, kind)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")


def _prepare(connection: sqlite3.Connection, path: str, kind: FileKind) -> None:
    """Make the tables in a new file; refuse a file that is not ours."""
    if kind.needs_fts5 and connection.execute(_FTS5).fetchone() == (0,):
        raise kind.error(path, "this SQLite is built without FTS5", kind.without)
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (program,) = connection.execute("PRAGMA application_id").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if program == kind.program:
        if version > kind.schema:
            raise kind.error(
                path,
                f"a newer version wrote it (schema {version}, this one reads {kind.schema})",
                "update this package, or name another file",
            )
        statements = [each for n in range(version, kind.schema) for each in kind.upgrades[n + 1]]
    elif program or version or tables:
        raise kind.error(path, "it belongs to another program", "name another file")
    else:
        statements = [*kind.tables, f"PRAGMA application_id = {kind.program}"]
    for statement in statements:
        connection.execute(statement)
    if version != kind.schema:
        connection.execute(f"PRAGMA user_version = {kind.schema}")
