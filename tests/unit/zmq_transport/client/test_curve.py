"""The public key of the proxy that a client expects."""

from zmq_transport.access.curve_keys import ClientKeys, KeyPair
from zmq_transport.client import curve as module
from zmq_transport.client.curve import Curve
from zmq_transport.sockets.endpoints import TcpEndpoint

A, B, C = (TcpEndpoint(f"10.0.0.{number}", 7070) for number in (1, 2, 3))
PAIR = KeyPair(b"p" * 32, b"s" * 32)
NEW, OLD = b"n" * 32, b"o" * 32


def test_during_a_rotation_both_public_keys_have_their_turn():
    curve = Curve(ClientKeys("ada", PAIR, (NEW, OLD)))

    expected = []
    for _ in range(4):
        expected.append(curve.proxy)
        curve.expect_next()

    assert expected == [NEW, OLD, NEW, OLD]


def test_the_only_public_key_stays():
    curve = Curve(ClientKeys("ada", PAIR, (NEW,)))

    curve.expect_next()

    assert (curve.user, curve.pair, curve.proxy) == ("ada", PAIR, NEW)


def test_each_address_keeps_the_public_key_that_was_good_there():
    curve = Curve(ClientKeys("ada", PAIR, (NEW, OLD)))
    curve.turn_to(A)
    curve.expect_next()
    curve.on_good()

    curve.turn_to(B)
    at_another = curve.proxy
    curve.turn_to(A)

    assert (at_another, curve.proxy) == (NEW, OLD)


def test_what_is_the_key_of_another_address_is_tried_last():
    curve = Curve(ClientKeys("ada", PAIR, (NEW, OLD)))
    curve.turn_to(A)
    curve.on_good()

    curve.turn_to(B)

    assert curve.proxy == OLD


def test_where_each_key_is_taken_one_that_is_good_elsewhere_is_expected():
    curve = Curve(ClientKeys("ada", PAIR, (NEW,)))
    curve.turn_to(A)
    curve.on_good()

    curve.turn_to(B)

    assert curve.proxy == NEW


def test_the_next_key_has_its_turn_at_once_until_each_had_one():
    curve = Curve(ClientKeys("ada", PAIR, (NEW, OLD, b"x" * 32)))
    curve.turn_to(A)

    assert [curve.expect_next() for _ in range(6)] == [True, True, False] * 2


def test_what_is_known_of_addresses_has_a_bound(monkeypatch):
    monkeypatch.setattr(module, "MAX_ADDRESSES", 2)
    curve = Curve(ClientKeys("ada", PAIR, (NEW, OLD)))

    for address in (A, B, C, A, B, C):
        curve.turn_to(address)
        curve.expect_next()
        curve.on_good()

    assert len(curve._good) <= 3
    assert len(curve._expected) <= 3
