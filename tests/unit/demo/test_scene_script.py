"""The script of the scene: its times, and that its parts fit together."""

from cosmonapse.demo import scene_script, scene_worker
from cosmonapse.demo.scene_script import Mishap, quiet_workers, timeline, times


def test_a_step_happens_once_or_again_and_again_until_the_end():
    once, often = Mishap(5.0, "kill", "w", "it dies"), Mishap(5.0, "flap", "w", "it flaps", 10.0)

    assert times(once, 30.0) == [5.0]
    assert times(once, 4.0) == []
    assert times(often, 30.0) == [5.0, 15.0, 25.0]
    assert times(often, 4.0) == []


def test_the_timeline_is_in_order_and_a_steady_one_spares_the_synapse():
    told = timeline(2.0)

    moments = [at_s for at_s, _ in told]
    assert moments == sorted(moments)
    assert {step.verb for _, step in told} == {"flap", "kill", "outage"}
    assert {step.verb for _, step in timeline(2.0, steady=True)} == {"flap", "kill"}


def test_quiet_neurons_share_workers_and_have_names_of_their_own():
    workers = quiet_workers(130)

    assert [len(hosted) for hosted in workers.values()] == [60, 60, 10]
    assert len({name for hosted in workers.values() for name in hosted}) == 130
    assert quiet_workers(0) == {}


def test_everyone_who_is_asked_is_served_and_every_step_names_a_worker():
    hosted = {name for neurons in scene_script.WORKERS.values() for name in neurons}

    assert {asked.neuron for asked in scene_script.ASKED} <= hosted
    assert {asked.caller for asked in scene_script.ASKED} == set(scene_script.CALLERS)
    assert scene_script.MISSING not in hosted
    assert {step.who for step in scene_script.STEPS} <= {*scene_script.WORKERS, "Synapse"}
    assert set(scene_worker.FUNCTIONS) >= hosted - {"echo"}
