"""The SQLite store and its file."""

import builtins
import errno
import os
import sqlite3
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import attrs
import pytest

from cosmonapse import LocalError, NeuronRecord, RegistryStoreError, SqliteRegistryStore

ECHO = NeuronRecord(neuron_id="echo", capabilities=("chat",), last_seen_ts=10.0)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "neurons.db"


def refusal_of(path):
    with pytest.raises(RegistryStoreError) as caught:
        SqliteRegistryStore(path)
    assert str(path) in str(caught.value)
    assert caught.value.path == str(path)
    return str(caught.value)


def change(path, *statements):
    connection = sqlite3.connect(path)
    with connection:
        for each in statements:
            connection.execute(each)
    connection.close()


def test_what_was_written_is_there_when_the_file_is_opened_again(path):
    with SqliteRegistryStore(path) as store:
        store.upsert(ECHO)
        store.mark_deregistered("echo", reason="stop", at_ts=20.0)
        kept = store.get("echo")

    with SqliteRegistryStore(str(path)) as store:
        assert store.get("echo") == kept
        assert kept.reason == "stop"


def test_the_file_is_written_ahead_and_carries_its_schema(path):
    with SqliteRegistryStore(path):
        connection = sqlite3.connect(path)
        facts = [
            connection.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("journal_mode", "user_version")
        ]
        connection.close()

    assert facts == ["wal", 2]


def test_two_stores_on_one_file_see_each_other(path):
    with SqliteRegistryStore(path) as one, SqliteRegistryStore(path) as two:
        one.upsert(ECHO)
        noted = two.touch_heartbeat("echo", running=3)

        assert noted
        assert one.get("echo").running == 3


def test_a_store_is_named_with_its_file(path):
    with SqliteRegistryStore(path) as store:
        assert repr(store) == f"SqliteRegistryStore({str(path)!r})"


def test_a_file_of_a_newer_version_is_refused_and_left_alone(path):
    SqliteRegistryStore(path).close()
    change(path, "PRAGMA user_version = 3")

    said = refusal_of(path)

    assert "a newer version wrote it (schema 3, this one reads 2)" in said
    assert "update this package" in said


def test_a_file_of_the_version_before_is_brought_up_and_keeps_its_records(path):
    with SqliteRegistryStore(path) as store:
        store.upsert(ECHO)
    columns = [f"ALTER TABLE neurons DROP COLUMN {each}" for each in ("description", "card")]
    change(path, *columns, "PRAGMA user_version = 1")

    with SqliteRegistryStore(path) as store:
        assert store.get("echo").capabilities == ("chat",)
        store.upsert(attrs.evolve(ECHO, description="says it again", card="0" * 16))
        assert store.get("echo").description == "says it again"


@pytest.mark.parametrize(
    "statement",
    ["CREATE TABLE theirs (x)", "PRAGMA user_version = 1", "PRAGMA application_id = 7"],
)
def test_a_database_of_another_program_is_refused(path, statement):
    change(path, statement)

    assert "it belongs to another program; name another file" in refusal_of(path)


def test_a_file_that_is_no_database_is_refused_and_left_alone(path):
    text = b"these are my notes, not a database\n" * 100
    path.write_bytes(text)

    assert "it holds something else: name another file" in refusal_of(path)
    assert path.read_bytes() == text


@pytest.mark.parametrize(
    ("where", "words"),
    [
        ("no/such/folder/x.db", "No such file or directory; its folder must exist and be writable"),
        ("", "Is a directory; name a file in it"),
        ("x" * 300, "File name too long; give it a shorter name"),
        ("a\0b", "embedded null byte; name another file"),
    ],
)
def test_a_path_that_cannot_be_opened_is_refused(tmp_path, where, words):
    assert words in refusal_of(f"{tmp_path}/{where}")


def test_a_path_without_a_name_is_refused():
    assert "it has no name; name a file, or :memory: for none" in refusal_of("")


def test_a_file_that_this_user_may_not_write_is_told_at_the_start(path, monkeypatch):
    path.touch()
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # root may write everything

    assert "Permission denied; make the file and its folder writable" in refusal_of(path)


