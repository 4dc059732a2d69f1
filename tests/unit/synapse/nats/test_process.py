"""A Synapse on NATS as a process tells what a Synapse on ZeroMQ tells."""

import pytest

pytest.importorskip("nats", reason="nats-py is not installed, see the extra [nats]")

from cosmonapse.errors import InvalidName, InvalidUrl
from cosmonapse.synapse.nats.process import NatsSynapseProcess
from cosmonapse.synapse.nats.router_state import summed_state
from zmq_transport.wire.state_messages import ProxyState


def state_of(clients, **recent):
    return ProxyState(
        uptime_s=1.0,
        draining=False,
        clients=clients,
        away=1,
        seats=2,
        open=3,
        parked=4,
        topics=5,
        counts={"ignored": 1},
        recent_s=10.0 * clients,
        recent=recent,
    )


def test_the_state_of_a_router_is_the_sum_of_its_engines():
    whole = summed_state(
        [state_of(1, copies=2), state_of(3, copies=1)], {"copies": 9}, 60.0, draining=True
    )

    assert (whole.clients, whole.away, whole.seats, whole.open) == (4, 2, 4, 6)
    assert (whole.parked, whole.topics, whole.recent_s) == (8, 10, 30.0)
    assert (whole.counts, whole.recent) == ({"copies": 9}, {"copies": 3})
    assert (whole.uptime_s, whole.draining) == (60.0, True)


def test_a_router_without_an_engine_has_a_state():
    whole = summed_state([], {}, 1.0, draining=False)

    assert (whole.clients, whole.recent_s, whole.recent) == (0, 0.0, {})


def test_a_process_that_has_not_run_has_a_state_and_is_not_ready():
    process = NatsSynapseProcess("nats://ada:secret@127.0.0.1:4222")

    state = process.state()

    assert (state.connections, state.url) == (0, "nats://ada:***@127.0.0.1:4222")
    assert "secret" not in repr(process.__dict__)
    assert not process.judge().ok
    assert not process.judge_start().ok
    assert (process.counts, process.waiting_bytes) == ({}, 0)


@pytest.mark.parametrize("dead_after_s", [0, 2.9, 3601, float("nan")])
def test_a_limit_that_would_end_living_dendrites_is_refused(dead_after_s):
    with pytest.raises(ValueError, match="dead_after_s must be 3 to 3,600 s"):
        NatsSynapseProcess("nats://127.0.0.1", dead_after_s=dead_after_s)


def test_a_url_and_a_namespace_are_checked_before_anything_runs():
    with pytest.raises(InvalidUrl):
        NatsSynapseProcess("nats://")
    with pytest.raises(InvalidName):
        NatsSynapseProcess("nats://127.0.0.1", namespaces=["a b"])
