"""The folder of a Synapse with keys: what is read, and what is never taken for a whole one."""

import os

import pytest

from cosmonapse import key_ring
from cosmonapse.defaults import MAX_PEERS
from cosmonapse.errors import InvalidKey, InvalidName
from cosmonapse.key_ring import KeyRing, Member
from cosmonapse.keys import public_text, secret_text
from cosmonapse.rights import Rights

PUBLIC, SECRET = b"p" * 32, b"s" * 32
ADA = Member("ada", (b"a" * 32,), None, Rights.of(["member"]))
BEN = Member("ben", (b"b" * 32, b"c" * 32), ("billing",), Rights.of(["serve=invoice-*", "watch"]))
LOCAL = Member("uid-1000", (), None, Rights.of(["watch"]))


@pytest.fixture
def folder(tmp_path):
    """A folder with Ada and Ben in it."""
    key_ring.make_folder(made := str(tmp_path / "keys"), PUBLIC, SECRET)
    key_ring.write_member(made, ADA)
    key_ring.write_member(made, BEN)
    return made


def inside(folder, *path):
    return os.path.join(folder, *path)


def write(text, folder, *path):
    with open(inside(folder, *path), "w") as file:
        file.write(text)


def test_a_folder_is_read_as_it_was_written(folder):
    key_ring.write_member(folder, LOCAL)

    ring = KeyRing.read(folder)

    assert (ring.public, ring.secret, ring.also) == (PUBLIC, SECRET, ())
    assert ring.members == {"ada": ADA, "ben": BEN, "uid-1000": LOCAL}
    assert ring.publics == (PUBLIC,)
    assert [each.user for each in ring.members.values()] == ["ada", "ben", "uid:1000"]
    assert ring.owner_of(b"c" * 32) == "ben"
    assert ring.owner_of(PUBLIC) is None


def test_folders_and_files_have_the_modes_that_they_need(folder):
    modes = {
        path: os.stat(inside(folder, path)).st_mode & 0o7777
        for path in ("", "synapse.key", "allowed", "allowed/ada.toml")
    }

    assert modes == {"": 0o700, "synapse.key": 0o600, "allowed": 0o700, "allowed/ada.toml": 0o644}


def test_the_files_are_lines_that_people_can_read_and_have_no_secret(folder):
    with open(inside(folder, "allowed/ben.toml")) as file:
        assert file.read().splitlines() == [
            f'public = ["{public_text(b"b" * 32)}", "{public_text(b"c" * 32)}"]',
            'namespaces = ["billing"]',
            'may = ["serve=invoice-*", "watch"]',
        ]


def test_the_secret_is_in_no_text_of_the_folder(folder):
    shown = repr(KeyRing.read(folder))

    assert secret_text(SECRET) not in shown
    assert "s" * 32 not in shown


def test_further_public_keys_of_the_synapse_come_after_its_own(folder):
    with open(inside(folder, "synapse.key"), "a") as file:
        file.write(f'also = ["{public_text(b"n" * 32)}"]\n')

    assert KeyRing.read(folder).publics == (PUBLIC, b"n" * 32)


def test_a_folder_that_has_a_pair_is_not_made_again(folder):
    with pytest.raises(InvalidKey, match="exists already"):
        key_ring.make_folder(folder, PUBLIC, SECRET)


def test_a_member_is_replaced_and_removed(folder):
    key_ring.write_member(folder, reduced := Member("ada", ADA.publics, (), Rights.of([])))
    key_ring.remove_member(folder, "ben")

    assert KeyRing.read(folder).members == {"ada": reduced}
    assert sorted(os.listdir(inside(folder, "allowed"))) == ["ada.toml"]


def test_what_a_killed_process_left_is_no_member_and_in_nobodys_way(folder):
    write("half", folder, "allowed", f".ada.toml.{os.getpid()}.new")
    write("", folder, "allowed", "notes.txt")

    key_ring.write_member(folder, ADA)

    assert KeyRing.read(folder).members == {"ada": ADA, "ben": BEN}


@pytest.mark.parametrize("name", ["../x", "a/b", "", "synapse", ".x", "uid-", "uid-x", "uid-01"])
def test_no_file_is_written_for_what_is_no_name(folder, name):
    before = os.listdir(inside(folder, "allowed"))

    with pytest.raises((InvalidKey, InvalidName)):
        key_ring.write_member(folder, Member(name, (b"z" * 32,), None, Rights.of([])))
    with pytest.raises((InvalidKey, InvalidName)):
        key_ring.remove_member(folder, name)
    assert os.listdir(inside(folder, "allowed")) == before


