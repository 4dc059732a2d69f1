"""`cosmo context`: what each verb writes and prints, and its mistakes in one line."""

import json
import os

import pytest

from cosmonapse.cli import run
from cosmonapse.cli.fabric import complete_context
from cosmonapse.contexts import Context, Contexts, contexts_file
from support.configured import save, write_key


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch, tmp_path):
    """A home of its own, without any variable."""
    for each in ("COSMO_URL", "COSMO_NAMESPACE", "COSMO_KEY", "COSMO_CONTEXT"):
        monkeypatch.delenv(each, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def cosmo(capsys):
    """Type `cosmo context ...`; return what it printed."""

    def type_(*arguments, complains=False):
        code = run(["context", *arguments])
        said = capsys.readouterr()
        assert code == 0, said
        assert bool(said.err) is complains
        return said.err if complains else said.out

    return type_


@pytest.fixture
def mistake(capsys):
    """Type `cosmo context ...`, which is a mistake; return the one line that it printed."""

    def type_(*arguments, code=2):
        assert run(["context", *arguments]) == code
        said = capsys.readouterr()
        assert said.out == ""
        assert said.err.startswith("cosmo: ")
        assert said.err.count("\n") == 1
        return said.err

    return type_


def test_a_context_is_added_and_selected(cosmo, tmp_path):
    key = write_key(tmp_path, "ben")

    said = cosmo("add", "office", "--url", "cosmo://10.0.0.5", "-n", "team", "--key", "ben.key")

    office = Context("office", "cosmo://10.0.0.5", "team", key)
    assert Contexts.read().get("office") == office
    assert f"url cosmo://10.0.0.5, namespace team, key {key}" in said
    assert "cosmo context select office" in said
    assert Contexts.read().selected is None
    assert cosmo("select", "office") == "context office is selected\n"
    assert Contexts.read().selected == "office"
    assert cosmo("select", "-") == "no context is selected\n"
    assert Contexts.read().selected is None


@pytest.mark.parametrize(
    "url",
    ["cosmo://auto", "cosmo://auto/team", "cosmo://a:1,b:1", "cosmo+ipc:///run/s", "memory://a"],
)
def test_every_kind_of_url_can_be_in_a_context(url, cosmo):
    cosmo("add", "a", "--url", url)

    assert Contexts.read().get("a").url == url


def test_a_context_may_be_selected_as_it_is_added(cosmo):
    assert "cosmo context select" not in cosmo("add", "a", "-n", "team", "--select")
    assert Contexts.read().selected == "a"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("add", "a"), "at least one of --url, --namespace and --key"),
        (("add", "a/b", "-n", "x"), "the name 'a/b' of a context: it must be 1 to 128"),
        (("add", "-n", "x", "--", "-"), "the name '-': begin it with a letter or a digit"),
        (("add", "a", "--url", "http://host"), "'http' is unknown"),
        (("add", "a", "--url", "cosmo://me:s3cret@host"), "***@host"),
        (("add", "a", "--url", "memory://a b"), "write memory:// and a name"),
        (("add", "a", "--url", "cosmo://auto:1"), "write cosmo://auto or cosmo://auto/NAMESPACE"),
        (("add", "a", "--url", "cosmo://a,"), "place 2 of the list is empty"),
        (("add", "a", "--url", "cosmo+ipc://run"), "is not absolute"),
        (("add", "a", "-n", "a/b"), "namespace must be 1 to 128"),
        (("add", "a", "--key", "gone.key"), "gone.key: there is no such file"),
        (("add", "a", "--key", "csk_s3cret"), "csk_...: there is no such file"),
        (("set", "here"), "at least one of --url, --namespace and --key"),
        (("set", "her", "-n", "x"), "did you mean 'here'?"),
        (("select", "her"), "did you mean 'here'?"),
        (("list",), "there is no verb 'cosmo context list': did you mean 'cosmo context ls'?"),
        (("use", "here"), "did you mean 'cosmo context select'?"),
        (("shwo",), "did you mean 'cosmo context show'?"),
        (("a_b" * 50,), "there is no verb 'cosmo context a_b"),
        (("rm", "her"), "did you mean 'here'?"),
        (("show", "her"), "did you mean 'here'?"),
    ],
)
def test_a_mistake_is_one_line_and_changes_nothing(arguments, says, mistake):
    save(Context("here", namespace="n"), selected="here")
    before = Contexts.read()

    said = mistake(*arguments)

    assert says in said
    assert "s3cret" not in said
    assert Contexts.read() == before


