"""A peer that knows the wire and breaks its rules, at a Synapse. Page: docs/bad-input.md."""

import time

import pytest

from support.processes import Children, measured
from support.rude import LimitedSynapse
from support.stranger import stranger
from zmq_transport import Settings, Verb
from zmq_transport.proxy.engine import Engine
from zmq_transport.sockets.carriers import CARRIERS
from zmq_transport.wire import greetings, heads
from zmq_transport.zmtp.frame_reader import MAX_FRAMES

QUICK_S = 0.001
HELLO = {"secret": b"s" * 16, "instance": heads.instance_of(b"s" * 16), "namespace": "test"}
NAMED = {**HELLO, "name": "rude"}
MANY_KEYS = b"\xde\x27\x10" + b"".join(b"\xa5k%04d\xc0" % n for n in range(10_000))
DEEP = b"\x81\xa6secret" + b"\x91" * 500 + b"\xc0"
BAD_HELLOS = {
    "no msgpack": (b"\xc1" * 100, "msgpack"),
    "no map": (b"\x93\x01\x02\x03", "map"),
    "no secret": (greetings.pack_map({**NAMED, "secret": None}), "secret"),
    "no name": (greetings.pack_map(HELLO), "name"),
    "a name that is a number": (greetings.pack_map({**HELLO, "name": 7}), "name"),
    "a name with NUL": (greetings.pack_map({**HELLO, "name": "a\0b"}), "name"),
    "a name with a line end": (greetings.pack_map({**HELLO, "name": "a\nb"}), "name"),
    "a name that turns the text": (greetings.pack_map({**HELLO, "name": "a\u202eb"}), "name"),
    "a name that is a path": (greetings.pack_map({**NAMED, "namespace": "../x"}), "namespace"),
    "a namespace of two dots": (greetings.pack_map({**NAMED, "namespace": ".."}), "namespace"),
    "an empty namespace": (greetings.pack_map({**NAMED, "namespace": ""}), "namespace"),
    "a namespace of 4 kB": (greetings.pack_map({**NAMED, "namespace": "x" * 4000}), "namespace"),
    "a namespace of 10 kB": (greetings.pack_map({**NAMED, "namespace": "x" * 10_000}), "8,192"),
    "10,000 keys": (MANY_KEYS, "8,192"),
    "500 deep": (DEEP, "secret"),
}


@pytest.fixture(scope="module", params=CARRIERS)
def synapse(request):
    with Children() as children:
        yield LimitedSynapse(children, carrier=request.param)


def said_of(body, say):
    """Return verb and reason of what comes back for a HELLO."""
    verb, answer = say(heads.pack(Verb.HELLO, len(body)), body)
    return verb, greetings.unpack_map(answer)["reason"]


@pytest.mark.parametrize("name", BAD_HELLOS)
def test_a_bad_hello_is_refused_over_the_wire_with_the_field_named(name, synapse):
    body, named = BAD_HELLOS[name]

    with stranger(synapse.port) as rude:
        verb, answer, _ = rude.answers_to(Verb.HELLO, body)
        reason = greetings.unpack_map(answer)["reason"]
        rude.joins("test")  # the same connection may do better

    assert verb is Verb.REFUSED
    assert named in reason
    assert len(reason) < 500
    assert reason.isprintable()


@pytest.mark.parametrize("name", BAD_HELLOS)
def test_a_bad_hello_is_refused_in_under_a_millisecond(name):
    engine = Engine(epoch=b"e" * 16, now_s=0.0, settings=Settings())
    body, _ = BAD_HELLOS[name]
    head = heads.pack(Verb.HELLO, len(body))
    took_s = []
    for _ in range(50):
        began_s = time.perf_counter()
        engine.on_message(b"connection", head, body, 0.0)
        took_s.append(time.perf_counter() - began_s)

    measured(f"HELLO refused, {name}, the best of 50", min(took_s))
    assert engine.counts["refused"] == 50
    assert min(took_s) < QUICK_S


def test_another_version_is_answered_over_the_wire_with_those_spoken_here(synapse):
    with stranger(synapse.port) as rude:
        rude.joins("test")
        head = b"\x02" + heads.pack(Verb.TASK, 4, address=b"echo")[1:]
        before = synapse.count("drop.version")
        rude.send(head, b"body")
        verb, answer, _ = rude.heard()

    assert verb is Verb.REFUSED
    assert greetings.unpack_map(answer)["speaks"] == [1, 1]
    assert synapse.count("drop.version") == before + 1


@pytest.mark.parametrize(
    ("counter", "frames"),
    [
        ("drop.verb", [heads.pack(250), b""]),
        ("drop.short_head", [heads.pack(Verb.TASK)[:30], b""]),
        ("drop.body_length", [heads.pack(Verb.TASK, 5, address=b"echo"), b"four"]),
        ("drop.frame_count", [b"x"]),
        ("drop.frame_count", [b"x"] * 3),
        ("drop.frame_count", [b"x"] * MAX_FRAMES),
    ],
)
def test_what_is_no_message_is_dropped_and_counted_and_the_peer_stays(counter, frames, synapse):
    with stranger(synapse.port) as rude:
        rude.joins("test")
        before = synapse.count(counter)
        rude.send(*frames)
        # What comes behind it is answered over the same connection.
        bounce = rude.answers_to(Verb.TASK, b"", number=5000, task=b"t" * 16, address=b"nobody")

    assert synapse.count(counter) == before + 1
    assert bounce == (Verb.BOUNCE, b"no_route", b"t" * 16)


@pytest.mark.parametrize(
    "address", [b"\xff\xfe", b"a\0b", b"a\nb", b"..", b"a/b", b"?", b"x" * 300]
)
def test_a_task_to_what_is_no_address_comes_back(address, synapse):
    with stranger(synapse.port) as rude:
        rude.joins("test")
        heard = rude.answers_to(Verb.TASK, b"", number=5000, task=b"t" * 16, address=address)

    assert heard == (Verb.BOUNCE, b"bad_address", b"t" * 16)


@pytest.mark.parametrize("more", [[], [b"body", b"surplus"]], ids=["one frame", "three frames"])
def test_a_task_in_too_few_or_too_many_frames_comes_back_to_a_sender_that_is_known(more, synapse):
    with stranger(synapse.port) as rude:
        rude.joins("test")
        rude.send(heads.pack(Verb.TASK, 4, number=5000, task=b"t" * 16, address=b"echo"), *more)
        heard = rude.heard(wait_ms=500)

    assert heard is not None
    assert heard[0] is Verb.BOUNCE
    assert heard[2] == b"t" * 16


def test_an_instance_id_without_its_secret_is_refused_and_its_holder_goes_on(synapse):
    with stranger(synapse.port) as holder, stranger(synapse.port) as thief:
        holder.joins("test")
        stolen = greetings.pack_hello(greetings.Hello(b"x" * 16, holder.instance, "test", "thief"))
        verb, answer, _ = thief.answers_to(Verb.HELLO, stolen)
        bounce = holder.answers_to(Verb.TASK, b"", number=5000, task=b"t" * 16, address=b"nobody")

    assert verb is Verb.REFUSED
    assert "secret" in greetings.unpack_map(answer)["reason"]
    assert bounce == (Verb.BOUNCE, b"no_route", b"t" * 16)
