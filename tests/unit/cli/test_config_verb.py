"""`cosmo config show`: what counts, where it comes from, and never a secret."""

import json

import click
import pytest
from click.testing import CliRunner

from cosmonapse.cli import run
from cosmonapse.cli.fabric import KEY_FILE, fabric_options
from cosmonapse.contexts import Context, contexts_file
from cosmonapse.keys import Key
from support.configured import CASES, VARIABLES, Told, save, write_key


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch, tmp_path):
    for each in (*VARIABLES.values(), "COSMO_CONTEXT"):
        monkeypatch.delenv(each, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


@pytest.fixture
def told(monkeypatch, tmp_path):
    """Return a function that lets sources say a setting."""

    def tell(setting, said):
        found = Told(setting, said, tmp_path)
        for name, value in found.variables.items():
            monkeypatch.setenv(name, value)
        if found.contexts:
            save(*found.contexts, selected="office")
        return found

    return tell


@pytest.fixture
def show(capsys):
    """Type `cosmo config show`; return its rows by name, its exit code and what it complained."""

    def type_(*arguments):
        code = run(["config", "show", "--json", *arguments])
        said = capsys.readouterr()
        rows = {row["setting"]: row for row in map(json.loads, said.out.splitlines())}
        return rows, code, said.err

    return type_


@click.command()
@fabric_options
def verb(**options):
    """Print what a verb that joins a fabric is given."""
    key, file = options["key"], click.get_current_context().meta.get(KEY_FILE)
    click.echo(json.dumps(options | {"key": key and key.name, "file": file}))


CLI_CASES = [case for case in CASES if case[0] != "carrier" or "argument" not in case[1]]


@pytest.mark.parametrize(("setting", "said"), CLI_CASES)
def test_it_tells_what_counts_and_what_that_counts_before(setting, said, told, show):
    case = told(setting, said)
    option = [f"--{setting}", case.values["argument"]] if "argument" in said else []

    rows, code, complaint = show(*option)

    row = rows[setting]
    assert (code, complaint, row["fault"]) == (0, "", None)
    assert row["source"] == case.order[0]
    assert row["value"] == (case.counts or {"carrier": "zmtp"}.get(setting))
    others = [each for each in case.order[1:] if each != "default"]
    assert [each["source"] for each in row["instead_of"]] == others
    assert [each["value"] for each in row["instead_of"]] == [case.values[each] for each in others]


@pytest.mark.parametrize(
    ("setting", "said"), [case for case in CLI_CASES if case[0] in ("url", "namespace")]
)
def test_a_verb_that_joins_takes_what_counts(setting, said, told):
    case = told(setting, said)
    option = [f"--{setting}", case.values["argument"]] if "argument" in said else []

    given = json.loads(CliRunner().invoke(verb, option, catch_exceptions=False).output)

    assert given[setting] == case.counts
    assert given["key"] is None  # the Synapse that it makes looks for the others itself


def test_a_verb_takes_another_context_for_as_long_as_it_runs(tmp_path):
    key = write_key(tmp_path, "ben", "cosmo://key:1")
    save(Context("a", "cosmo://a:1", "a"), Context("b", namespace="b", key=key), selected="a")
    type_ = CliRunner().invoke

    found = [
        json.loads(type_(verb, option, catch_exceptions=False).output)
        for option in (["--context", "b"], [], ["--context", "-"], ["--key", key, "--context", "b"])
    ]

    assert [(each["url"], each["namespace"]) for each in found] == [
        ("cosmo://key:1", "b"),
        ("cosmo://a:1", "a"),
        ("cosmo://127.0.0.1:7070", "default"),
        ("cosmo://key:1", "b"),
    ]
    assert [each["key"] for each in found] == [None, None, None, Key.read(key).name]


@pytest.mark.parametrize(("setting", "said"), [case for case in CLI_CASES if case[0] == "key"])
def test_what_a_verb_starts_can_have_the_key_that_counts(setting, said, told):
    case = told(setting, said)
    option = ["--key", case.values["argument"]] if "argument" in said else []

    given = json.loads(CliRunner().invoke(verb, option, catch_exceptions=False).output)

    assert given["file"] == case.counts


def test_a_synapse_in_one_process_gets_no_key_of_a_context(tmp_path):
    save(Context("a", "memory://here", key=write_key(tmp_path, "ben")), selected="a")

    given = json.loads(CliRunner().invoke(verb, catch_exceptions=False).output)

    assert (given["url"], given["file"]) == ("memory://here", None)


def test_a_url_that_is_wrong_or_reaches_nobody_is_told_with_its_context(capsys, monkeypatch):
    save(Context("a", "http://host"), Context("b", "cosmo://127.0.0.1:1"), selected="a")

    assert run(["registry"]) == 2
    assert f"(it is in the context a in {contexts_file()})" in capsys.readouterr().err
    assert run(["registry", "--context", "b"]) == 3
    said = capsys.readouterr().err
    assert f"; the URL is of the context b in {contexts_file()}" in said
    assert run(["registry", "--url", "cosmo://127.0.0.1:1"]) == 3
    assert "context" not in capsys.readouterr().err
    monkeypatch.setenv("COSMO_URL", "http://host")
    assert run(["registry"]) == 2
    assert "(it is in COSMO_URL)" in capsys.readouterr().err


def test_the_rows_of_a_context_name_it_and_its_file(show, capsys, monkeypatch):
    save(Context("a", "cosmo://a:1"), Context("b", namespace="team"), selected="a")
    monkeypatch.setenv("COSMO_CONTEXT", "b")

    rows, _, _ = show("--context", "a")

    assert rows["context"]["source"] == "argument"
    assert [each["source"] for each in rows["context"]["instead_of"]] == ["variable", "selected"]
    where = {"value": "cosmo://a:1", "source": "context", "name": "a", "file": contexts_file()}
    assert rows["url"] == {"setting": "url", **where, "instead_of": [], "fault": None}
    assert run(["config", "show", "-n", "x"]) == 0
    table = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in table[1:]] == list(rows)
    assert f"selected in {contexts_file()}" in table[1]
    assert table[3].split()[:3] == ["namespace", "x", "argument"]
    assert table[3].endswith(f"team (context b in {contexts_file()})")


