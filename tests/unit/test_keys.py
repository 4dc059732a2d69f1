"""Texts of keys, and the file NAME.key: what is read, and what is refused with what to run."""

import os
import re
import traceback

import pytest

from cosmonapse import keys
from cosmonapse.errors import InvalidKey, InvalidName
from cosmonapse.keys import Key

PUBLIC, SECRET, SYNAPSE = bytes(range(32)), bytes(range(100, 132)), b"s" * 32
ADA = Key("ada", PUBLIC, SECRET, (SYNAPSE,), "cosmo://10.0.0.5:7070")
PUBLIC_TEXT, SECRET_TEXT = keys.public_text(PUBLIC), keys.secret_text(SECRET)


@pytest.fixture
def path(tmp_path):
    """A key file as it is written."""
    ADA.write(written := tmp_path / "ada.key")
    return written


def changed(path, old, new):
    """Change the text of a file that is there."""
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    return path


# -- texts ----------------------------------------------------------------------------------------


def test_a_key_comes_back_from_its_text():
    assert re.fullmatch("cpk_[a-z2-7]{58}", PUBLIC_TEXT)
    assert re.fullmatch("csk_[a-z2-7]{58}", SECRET_TEXT)
    assert keys.public_key(PUBLIC_TEXT) == PUBLIC
    assert keys.secret_key(SECRET_TEXT) == SECRET


def test_the_text_of_a_key_is_the_same_in_every_version_and_language():
    text = "cpk_aaaqeayeaudaocajbifqydiob4ibceqtcqkrmfyydenbwha5dyp6lgus74"

    assert keys.public_text(PUBLIC) == text


@pytest.mark.parametrize("at", [4, 30, 55, 56])
def test_a_mistyped_character_is_found(at):
    other = "b" if PUBLIC_TEXT[at] == "a" else "a"

    with pytest.raises(InvalidKey, match="mistyped or cut"):
        keys.public_key(PUBLIC_TEXT[:at] + other + PUBLIC_TEXT[at + 1 :])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (SECRET_TEXT, "begins with csk_, which is the other kind"),
        (PUBLIC_TEXT[:-1], "58 characters, not 57"),
        (PUBLIC_TEXT + "a", "58 characters, not 59"),
        (PUBLIC_TEXT.upper(), "does not begin with cpk_"),
        ("cpk_" + PUBLIC_TEXT[4:].upper(), "mistyped"),
        ("cpk_" + "!" * 58, "mistyped"),
        ("cpk_" + "é" * 58, "mistyped"),
        ("", "does not begin"),
        (7, "of type int"),
        (None, "of type NoneType"),
    ],
)
def test_what_is_no_public_key_is_refused(text, said):
    with pytest.raises(InvalidKey, match=said):
        keys.public_key(text)


def test_a_public_key_in_place_of_a_secret_one_is_refused():
    with pytest.raises(InvalidKey, match="begins with cpk_"):
        keys.secret_key(PUBLIC_TEXT)


@pytest.mark.parametrize("wrong", [SECRET_TEXT[:-1], SECRET_TEXT[:-3] + "aaa"])
def test_an_error_about_a_secret_does_not_show_it(wrong):
    with pytest.raises(InvalidKey) as caught:
        keys.secret_key(wrong)

    assert SECRET_TEXT[4:20] not in "".join(traceback.format_exception(caught.value))


def test_a_key_of_another_length_has_no_text():
    with pytest.raises(ValueError, match="32 bytes, not 31"):
        keys.public_text(b"x" * 31)


def test_a_fingerprint_is_short_and_tells_keys_apart():
    assert re.fullmatch("[0-9a-f]{4}(-[0-9a-f]{4}){3}", keys.fingerprint(PUBLIC))
    assert keys.fingerprint(PUBLIC) != keys.fingerprint(SYNAPSE)


@pytest.mark.parametrize("name", ["ada", "Ben-2", "a" * 128, "0"])
def test_names_of_keys(name):
    assert keys.checked_key_name(name) == name


@pytest.mark.parametrize("name", [".ada", "-ada", "_", "uid-1000", "synapse"])
def test_a_name_that_stands_for_something_else_is_refused(name):
    with pytest.raises(InvalidKey, match=re.escape(name)):
        keys.checked_key_name(name)


@pytest.mark.parametrize("name", ["", "a/b", "..", "a b", "é", None])
def test_a_name_of_other_characters_is_refused(name):
    with pytest.raises(InvalidName):
        keys.checked_key_name(name)


# -- the key and its file -------------------------------------------------------------------------


def test_a_key_is_read_as_it_was_written(path):
    assert Key.read(path) == ADA
    assert Key.read(str(path)) == ADA
    assert path.stat().st_mode & 0o7777 == 0o600
    assert path.read_text().splitlines() == [
        'name = "ada"',
        f'public = "{PUBLIC_TEXT}"',
        f'secret = "{SECRET_TEXT}"',
        f'synapse = ["{keys.public_text(SYNAPSE)}"]',
        'url = "cosmo://10.0.0.5:7070"',
    ]


def test_a_key_without_a_url_has_none(tmp_path):
    Key("ada", PUBLIC, SECRET, (SYNAPSE, PUBLIC)).write(tmp_path / "a.key")

    assert Key.read(tmp_path / "a.key").url is None
    assert Key.read(tmp_path / "a.key").synapse == (SYNAPSE, PUBLIC)


