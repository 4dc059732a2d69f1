"""Every setting comes from the first of its sources that says something."""

import itertools

import pytest

from cosmonapse import Dendrite, InvalidContext, InvalidKey, InvalidUrl, synapse_from_url
from cosmonapse.configuration import VARIABLES, candidates, chosen, named_context
from cosmonapse.contexts import Context, Contexts, contexts_file
from cosmonapse.keys import Key
from cosmonapse.synapse.access import new_pair
from cosmonapse.synapse.carriers import chosen_carrier

SOURCES = ("argument", "variable", "context", "key", "default")
SAYS = {
    "url": SOURCES,
    "namespace": ("argument", "variable", "context", "default"),
    "key": ("argument", "variable", "context", "default"),
    "carrier": ("argument", "variable", "default"),
}
"""Each setting, and which sources can say it."""
CASES = [
    (setting, frozenset(said))
    for setting, sources in SAYS.items()
    for size in range(len(sources))
    for said in itertools.combinations(sources[:-1], size)
]


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch, tmp_path):
    """Say nothing anywhere: no variable, and a folder of settings that is empty."""
    for each in (*VARIABLES.values(), "COSMO_CONTEXT"):
        monkeypatch.delenv(each, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


@pytest.fixture
def key_file(tmp_path):
    """Return a function that writes NAME.key, and returns its path."""

    def write(name, url=None):
        public, secret = new_pair()
        path = tmp_path / f"{name}.key"
        Key(name, public, secret, (new_pair()[0],), url).write(path)
        return str(path)

    return write


def save(*contexts, selected=None):
    """Write the file of this user."""

    def by(found):
        for each in contexts:
            found = found.having(each)
        return found.selecting(selected)

    Contexts.change(by)


def value_for(setting, source, key_file):
    """Return what a source says of a setting in the tests."""
    if setting == "key":
        return key_file(source)
    if setting == "carrier":
        return {"argument": "libzmq", "variable": "zmtp"}[source]
    return f"cosmo://{source}:1" if setting == "url" else f"by-{source}"


DEFAULTS = {"url": "cosmo://127.0.0.1:7070", "namespace": "default", "key": None, "carrier": None}


@pytest.fixture
def told(monkeypatch, key_file):
    """Return a function that lets sources say a setting; it returns what each says."""

    def tell(setting, said):
        values = {each: value_for(setting, each, key_file) for each in said if each != "key"}
        if "key" in said:
            values["key"] = "cosmo://key:1"
            save(Context("a", key=key_file("ben", values["key"])), selected="a")
        if "context" in said:
            before = Contexts.read().known.get("a", Context("a"))
            fields = {"url": None, "namespace": None} | {setting: values["context"]}
            save(Context("a", key=fields.pop("key", before.key), **fields), selected="a")
        if "variable" in said:
            monkeypatch.setenv(VARIABLES[setting], values["variable"])
        return values

    return tell


@pytest.mark.parametrize(("setting", "said"), CASES)
def test_the_first_source_that_says_something_counts(setting, said, told):
    values = told(setting, said)
    order = [each for each in SAYS[setting] if each in said or each == "default"]

    found = list(candidates(setting, values.get("argument")))

    assert [each.source.kind for each in found] == order
    values["default"] = DEFAULTS[setting]
    assert [each.value for each in found] == [values[each] for each in order]
    assert chosen(setting, values.get("argument")) == found[0]


@pytest.mark.parametrize(("setting", "said"), CASES)
def test_the_sdk_takes_what_counts(setting, said, told):
    values = told(setting, said)
    given = values.get("argument")
    counts = chosen(setting, given).value

    url = values["argument"] if setting == "url" and given else None
    synapse = synapse_from_url(url, key=given if setting == "key" else None)

    if setting == "url":
        assert synapse.url == counts
    elif setting == "namespace":
        assert Dendrite(synapse=synapse, namespace=given).namespace == counts
    elif setting == "key":
        assert synapse.user == (Key.read(counts).name if counts else "")
    else:
        assert chosen_carrier(given) == (counts or "zmtp")


def test_every_setting_has_a_variable_and_is_in_the_table():
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
    with pytest.raises(InvalidContext, match=r"contexts\.toml"):
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
