"""The state of a router is that of the router, whoever asks it and whatever its slots know."""

import pytest

from cosmonapse.synapse.nats.shares import slot_of
from support.nats_bench import Bench
from zmq_transport.wire import heads, state_messages
from zmq_transport.wire.heads import Verb

NAMESPACES = "demo", "team"


@pytest.fixture
def bench():
    """Return a router of which two namespaces are used, in two slots."""
    assert len({slot_of(each) for each in NAMESPACES}) == len(NAMESPACES)
    bench = Bench()
    bench.tick(30.0)
    for name, namespace in zip("12", NAMESPACES, strict=True):
        client = bench.client(name, namespace)
        client.greet()
        client.serve(b"echo")
        client.task(b"nobody", int(name))
    return bench


def answer_to(client):
    """Return the state that a client is told."""
    question = state_messages.QUESTION
    client.send(heads.pack(Verb.ROSTER, len(question), task=b"q" * 16), question)
    ((verb, _, body),) = client.take()
    assert verb == Verb.ROSTER
    return state_messages.unpack(body)


def test_it_is_of_all_slots_together(bench):
    state = bench.state(False, bench.now_s)

    assert len(bench.engines) == 2
    assert (state.clients, state.seats) == (2, 2)
    assert state.counts["bounce.no_route"] == 2


def test_a_client_is_told_it_though_its_slot_is_young(bench):
    late = bench.client("3", "later")
    late.greet()

    state = answer_to(late)

    assert state.uptime_s == pytest.approx(bench.now_s - 1000.0)
    assert (state.clients, state.seats) == (3, 2)
    assert state.counts["bounce.no_route"] == 2
    assert state.recent["bounce.no_route"] == 2


def test_what_was_counted_stays_when_a_slot_is_dropped(bench):
    bench.term.end()

    state = bench.state(True, bench.now_s)

    assert (state.clients, state.seats, state.draining) == (0, 0, True)
    assert state.counts["bounce.no_route"] == 2


def test_growth_is_told_of_the_last_minute_alone(bench):
    bench.tick(70.0)

    state = bench.state(False, bench.now_s)

    assert 60.0 <= state.recent_s <= 65.1
    assert "bounce.no_route" not in state.recent
