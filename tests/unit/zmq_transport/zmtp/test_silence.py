"""When silence means that a peer is gone."""

from zmq_transport.zmtp import silence
from zmq_transport.zmtp.silence import Finding, Silence

SILENT, GONE, ALIVE = Finding.SILENT, Finding.GONE, Finding.ALIVE


def test_a_peer_that_is_heard_is_alive_and_not_asked():
    watched = Silence(is_watched=False)

    assert [watched.check(is_heard=True) for _ in range(10)] == [ALIVE] * 10


def test_a_silent_peer_is_asked_three_times_and_then_given_up():
    watched = Silence(is_watched=False)

    found = [watched.check(is_heard=False) for _ in range(4)]

    assert found == [SILENT, SILENT, SILENT, GONE]


def test_any_answer_begins_the_count_anew():
    watched = Silence(is_watched=False)
    for _ in range(3):
        watched.check(is_heard=False)

    assert watched.check(is_heard=True) is ALIVE
    assert [watched.check(is_heard=False) for _ in range(4)] == [SILENT] * 3 + [GONE]


def test_without_help_of_the_system_a_dead_host_shows_within_four_seconds():
    # The last sign of it may come right behind a check, so the first one after it says nothing.
    checks = 1 + silence.MAX_UNANSWERED + 1

    assert checks * Silence(is_watched=False).every_s <= 4.0
    assert Silence(is_watched=True).every_s == silence.ASK_SELDOM_S


def test_a_write_without_an_answer_is_followed_up_soon_also_where_the_system_watches():
    watched = Silence(is_watched=True)

    found, took_s = [], 0.0
    while GONE not in found:
        found.append(watched.check(is_heard=False, is_awaited=True))
        took_s += watched.every_s

    assert found == [SILENT, SILENT, SILENT, GONE]
    assert took_s <= 4.0


def test_a_peer_that_answers_and_owes_nothing_is_checked_seldom_again():
    watched = Silence(is_watched=True)
    watched.check(is_heard=False, is_awaited=True)

    assert watched.check(is_heard=True, is_awaited=True) is ALIVE
    assert watched.every_s == silence.ASK_S
    assert watched.check(is_heard=True) is ALIVE
    assert watched.every_s == silence.ASK_SELDOM_S
