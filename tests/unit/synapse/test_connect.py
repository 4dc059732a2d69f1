"""Where a Synapse is looked for: the argument, else the variable, else the default."""

import pytest

from cosmonapse import InvalidName, InvalidUrl, synapse_from_url
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
