"""Every setting comes from the first of its sources that says something."""

import asyncio

import pytest

from cosmonapse import (
    Dendrite,
    InvalidContext,
    InvalidKey,
    InvalidUrl,
    SynapseUnreachable,
    connect_synapse,
    synapse_from_url,
)
from cosmonapse.configuration import VARIABLES, candidates, chosen, named_context
from cosmonapse.contexts import Context, contexts_file
from cosmonapse.keys import Key
from cosmonapse.synapse.carriers import chosen_carrier
from support import configured
from support.configured import CASES, DEFAULTS, SAYS, Told, save


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch, tmp_path):
    """Say nothing anywhere: no variable, and a folder of settings that is empty."""
    for each in (*VARIABLES.values(), "COSMO_CONTEXT"):
        monkeypatch.delenv(each, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


@pytest.fixture
def key_file(tmp_path):
    """Return a function that writes NAME.key, and returns its path."""
    return lambda name, url=None: configured.write_key(tmp_path, name, url)


@pytest.fixture
def told(monkeypatch, tmp_path):
    """Return a function that lets sources say a setting."""

    def tell(setting, said):
        found = Told(setting, said, tmp_path)
        for name, value in found.variables.items():
            monkeypatch.setenv(name, value)
        if found.contexts:
            save(*found.contexts, selected=found.contexts[0].name)
        return found

    return tell


@pytest.mark.parametrize(("setting", "said"), CASES)
def test_the_first_source_that_says_something_counts(setting, said, told):
    case = told(setting, said)

    found = list(candidates(setting, case.values.get("argument")))

    assert [each.source.kind for each in found] == case.order
    assert [each.value for each in found] == [case.values[each] for each in case.order]
    assert chosen(setting, case.values.get("argument")) == found[0]


@pytest.mark.parametrize(("setting", "said"), CASES)
def test_the_sdk_takes_what_counts(setting, said, told):
    case = told(setting, said)
    given = {setting: case.values.get("argument")}

    synapse = synapse_from_url(given.get("url"), key=given.get("key"))

    match setting:
        case "url":
            assert synapse.url == case.counts
        case "namespace":
            dendrite = Dendrite(synapse=synapse, namespace=given["namespace"])
            assert dendrite.namespace == case.counts
        case "key":
            assert synapse.user == (Key.read(case.counts).name if case.counts else "")
        case "carrier":
            assert chosen_carrier(given["carrier"]) == (case.counts or "zmtp")
        case "creds":
            assert chosen("creds", given["creds"]).value == case.counts


def test_every_setting_has_a_variable_and_is_in_the_table():
    assert VARIABLES == configured.VARIABLES
    assert VARIABLES.keys() == SAYS.keys() == DEFAULTS.keys()


@pytest.mark.parametrize("setting", SAYS)
def test_a_variable_that_is_empty_says_nothing(setting, monkeypatch):
    monkeypatch.setenv(VARIABLES[setting], "")

    assert chosen(setting).source.kind == "default"


def test_what_counts_already_keeps_a_broken_file_from_mattering(monkeypatch, key_file):
    save(Context("a", "cosmo://a:1", key=key_file("gone")), selected="a")
    with open(contexts_file(), "a") as file:
        file.write("broken")

    assert chosen("url", "cosmo://argument:1").value == "cosmo://argument:1"
    monkeypatch.setenv("COSMO_NAMESPACE", "team")
    assert chosen("namespace").value == "team"
    assert chosen("carrier").value is None
    with pytest.raises(InvalidContext, match=r"contexts\.toml.*COSMO_CONTEXT=- goes without"):
        synapse_from_url()


def test_the_variable_names_another_context_than_the_selected_one(monkeypatch):
    save(Context("a", "cosmo://a:1"), Context("b", "cosmo://b:1"), selected="a")

    found = [(named_context().value, chosen("url").value)]
    monkeypatch.setenv("COSMO_CONTEXT", "b")
    found.append((named_context().value, chosen("url").value))
    monkeypatch.setenv("COSMO_CONTEXT", "-")
    found.append((named_context().value, chosen("url").value))

    assert found == [("a", "cosmo://a:1"), ("b", "cosmo://b:1"), (None, DEFAULTS["url"])]


@pytest.mark.parametrize("has_file", [False, True])
def test_a_context_that_is_not_there_is_told_with_the_variable(has_file, monkeypatch):
    if has_file:
        save(Context("office"))
    monkeypatch.setenv("COSMO_CONTEXT", "ofice")

    with pytest.raises(InvalidContext, match=r"'ofice': there is none .*COSMO_CONTEXT\)") as caught:
        synapse_from_url()

    assert ("did you mean 'office'" in str(caught.value)) is has_file


def test_an_error_of_a_value_says_where_it_comes_from(key_file, tmp_path):
    save(Context("a", "http://host", key=str(tmp_path / "gone.key")), selected="a")

    with pytest.raises(InvalidUrl, match=r"'http' is unknown.* \(it is in the context a in .*toml"):
        synapse_from_url()
    with pytest.raises(InvalidKey, match=r"gone\.key: .* \(it is in the context a in .*toml\)"):
        synapse_from_url("cosmo://host")
    save(selected=None)
    with pytest.raises(InvalidUrl, match=r"\(it is in the key ben in .*ben.key\)"):
        synapse_from_url(key=key_file("ben", "http://host"))


def test_a_synapse_that_does_not_answer_is_told_with_the_context_of_its_url():
    save(Context("a", "cosmo://127.0.0.1:1"), selected="a")

    with pytest.raises(SynapseUnreachable, match=r"the URL is of the context a in .*toml$"):
        asyncio.run(connect_synapse(timeout_s=0.1))
    with pytest.raises(SynapseUnreachable) as caught:
        asyncio.run(connect_synapse("cosmo://127.0.0.1:1", timeout_s=0.1))
    assert "context" not in str(caught.value)


def test_the_key_that_a_program_gives_says_the_url_if_nobody_else_does(key_file):
    path = key_file("ben", "cosmo://ben:1")

    assert synapse_from_url(key=path).url == "cosmo://ben:1"
    assert synapse_from_url(key=Key.read(path)).url == "cosmo://ben:1"
    save(Context("a", "cosmo://context:1"), selected="a")
    assert synapse_from_url(key=path).url == "cosmo://context:1"


def test_a_synapse_in_this_process_needs_no_key_of_a_context(tmp_path):
    save(Context("a", key=str(tmp_path / "gone.key"), namespace="team"), selected="a")

    synapse = synapse_from_url("memory://here")

    assert synapse.user == ""
    assert Dendrite(synapse=synapse).namespace == "team"
