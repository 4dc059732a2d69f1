"""Who is cut, from what is seen over time."""

import attrs
import pytest

from zmq_transport.proxy.watchdog import (
    AHEAD,
    MESSAGE_OVERHEAD_BYTES,
    NO_HELLO,
    NOT_GREETED,
    UNREAD,
    UNREAD_BYTES,
    WatchBounds,
    Watched,
)

MIB = 1024 * 1024
ROUTER = WatchBounds(
    handshake_s=3.0,
    hello_s=10.0,
    ahead_bytes=20 * MIB,
    stranger_ahead_bytes=5 * MIB,
    unread_s=4.0,
    behind_s=None,
    waiting_bytes=8 * MIB,
)
BROADCAST = attrs.evolve(ROUTER, hello_s=None, behind_s=60.0)


@pytest.fixture
def stranger():
    """A connection that was accepted at 0 and has greeted."""
    made = Watched(0.0)
    made.has_greeted = True
    return made


@pytest.fixture
def client(stranger):
    stranger.is_client = True
    return stranger


# -- time ------------------------------------------------------------------------------------------


def test_who_does_not_greet_is_cut_a_moment_after_libzmq_had_to():
    silent = Watched(0.0)

    assert silent.judge_written(14, ROUTER, 3.4) == ""
    assert silent.judge_written(14, ROUTER, 3.5) == NOT_GREETED
    assert not silent.has_greeted


def test_who_was_written_a_whole_greeting_has_sent_one():
    greeted = Watched(0.0)

    assert greeted.judge_written(64, ROUTER, 3.5) == ""
    assert greeted.has_greeted


def test_who_does_not_say_hello_in_time_is_cut(stranger):
    assert stranger.judge_time(ROUTER, 9.9) == ""
    assert stranger.judge_time(ROUTER, 10.0) == NO_HELLO


def test_where_no_hello_is_said_nobody_is_late(stranger):
    assert stranger.judge_time(BROADCAST, 1e6) == ""


def test_a_client_whose_connection_is_its_own_no_more_has_the_time_of_a_stranger(client):
    assert client.judge_time(ROUTER, 500.0) == ""
    client.is_client = False
    assert client.judge_time(ROUTER, 509.0) == ""
    assert client.judge_time(ROUTER, 510.0) == NO_HELLO


# -- ahead -----------------------------------------------------------------------------------------


def test_a_stranger_that_is_ahead_is_cut_at_once(stranger):
    assert stranger.judge_received(5 * MIB, ROUTER, 2.0) == ""
    assert stranger.judge_received(6 * MIB, ROUTER, 2.1) == AHEAD


def test_a_client_may_be_ahead_for_a_moment_of_a_loop_that_stood_still(client):
    assert client.judge_received(30 * MIB, ROUTER, 2.0) == ""
    assert client.is_suspect
    assert client.judge_received(40 * MIB, ROUTER, 2.29) == ""
    assert client.judge_received(40 * MIB, ROUTER, 2.31) == AHEAD


def test_a_client_whose_messages_are_read_meanwhile_stays(client):
    assert client.judge_received(30 * MIB, ROUTER, 2.0) == ""
    client.read_bytes += 30 * MIB
    assert client.judge_received(40 * MIB, ROUTER, 2.1) == ""
    assert not client.is_suspect


def test_where_no_hello_is_said_everybody_is_judged_as_a_client(stranger):
    assert stranger.judge_received(19 * MIB, BROADCAST, 2.0) == ""


def test_all_that_was_read_may_come_for_ever(client):
    received = 0
    for second in range(2, 2000):
        received += 15 * MIB + 2 * 60  # the wire has two frames more
        client.read_bytes += 15 * MIB + MESSAGE_OVERHEAD_BYTES
        assert client.judge_received(received, ROUTER, float(second)) == ""


def test_heartbeats_for_a_year_are_not_ahead(client):
    for day in range(1, 366):
        assert client.judge_received(day * 86_400 * 180, ROUTER, day * 86_400.0) == ""


