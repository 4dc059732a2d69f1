"""The folder of keys is read again when it changes; a broken file keeps what it said before."""

import logging
import os
import queue
import time

import pytest

from cosmonapse import key_ring
from cosmonapse.errors import InvalidKey
from cosmonapse.key_ring import Member
from cosmonapse.rights import Rights
from cosmonapse.synapse import key_watch
from cosmonapse.synapse.access import new_pair
from cosmonapse.synapse.key_watch import KeyWatch

TIMEOUT_S = 20.0


def member(name, *words):
    return Member(name, (name[0].encode() * 32,), None, Rights.of(words))


@pytest.fixture
def folder(tmp_path):
    key_ring.make_folder(made := str(tmp_path / "keys"), *new_pair())
    key_ring.write_member(made, member("ada", "watch"))
    key_ring.write_member(made, member("ben", "watch"))
    return made


@pytest.fixture
def used():
    """What a watch gave to its proxy, in order."""
    return queue.Queue()


@pytest.fixture
def watch(folder, used):
    """A watch without its thread."""
    return KeyWatch(folder, used.put)


def users(access):
    return sorted(access.users.values())


def break_file(folder, name):
    with open(os.path.join(folder, "allowed", f"{name}.toml"), "w") as file:
        file.write("public = [")


def test_what_changes_is_in_force_without_being_asked(watch, folder, used):
    with watch:
        key_ring.remove_member(folder, "ben")
        assert users(used.get(timeout=TIMEOUT_S)) == ["ada"]

        key_ring.write_member(folder, member("cas", "serve=x"))
        access = used.get(timeout=TIMEOUT_S)

    assert users(access) == ["ada", "cas"]
    assert access.grants["cas"].serves == ("x",)
    assert sorted(watch.ring.members) == ["ada", "cas"]


def test_nothing_is_read_while_nothing_changes(watch, folder, used, monkeypatch):
    looks = queue.Queue()

    def look(folder):
        looks.put(folder)
        return key_ring.stamp_of(folder)

    monkeypatch.setattr(key_watch, "LOOK_S", 0.005)
    monkeypatch.setattr(key_watch, "stamp_of", look)
    with watch:
        for _ in range(20):
            looks.get(timeout=TIMEOUT_S)
        assert used.empty()
        key_ring.remove_member(folder, "ben")
        used.get(timeout=TIMEOUT_S)
        while not looks.empty():
            looks.get()
        for _ in range(20):
            looks.get(timeout=TIMEOUT_S)

    assert used.empty()


def test_what_is_asked_for_is_read_changed_or_not(watch, used, monkeypatch):
    monkeypatch.setattr(key_watch, "LOOK_S", 3600.0)
    with watch:
        watch.ask()
        assert users(used.get(timeout=TIMEOUT_S)) == ["ada", "ben"]


def test_a_broken_file_keeps_what_it_said_and_every_other_change_is_in_force(watch, folder, used):
    break_file(folder, "ada")
    key_ring.remove_member(folder, "ben")
    key_ring.write_member(folder, member("cas", "watch"))

    with pytest.raises(InvalidKey, match=r"ada\.toml: it is not as it was written"):
        watch.reload()

    assert users(used.get_nowait()) == ["ada", "cas"]


def test_a_file_that_is_broken_from_the_start_lets_nobody_in(watch, folder, used):
    break_file(folder, "cas")

    with pytest.raises(InvalidKey, match=r"cas\.toml"):
        watch.reload()

    assert users(used.get_nowait()) == ["ada", "ben"]


def test_a_folder_that_is_gone_changes_nothing(watch, folder, used):
    os.rename(folder, f"{folder}-gone")

    with pytest.raises(InvalidKey, match="no such folder"):
        watch.reload()

    assert used.empty()
    assert sorted(watch.ring.members) == ["ada", "ben"]


def test_a_fault_is_said_once_and_so_is_its_end(watch, folder, used, caplog):
    caplog.set_level(logging.WARNING, "cosmonapse")
    break_file(folder, "ada")
    with watch:
        for _ in range(3):
            watch.ask()
            used.get(timeout=TIMEOUT_S)
        key_ring.write_member(folder, member("ada", "watch"))
        used.get(timeout=TIMEOUT_S)

    said = [each.getMessage() for each in caplog.records]
    assert len(said) == 2
    assert "ada.toml" in said[0]
    assert said[1].endswith("are whole again, and in force")


def test_a_new_key_of_the_synapse_waits_for_its_next_start(watch, folder, used, tmp_path):
    key_ring.make_folder(str(tmp_path / "new"), *new_pair())
    os.replace(tmp_path / "new" / "synapse.key", os.path.join(folder, "synapse.key"))
    key_ring.remove_member(folder, "ben")

    with pytest.raises(InvalidKey, match="a new key of its own: start it again"):
        watch.reload()

    assert users(used.get_nowait()) == ["ada"]


def test_a_folder_that_is_not_whole_is_no_beginning(folder, used):
    break_file(folder, "ada")

    with pytest.raises(InvalidKey, match=r"ada\.toml"):
        KeyWatch(folder, used.put)


def test_a_defect_of_ours_is_logged_and_the_watch_goes_on(watch, folder, used, caplog, monkeypatch):
    with watch:
        with monkeypatch.context() as patched:
            patched.setattr(KeyWatch, "reload", lambda self: 1 / 0)
            watch.ask()
            end_s = time.monotonic() + TIMEOUT_S
            while not caplog.records and time.monotonic() < end_s:
                time.sleep(0.01)
        key_ring.remove_member(folder, "ben")
        assert users(used.get(timeout=TIMEOUT_S)) == ["ada"]

    assert "the next change is tried too" in caplog.records[0].getMessage()
