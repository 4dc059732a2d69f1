"""Which router a client has."""

import pytest

from cosmonapse.synapse.nats.router_watch import FAREWELL_S, Move, RouterWatch
from cosmonapse.synapse.nats.shares import SILENT_AFTER_S, SLOTS, Beat

A, B = b"a" * 16, b"b" * 16
EVERYTHING = (1 << SLOTS) - 1


def claim(router):
    return Beat(router, EVERYTHING, leaves=False)


def with_router(router=A):
    watch = RouterWatch("team", 0.0)
    assert watch.on_beat(claim(router), 0.0) is Move.BEGIN
    return watch


def ticked(watch, start_s, end_s):
    """Tick every 100 ms, and return the first move that is one, and when."""
    steps = round((end_s - start_s) * 10)
    for step in range(1, steps + 1):
        now_s = start_s + step / 10
        move = watch.tick(now_s)
        if move is not Move.STAY:
            return move, now_s
    return Move.STAY, end_s


def test_the_first_router_that_serves_the_namespace_is_taken_and_no_other():
    watch = RouterWatch("team", 0.0)

    assert watch.on_beat(Beat(B, 0, leaves=False), 0.0) is Move.STAY
    assert watch.on_beat(Beat(B, EVERYTHING, leaves=True), 0.0) is Move.STAY
    assert watch.on_beat(claim(A), 0.1) is Move.BEGIN
    assert watch.router == A
    assert watch.on_beat(claim(A), 0.2) is Move.STAY


def test_a_claim_of_another_router_is_followed_at_once():
    watch = with_router(A)

    assert watch.on_beat(claim(B), 0.1) is Move.BEGIN
    assert watch.router == B


def test_a_router_that_gave_the_namespace_away_is_left():
    watch = with_router(A)

    assert watch.on_beat(Beat(A, 0, leaves=False), 0.1) is Move.LEAVE
    assert watch.router == b""


def test_a_silent_router_is_left_after_two_seconds_and_one_that_beats_is_not():
    watch = with_router(A)
    assert ticked(watch, 0.0, 1.5) == (Move.STAY, 1.5)
    watch.on_beat(claim(A), 1.5)
    watch.heard(2.0)

    move, at_s = ticked(watch, 1.5, 9.0)

    assert move is Move.LEAVE
    assert at_s == pytest.approx(2.0 + SILENT_AFTER_S, abs=0.15)


def test_half_of_the_silence_is_forgiven_after_the_loop_was_blocked():
    watch = with_router(A)
    ticked(watch, 0.0, 0.5)

    assert watch.tick(8.0) is Move.STAY
    move, at_s = ticked(watch, 8.0, 12.0)

    assert move is Move.LEAVE
    assert at_s == pytest.approx(8.0 + SILENT_AFTER_S / 2, abs=0.15)


def test_what_comes_after_a_blocked_loop_counts():
    watch = with_router(A)
    ticked(watch, 0.0, 0.5)
    watch.tick(8.0)

    watch.on_beat(claim(A), 8.1)

    assert ticked(watch, 8.0, 10.0)[0] is Move.STAY


def test_a_router_that_leaves_is_heard_out_and_the_next_one_follows():
    watch = with_router(A)

    assert watch.on_beat(Beat(A, 0, leaves=True), 0.1) is Move.STAY
    assert watch.on_beat(claim(B), 0.12) is Move.STAY
    assert watch.on_farewell(0.15) is Move.BEGIN
    assert watch.router == B


def test_a_farewell_before_the_last_beat_lets_the_client_go_with_that_beat():
    watch = with_router(A)

    assert watch.on_farewell(0.1) is Move.STAY
    assert watch.on_beat(Beat(A, 0, leaves=True), 0.2) is Move.LEAVE
    assert watch.on_beat(claim(B), 0.3) is Move.BEGIN


def test_a_farewell_that_does_not_come_is_not_waited_for():
    watch = with_router(A)
    watch.on_beat(Beat(A, 0, leaves=True), 0.0)

    move, at_s = ticked(watch, 0.0, 2.0)

    assert move is Move.LEAVE
    assert at_s == pytest.approx(FAREWELL_S, abs=0.11)


def test_nothing_of_a_router_that_left_binds_the_next_one():
    watch = with_router(A)
    watch.on_farewell(0.1)
    watch.on_beat(Beat(A, 0, leaves=True), 0.1)
    watch.on_beat(claim(B), 0.2)

    assert watch.on_beat(Beat(B, 0, leaves=True), 0.3) is Move.STAY
    assert watch.on_gone() is Move.LEAVE
    assert watch.on_beat(claim(A), 0.4) is Move.BEGIN
