"""What every registry store promises; each test runs once against each of them."""

import threading

import pytest

from cosmonapse import MemoryRegistryStore, NeuronRecord, RegistryStore, SqliteRegistryStore

NOW = 1_000.0


@pytest.fixture(params=["memory", "sqlite"])
def new_store(request, tmp_path):
    """Make stores of one kind whose clock stands still."""
    made = []

    def make(**settings):
        settings = {"clock": lambda: NOW, **settings}
        if request.param == "memory":
            return MemoryRegistryStore(**settings)
        made.append(SqliteRegistryStore(tmp_path / f"{len(made)}.db", **settings))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture
def store(new_store):
    return new_store()


def record(neuron_id="echo", instance="a", **facts):
    return NeuronRecord(neuron_id=neuron_id, instance=instance, **facts)


def names(records):
    return [(each.neuron_id, each.instance) for each in records]


def test_it_is_a_registry_store(store):
    assert isinstance(store, RegistryStore)


def test_a_record_comes_back_whole_with_the_times_of_its_life(store):
    facts = {
        "capabilities": ("chat", "fr"),
        "dendrite_id": "worker",
        "state": "stuck",
        "open": 1,
        "running": 2,
        "queued": 3,
        "loop_lag_ms": 4,
        "version": "1.0",
        "role": "worker",
        "reason": "none",
    }

    store.upsert(record(**facts))

    assert store.get("echo") == record(**facts, first_seen_ts=NOW, last_seen_ts=NOW)
    assert store.list() == [store.get("echo")]


def test_capabilities_given_as_a_list_come_back_as_a_tuple(store):
    store.upsert(record(capabilities=["chat"]))

    assert store.get("echo").capabilities == ("chat",)


def test_who_is_not_there_is_none(store):
    store.upsert(record())

    assert store.get("other") is None
    assert store.get("echo", "b") is None


def test_a_record_replaces_the_one_before_and_keeps_its_first_hour(store):
    store.upsert(record(version="1", last_seen_ts=10.0))
    store.upsert(record(version="2", last_seen_ts=20.0))
    store.upsert(record(version="3", last_seen_ts=15.0))

    (kept,) = store.list()

    assert (kept.version, kept.first_seen_ts, kept.last_seen_ts) == ("3", 10.0, 20.0)


def test_replicas_have_a_record_each(store):
    store.upsert(record(instance="b", last_seen_ts=20.0))
    store.upsert(record(instance="a", last_seen_ts=10.0))

    assert names(store.list()) == [("echo", "a"), ("echo", "b")]
    assert store.get("echo", "a").last_seen_ts == 10.0
    assert store.get("echo").instance == "b"


def test_a_replica_that_is_there_goes_before_one_that_was_seen_later(store):
    store.upsert(record(instance="a", last_seen_ts=10.0))
    store.upsert(record(instance="b", last_seen_ts=20.0))

    store.mark_deregistered("echo", "b")

    assert store.get("echo").instance == "a"


def test_those_that_offer_a_capability_are_found(store):
    store.upsert(record("one", capabilities=("chat", "fr")))
    store.upsert(record("two", capabilities=("chatty",)))

    assert names(store.list(capability="chat")) == [("one", "a")]


def test_a_sign_of_life_notes_the_load(store):
    store.upsert(record(last_seen_ts=10.0, state="away"))

    noted = store.touch_heartbeat("echo", "a", running=1, queued=2, loop_lag_ms=3, at_ts=20.0)

    kept = store.get("echo")
    assert noted
    assert (kept.running, kept.queued, kept.loop_lag_ms) == (1, 2, 3)
    assert (kept.state, kept.first_seen_ts, kept.last_seen_ts) == ("alive", 10.0, 20.0)


def test_a_sign_of_life_is_now_unless_it_is_said_and_never_turns_the_clock_back(store):
    store.upsert(record(last_seen_ts=10.0))

    store.touch_heartbeat("echo", "a")
    store.touch_heartbeat("echo", "a", at_ts=5.0)

    assert store.get("echo").last_seen_ts == NOW


def test_a_sign_of_life_of_an_unknown_replica_is_not_noted(store):
    store.upsert(record(instance="a"))

    assert not store.touch_heartbeat("echo", "b")
    assert not store.touch_heartbeat("other", "a")
    assert names(store.list()) == [("echo", "a")]


def test_who_has_taken_leave_is_kept_apart(store):
    store.upsert(record(last_seen_ts=10.0))

    noted = store.mark_deregistered("echo", "a", reason="lost", at_ts=20.0)

    (kept,) = store.list(include_deregistered=True)
    assert noted
    assert store.list() == []
    assert (kept.state, kept.reason, kept.last_seen_ts) == ("deregistered", "lost", 20.0)


def test_a_sign_of_life_does_not_bring_back_who_has_taken_leave_and_a_record_does(store):
    store.upsert(record())
    store.mark_deregistered("echo", "a", reason="lost")

    noted = store.touch_heartbeat("echo", "a")
    left = store.list()
    store.upsert(record())

    assert not noted
    assert left == []
    assert (store.get("echo").state, store.get("echo").reason) == ("alive", None)


def test_all_replicas_take_leave_at_once_and_none_does_so_twice(store):
    for instance in "ab":
        store.upsert(record(instance=instance))
    store.upsert(record("other"))
    store.mark_deregistered("echo", "a", reason="first")

    again = [store.mark_deregistered("echo", reason="all") for _ in range(2)]

    assert again == [True, False]
    assert store.get("echo", "a").reason == "first"
    assert names(store.list()) == [("other", "a")]


def test_a_full_store_forgets_first_who_has_taken_leave_then_the_longest_unseen(new_store):
    store = new_store(max_records=3)
    for number, neuron_id in enumerate(["gone", "old", "new"]):
        store.upsert(record(neuron_id, last_seen_ts=float(10 - number)))
    store.mark_deregistered("gone", at_ts=100.0)

    store.upsert(record("more", last_seen_ts=1.0))
    after_one = store.list(include_deregistered=True)
    store.upsert(record("most", last_seen_ts=2.0))

    assert names(after_one) == [("more", "a"), ("new", "a"), ("old", "a")]
    assert names(store.list()) == [("most", "a"), ("new", "a"), ("old", "a")]


def test_a_store_that_may_keep_nothing_is_refused(new_store):
    with pytest.raises(ValueError, match="at least 1, not 0"):
        new_store(max_records=0)


def test_a_store_serves_many_threads(store):
    def work(name):
        for number in range(50):
            store.upsert(record(f"{name}-{number}"))
            store.touch_heartbeat("shared", "a", running=number)

    store.upsert(record("shared"))
    threads = [threading.Thread(target=work, args=(name,)) for name in "abcd"]
    for each in threads:
        each.start()
    for each in threads:
        each.join(30)

    assert len(store.list()) == 201
    assert store.get("shared").running == 49
