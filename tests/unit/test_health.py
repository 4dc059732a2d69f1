"""The verdict about a fabric."""

import pytest

from cosmonapse import NeuronRecord, SynapseState
from cosmonapse.health import Level, Verdict, verdict

UP = SynapseState(uptime_s=1.0)
ALIVE = NeuronRecord(neuron_id="echo", dendrite_id="w1")


def test_all_is_well_when_everyone_is_alive_and_who_is_wanted_is_there():
    assert verdict(UP, [ALIVE], {"echo": 1}) == Verdict(Level.OK)


def test_an_empty_fabric_of_which_nothing_is_wanted_is_well():
    assert verdict(UP, []) == Verdict(Level.OK)


@pytest.mark.parametrize("state", ["stuck", "away"])
def test_a_replica_that_does_not_live_is_a_warning_and_the_other_one_serves(state):
    ill = NeuronRecord(neuron_id="echo", dendrite_id="w2", state=state, open=3)

    judged = verdict(UP, [ALIVE, ill], {"echo": 1})

    assert judged == Verdict(Level.WARNING, (f"echo at w2 is {state}, with 3 open tasks",))


def test_what_the_synapse_warns_of_is_a_warning():
    judged = verdict(SynapseState(uptime_s=1.0, half=True, warning="there may be two"), [ALIVE])

    assert judged == Verdict(Level.WARNING, ("there may be two",))


def one_of_several(*roles, **fields):
    peers = tuple({"url": f"cosmo://{number}:7070", **each} for number, each in enumerate(roles))
    return SynapseState(uptime_s=1.0, role="leader", term=1, peers=peers, **fields)


def test_a_leader_with_a_standby_is_well():
    assert verdict(one_of_several({"role": "standby"}, {"role": "closed"}), []).level is Level.OK


def test_a_leader_without_a_standby_is_a_warning():
    [finding] = verdict(one_of_several({"role": "closed"}), []).findings

    assert finding == "the Synapse has no standby: it does not hear cosmo://0:7070"


def test_that_the_only_other_one_is_silent_is_told_once():
    half = one_of_several({"role": "silent"}, half=True, warning="there may be two")

    assert verdict(half, []).findings == ("there may be two",)


def test_other_allowed_keys_are_a_warning():
    differing = {"role": "standby", "same_users": False}
    [finding] = verdict(one_of_several(differing, {"role": "standby"}), []).findings

    assert finding.startswith("the allowed keys differ from those at cosmo://0:7070")


def test_a_peer_that_is_the_synapse_itself_is_a_warning():
    [finding] = verdict(one_of_several({"role": "own"}, {"role": "standby"}), []).findings

    assert "the Synapse itself" in finding


def test_a_neuron_that_is_wanted_and_not_alive_is_critical_and_told_first():
    ill = NeuronRecord(neuron_id="echo", dendrite_id="w2", state="stuck")

    judged = verdict(UP, [ill], {"echo": 1, "other": 2})

    assert judged.level is Level.CRITICAL
    assert judged.findings == (
        "1 alive Axons of echo are expected, and there are 0",
        "2 alive Axons of other are expected, and there are 0",
        "echo at w2 is stuck, with 0 open tasks",
    )


def test_a_synapse_that_stops_is_a_warning():
    judged = verdict(SynapseState(uptime_s=1.0, draining=True), [])

    assert judged == Verdict(Level.WARNING, ("the Synapse is stopping",))


def test_too_few_replicas_are_critical_and_more_than_expected_are_well():
    assert verdict(UP, [ALIVE], {"echo": 2}).level is Level.CRITICAL
    assert verdict(UP, [ALIVE, ALIVE], {"echo": 1}).level is Level.OK


@pytest.mark.parametrize(
    ("recent", "findings"),
    [
        ({"copies": 9, "bounce.no_route": 3}, ()),
        ({"lost.not_started": 3, "bounce.hello_first": 1}, ()),
        ({"lost.worker_lost": 2, "overdue": 1}, ("3 tasks were lost",)),
        ({"unreachable": 4}, ("4 connections of Dendrites broke",)),
        ({"unreachable": 4, "orphaned": 1}, ("4 connections", "1 tasks were lost")),
    ],
)
def test_what_went_wrong_in_the_last_minute_is_a_warning(recent, findings):
    judged = verdict(SynapseState(uptime_s=99.0, recent_s=60.4, recent=recent), [ALIVE])

    assert judged.level is (Level.WARNING if findings else Level.OK)
    assert len(judged.findings) == len(findings)
    assert all(said.startswith(each) for said, each in zip(judged.findings, findings, strict=True))
    assert all("in the last 60 s, over all namespaces" in said for said in judged.findings)


@pytest.mark.parametrize(("most", "level"), [(5, Level.OK), (4, Level.WARNING), (0, Level.WARNING)])
def test_errors_up_to_a_number_in_a_minute_are_well(most, level):
    recent = {"lost.worker_lost": 2, "bounce.busy": 3, "lost.not_started": 9}

    judged = verdict(SynapseState(uptime_s=99.0, recent=recent), [ALIVE], max_errors=most)

    assert judged.level is level
