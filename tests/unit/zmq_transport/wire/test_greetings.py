"""The maps that the transport reads itself."""

import msgpack
import pytest

from zmq_transport.errors import WireError
from zmq_transport.wire import greetings, heads

SECRET = bytes(range(16))
HELLO = {
    "secret": SECRET,
    "instance": heads.instance_of(SECRET),
    "namespace": "demo",
    "name": "worker",
    "epoch": b"",
}
WELCOME = {
    "epoch": bytes(16),
    "listen_port": 7072,
    "publish_port": 7073,
    "heartbeat_ms": 2000,
    "max_body_bytes": 1,
}


def reason_of(call, *args):
    with pytest.raises(WireError) as caught:
        call(*args)
    return caught.value.reason, str(caught.value)


def test_a_hello_says_who_it_is():
    hello = greetings.unpack_hello(greetings.pack_map({**HELLO, "epoch": b"e" * 16}))

    assert (hello.namespace, hello.name, hello.epoch) == ("demo", "worker", b"e" * 16)


def test_a_hello_does_not_show_its_secret_in_a_log():
    assert repr(SECRET) not in repr(greetings.Hello(**HELLO))


def test_fields_that_we_do_not_know_are_accepted():
    assert greetings.unpack_hello(greetings.pack_map({**HELLO, "new": {"x": [1]}})).name == "worker"
    assert greetings.unpack_welcome(greetings.pack_map({**WELCOME, "new": 1})).listen_port == 7072


@pytest.mark.parametrize("epoch", [b"", None])
def test_a_first_hello_knows_no_epoch(epoch):
    assert greetings.unpack_hello(greetings.pack_map({**HELLO, "epoch": epoch})).epoch == b""


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("secret", None),
        ("secret", b"short"),
        ("secret", "x" * 16),
        ("instance", bytes(17)),
        ("namespace", ""),
        ("namespace", "a/b"),
        ("namespace", 7),
        ("name", "a\n"),
        ("name", "x" * 129),
        ("epoch", b"short"),
        ("epoch", 1),
    ],
)
def test_a_hello_with_a_wrong_field_is_refused_with_its_name(field, value):
    reason, text = reason_of(greetings.unpack_hello, greetings.pack_map({**HELLO, field: value}))

    assert (reason, field in text) == ("bad_field", True)


@pytest.mark.parametrize("field", ["secret", "instance", "namespace", "name"])
def test_a_hello_without_a_field_is_refused_with_its_name(field):
    fields = {key: value for key, value in HELLO.items() if key != field}

    assert field in reason_of(greetings.unpack_hello, greetings.pack_map(fields))[1]


def test_the_instance_id_of_another_is_refused():
    stolen = {**HELLO, "instance": heads.instance_of(b"another's secret")}

    assert reason_of(greetings.unpack_hello, greetings.pack_map(stolen))[0] == "bad_secret"


@pytest.mark.parametrize("field", ["listen_port", "publish_port", "heartbeat_ms", "max_body_bytes"])
@pytest.mark.parametrize("value", [None, -1, True, 1.5, "1", 2**63])
def test_a_welcome_with_a_wrong_count_is_refused_with_its_name(field, value):
    reason, text = reason_of(
        greetings.unpack_welcome, greetings.pack_map({**WELCOME, field: value})
    )

    assert (reason, field in text) == ("bad_field", True)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xc1",
        b"\x81",
        msgpack.packb([1]),
        msgpack.packb("text"),
        msgpack.packb({}) + b"\x00",
        msgpack.packb({1: 2}),
        msgpack.packb({"a": msgpack.ExtType(5, b"xy")}),
        msgpack.packb({"a": msgpack.Timestamp(1)}),
        msgpack.packb({str(n): n for n in range(65)}),
        msgpack.packb({"a": [0] * 257}),
        msgpack.packb({"a": "x" * 4097}),
        b"\x81\xa1\xff\x01",
    ],
    ids=lambda body: repr(body[:12]),
)
def test_what_is_no_small_map_is_refused(body):
    assert reason_of(greetings.unpack_map, body)[0] == "bad_body"


def test_a_deep_value_is_refused_without_being_shown():
    deep = b"\x81\xa6secret" + b"\x91" * 8000 + b"\xc0"

    reason, text = reason_of(greetings.unpack_hello, deep)

    assert reason in {"bad_body", "bad_field"}
    assert len(text) < 200


def test_a_long_body_is_refused_unread():
    assert reason_of(greetings.unpack_map, b"\xc1" * (greetings.MAX_BYTES + 1))[0] == "long_body"


def test_capabilities_are_a_list_of_names():
    assert greetings.unpack_capabilities({"capabilities": ["b", "a", "b"]}) == {"a", "b"}
    assert greetings.unpack_capabilities({}) == frozenset()


@pytest.mark.parametrize("offered", ["chat", {"chat": 1}, None, ["a b"], [1], [["chat"]]])
def test_capabilities_that_are_no_list_of_names_are_refused(offered):
    reason, _ = reason_of(greetings.unpack_capabilities, {"capabilities": offered})

    assert reason == "bad_field"