def test_a_key_over_the_network_chooses_the_carrier(show, monkeypatch, tmp_path):
    monkeypatch.setenv("COSMO_CARRIER", "zmtp")
    monkeypatch.setenv("COSMO_KEY", write_key(tmp_path, "ben"))

    over_tcp, over_ipc = (show("--url", url)[0] for url in ("cosmo://h", "cosmo+ipc:///run/s"))

    assert (over_tcp["carrier"]["value"], over_tcp["carrier"]["source"]) == ("libzmq", "key")
    assert over_tcp["carrier"]["instead_of"][0]["name"] == "COSMO_CARRIER"
    assert over_ipc["carrier"]["value"] == "zmtp"


@pytest.mark.parametrize(
    ("variables", "row", "says"),
    [
        ({"COSMO_URL": "http://host"}, "url", "'http' is unknown"),
        ({"COSMO_URL": "cosmo://me:s3cret@host"}, "url", "***@host"),
        ({"COSMO_NAMESPACE": "a/b"}, "namespace", "COSMO_NAMESPACE must be"),
        ({"COSMO_CARRIER": "pigeon"}, "carrier", "'pigeon' (it is in COSMO_CARRIER)"),
        ({"COSMO_CONTEXT": "nobody"}, "context", "cannot use the context 'nobody'"),
        ({"COSMO_KEY": "csk_s3cret"}, "key", "cannot use csk_...: there is no such file"),
    ],
)
def test_what_cannot_be_used_is_shown_with_the_fault_and_no_secret(
    variables, row, says, show, monkeypatch
):
    for each, value in variables.items():
        monkeypatch.setenv(each, value)

    rows, code, complaint = show()

    assert code == 2
    assert says in complaint
    assert says in rows[row]["fault"]
    assert "s3cret" not in f"{rows} {complaint}"
    assert rows.keys() == {"context", "url", "namespace", "key", "carrier", "creds"}


@pytest.mark.parametrize(
    ("name", "says"),
    [("offce", "there is none"), ("a/b", "the name 'a/b' of a context"), ("", "the name ''")],
)
def test_a_context_that_is_given_is_checked_and_blamed_on_no_variable(
    name, says, show, capsys, monkeypatch
):
    save(Context("office", "cosmo://a:1"), selected="office")
    monkeypatch.setenv("COSMO_CONTEXT", "office")

    _, code, complaint = show("--context", name)

    assert (code, complaint.count("\n")) == (2, 1)  # one fault, once
    assert run(["registry", "--context", name]) == 2
    assert capsys.readouterr().err == complaint
    assert says in complaint
    assert "COSMO_CONTEXT" not in complaint


def test_a_context_of_the_variable_that_is_not_there_is_one_fault(show, monkeypatch):
    monkeypatch.setenv("COSMO_CONTEXT", "nobody")

    _, code, complaint = show()

    assert (code, complaint.count("\n")) == (2, 1)
    assert complaint.endswith("(it is in COSMO_CONTEXT)\n")


def test_a_broken_file_of_contexts_leaves_the_rest_to_be_seen(show, monkeypatch):
    save(Context("a", "cosmo://a:1"), selected="a")
    with open(contexts_file(), "a") as file:
        file.write("broken")
    monkeypatch.setenv("COSMO_URL", "cosmo://variable:1")

    rows, code, complaint = show()

    assert code == 2
    assert complaint.count("\n") == 1  # one fault, once
    assert contexts_file() in complaint
    assert (rows["url"]["value"], rows["url"]["fault"]) == ("cosmo://variable:1", None)
    assert (rows["namespace"]["value"], rows["namespace"]["source"]) == (None, None)
