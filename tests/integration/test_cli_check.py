"""`cosmo check`: one look, and an exit code for monitoring."""

import json

import pytest

from support.processes import axon, closed_port


def checked(children, url, namespace, *arguments):
    """Return the exit code of `cosmo check` and what it said."""
    child = children.cosmo("check", "--url", url, "-n", namespace, *arguments)
    code = child.wait(10)
    return code, child.said


@pytest.fixture
def worker(children, url, namespace):
    return children.worker(url, namespace, axon("gated"))


def test_a_fabric_that_is_well_exits_with_0_and_shows_axons_and_counters(
    children, worker, url, namespace
):
    code, said = checked(children, url, namespace, "--neuron", "worker")

    assert code == 0
    assert "OK: the Synapse is up for" in said
    assert "worker" in said
    assert "alive" in said


def test_a_neuron_that_is_missing_exits_with_2(children, worker, url, namespace):
    code, said = checked(children, url, namespace, "--neuron", "worker", "--neuron", "gone")

    assert code == 2
    assert "CRITICAL" in said
    assert "- no Axon that is alive serves gone" in said


def test_no_synapse_exits_with_2_and_says_what_to_run(children):
    code, said = checked(children, f"cosmo://127.0.0.1:{closed_port()}", "default")

    assert code == 2
    assert "CRITICAL: no Synapse at" in said
    assert "cosmo synapse start" in said


def test_the_json_has_every_counter_and_axon(children, worker, url, namespace):
    children.cosmo(
        "dispatch", "--url", url, "-n", namespace, "--neuron", "no", "--input", "1"
    ).wait(9)

    code, said = checked(children, url, namespace, "--json")

    facts = json.loads(said)
    assert code == 0
    assert facts["level"] == "OK"
    assert [each["neuron_id"] for each in facts["neurons"]] == ["worker"]
    assert facts["synapse"]["counts"]["bounce.no_route"] >= 1
    assert facts["synapse"]["connections"] >= 2


def test_a_name_that_is_none_is_a_mistake_of_usage(children, url, namespace):
    code, said = checked(children, url, namespace, "--neuron", "no name")

    assert code == 2
    assert "--neuron must be 1 to 128 characters" in said
