"""Where a Synapse is looked for: the argument, else the variable, else the default."""

import sys

import pytest

from cosmonapse import InvalidKey, InvalidName, InvalidUrl, MissingExtra, synapse_from_url
from cosmonapse.dendrite import Dendrite


@pytest.mark.parametrize(
    ("given", "variable", "url"),
    [
        (None, None, "cosmo://127.0.0.1:7070"),
        (None, "", "cosmo://127.0.0.1:7070"),
        (None, "cosmo://host:1", "cosmo://host:1"),
        ("cosmo://other:2", "cosmo://host:1", "cosmo://other:2"),
    ],
)
def test_the_argument_wins_over_the_variable_and_that_over_the_default(
    given, variable, url, monkeypatch
):
    monkeypatch.delenv("COSMO_URL", raising=False)
    if variable is not None:
        monkeypatch.setenv("COSMO_URL", variable)

    assert synapse_from_url(given).url == url


def test_an_invalid_variable_is_named_in_the_error(monkeypatch):
    monkeypatch.setenv("COSMO_URL", "http://host")

    with pytest.raises(InvalidUrl, match=r"'http' is unknown.*\(it is in COSMO_URL\)"):
        synapse_from_url()


@pytest.mark.parametrize(
    ("given", "variable", "namespace"),
    [
        (None, None, "default"),
        (None, "", "default"),
        (None, "team", "team"),
        ("default", "team", "default"),
    ],
)
def test_a_dendrite_takes_its_namespace_in_the_same_order(given, variable, namespace, monkeypatch):
    monkeypatch.delenv("COSMO_NAMESPACE", raising=False)
    if variable is not None:
        monkeypatch.setenv("COSMO_NAMESPACE", variable)

    dendrite = Dendrite(synapse=synapse_from_url("cosmo://127.0.0.1:1"), namespace=given)

    assert dendrite.namespace == namespace


def test_an_invalid_namespace_in_the_variable_is_named_in_the_error(monkeypatch):
    monkeypatch.setenv("COSMO_NAMESPACE", "a/b")

    with pytest.raises(InvalidName, match="COSMO_NAMESPACE must be"):
        Dendrite(synapse=synapse_from_url("cosmo://127.0.0.1:1"))


def test_credentials_are_for_a_nats_server(monkeypatch):
    with pytest.raises(InvalidKey, match="leave 'creds' out"):
        synapse_from_url("cosmo://host", creds="ben.creds")

    monkeypatch.setenv("COSMO_CREDS", "ben.creds")
    assert synapse_from_url("cosmo://host").url == "cosmo://host:7070"


def test_credentials_in_the_variable_are_named_in_the_error(monkeypatch):
    monkeypatch.setenv("COSMO_CREDS", "/nowhere/ben.creds")

    with pytest.raises(InvalidUrl, match=r"no such file \(it is in COSMO_CREDS\)"):
        synapse_from_url("nats://host")


@pytest.mark.parametrize("scheme", ["nats", "TLS"])
def test_a_nats_server_shows_no_password(scheme):
    url = synapse_from_url(f"{scheme}://ben:s3cret@host").url

    assert url == f"{scheme.lower()}://ben:***@host:4222"


def test_without_nats_py_its_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "nats", None)

    with pytest.raises(MissingExtra, match=r"nats-py .* cannot be imported .*\[nats\]"):
        synapse_from_url("nats://host")


def test_without_nkeys_credentials_name_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "nkeys", None)

    with pytest.raises(MissingExtra, match=r"nkeys .* cannot be imported; the extra \[nats\]"):
        synapse_from_url("nats://host", creds="ben.creds")
