"""`cosmo doctor` as a process: where all is well, and where each thing that it examines is not."""

import json
import re

import pytest

from cosmonapse.keys import SECRET_PREFIX
from support.keyed_fabric import KeyedFabric
from support.processes import Children, closed_port

RUNS = {
    "well": ((), {}),
    "well as JSON": (("--json",), {}),
    "nobody": (("--url", "cosmo://127.0.0.1:{closed}"), {}),
    "no name": (("--url", "cosmo://no-such-host.invalid"), {}),
    "foreign namespace": (("-n", "other"), {}),
    "bad URL": (("--url", "cosmo://a:b:c"), {}),
    "no context": (("--context", "nowhere"), {}),
    "typo": ((), {"COSMO_NAMSPACE": "x", "COSMO_CARIER": "y"}),
    "bad carrier": ((), {"COSMO_CARRIER": "pigeon"}),
    "key of others": (("--key", "{open_key}"), {}),
    "secret for a path": (("--key", SECRET_PREFIX + "a" * 58), {}),
    "in memory": (("--url", "memory://here"), {}),
}


class Ran:
    """What `cosmo doctor` said: the rows of its table by topic."""

    def __init__(self, child):
        self.code = child.wait()
        self.said = child.said
        self.lines = [line.text for line in child.out]

    def row(self, topic):
        return next((line for line in self.lines if f" {topic} " in line), "")

    def fix(self, topic):
        at = next(
            n for n, line in enumerate(self.lines) if f" {topic} " in line and line[:2] != "ok"
        )
        return self.lines[at + 1].strip()


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    folder = tmp_path_factory.mktemp("doctor")
    open_key = folder / "ada.key"
    open_key.write_text('name = "ada"\n')
    open_key.chmod(0o644)
    places = {"closed": closed_port(), "open_key": open_key}
    home = {"XDG_CONFIG_HOME": str(folder), "HOME": str(folder)}
    with Children() as children:
        _, url = children.synapse("--namespace", "demo")
        env = {"COSMO_URL": url, "COSMO_NAMESPACE": "demo", **home}
        started = {
            name: children.cosmo(
                "doctor", *(each.format(**places) for each in arguments), env={**env, **more}
            )
            for name, (arguments, more) in RUNS.items()
        }
        yield {name: Ran(child) for name, child in started.items()} | {"closed": places["closed"]}


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("well", 0),
        ("well as JSON", 0),
        ("nobody", 1),
        ("no name", 1),
        ("foreign namespace", 1),
        ("bad URL", 1),
        ("no context", 1),
        ("typo", 0),
        ("bad carrier", 1),
        ("key of others", 1),
        ("secret for a path", 1),
    ],
)
def test_the_exit_code_says_whether_something_is_bad(name, code, ran):
    assert ran[name].code == code, ran[name].said
    assert "could not be examined" not in ran[name].said


def test_where_all_is_well_each_thing_is_told(ran):
    said = ran["well"]

    # Beside those that the way of running the tests sets, such as COSMO_PURE.
    assert {"COSMO_NAMESPACE", "COSMO_URL"} <= set(re.findall(r"COSMO_\w+", said.row("variables")))
    assert "(variable COSMO_URL)" in said.row("url")
    assert "demo (variable COSMO_NAMESPACE)" in said.row("namespace")
    assert said.row("access").endswith("let in to namespace demo")
    assert said.row("broadcasts").endswith("they arrive here")
    assert len([line for line in said.lines if " port " in line]) == 3
    assert not [line for line in said.lines if line.startswith("bad")]


def test_as_json_each_finding_is_an_object(ran):
    rows = [json.loads(line) for line in ran["well as JSON"].lines]

    assert all(set(row) == {"topic", "level", "says", "fix"} for row in rows)
    assert {"python", "kernel", "carrier", "open files", "clock", "port", "synapse"} <= {
        row["topic"] for row in rows
    }
    assert {row["level"] for row in rows} <= {"ok", "warning"}


@pytest.mark.parametrize(
    ("name", "topic", "says", "fix"),
    [
        ("nobody", "port", "Connection refused", "cosmo synapse start --port {closed}"),
        ("no name", "name", "no-such-host.invalid does not resolve", "use an address"),
        ("typo", "variables", "nothing reads COSMO_CARIER", "did you mean COSMO_CARRIER?"),
    ],
)
def test_what_is_wrong_comes_with_what_to_do(name, topic, says, fix, ran):
    said = ran[name]
    fix = fix.format(closed=ran["closed"])

    assert any(says in line for line in said.lines if f" {topic} " in line), said.said
    assert any(fix in line for line in said.lines if line.strip().startswith("->"))


def test_a_key_that_others_may_read_is_told_with_the_command_that_helps(ran):
    row = ran["key of others"].row("key")

    assert row.startswith("bad")
    assert "others may read or write it (mode 0644): run: chmod 600" in row


@pytest.mark.parametrize(
    ("name", "topic"), [("no context", "context"), ("key of others", "key"), ("bad URL", "url")]
)
def test_a_setting_that_is_bad_is_told_once_and_hides_no_other(name, topic, ran):
    said = ran[name]

    (bad,) = [line for line in said.lines if line.startswith("bad")]
    assert bad.split()[1] == topic
    for each in {"context", "namespace", "carrier", "url"} - {topic}:
        assert said.row(each).startswith("ok"), said.said


def test_a_namespace_that_is_not_served_is_told(ran):
    row = next(line for line in ran["foreign namespace"].lines if line.startswith("bad"))

    assert "other" in row
    assert "demo" in row


def test_no_secret_is_printed(ran):
    assert "a" * 58 not in ran["secret for a path"].said


def test_a_synapse_in_memory_is_examined_too(ran):
    assert ran["in memory"].code == 0, ran["in memory"].said


def test_with_a_key_it_says_who_was_let_in_and_who_was_not(tmp_path):
    home = {"XDG_CONFIG_HOME": str(tmp_path), "HOME": str(tmp_path)}
    with Children() as children:
        fabric = KeyedFabric(children, tmp_path)
        keys = [fabric.key(name) for name in ("ada", "eve", "ivy")]
        fabric.allow(keys[0])
        fabric.allow(keys[2], may=("caller",))
        fabric.start()
        for key in keys:
            key.write(tmp_path / f"{key.name}.key")
        ada, eve, ivy = [
            children.cosmo("doctor", "--key", tmp_path / f"{key.name}.key", env=home)
            for key in keys
        ]
        ada, eve, ivy = (Ran(child) for child in (ada, eve, ivy))

    assert (ada.code, eve.code, ivy.code) == (0, 1, 0), ada.said + eve.said + ivy.said
    assert f"{fabric.url} (key ada in " in ada.row("url")
    assert "let in as ada to namespace default" in ada.row("access")
    assert "libzmq" in ada.row("carrier")
    assert eve.row("access").startswith("bad")
    assert "this key may not listen to them" in ivy.row("broadcasts")
    assert SECRET_PREFIX not in ada.said + eve.said + ivy.said
