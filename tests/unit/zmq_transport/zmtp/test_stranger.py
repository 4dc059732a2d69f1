"""Who is there, from the first bytes of a connection."""

import pytest

from zmq_transport.zmtp import stranger

START = b"\xff" + bytes(8) + b"\x7f\x03\x01"


def spoken(mechanism, *more):
    return START + mechanism.ljust(20, b"\0") + bytes(32) + b"".join(more)


def ready(kind):
    prop = b"\x0bSocket-Type" + len(kind).to_bytes(4, "big") + kind
    body = b"\x05READY" + prop + b"\x08Identity" + bytes(4)
    return b"\x04" + bytes([len(body)]) + body


@pytest.mark.parametrize(
    ("seen", "complete", "text"),
    [
        (b"", False, "sends nothing"),
        (START, False, "began to speak ZeroMQ and stopped"),
        (spoken(b"NULL"), False, "a ZeroMQ socket that refuses us"),
        (spoken(b"NULL", ready(b"ROUTER")), True, "a ZeroMQ socket of type ROUTER"),
        (spoken(b"NULL", ready(b"XPUB")[:-30]), False, "a ZeroMQ socket that refuses us"),
        (spoken(b"CURVE"), True, "with the security mechanism CURVE"),
        (b"SSH-2.0-x\r\n", True, "does not speak our protocol (it sent b'SSH-2.0-x\\r\\n')"),
        (spoken(b"\xff\x00\x1b"), True, "with the security mechanism '"),
    ],
)
def test_the_first_bytes_name_the_far_end(seen, complete, text):
    assert stranger.is_complete(seen) is complete
    assert text in stranger.described(seen)
    assert stranger.described(seen).isprintable()


def test_a_far_end_that_never_stops_is_enough_at_a_kibibyte():
    assert stranger.is_complete(spoken(b"NULL", b"x" * stranger.MOST_BYTES))
