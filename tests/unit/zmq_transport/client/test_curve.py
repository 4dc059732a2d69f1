"""The public key of the proxy that a client expects."""

from zmq_transport.access.curve_keys import ClientKeys, KeyPair
from zmq_transport.client.curve import Curve

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