def test_many_small_messages_earn_no_credit(stranger):
    stranger.read_bytes = 100_000 * MESSAGE_OVERHEAD_BYTES
    assert stranger.judge_received(100_000 * 70, ROUTER, 2.0) == ""
    assert stranger.judge_received(100_000 * 70 + 6 * MIB, ROUTER, 2.1) == AHEAD


# -- unread ----------------------------------------------------------------------------------------


def looks(connection, seen, limits=ROUTER):
    """Return the verdict of each look: (second, queued bytes, acknowledged bytes)."""
    return [connection.judge_queued(queued, acked, limits, at_s) for at_s, queued, acked in seen]


def test_who_takes_nothing_of_what_waits_is_cut_in_time(client):
    seen = [(second, 4 * MIB, 1000) for second in (0.0, 1.0, 2.0, 3.0, 3.9, 4.0)]

    assert looks(client, seen) == ["", "", "", "", "", UNREAD]


def test_who_takes_less_than_the_least_is_cut(client):
    seen = [(float(second), 4 * MIB, 1000 * second) for second in range(5)]

    assert looks(client, seen)[-1] == UNREAD


def test_who_takes_a_little_all_the_time_stays(client):
    seen = [(float(second), 4 * MIB, UNREAD_BYTES // 3 * second) for second in range(100)]

    assert set(looks(client, seen)) == {""}


def test_of_little_that_waits_all_is_enough(client):
    seen = [(float(second), 100, 60 * second) for second in range(100)]

    assert set(looks(client, seen)) == {""}


def test_what_waits_begins_anew_after_a_look_without_any(client):
    seen = [(0.0, MIB, 0), (3.0, 0, 0), (4.0, MIB, 0), (7.9, MIB, 0), (8.0, MIB, 0)]

    assert looks(client, seen) == ["", "", "", "", UNREAD]


def test_where_nothing_is_acknowledged_any_change_is_progress(client):
    moving = [(float(second), MIB + second, None) for second in range(10)]
    stuck = [(10.0 + second, MIB, None) for second in range(6)]

    assert set(looks(client, moving)) == {""}
    assert looks(client, stuck)[-1] == UNREAD


# -- behind ----------------------------------------------------------------------------------------


def test_a_listener_that_is_behind_at_every_look_is_cut_however_much_it_takes(client):
    verdicts = [client.judge_unsent(1, BROADCAST, float(second)) for second in range(61)]

    assert verdicts == [""] * 60 + [UNREAD]


def test_a_listener_that_has_taken_all_once_has_its_time_again(client):
    seen = [(0.0, 1), (59.0, 1), (59.5, 0), (60.0, MIB), (119.9, MIB), (120.0, MIB)]

    verdicts = [client.judge_unsent(unsent, BROADCAST, at_s) for at_s, unsent in seen]

    assert verdicts == ["", "", "", "", "", UNREAD]


def test_where_what_waits_is_bounded_a_client_may_be_behind_for_ever(client):
    verdicts = {client.judge_unsent(MIB, ROUTER, float(second)) for second in range(1000)}

    assert verdicts == {""}


# -- room ------------------------------------------------------------------------------------------


def test_large_messages_have_room_until_the_bound_is_reached_by_what_was_not_taken(client):
    client.given_bytes = 10 * MIB
    client.note_taken(4 * MIB, 3 * MIB)

    assert client.has_room(MIB, ROUTER)
    assert not client.has_room(MIB + 1, ROUTER)


def test_one_message_of_any_size_has_room_when_nothing_waits(client):
    client.given_bytes = 10 * MIB
    client.note_taken(0, 10 * MIB)

    assert client.has_room(100 * MIB, ROUTER)


def test_what_is_not_counted_and_was_taken_makes_no_room(client):
    client.note_taken(1, 50 * MIB)  # small messages, and what the wire adds
    client.given_bytes += 8 * MIB

    assert not client.has_room(1, ROUTER)


def test_the_count_begins_anew_when_nothing_waits(client):
    client.given_bytes = 10 * MIB
    client.note_taken(0, 9 * MIB)
    client.given_bytes += 7 * MIB

    assert client.has_room(MIB, ROUTER)
    assert not client.has_room(2 * MIB, ROUTER)
