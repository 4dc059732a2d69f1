"""The file of the contexts: what is read, what is refused, and how it changes."""

import os
import subprocess
import sys
import threading

import click
import pytest

from cosmonapse.contexts import Context, Contexts, contexts_file
from cosmonapse.errors import InvalidContext
from cosmonapse.synapse.access import new_pair

OFFICE = Context("office", "cosmo://10.0.0.5:7070", "team", "~/ben.key")
TEXT = """
selected = "office"  # for now

[contexts.office]
url = "cosmo://10.0.0.5:7070"
namespace = "team"
key = "~/ben.key"

[contexts."at.home"]
"""


@pytest.fixture
def file(tmp_path):
    """The path of a file in a folder that is ours alone."""
    folder = tmp_path / "cosmonapse"
    folder.mkdir(0o700)
    return folder / "contexts.toml"


def reading(file, text, mode=0o600):
    """Return what a file says."""
    file.write_text(text)
    file.chmod(mode)
    return Contexts.read(str(file))


def refusal(file, text="", mode=0o600):
    """Return the error about a file, which is one line and names the file."""
    with pytest.raises(InvalidContext) as caught:
        reading(file, text, mode)
    said = str(caught.value)
    assert "\n" not in said
    assert str(file) in said
    return said


def test_what_is_written_by_hand_is_read(file):
    found = reading(file, TEXT)

    assert found.selected == "office"
    assert dict(found.known) == {"office": OFFICE, "at.home": Context("at.home")}
    assert found.get("office").key_path == os.path.expanduser("~/ben.key")
    assert found.get("at.home").key_path is None


def test_what_is_written_is_read_again(file):
    found = Contexts.read(str(file))
    full = Context("a", 'cosmo://"h"\\é😀', "n", "/a b/é.key")

    written = found.having(OFFICE).having(full).having(Context("at.home")).selecting("a")

    assert reading(file, written.text) == written
    assert reading(file, written.selecting(None).text).selected is None


def test_without_a_file_there_are_no_contexts(file, monkeypatch):
    found = Contexts.read(str(file))

    assert (dict(found.known), found.selected) == ({}, None)
    assert Contexts.read("cosmonapse/contexts.toml").known == {}  # of a user without a home


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("selected = ", "not as it was written"),
        ("selekted = 'a'", "no line 'selekted': did you mean 'selected'"),
        ("selected = 'a'", "selected is 'a', and there is no such context: .* select -"),
        ("selected = 1", "selected is 1, and there is no such"),
        ("contexts = 1", r"write each context as a table: \[contexts.NAME\]"),
        ("[contexts]\na = 'cosmo://h'", r"write each context as a table"),
        ("[contexts.a]\nurll = 'x'", "context 'a': there is no line 'urll': did you mean 'url'"),
        ("[contexts.a]\nzz = 'x'", "no line 'zz': those are url, namespace, key"),
        ("[contexts.a]\nurl = 7070", "context 'a': url must be a text .*, not of type int"),
        ("[contexts.a]\nurl = ''", "url must be a text that can be printed, .*, not ''"),
        ("[contexts.a]\nurl = 'a\tb'", "url must be a text that can be printed"),
        ("[contexts.a]\nnamespace = 'a/b'", "namespace must be 1 to 128 characters .*'a/b'"),
        ("[contexts.a]\nkey = 'ben.key'", "key must be a whole path, .*, not 'ben.key'"),
        ("[contexts.'a/b']", "the name 'a/b' of a context: it must be 1 to 128"),
        ("[contexts.-]", "the name '-': begin it with a letter or a digit"),
    ],
)
def test_what_is_wrong_in_the_file_is_said_in_one_line(file, text, words):
    with pytest.raises(InvalidContext, match=words):
        reading(file, text)

    assert refusal(file, text)


def test_a_secret_in_the_place_of_a_path_is_not_shown(file):
    assert "csk_..." in refusal(file, "[contexts.a]\nkey = 'csk_abc'")
    assert "csk_abc" not in refusal(file, "[contexts.a]\nkey = 'csk_abc'")


@pytest.mark.parametrize("mode", [0o660, 0o602, 0o666])
def test_a_file_that_others_may_write_is_refused_with_the_remedy(file, mode):
    assert f"run: chmod go-w {file}" in refusal(file, TEXT, mode)