def test_a_context_is_replaced_with_force_and_changed_with_set(cosmo, mistake):
    cosmo("add", "a", "--url", "cosmo://one:1", "-n", "team")

    said = mistake("add", "a", "--url", "cosmo://two:1")
    assert "--force replaces it, 'cosmo context set a' changes" in said
    cosmo("add", "a", "--url", "cosmo://two:1", "--force")
    assert Contexts.read().get("a") == Context("a", "cosmo://two:1")
    cosmo("set", "a", "-n", "other")
    assert Contexts.read().get("a") == Context("a", "cosmo://two:1", "other")
    assert "namespace other" in cosmo("set", "a", "--url", "")
    assert Contexts.read().get("a") == Context("a", namespace="other")


def test_the_list_marks_the_one_that_counts(cosmo, monkeypatch):
    assert "no context is in" in cosmo("ls")
    save(Context("a", "cosmo://a:1"), Context("b", namespace="n", key="/k.key"), selected="a")

    lines = cosmo("ls").splitlines()
    monkeypatch.setenv("COSMO_CONTEXT", "b")
    found = [json.loads(line) for line in cosmo("ls", "--json").splitlines()]

    assert [line.split() for line in lines[1:]] == [
        ["*", "a", "cosmo://a:1", "-", "-"],
        ["b", "-", "n", "/k.key"],
    ]
    assert [(each["name"], each["selected"], each["used"]) for each in found] == [
        ("a", True, False),
        ("b", False, True),
    ]
    assert "COSMO_CONTEXT=b counts before" in cosmo("ls", complains=True)
    assert "COSMO_CONTEXT=b counts before" in cosmo("select", "a", complains=True)


def test_a_context_is_removed_and_its_key_stays(cosmo, tmp_path):
    key = write_key(tmp_path, "ben")
    save(Context("a", key=key), Context("b", namespace="n"), selected="a")

    assert cosmo("rm", "b") == "context b is removed\n"
    assert cosmo("rm", "a") == "context a is removed, and none is selected now\n"
    assert Contexts.read() == Contexts(contexts_file())
    assert os.path.exists(key)


def test_a_context_is_shown_by_default_the_one_that_counts(cosmo, mistake, monkeypatch):
    save(Context("a", "cosmo://u:s3cret@a:1"), Context("b", namespace="n"))

    assert "no context counts" in mistake("show", code=1)
    monkeypatch.setenv("COSMO_CONTEXT", "a")
    shown = dict(line.split(maxsplit=1) for line in cosmo("show").splitlines())
    other = json.loads(cosmo("show", "b", "--json"))

    assert shown == {
        "name": "a",
        "url": "cosmo://***@a:1",
        "namespace": "-",
        "key": "-",
        "selected": "no",
        "file": contexts_file(),
    }
    assert other == {
        "name": "b",
        "url": None,
        "namespace": "n",
        "key": None,
        "selected": False,
    }


def test_a_file_that_others_may_write_is_told_with_the_remedy(mistake):
    save(Context("a", namespace="n"))
    os.chmod(contexts_file(), 0o666)

    assert f"run: chmod go-w {contexts_file()}" in mistake("ls")
    assert "chmod go-w" in mistake("add", "b", "-n", "x")


def test_names_are_completed():
    save(Context("office", namespace="n"), Context("other", namespace="n"))

    assert [each.value for each in complete_context(None, None, "of")] == ["office"]
    with open(contexts_file(), "a") as file:
        file.write("broken")
    assert complete_context(None, None, "of") == []
