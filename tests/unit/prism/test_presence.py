"""Who is there, who was, and why they went."""

import pytest

from cosmonapse import Directed, NeuronRecord, SignalType
from cosmonapse.prism.presence import CALLER_S, GONE_S, Presence
from cosmonapse.registry import DendriteRecord
from support.observed import CALLER, WORKER, observed, task


def record(neuron="worker", **facts):
    facts = {"instance": WORKER.hex(), "dendrite_id": "host", "role": "worker", **facts}
    return NeuronRecord(neuron_id=neuron, **facts)


def leave(reason, neuron="worker"):
    payload = {} if reason is None else {"reason": reason}
    return observed(SignalType.DEREGISTER, payload, neuron, worker=WORKER)


def shown(presence, now_s, held=0):
    """Return state and reason of the only neuron."""
    (dendrite,) = presence.view(now_s, lambda worker: held)
    (neuron,) = dendrite["neurons"]
    return neuron["state"], neuron["reason"]


def test_a_dendrite_is_shown_with_its_neurons():
    presence = Presence()
    presence.compare([record("a", capabilities=("x",), version="2", open=3), record("b")], 10.0)

    (dendrite,) = presence.view(12.5, lambda worker: 0)

    assert (dendrite["instance"], dendrite["dendrite_id"]) == (WORKER.hex(), "host")
    assert dendrite["role"] == "worker"
    first, second = dendrite["neurons"]
    assert (first["neuron_id"], second["neuron_id"]) == ("a", "b")
    assert (first["capabilities"], first["version"], first["open"]) == (["x"], "2", 3)
    assert (first["state"], first["reason"], first["last_seen_s"]) == ("alive", None, 2.5)


@pytest.mark.parametrize("state", ["stuck", "away"])
def test_who_is_unwell_is_shown_with_a_reason(state):
    presence = Presence()
    presence.compare([record(state=state)], 0.0)

    assert shown(presence, 1.0)[0] == state
    assert shown(presence, 1.0)[1]


def test_a_killed_worker_is_gone_with_the_reason_that_was_said_for_it():
    presence = Presence()
    presence.compare([record()], 0.0)

    presence.observe(leave("lost"), 1.0)
    presence.compare([], 2.0)

    state, reason = shown(presence, 3.0)
    assert state == "gone"
    assert "vanished" in reason


@pytest.mark.parametrize(
    ("reason", "said"), [("signal", "deregistered: signal"), (None, "deregistered")]
)
def test_a_deregistered_axon_drains_while_it_has_tasks(reason, said):
    presence = Presence()
    presence.compare([record()], 0.0)
    presence.observe(leave(reason), 1.0)
    presence.compare([], 2.0)

    assert shown(presence, 3.0, held=2) == ("draining", f"{said}; it finishes its tasks")
    assert shown(presence, 4.0) == ("gone", said)


def test_an_axon_missing_without_deregister_may_come_back_for_a_moment():
    presence = Presence()
    presence.compare([record()], 0.0)
    presence.compare([], 1.0)

    assert shown(presence, 2.0)[0] == "away"
    assert shown(presence, 7.0)[0] == "gone"
    presence.compare([record()], 8.0)

    assert shown(presence, 8.0) == ("alive", None)


def test_who_is_gone_is_shown_for_five_minutes():
    presence = Presence()
    presence.compare([record()], 0.0)
    presence.compare([], 1.0)

    presence.compare([], GONE_S)
    assert len(presence.view(GONE_S, lambda worker: 0)) == 1
    presence.compare([], GONE_S + 2.0)

    assert presence.view(GONE_S + 2.0, lambda worker: 0) == []


def test_a_task_for_a_worker_is_no_sign_of_life_of_it():
    presence = Presence()
    presence.compare([record()], 0.0)

    presence.observe(task(), 5.0)
    before = presence.view(10.0, lambda worker: 0)[0]["neurons"][0]["last_seen_s"]
    presence.observe(observed(SignalType.HEARTBEAT, neuron="worker", worker=WORKER), 8.0)
    after = presence.view(10.0, lambda worker: 0)[0]["neurons"][0]["last_seen_s"]

    assert (before, after) == (10.0, 2.0)