def test_the_mode_is_right_whatever_the_umask(tmp_path):
    before = os.umask(0o777)
    try:
        ADA.write(tmp_path / "a.key")
    finally:
        os.umask(before)

    assert (tmp_path / "a.key").stat().st_mode & 0o7777 == 0o600


def test_a_key_is_not_written_over_another_nor_through_a_link(path, tmp_path):
    (tmp_path / "link.key").symlink_to(tmp_path / "elsewhere")

    for each in (path, tmp_path / "link.key"):
        with pytest.raises(InvalidKey, match="it exists already"):
            ADA.write(each)
    assert not (tmp_path / "elsewhere").exists()


def test_no_folder_no_key(tmp_path):
    with pytest.raises(InvalidKey, match="no such file"):
        ADA.write(tmp_path / "none" / "a.key")


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o660, 0o604, 0o602, 0o620])
def test_a_file_that_others_may_read_or_write_is_refused_with_the_chmod_to_run(path, mode):
    path.chmod(mode)

    with pytest.raises(InvalidKey, match=f"mode {mode:04o}.*run: chmod 600 {path}$"):
        Key.read(path)


def test_a_file_that_is_only_read_is_taken(path):
    path.chmod(0o400)

    assert Key.read(path) == ADA


@pytest.mark.parametrize("mode", [0o770, 0o707, 0o777])
def test_a_file_in_a_folder_that_others_may_write_is_refused(path, mode):
    path.parent.chmod(mode)

    with pytest.raises(InvalidKey, match=f"run: chmod go-w {path.parent}$"):
        Key.read(path)


def test_a_folder_with_the_sticky_bit_is_like_tmp_and_taken(path):
    path.parent.chmod(0o1777)

    assert Key.read(path) == ADA


def test_a_link_is_refused_and_its_file_is_named(path, tmp_path):
    (tmp_path / "link.key").symlink_to(path)

    with pytest.raises(InvalidKey, match=f"it is a link: .*{path}"):
        Key.read(tmp_path / "link.key")


def test_a_file_of_another_user_is_refused(path, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)

    with pytest.raises(InvalidKey, match=r"of another user \(uid \d+\)"):
        Key.read(path)


@pytest.mark.parametrize("kind", ["missing", "folder", "fifo"])
def test_what_is_no_file_is_refused_at_once(tmp_path, kind):
    path = tmp_path / "x.key"
    if kind == "folder":
        path.mkdir(0o700)
    if kind == "fifo":
        os.mkfifo(path, 0o600)

    with pytest.raises(InvalidKey, match=r"no such file|it is no file"):
        Key.read(path)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('name = "ada"', "", "no line 'name'"),
        ("secret", "secre", "unknown line 'secre'"),
        ('name = "ada"', 'name = "a/b"', "the name of a key must be"),
        ('name = "ada"', "name = 7", "the name of a key must be"),
        ("cpk_aaa", "cpk_aab", "the text of a public key: it was mistyped"),
        ("csk_", "cpk_", "the text of a secret key: it begins with cpk_"),
        ("synapse = [", "synapse = [7, ", "'synapse'.* a list of texts"),
        ("synapse = [", 'synapse = ["cosmo", ', "does not begin with cpk_"),
        ('url = "cosmo://10.0.0.5:7070"', "url = 7", "'url'.*must be a text"),
        ('url = "cosmo://10.0.0.5:7070"', r'url = "a\nb"', "'url'.*must be a text"),
        ('name = "ada"', 'name = "ada', "not as it was written"),
    ],
)
def test_a_file_that_was_changed_says_what_is_wrong_in_one_line(path, old, new, said):
    with pytest.raises(InvalidKey, match=said) as caught:
        Key.read(changed(path, old, new))

    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_without_its_synapse_says_where_the_line_comes_from(path):
    path.write_text(keys.key_text("ada", PUBLIC, SECRET, (), None))

    with pytest.raises(InvalidKey, match="'cosmo keys allow' printed"):
        Key.read(path)


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"\x00" * 100, b"[" * 20_000, b"#" * 70_000])
def test_what_is_no_key_file_is_refused(path, content):
    path.write_bytes(content)

    with pytest.raises(InvalidKey, match=str(path)):
        Key.read(path)


@pytest.mark.parametrize("cut", range(0, 230, 7))
def test_half_a_file_is_refused_and_its_secret_not_shown(path, cut):
    path.write_bytes(path.read_bytes()[:cut])

    with pytest.raises(InvalidKey) as caught:
        Key.read(path)
    assert SECRET_TEXT[4:12] not in "".join(traceback.format_exception(caught.value))


def test_a_secret_is_in_no_text_of_a_key():
    shown = repr(ADA) + str(ADA) + f"{ADA}"

    assert SECRET_TEXT not in shown
    assert repr(SECRET)[2:-1] not in shown
    assert "ada" in shown


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (("ada", b"x", SECRET, (SYNAPSE,)), "public must be 32 bytes"),
        (("ada", PUBLIC, b"x" * 33, (SYNAPSE,)), "secret must be 32 bytes"),
        (("ada", PUBLIC, SECRET, (b"x",)), "synapse must be 32 bytes"),
        (("ada", PUBLIC, SECRET, ()), "1 to 32 public keys of the Synapse"),
        (("ada", PUBLIC, SECRET, (SYNAPSE,) * 33), "1 to 32 public keys of the Synapse"),
    ],
)
def test_a_key_made_by_hand_is_checked(values, said):
    with pytest.raises(InvalidKey, match=said):
        Key(*values)
