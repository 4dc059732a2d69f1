"""Who has fallen silent."""

import pytest

from zmq_transport.proxy.liveness import Liveness

A, B = b"a", b"b"


def test_who_was_heard_is_not_silent_before_the_time_is_over():
    liveness = Liveness(6.0)
    liveness.record(A, 10.0)

    assert liveness.newly_silent(15.99) == []
    assert liveness.newly_silent(16.0) == [A]


def test_silence_is_reported_once():
    liveness = Liveness(6.0)
    liveness.record(A, 10.0)

    assert [liveness.newly_silent(at_s) for at_s in (16.0, 17.0, 99.0)] == [[A], [], []]


def test_each_sign_of_life_starts_the_time_anew():
    liveness = Liveness(6.0)
    liveness.record(A, 10.0)
    liveness.record(A, 15.0)

    assert liveness.newly_silent(20.9) == []
    assert liveness.newly_silent(21.0) == [A]


def test_the_end_of_a_silence_is_told_once():
    liveness = Liveness(6.0)
    liveness.record(A, 0.0)
    liveness.newly_silent(6.0)

    assert [liveness.record(A, 7.0), liveness.record(A, 8.0)] == [True, False]


def test_who_speaks_again_can_fall_silent_again():
    liveness = Liveness(6.0)
    liveness.record(A, 0.0)
    liveness.newly_silent(6.0)
    liveness.record(A, 7.0)

    assert liveness.newly_silent(13.0) == [A]


def test_each_peer_has_its_own_time():
    liveness = Liveness(6.0)
    liveness.record(A, 0.0)
    liveness.record(B, 1.0)

    assert liveness.newly_silent(6.5) == [A]
    assert liveness.newly_silent(7.0) == [B]


def test_who_is_forgotten_is_never_silent():
    liveness = Liveness(6.0)
    liveness.record(A, 0.0)
    liveness.forget(A)
    liveness.forget(A)

    assert liveness.newly_silent(99.0) == []
    assert len(liveness) == 0
    assert liveness.record(A, 100.0) is False


def test_an_expiry_of_nothing_is_refused():
    with pytest.raises(ValueError, match="expiry_s"):
        Liveness(0.0)