def test_a_caller_is_shown_while_it_is_heard_by_its_name_if_that_is_known():
    presence = Presence()
    presence.observe(task(), 0.0)
    (nameless,) = presence.view(1.0, lambda worker: 0)
    presence.observe(observed(directed=Directed("edge", "dendrite"), caller=CALLER), 2.0)
    (named,) = presence.view(3.0, lambda worker: 0)

    assert (nameless["dendrite_id"], nameless["neurons"]) == (CALLER.hex()[:8], [])
    assert named["dendrite_id"] == "edge"
    assert presence.view(3.0 + CALLER_S, lambda worker: 0) == []


def test_coming_and_going_changes_the_roster():
    presence = Presence()

    changes = {each: presence.observe(observed(each, worker=WORKER), 0.0) for each in SignalType}

    assert {each for each, changed in changes.items() if changed} == {"REGISTER", "DEREGISTER"}


def test_of_very_many_those_who_are_unwell_are_shown():
    presence = Presence()
    many = [record(f"n{n}", instance=f"{n:032x}") for n in range(1_500)]
    presence.compare([*many, record("ill", state="stuck")], 0.0)

    neurons = [each for d in presence.view(0.0, lambda worker: 0) for each in d["neurons"]]

    assert len(neurons) == 1_000
    assert neurons[0]["neuron_id"] == "ill"


def dendrite(name="web", **facts):
    return DendriteRecord(dendrite_id=name, instance=CALLER.hex(), **facts)


def test_a_caller_has_the_name_that_the_synapse_tells_also_after_it_left():
    presence = Presence()
    presence.compare_dendrites([dendrite(calls=True, open=2, age_s=7.0)], 0.0, 100.0)

    (told,) = presence.view(0.0, lambda worker: 0)
    assert (told["dendrite_id"], told["does"], told["state"]) == ("web", "caller", "alive")
    assert (told["open"], told["age_s"], told["left"]) == (2, 7.0, None)

    presence.compare_dendrites([], 1.0, 101.0)
    (told,) = presence.view(1.0, lambda worker: 0)
    assert (told["state"], told["left"]["ts"]) == ("gone", 101.0)
    presence.compare_dendrites([], GONE_S + 2.0, 500.0)
    assert presence.view(GONE_S + 2.0, lambda worker: 0) == []
    assert presence.name_of(CALLER) == "web"


def test_a_dendrite_without_a_name_is_called_by_its_first_digits():
    assert Presence().name_of(CALLER) == CALLER.hex()[:8]


@pytest.mark.parametrize(("calls", "does"), [(False, "worker"), (True, "worker+caller")])
def test_a_worker_whose_axons_left_first_is_still_one_that_answers_tasks(calls, does):
    presence = Presence()
    presence.compare([record(instance=CALLER.hex())], 0.0, 100.0)
    presence.compare([], 1.0, 101.0)
    presence.compare_dendrites([dendrite("host", calls=calls)], 1.0, 101.0)

    (told,) = presence.view(2.0, lambda worker: 0)
    assert told["does"] == does


def test_replicas_are_one_group_with_the_last_death_and_whether_another_one_serves():
    presence = Presence()
    replicas = [
        record(running=2, queued=1, open=3, loop_lag_ms=4, capabilities=("a",)),
        record(instance=CALLER.hex(), dendrite_id="second", running=1, loop_lag_ms=9),
    ]
    presence.compare(replicas, 0.0, 100.0)
    group = presence.groups(0.0)["worker"]
    assert group["replicas"]["alive"] == 2
    assert (group["running"], group["queued"], group["open"]) == (3, 1, 3)
    assert (group["loop_lag_ms"], group["capabilities"], group["gone"]) == (9, ["a"], None)

    presence.observe(leave("lost"), 1.0)
    presence.compare(replicas[1:], 1.0, 101.0)
    group = presence.groups(1.0)["worker"]
    assert (group["replicas"]["alive"], group["replicas"]["gone"]) == (1, 1)
    assert (group["gone"]["ts"], group["gone"]["dendrite_id"]) == (101.0, "host")
    assert group["gone"]["again"]
    assert "vanished" in group["gone"]["reason"]


