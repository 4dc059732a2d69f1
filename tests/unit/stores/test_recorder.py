"""What presence Signals leave behind in a store."""

import itertools

import pytest

from cosmonapse import Directed, MemoryRegistryStore, NeuronRecord, Signal
from cosmonapse.stores import Recorder

ECHO = Directed("echo", "neuron", ("chat", "fr"))
META = {"dendrite": "worker", "instance": "a" * 32}


@pytest.fixture
def store():
    return MemoryRegistryStore()


@pytest.fixture
def recorder(store):
    """Write at 1 s, 2 s, 3 s and so on."""
    return Recorder(store, clock=itertools.count(1.0).__next__)


def signal(type, payload=None, directed=ECHO, meta=META):
    return Signal(type=type, payload=payload or {}, directed=directed, meta=meta)


REGISTER = signal("REGISTER", {"role": "worker", "capabilities": ["chat"], "version": "1.0"})
BEAT = signal(
    "HEARTBEAT", {"status": "ready", "running": 1, "queued": 2, "loop_lag_ms": 3, "role": 7}
)
LOST = signal("DEREGISTER", {"reason": "lost"})


def test_a_life_is_recorded_from_register_to_deregister(recorder, store):
    for each in (REGISTER, BEAT, LOST):
        assert recorder.take(each)

    assert store.list(include_deregistered=True) == [
        NeuronRecord(
            neuron_id="echo",
            capabilities=("chat", "fr"),
            dendrite_id="worker",
            instance="a" * 32,
            state="deregistered",
            running=1,
            queued=2,
            loop_lag_ms=3,
            version="1.0",
            role="worker",
            first_seen_ts=1.0,
            last_seen_ts=3.0,
            reason="lost",
        )
    ]


def test_who_registered_before_our_time_is_recorded_at_its_next_heartbeat(recorder, store):
    recorder.take(BEAT)

    record = store.get("echo")
    assert (record.capabilities, record.running, record.role) == (("chat", "fr"), 1, None)


def test_who_was_taken_for_lost_comes_back_with_a_heartbeat(recorder, store):
    for each in (REGISTER, LOST, BEAT):
        recorder.take(each)

    (record,) = store.list()
    assert (record.state, record.reason) == ("alive", None)
    assert (record.role, record.version, record.first_seen_ts) == ("worker", "1.0", 1.0)


def test_a_leave_of_somebody_unknown_is_recorded_too(recorder, store):
    recorder.take(LOST)

    (record,) = store.list(include_deregistered=True)
    assert (record.state, record.reason) == ("deregistered", "lost")


def test_a_second_leave_changes_nothing(recorder, store):
    for each in (REGISTER, signal("DEREGISTER", {"reason": "stop"}), LOST):
        recorder.take(each)

    assert store.get("echo").reason == "stop"


def test_one_replica_leaves_and_the_other_stays(recorder, store):
    other = META | {"instance": "b" * 32}
    recorder.take(REGISTER)
    recorder.take(signal("REGISTER", meta=other))

    recorder.take(LOST)

    assert [each.instance for each in store.list()] == ["b" * 32]


def test_a_leave_without_an_instance_takes_all_until_the_next_heartbeat(recorder, store):
    other = META | {"instance": "b" * 32}
    recorder.take(REGISTER)
    recorder.take(signal("REGISTER", meta=other))

    recorder.take(signal("DEREGISTER", {"reason": "lost"}, meta={}))
    left = store.list()
    recorder.take(BEAT)

    assert left == []
    assert [each.instance for each in store.list()] == ["a" * 32]


def test_signals_without_an_instance_are_of_one_replica(recorder, store):
    for each in ("REGISTER", "HEARTBEAT", "DEREGISTER"):
        recorder.take(signal(each, meta={}))

    (record,) = store.list(include_deregistered=True)
    assert (record.instance, record.dendrite_id, record.state) == ("", "", "deregistered")


@pytest.mark.parametrize(
    "other",
    [
        signal("AGENT_OUTPUT", {"output": {}}),
        signal("REGISTER", directed=None),
        signal("REGISTER", directed=Directed(None, "neuron")),
        signal("REGISTER", directed=Directed("not a name", "neuron")),
        signal("REGISTER", directed=Directed("echo", "neuron", ("no name",))),
        signal("REGISTER", directed=Directed("echo", "neuron", tuple(map(str, range(300))))),
    ],
    ids=["an output", "nobody", "no id", "a bad id", "a bad capability", "too many"],
)
def test_what_tells_of_no_axon_is_left_alone(recorder, store, other):
    assert not recorder.take(other)
    assert store.list(include_deregistered=True) == []


def test_values_of_the_wrong_kind_count_as_not_said(recorder, store):
    payload = {"running": "many", "queued": -1, "loop_lag_ms": 2**70, "version": 7, "role": ["x"]}

    recorder.take(signal("HEARTBEAT", payload, meta={"instance": 5, "dendrite": None}))

    record = store.get("echo")
    assert (record.running, record.queued, record.loop_lag_ms) == (0, 0, 0)
    assert (record.version, record.role, record.instance) == (None, None, "")


def test_a_text_without_end_is_cut(recorder, store):
    recorder.take(signal("DEREGISTER", {"reason": "x" * 100_000}))

    assert store.get("echo").reason == "x" * 1_000
