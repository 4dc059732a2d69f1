"""`cosmo check`: one look, and an exit code for monitoring."""

import json

import pytest

from cosmonapse.synapse.kernels import kernel_text
from support.processes import axon, closed_port, until


def checked(children, url, namespace, *arguments):
    """Return the exit code of `cosmo check` and what it said."""
    child = children.cosmo("check", "--url", url, "-n", namespace, *arguments)
    code = child.wait(10)
    return code, child.said


@pytest.fixture
def url(children):
    """The URL of a Synapse without a past: what other tests lose is no finding here."""
    return children.synapse()[1]


@pytest.fixture
def worker(children, url, namespace):
    return children.worker(url, namespace, axon("gated"))


def test_a_fabric_that_is_well_exits_with_0_and_shows_axons_and_counters(
    children, worker, url, namespace
):
    code, said = checked(children, url, namespace, "--neuron", "worker")

    assert code == 0
    assert f"OK: namespace {namespace} has 1 Axons of 1 neurons, 0 open tasks; the Synapse" in said
    assert "alive" in said
    assert f"kernel of this program: {kernel_text()}" in said.splitlines()
    assert "connection.accepted" not in said


def test_counters_and_other_namespaces_are_shown_on_request(children, worker, url, namespace):
    children.worker(url, "elsewhere", axon("gated"))

    code, said = checked(children, url, namespace, "-v")

    assert code == 0
    assert "has 1 Axons" in said
    assert "all namespaces: 3 Dendrites, 2 Axons, 0 open tasks" in said
    assert "connection.accepted" in said


@pytest.mark.asyncio
async def test_a_fabric_of_which_half_has_died_is_not_well_seconds_later(
    children, worker, url, namespace
):
    other = children.worker(url, namespace, axon("gated", "other"))
    assert checked(children, url, namespace)[0] == 0

    other.kill()
    gone = children.cosmo("registry", "--watch", "--url", url, "-n", namespace)
    await until(lambda: [line.text[:6] for line in gone.out][-2:] == ["NEURON", "worker"], 20.0)
    code, said = checked(children, url, namespace)

    assert code == 1
    assert "WARNING: namespace" in said
    assert "- 1 connections of Dendrites broke in the last" in said


def test_a_lost_task_is_a_warning_unless_so_many_may_be_lost(children, worker, url, namespace):
    asking = children.cosmo("dispatch", "worker", '{"n": 1}', "--url", url, "-n", namespace)
    worker.line("holding 1")
    worker.kill()
    assert asking.wait() == 1

    code, said = checked(children, url, namespace)
    more, _ = checked(children, url, namespace, "--max-errors", "5/min")
    none, told = checked(children, url, namespace, "--max-errors", "0/min")

    assert (code, more, none) == (1, 1, 1)  # the connection of the worker broke, too
    assert "- 1 tasks were lost in the last" in said
    assert "- 1 tasks were lost and 0 came back in the last" in told


@pytest.mark.parametrize(("least", "code"), [("worker=1", 0), ("worker=2", 2), ("gone=1", 2)])
def test_so_many_replicas_are_expected(least, code, children, worker, url, namespace):
    assert checked(children, url, namespace, "--expect", least)[0] == code


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--expect", "worker"),
        ("--expect", "worker=-1"),
        ("--expect", "no name=1"),
        ("--max-errors", "many"),
        ("--max-errors", "5/hour"),
        ("--max-errors", "9" * 5_000),
    ],
)
def test_a_number_that_is_none_is_a_mistake_of_usage(option, value, children):
    code, said = checked(children, "cosmo://127.0.0.1:9", "default", option, value)

    assert code == 2
    assert "expected " in said or "must be" in said
    assert len(said.splitlines()) == 1


def test_a_neuron_that_is_missing_exits_with_2(children, worker, url, namespace):
    code, said = checked(children, url, namespace, "--neuron", "worker", "--neuron", "gone")

    assert code == 2
    assert "CRITICAL" in said
    assert "- 1 alive Axons of gone are expected, and there are 0" in said


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
    assert facts["kernel"] == kernel_text()
    assert [each["neuron_id"] for each in facts["neurons"]] == ["worker"]
    assert facts["synapse"]["counts"]["bounce.no_route"] >= 1
    assert facts["synapse"]["connections"] >= 2


def test_a_name_that_is_none_is_a_mistake_of_usage(children, url, namespace):
    code, said = checked(children, url, namespace, "--neuron", "no name")

    assert code == 2
    assert "--neuron must be 1 to 128 characters" in said
