"""A memory in a file: what is found, what is bounded, and its file."""

import json
import sqlite3
import stat
import threading

import pytest

from cosmonapse import LocalError, MemoryFileError, MemoryStore, SqliteMemory, SqliteRegistryStore
from cosmonapse.memory import match


@pytest.fixture
def path(tmp_path):
    return tmp_path / "mem.db"


@pytest.fixture
def memory():
    with SqliteMemory(":memory:") as memory:
        yield memory


def ids(hits):
    return [hit["id"] for hit in hits]


def test_it_is_a_memory_store(memory):
    assert isinstance(memory, MemoryStore)


def test_what_was_imprinted_is_recalled_whole(memory):
    memory.imprint("x1", "Der Café-Besitzer heißt Zoë", data={"page": [1, None, "é"]})

    (hit,) = memory.recall("cafe zoe")

    assert hit.pop("score") > 0
    assert hit == {
        "id": "x1",
        "text": "Der Café-Besitzer heißt Zoë",
        "data": {"page": [1, None, "é"]},
    }


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("我们在北京开会", "北京"),
        ("我们在北京开会", "京"),
        ("我们在北京开会", "会"),
        ("東京タワーに行きました", "タワー"),
        ("東京タワーに行きました", "東京に行く"),
        ("한국어를 배웁니다", "한국어"),
        ("ภาษาไทยไม่เว้นวรรค", "ไทย"),
        ("ガッコウ", "ガッ"),
    ],
)
def test_languages_without_spaces_are_found(text, query, memory):
    memory.imprint("there", text)
    memory.imprint("other", "nothing of it, 日本")

    assert ids(memory.recall(query))[0] == "there"


def test_the_entry_with_more_and_rarer_words_is_first(memory):
    for number in range(20):
        memory.imprint(f"other{number}", "the cafe is open")
    memory.imprint("both", "the cafe of Zoe")
    memory.imprint("one", "the house of Zoe")

    assert ids(memory.recall("zoe cafe", limit=2)) == ["both", "one"]


def test_of_equals_the_newest_is_first(memory):
    for each in ("a", "b", "c"):
        memory.imprint(each, "same words")
    memory.imprint("a", "same words")

    assert ids(memory.recall("words")) == ["a", "c", "b"]


def test_the_same_id_replaces_and_what_it_said_is_not_found_any_more(memory):
    memory.imprint("x", "first")
    memory.imprint("x", "second")

    assert memory.recall("first") == []
    assert ids(memory.recall("second")) == ["x"]
    assert memory.counts["entries"] == 1


def test_spaces_do_not_see_each_other(memory):
    memory.imprint("x", "a secret of one", space="u1")
    memory.imprint("x", "a secret of two", space="u2")

    assert [hit["text"] for hit in memory.recall("secret", space="u1")] == ["a secret of one"]
    assert memory.recall("secret") == []
    assert memory.forget("x", space="u1") == 1
    assert ids(memory.recall("secret", space="u2")) == ["x"]


def test_without_a_word_the_newest_are_returned(memory):
    for number in range(4):
        memory.imprint(str(number), "text")

    assert ids(memory.recall(" !?", limit=2)) == ["3", "2"]
    assert memory.recall("", limit=1)[0]["score"] == 0


def test_forgetting_without_an_id_empties_a_space(memory):
    for number in range(3):
        memory.imprint(str(number), "text", space="u1")
    memory.imprint("other", "text", space="u2")

    assert memory.forget(None, space="u1") == 3
    assert memory.forget("2", space="u1") == 0
    assert ids(memory.recall("text", space="u2")) == ["other"]


def test_a_full_memory_drops_the_oldest_and_counts_it(path):
    with SqliteMemory(path, max_entries=2) as memory:
        for each in ("a", "b", "c"):
            memory.imprint(each, "text")

        assert ids(memory.recall("text")) == ["c", "b"]
        assert memory.counts == {"entries": 2, "dropped": 1}


def test_common_words_find_something_too(memory, monkeypatch):
    monkeypatch.setattr(match, "MAX_RANKED", 3)
    for number in range(10):
        memory.imprint(f"n{number}", "the house" if number % 2 else "the garden")
    memory.imprint("rare", "the lighthouse")

    assert ids(memory.recall("the lighthouse", limit=1)) == ["rare"]
    assert ids(memory.recall("the house", limit=3)) == ["n9", "n7", "n5"]
    assert len(memory.recall("the lighthouse", limit=11)) == 11