def peer(name="edge", instance=CALLER, **facts):
    return DendriteRecord(dendrite_id=name, instance=instance.hex(), **facts)


def test_every_dendrite_is_shown_with_its_name_and_what_it_does():
    presence = Presence()
    presence.compare([record()], 0.0)
    presence.compare_dendrites(
        [peer(calls=True), peer("host", WORKER, axons=1), peer("eye", b"e" * 16)], 0.0, 100.0
    )

    shown = {each["dendrite_id"]: each["does"] for each in presence.view(1.0, lambda worker: 0)}

    assert shown == {"edge": "caller", "host": "worker", "eye": "watcher"}
    assert presence.name_of(CALLER) == "edge"


def test_a_caller_that_left_is_shown_for_a_minute_and_its_name_stays():
    presence = Presence()
    presence.compare_dendrites([peer()], 0.0, 100.0)
    presence.compare_dendrites([], 1.0, 101.0)

    (left,) = presence.view(2.0, lambda worker: 0)
    assert (left["state"], left["left"]["ts"]) == ("gone", 101.0)
    presence.compare_dendrites([], 2.0 + CALLER_S, 200.0)

    assert presence.view(2.0 + CALLER_S, lambda worker: 0) == []
    assert presence.name_of(CALLER) == "edge"


def test_a_worker_that_was_lost_says_why_it_left():
    presence = Presence()
    presence.compare([record()], 0.0)
    presence.compare_dendrites([peer("host", WORKER, axons=1)], 0.0, 100.0)
    presence.observe(leave("lost"), 1.0)
    presence.compare([], 2.0, 102.0)
    presence.compare_dendrites([], 2.0, 102.0)

    (shown,) = presence.view(3.0, lambda worker: 0)

    assert shown["state"] == "gone"
    assert "vanished" in shown["left"]["reason"]
    assert shown["left"]["ts"] == 102.0


def test_who_is_gone_is_told_with_the_time():
    presence = Presence()
    presence.compare([record("a"), record("b")], 10.0, 110.0)

    presence.compare([record("b")], 20.0, 120.0)

    assert [(at_ts, each.neuron_id) for at_ts, each in presence.left()] == [(120.0, "a")]


def test_a_neuron_tells_what_it_is_for_and_the_versions_of_its_card():
    presence = Presence()
    other = {"instance": CALLER.hex()}
    told = [record(description="Writes", card="a"), record(card="b", **other), record("plain")]
    presence.compare(told, 1.0)

    groups = presence.groups(2.0)

    assert (groups["worker"]["description"], groups["worker"]["cards"]) == ("Writes", ["a", "b"])
    assert not groups["plain"].keys() & {"description", "cards"}
    told = presence.replicas("worker")
    assert (told["versions"], [each["digest"] for each in told["replicas"]]) == (2, ["a", "b"])


def test_a_replica_without_a_card_beside_one_with_a_card_is_another_version():
    presence = Presence()
    bare = record(instance=CALLER.hex())
    presence.compare([record(card="a"), bare, record("plain"), record("plain", state="away")], 1.0)

    groups = presence.groups(2.0)

    assert groups["worker"]["cards"] == ["a", "none"]
    assert "cards" not in groups["plain"]


def test_a_replica_that_is_away_or_gone_is_no_other_version():
    presence = Presence()
    away = record(card="b", state="away", instance=CALLER.hex())
    presence.compare([record(card="a"), away], 1.0)

    assert presence.groups(2.0)["worker"]["cards"] == ["a"]