def test_a_name_has_eight_keys_at_most(folder):
    many = tuple(bytes([number]) * 32 for number in range(9))

    with pytest.raises(InvalidKey, match="8 keys already"):
        key_ring.write_member(folder, Member("ada", many, None, Rights.of([])))


def test_a_name_that_is_not_there_is_answered_with_the_one_that_was_meant(folder):
    with pytest.raises(InvalidKey, match="did you mean 'ben'"):
        KeyRing.read(folder).member("bem")


@pytest.mark.parametrize("missing", ["", "synapse.key", "allowed"])
def test_a_folder_that_is_not_whole_is_refused_with_what_to_run(folder, missing):
    os.rename(inside(folder, missing).rstrip("/"), f"{folder}-away")

    with pytest.raises(InvalidKey, match="cosmo keys new NAME --dir "):
        KeyRing.read(folder)


@pytest.mark.parametrize(
    ("path", "mode", "run"),
    [
        ("", 0o770, "chmod go-w"),
        ("synapse.key", 0o644, "chmod 600"),
        ("synapse.key", 0o660, "chmod 600"),
        ("allowed", 0o777, "chmod go-w"),
        ("allowed/ben.toml", 0o664, "chmod go-w"),
    ],
)
def test_a_folder_that_others_may_change_is_refused_with_the_chmod_to_run(folder, path, mode, run):
    os.chmod(inside(folder, path), mode)

    with pytest.raises(InvalidKey, match=f"run: {run} {inside(folder, path).rstrip('/')}"):
        KeyRing.read(folder)


@pytest.mark.parametrize("path", ["synapse.key", "allowed/ben.toml"])
def test_a_link_in_the_folder_is_refused(folder, tmp_path, path):
    os.rename(inside(folder, path), tmp_path / "elsewhere")
    os.symlink(tmp_path / "elsewhere", inside(folder, path))

    with pytest.raises(InvalidKey, match="it is a link"):
        KeyRing.read(folder)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("may =", "my =", "the line 'my': there is no such line: did you mean 'may'"),
        ("may =", "#", "'may': it is missing"),
        ("public =", "#", "'public': it is missing"),
        ("namespaces =", "namespace =", "did you mean 'namespaces'"),
        ('"billing"', '"a/b"', "namespace must be 1 to 128"),
        ('["billing"]', '"billing"', "must be a list of texts"),
        ('"watch"', '"wach"', "did you mean 'watch'"),
        ('["serve=invoice-*", "watch"]', '"watch"', "must be a list of texts"),
        ("cpk_", "csk_", "the other kind of key"),
        ("cpk_mj", "cpk_mk", "mistyped"),
    ],
)
def test_a_file_that_was_changed_by_hand_is_never_taken_for_another(folder, old, new, said):
    path = inside(folder, "allowed/ben.toml")
    with open(path) as file:
        text = file.read()
    assert old in text
    write(text.replace(old, new), path)

    if said is None:
        assert KeyRing.read(folder).member("ben") == BEN
        return
    with pytest.raises(InvalidKey, match=said) as caught:
        KeyRing.read(folder)
    assert path in str(caught.value)


@pytest.mark.parametrize("cut", range(0, 200, 9))
def test_half_a_file_is_refused(folder, cut):
    path = inside(folder, "allowed/ben.toml")
    with open(path) as file:
        text = file.read()
    write(text[:cut], path)

    with pytest.raises(InvalidKey, match=r"ben\.toml"):
        KeyRing.read(folder)


def test_a_folder_has_ten_thousand_names_at_most(folder, monkeypatch):
    assert key_ring.MAX_MEMBERS == 10_000
    monkeypatch.setattr(key_ring, "MAX_MEMBERS", 1)

    with pytest.raises(InvalidKey, match="it has 2 files, the limit is 1"):
        KeyRing.read(folder)


def test_one_key_has_one_name(folder):
    key_ring.write_member(folder, Member("cas", ADA.publics, None, Rights.of([])))

    with pytest.raises(InvalidKey, match="ada has that key too"):
        KeyRing.read(folder)


def test_a_user_of_this_machine_has_no_key(folder):
    write(f'public = ["{public_text(b"u" * 32)}"]\nmay = []\n', folder, "allowed", "uid-7.toml")

    with pytest.raises(InvalidKey, match="a uid is one over a Unix socket"):
        KeyRing.read(folder)


def test_a_name_without_a_key_is_refused(folder):
    write("public = []\nmay = []\n", folder, "allowed", "cas.toml")

    with pytest.raises(InvalidKey, match="0 keys, expected 1 to 8"):
        KeyRing.read(folder)


