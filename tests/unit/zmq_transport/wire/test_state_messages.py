import msgpack
import pytest

from zmq_transport.errors import WireError
from zmq_transport.wire import greetings, state_messages
from zmq_transport.wire.state_messages import ProxyState

SAID = ProxyState(12.5, False, 3, 1, 2, 7, 0, 9, {"drop.verb": 4}, 60.5, {"drop.verb": 1})


def test_a_state_comes_back_as_it_was():
    assert state_messages.unpack(state_messages.pack(SAID)) == SAID


def test_the_question_is_a_small_map():
    assert greetings.unpack_map(state_messages.QUESTION) == {"state": True}


def test_a_newer_proxy_may_say_more():
    fields = msgpack.unpackb(state_messages.pack(SAID)) | {"mood": "fine"}

    assert state_messages.unpack(msgpack.packb(fields)) == SAID


def test_an_older_proxy_tells_nothing_of_the_last_minute():
    fields = msgpack.unpackb(state_messages.pack(SAID))
    del fields["recent"], fields["recent_s"]

    said = state_messages.unpack(msgpack.packb(fields))

    assert (said.recent_s, said.recent, said.counts) == (0.0, {}, SAID.counts)


@pytest.mark.parametrize("field", ["open", "counts", "uptime_s"])
def test_a_state_without_a_field_that_was_always_there_is_a_wire_error(field):
    fields = msgpack.unpackb(state_messages.pack(SAID))
    del fields[field]

    with pytest.raises(WireError, match="not a state of a proxy"):
        state_messages.unpack(msgpack.packb(fields))


@pytest.mark.parametrize(
    "change",
    [
        {"open": -1},
        {"seats": True},
        {"uptime_s": 3},
        {"draining": 1},
        {"counts": [1]},
        {"counts": {"drop.verb": "4"}},
        {"recent": [1]},
        {"recent": {"drop.verb": "4"}},
        {"recent_s": 60},
    ],
    ids=str,
)
def test_what_is_no_state_is_a_wire_error(change):
    fields = msgpack.unpackb(state_messages.pack(SAID)) | change

    with pytest.raises(WireError, match="not a state of a proxy"):
        state_messages.unpack(msgpack.packb(fields))


@pytest.mark.parametrize("body", [b"", b"\xc1", b"\x90", bytes(300_000)], ids=len)
def test_other_bytes_are_a_wire_error(body):
    with pytest.raises(WireError):
        state_messages.unpack(body)


def test_a_proxy_tells_its_state(bench):
    worker, caller = bench.join("w", "echo"), bench.join("c")
    bench.task(caller)
    bench.listen(b"demo/t/001/")
    bench.tick(2.0)

    [answer] = bench.say(worker, *bench.ask_state())

    said = state_messages.unpack(answer.body)
    assert (said.clients, said.away, said.seats, said.open, said.parked) == (2, 0, 1, 1, 0)
    assert said.uptime_s == pytest.approx(2.0)
    assert said.draining is False
    assert said.counts == dict(bench.counts)


def test_a_proxy_tells_what_was_lost_within_the_last_minute(bench):
    guest = bench.join("guest")
    bench.task(guest, address=b"nobody")
    for _ in range(20):
        bench.tick(5.0)
    bench.task(guest, address=b"nobody", task=b"u" * 16)

    [answer] = bench.say(guest, *bench.ask_state())

    said = state_messages.unpack(answer.body)
    assert (said.counts["bounce.no_route"], said.recent["bounce.no_route"]) == (2, 1)
    assert 60.0 <= said.recent_s <= 65.0