@pytest.mark.parametrize(
    ("number", "words", "may_pass"),
    [
        (errno.EROFS, "name a file on a disk that may be written", False),
        (errno.ENOSPC, "make room on its disk", True),
        (errno.EMFILE, "raise the limit of open files", True),
    ],
)
def test_a_file_that_cannot_be_made_is_told_with_what_to_do(
    path, monkeypatch, number, words, may_pass
):
    def refuse(path, flags, mode):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "open", refuse)

    with pytest.raises(RegistryStoreError, match=words) as caught:
        SqliteRegistryStore(path)
    assert caught.value.may_pass is may_pass


def test_a_link_to_a_file_that_is_not_there_yet_leads_to_a_new_one(tmp_path, path):
    (tmp_path / "link.db").symlink_to(path)

    with SqliteRegistryStore(tmp_path / "link.db") as store:
        store.upsert(ECHO)

    assert path.exists()


def test_the_error_is_ours_and_an_os_error():
    assert issubclass(RegistryStoreError, LocalError)
    assert issubclass(RegistryStoreError, OSError)


def test_a_python_without_sqlite_is_told_what_to_do(path, monkeypatch):
    real = builtins.__import__

    def without_sqlite(name, *rest):
        if name == "sqlite3":
            raise ImportError("No module named '_sqlite3'")
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without_sqlite)

    said = refusal_of(path)

    assert "this Python has no SQLite" in said
    assert "MemoryRegistryStore" in said


def test_a_closed_store_says_so(path):
    store = SqliteRegistryStore(path)
    store.close()
    store.close()

    with pytest.raises(RegistryStoreError, match="it is closed; make a new one"):
        store.list()


@pytest.mark.parametrize(
    "facts", [{"running": 2**63}, {"version": "\ud800"}, {"last_seen_ts": float("nan")}]
)
def test_what_no_column_can_hold_is_refused_and_nothing_of_it_is_kept(path, facts):
    with SqliteRegistryStore(path) as store:
        with pytest.raises(RegistryStoreError):
            store.upsert(NeuronRecord(neuron_id="big", **facts))
        store.upsert(ECHO)

        assert [each.neuron_id for each in store.list()] == ["echo"]


def test_a_row_that_is_broken_is_told_as_an_error_of_the_file(path):
    with SqliteRegistryStore(path) as store:
        store.upsert(ECHO)
        change(path, "UPDATE neurons SET capabilities = 'no list'")

        with pytest.raises(RegistryStoreError, match="look at the file"):
            store.list()


def test_a_file_that_another_program_holds_is_told_as_such(path, monkeypatch):
    monkeypatch.setattr("cosmonapse.stores.sqlite_file._BUSY_S", 0.01)
    with SqliteRegistryStore(path) as store:
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")

        with pytest.raises(RegistryStoreError, match="another program holds it"):
            store.upsert(ECHO)
        seen = store.list()
        other.close()
        store.upsert(ECHO)

        assert seen == []
        assert store.get("echo")


def test_threads_that_wait_for_each_other_wait_no_longer_than_one_for_another_program(
    path, monkeypatch
):
    monkeypatch.setattr("cosmonapse.stores.sqlite_file._BUSY_S", 1.0)
    with SqliteRegistryStore(path) as store, ThreadPoolExecutor(6) as threads:
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        began_s = time.monotonic()

        failed = [threads.submit(store.upsert, ECHO) for _ in range(6)]

        for each in failed:
            with pytest.raises(RegistryStoreError, match="another program holds it"):
                each.result()
        assert time.monotonic() - began_s < 4.0  # one after the other: 6 s
        other.close()
        store.upsert(ECHO)


FORKS = """
import os, sys
from cosmonapse import RegistryStoreError, SqliteRegistryStore

store = SqliteRegistryStore(sys.argv[1])
if os.fork() == 0:
    try:
        store.list()
    except RegistryStoreError as error:
        print(error, flush=True)
    store.close()
    os._exit(0)
os.wait()
print("parent", store.list(), flush=True)
store.close()
"""


def test_a_forked_child_is_told_to_open_its_own_and_its_parent_goes_on(path):
    command = [sys.executable, "-c", FORKS, str(path)]  # a fork is safe where no thread runs

    ran = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True)

    assert "opened before a fork; open it again in each child" in ran.stdout
    assert "parent []" in ran.stdout