def test_the_stamp_changes_with_whatever_changes(folder):
    stamps = [key_ring.stamp_of(folder)]
    assert key_ring.stamp_of(folder) == stamps[0]

    for change in (
        lambda: key_ring.remove_member(folder, "ben"),
        lambda: key_ring.write_member(folder, ADA),
        lambda: os.chmod(inside(folder, "allowed/ada.toml"), 0o600),
        lambda: write("x", folder, "allowed/ada.toml"),
        lambda: os.rename(inside(folder, "allowed"), inside(folder, "gone")),
    ):
        change()
        stamps.append(key_ring.stamp_of(folder))

    assert len(set(stamps)) == len(stamps)


def test_the_folder_stands_where_the_configuration_of_the_user_does(monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", "/somewhere")
    assert key_ring.default_folder() == "/somewhere/cosmonapse/keys"

    monkeypatch.delenv("XDG_CONFIG_HOME")
    monkeypatch.setenv("HOME", "/somewhere/else")
    assert key_ring.default_folder() == "/somewhere/else/.config/cosmonapse/keys"


# -- other Synapses ------------------------------------------------------------------------------


def test_the_keys_of_a_peer_are_read_as_they_were_written(folder):
    key_ring.write_peer(folder, "second", [b"x" * 32, b"y" * 32])
    ring = KeyRing.read(folder)

    assert ring.peers == {"second": (b"x" * 32, b"y" * 32)}
    assert ring.own == (PUBLIC,)
    assert ring.publics == (PUBLIC, b"x" * 32, b"y" * 32)
    assert ring.owner_of(b"y" * 32) == "second"
    assert os.stat(inside(folder, "peers")).st_mode & 0o7777 == 0o700

    key_ring.write_peer(folder, "second", ())
    assert KeyRing.read(folder).peers == {}


def test_a_peer_changes_the_stamp_of_the_folder(folder):
    before = key_ring.stamp_of(folder)
    key_ring.write_peer(folder, "second", [b"x" * 32])
    between = key_ring.stamp_of(folder)
    key_ring.write_peer(folder, "second", [b"y" * 32])

    assert len({before, between, key_ring.stamp_of(folder)}) == 3


@pytest.mark.parametrize(
    ("public", "owner"), [(b"a" * 32, "ada"), (PUBLIC, "synapse"), (b"x" * 32, "first")]
)
def test_a_peer_has_a_key_that_nobody_else_has(folder, public, owner):
    key_ring.write_peer(folder, "first", [b"x" * 32])
    key_ring.write_peer(folder, "second", [public])

    with pytest.raises(InvalidKey, match=f"{owner} has that key too"):
        KeyRing.read(folder)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "the line 'public'"),
        ("public = []", "it has 0 keys, expected 1 to 8"),
        ('public = ["cpk_x"]', "characters"),
        (f'public = ["{public_text(b"x" * 32)}"]\nmay = ["watch"]', "there is no such line"),
    ],
)
def test_a_file_of_a_peer_that_is_not_whole_is_refused(folder, text, said):
    key_ring.write_peer(folder, "second", [b"x" * 32])
    write(text, folder, "peers", "second.toml")

    with pytest.raises(InvalidKey, match=said):
        KeyRing.read(folder)


def test_a_peer_whose_file_is_broken_stays_as_it_was(folder):
    key_ring.write_peer(folder, "second", [b"x" * 32])
    ring = KeyRing.read(folder)
    write("public = 5", folder, "peers", "second.toml")

    ring, [fault] = ring.reread()

    assert ring.peers == {"second": (b"x" * 32,)}
    assert "second.toml" in str(fault)


def test_a_folder_names_fifteen_peers_at_most(folder):
    for number in range(MAX_PEERS):
        key_ring.write_peer(folder, f"peer-{number}", [bytes([number + 1]) * 32])

    with pytest.raises(InvalidKey, match="15 peers already"):
        key_ring.write_peer(folder, "one-more", [b"z" * 32])


def test_a_peer_has_eight_keys_at_most(folder):
    with pytest.raises(InvalidKey, match="8 keys already"):
        key_ring.write_peer(folder, "second", [bytes([number]) * 32 for number in range(9)])


@pytest.mark.parametrize("name", ["", "..", "a/b", "uid-1000", "synapse"])
def test_the_name_of_a_peer_is_that_of_a_key(folder, name):
    with pytest.raises((InvalidKey, InvalidName)):
        key_ring.write_peer(folder, name, [b"x" * 32])
