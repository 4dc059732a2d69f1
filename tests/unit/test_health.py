"""The verdict about a fabric."""

import pytest

from cosmonapse import NeuronRecord, SynapseState
from cosmonapse.health import Level, Verdict, verdict

UP = SynapseState(uptime_s=1.0)
ALIVE = NeuronRecord(neuron_id="echo", dendrite_id="w1")


def test_all_is_well_when_everyone_is_alive_and_who_is_wanted_is_there():
    assert verdict(UP, [ALIVE], ["echo"]) == Verdict(Level.OK)


def test_an_empty_fabric_of_which_nothing_is_wanted_is_well():
    assert verdict(UP, []) == Verdict(Level.OK)


@pytest.mark.parametrize("state", ["stuck", "away"])
def test_a_replica_that_does_not_live_is_a_warning_and_the_other_one_serves(state):
    ill = NeuronRecord(neuron_id="echo", dendrite_id="w2", state=state, open=3)

    judged = verdict(UP, [ALIVE, ill], ["echo"])

    assert judged == Verdict(Level.WARNING, (f"echo at w2 is {state}, with 3 open tasks",))


def test_a_neuron_that_is_wanted_and_not_alive_is_critical_and_told_first():
    ill = NeuronRecord(neuron_id="echo", dendrite_id="w2", state="stuck")

    judged = verdict(UP, [ill], ["echo", "other"])

    assert judged.level is Level.CRITICAL
    assert judged.findings == (
        "no Axon that is alive serves echo",
        "no Axon that is alive serves other",
        "echo at w2 is stuck, with 0 open tasks",
    )


def test_a_synapse_that_stops_is_a_warning():
    judged = verdict(SynapseState(uptime_s=1.0, draining=True), [])

    assert judged == Verdict(Level.WARNING, ("the Synapse is stopping",))
