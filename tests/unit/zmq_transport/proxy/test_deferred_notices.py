"""What a caller must still be told is bounded, kept in its order, and tried with care."""

from zmq_transport.proxy.deferred_notices import DeferredNotices
from zmq_transport.proxy.peers import Namespace, Peer


def caller(name="caller"):
    return Peer(name.encode(), name.encode().ljust(16), name, Namespace("demo", b"p" * 16), b"")


def kept(count, peer, notices=None):
    notices = notices if notices is not None else DeferredNotices()
    for number in range(count):
        assert notices.defer(peer, b"%d" % number, b"head %d" % number, b"why")
    return notices


def test_what_was_kept_is_tried_in_its_order_and_twice_as_many_each_time():
    peer = caller()
    notices = kept(10, peer)

    tried = [notices.tick() for _ in range(5)]

    assert [len(messages) for messages in tried] == [1, 2, 4, 3, 0]
    assert [message for messages in tried for message in messages] == [
        (peer.connection, b"head %d" % number, b"why") for number in range(10)
    ]
    assert len(notices) == 0


def test_a_caller_that_still_has_no_room_comes_down_to_one_message_a_tick():
    peer = caller()
    notices = kept(100, peer)
    for _ in range(4):
        notices.tick()

    counts = []
    for _ in range(5):
        notices.defer(peer, b"again", b"head", b"why")
        counts.append(len(notices.tick()))

    assert counts == [4, 2, 1, 1, 1]


def test_a_caller_with_room_gets_all_in_growing_steps():
    peer = caller()
    notices = kept(10, peer)

    tried = [notices.on_writable(peer) for _ in range(5)]

    assert [len(messages) for messages in tried] == [1, 2, 4, 3, 0]
    assert len(notices) == 0


def test_a_caller_whose_room_is_used_up_is_tried_no_further_until_it_says_so_again():
    peer = caller()
    notices = kept(100, peer)
    counts = []

    for _ in range(3):
        counts.append(len(notices.on_writable(peer)))
        notices.defer(peer, b"again", b"head", b"why")
        counts.append(len(notices.on_writable(peer)))

    assert counts == [1, 0, 1, 0, 1, 0]


def test_room_of_a_caller_that_is_away_or_unknown_says_nothing():
    away = caller("away")
    notices = kept(1, away)
    away.absent_at_s = 100.0

    assert notices.on_writable(away) == notices.on_writable(caller("unknown")) == []
    assert len(notices) == 1


def test_callers_do_not_wait_for_each_other():
    notices = kept(3, caller("one"))
    kept(3, caller("two"), notices)

    assert [connection for connection, _, _ in notices.tick()] == [b"one", b"two"]


def test_a_later_notice_about_a_task_takes_the_place_of_the_earlier():
    peer = caller()
    notices = kept(1, peer)

    notices.defer(peer, b"0", b"newer", b"why")

    assert len(notices) == 1
    assert notices.tick() == [(peer.connection, b"newer", b"why")]


def test_the_room_is_bounded_for_all_callers_together():
    notices = DeferredNotices(max_count=3)
    kept(2, caller("one"), notices)

    assert notices.defer(caller("two"), b"a", b"head", b"why")
    assert not notices.defer(caller("three"), b"b", b"head", b"why")
    assert len(notices) == 3


def test_what_is_withdrawn_or_forgotten_makes_room_and_is_not_told():
    one, two = caller("one"), caller("two")
    notices = kept(2, one)
    kept(2, two, notices)

    notices.withdraw(one, b"0")
    notices.withdraw(one, b"never kept")
    notices.forget(two)

    assert len(notices) == 1
    assert notices.tick() == [(b"one", b"head 1", b"why")]


def test_a_caller_that_is_away_is_told_when_it_is_back_and_one_that_is_gone_never():
    away, gone = caller("away"), caller("gone")
    notices = kept(1, away)
    kept(1, gone, notices)
    away.absent_at_s, gone.gone = 100.0, True

    assert notices.tick() == []
    away.absent_at_s = None

    assert notices.tick() == [(b"away", b"head 0", b"why")]
    assert len(notices) == 0


def test_one_caller_leaves_room_for_the_notices_of_others():
    greedy, modest = caller("greedy"), caller("modest")
    notices = DeferredNotices(max_count=5, max_of_caller=3)

    kept = [notices.defer(greedy, b"%d" % number, b"head", b"") for number in range(5)]

    assert kept == [True] * 3 + [False] * 2
    assert notices.defer(greedy, b"0", b"newer", b"")
    assert [notices.defer(modest, b"%d" % n, b"head", b"") for n in range(3)] == [True, True, False]
