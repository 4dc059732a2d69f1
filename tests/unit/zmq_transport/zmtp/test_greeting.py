"""The opening of a connection."""

import pytest

from support.vectors import VECTORS, each_of
from zmq_transport.errors import ZmtpFault
from zmq_transport.zmtp import greeting
from zmq_transport.zmtp.greeting import GREETING

READYS = [each for each in VECTORS["zmtp"]["commands"] if each["command"] == "READY"]


def test_our_greeting_is_the_one_of_the_vectors():
    assert VECTORS["zmtp"]["greeting"] == GREETING.hex()


@pytest.mark.parametrize("size", range(1, len(GREETING)))
def test_a_part_of_a_greeting_asks_for_the_rest(size):
    assert greeting.check_greeting(GREETING[:size]) is None


@pytest.mark.parametrize("minor", [0, 1, 7])
def test_every_minor_version_is_taken(minor):
    theirs = GREETING[:11] + bytes((minor,)) + GREETING[12:]

    assert greeting.check_greeting(theirs + b"more") == minor


def test_the_padding_of_a_signature_is_ignored():
    assert greeting.check_greeting(b"\xff" + b"12345678" + GREETING[9:]) == 1


@pytest.mark.parametrize(
    ("theirs", "reason"),
    [
        (b"GET / HTTP/1.1", "not_zmtp"),
        (b"\x00", "not_zmtp"),
        (b"\xff" + bytes(8) + b"\x00", "not_zmtp"),
        (GREETING[:10] + b"\x01", "old_zmtp"),
        (GREETING[:10] + b"\x02" + GREETING[11:], "old_zmtp"),
        (GREETING[:12] + b"CURVE".ljust(20, b"\0") + GREETING[32:], "mechanism"),
        (GREETING[:12] + b"NULLS".ljust(20, b"\0") + GREETING[32:], "mechanism"),
    ],
)
def test_a_greeting_of_another_kind_is_refused_as_soon_as_it_shows(theirs, reason):
    with pytest.raises(ZmtpFault) as refused:
        greeting.check_greeting(theirs)

    assert refused.value.reason == reason
    assert str(refused.value).isprintable()


@each_of(READYS)
def test_the_properties_of_a_ready_are_those_of_the_vectors(vector):
    kind = dict(vector["properties"])["Socket-Type"].encode()
    data = bytes.fromhex(vector["data"])

    assert greeting.ready_properties(kind) == data
    greeting.check_ready(data, kind)


def test_names_of_properties_ignore_case_and_unknown_ones_are_ignored():
    data = b"\x01X\0\0\0\x02ab" + b"\x0bSOCKET-type\0\0\0\x06DEALER" + b"\0\0\0\0\0"

    greeting.check_ready(data, b"DEALER")


def test_an_identity_of_the_peer_is_ignored():
    data = greeting.ready_properties(b"SUB") + b"\x08Identity\0\0\0\x03me!"

    greeting.check_ready(data, b"SUB")


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "bad_ready"),
        (b"\x08Identity\0\0\0\0", "bad_ready"),
        (greeting.ready_properties(b"DEALER")[:-1], "bad_ready"),
        (b"\x0bSocket-Type\xff\xff\xff\xff", "bad_ready"),
        (b"\xff", "bad_ready"),
        (greeting.ready_properties(b"REQ"), "socket_type"),
        (b"\x0bSocket-Type\0\0\0\x02\x1b\x00", "socket_type"),
    ],
)
def test_a_ready_of_another_kind_is_refused(data, reason):
    with pytest.raises(ZmtpFault) as refused:
        greeting.check_ready(data, b"DEALER")

    assert refused.value.reason == reason
    assert str(refused.value).isprintable()