@pytest.mark.parametrize(
    "given",
    [
        {"limit": 0},
        {"limit": 101},
        {"limit": True},
        {"space": "x" * 257},
        {"space": "\ud800"},
        {"query": b"bytes"},
    ],
)
def test_a_recall_of_another_form_is_refused(given, memory):
    with pytest.raises(ValueError, match=next(iter(given))):
        memory.recall(**{"query": "x", **given})


@pytest.mark.parametrize(
    "given",
    [
        {"id": ""},
        {"id": 7},
        {"id": None},
        {"text": "é" * 40_000},
        {"text": "\ud800"},
        {"text": None},
        {"data": float("nan")},
        {"data": {"x": b""}},
        {"data": "x" * 70_000},
    ],
)
def test_an_entry_of_another_form_is_refused(given, memory):
    with pytest.raises(ValueError, match=next(iter(given))):
        memory.imprint(**{"id": "x", "text": "y", **given})

    assert memory.counts["entries"] == 0


@pytest.mark.parametrize("bound", [{"max_entries": 0}, {"recall_s": 0}])
def test_a_bound_below_its_least_value_is_refused(bound):
    with pytest.raises(ValueError, match=next(iter(bound))):
        SqliteMemory(":memory:", **bound)


def test_a_recall_that_takes_too_long_is_interrupted(path, monkeypatch):
    monkeypatch.setattr("cosmonapse.stores.sqlite_file._STEPS", 1)
    with SqliteMemory(path, recall_s=1e-9) as memory:
        memory.imprint("x", "a word")

        with pytest.raises(MemoryFileError, match="interrupted; it took longer than it may"):
            memory.recall("word")
        memory.imprint("x", "goes on")


# -- the file --------------------------------------------------------------------------------------


def refusal_of(path):
    with pytest.raises(MemoryFileError) as caught:
        SqliteMemory(path)
    assert isinstance(caught.value, LocalError)
    assert "\n" not in str(caught.value)
    assert caught.value.path == str(path)
    return str(caught.value)


def test_a_new_file_is_for_its_owner_alone(path):
    with SqliteMemory(path) as memory:
        memory.imprint("x", "secret")
        modes = {stat.S_IMODE(each.stat().st_mode) for each in path.parent.iterdir()}

    assert modes == {0o600}


def test_what_was_written_is_there_when_the_file_is_opened_again(path):
    with SqliteMemory(path) as memory:
        memory.imprint("x", "a text")

    with SqliteMemory(path) as memory:
        assert ids(memory.recall("text")) == ["x"]
        assert repr(memory) == f"SqliteMemory({str(path)!r})"


def test_a_file_of_another_program_is_refused(path):
    SqliteRegistryStore(path).close()

    assert "it belongs to another program; name another file" in refusal_of(path)


def test_what_is_no_database_is_refused(path):
    path.write_text("notes " * 200)

    assert "it holds something else" in refusal_of(path)


def test_a_folder_that_is_not_there_is_told(tmp_path):
    assert "its folder must exist" in refusal_of(tmp_path / "none" / "mem.db")


def test_a_newer_file_is_refused(path):
    SqliteMemory(path).close()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 9")
    connection.close()

    assert "a newer version wrote it" in refusal_of(path)


def test_an_sqlite_without_fts5_is_told_in_one_line(path, monkeypatch):
    monkeypatch.setattr("cosmonapse.stores.sqlite_file._FTS5", "SELECT 0")

    assert "built without FTS5; use a Python whose" in refusal_of(path)


def test_a_closed_memory_says_so(memory):
    memory.close()

    with pytest.raises(MemoryFileError, match="it is closed; make a new one"):
        memory.recall("x")


def test_two_memories_on_one_file_see_each_other_at_once(path):
    with SqliteMemory(path) as one, SqliteMemory(path) as other:
        one.imprint("x", "text")
        assert ids(other.recall("text")) == ["x"]
        assert other.forget("x") == 1
        assert one.recall("text") == []


def test_many_threads_share_one_memory(memory):
    def work(number):
        for each in range(20):
            memory.imprint(f"{number}.{each}", "text")
            memory.recall("text")

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert memory.counts["entries"] == 80


def test_the_index_is_whole_after_many_changes(memory):
    for number in range(200):
        memory.imprint(str(number % 17), f"text {number} {'x' * (number % 5)}")
        if number % 3 == 0:
            memory.forget(str(number % 7))

    with memory._file.writing() as file:
        file.execute("INSERT INTO words (words) VALUES ('integrity-check')")
        entries = file.execute("SELECT n FROM entries ORDER BY n").fetchall()
        assert entries == file.execute("SELECT rowid FROM words ORDER BY rowid").fetchall()
    assert json.dumps(memory.recall("text", limit=100))