def test_others_may_read_it_as_it_has_no_secret(file):
    assert reading(file, TEXT, 0o644).selected == "office"


def test_a_folder_in_which_others_may_replace_it_is_refused(file):
    reading(file, TEXT)
    file.parent.chmod(0o777)

    assert f"run: chmod go-w {file.parent}" in refusal(file, TEXT)


def test_a_file_that_is_too_long_is_refused(file):
    assert "it has over 65,536 bytes" in refusal(file, "#" * 65_537)


def test_a_link_is_refused(file, tmp_path):
    reading(tmp_path / "elsewhere", TEXT)
    file.symlink_to(tmp_path / "elsewhere")

    with pytest.raises(InvalidContext, match="it is a link: put the file itself there"):
        Contexts.read(str(file))


def test_a_name_that_is_not_there_is_told_with_the_one_that_was_meant(file):
    found = reading(file, TEXT)

    for at in (found.get, found.without, found.selecting):
        with pytest.raises(InvalidContext, match=r"'ofice'.* did you mean 'office'\?.* ls"):
            at("ofice")


def test_a_context_that_goes_is_selected_no_longer(file):
    found = reading(file, TEXT)

    assert found.without("office").selected is None
    assert found.without("at.home").selected == "office"
    assert set(found.without("office").known) == {"at.home"}


def test_a_change_makes_the_folder_and_a_file_for_its_user_alone(tmp_path):
    path = tmp_path / "config" / "cosmonapse" / "contexts.toml"

    changed = Contexts.change(lambda found: found.having(OFFICE), str(path))

    assert Contexts.read(str(path)) == changed
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert sorted(each.name for each in path.parent.iterdir()) == [
        ".contexts.lock",
        "contexts.toml",
    ]


def test_a_change_that_fails_leaves_the_file_as_it_was(file):
    reading(file, TEXT)

    with pytest.raises(InvalidContext):
        Contexts.change(lambda found: found.without("nobody"), str(file))

    assert file.read_text() == TEXT


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "taken").write_text("")

    with pytest.raises(InvalidContext, match="cannot write in"):
        Contexts.change(lambda found: found, str(tmp_path / "taken" / "contexts.toml"))
    with pytest.raises(InvalidContext, match="set HOME"):
        Contexts.change(lambda found: found, "contexts.toml")


ADD = """
import sys
from cosmonapse.contexts import Context, Contexts
for number in range(20):
    name = f"{sys.argv[2]}-{number}"
    Contexts.change(lambda found: found.having(Context(name)), sys.argv[1])
"""


def test_changes_at_the_same_time_lose_nothing(file):
    command = [sys.executable, "-c", ADD, str(file)]
    seen, ended = set(), threading.Event()

    def read():
        while not ended.is_set():
            seen.add(len(Contexts.read(str(file)).known))

    reader = threading.Thread(target=read)
    reader.start()
    children = [subprocess.Popen([*command, str(each)]) for each in range(3)]
    codes = [each.wait(60) for each in children]
    ended.set()
    reader.join()

    assert codes == [0, 0, 0]
    assert len(Contexts.read(str(file)).known) == 60
    assert len(seen) > 1


@pytest.mark.parametrize("platform", ["linux", "darwin"])
def test_the_file_is_where_click_says_that_settings_are(platform, monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setenv("HOME", str(tmp_path))
    for base in (None, str(tmp_path / "config")):
        monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
        if base:
            monkeypatch.setenv("XDG_CONFIG_HOME", base)

        assert os.path.dirname(contexts_file()) == click.get_app_dir("cosmonapse")


def test_on_windows_the_file_is_in_the_folder_of_applications(monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setenv("APPDATA", str(tmp_path))

    assert contexts_file() == str(tmp_path / "cosmonapse" / "contexts.toml")


@pytest.mark.parametrize("base", ["", "config"])
def test_a_folder_of_settings_that_is_empty_or_relative_does_not_count(base, monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", base)

    assert contexts_file() == str(tmp_path / ".config" / "cosmonapse" / "contexts.toml")


def test_a_context_is_valid_from_birth():
    assert OFFICE.url == "cosmo://10.0.0.5:7070"
    with pytest.raises(InvalidContext, match="'a': namespace must be"):
        Context("a", namespace="x y")
    with pytest.raises(InvalidContext, match=r"csk_\.\.\."):
        Context("a", key="csk_" + new_pair()[1].hex())
