"""What travels together, in which order, and what travels alone."""

import pytest

from zmq_transport.wire import heads
from zmq_transport.wire.bundle import MAX_BODY_BYTES, MAX_ITEMS, Bundler, split_bundle
from zmq_transport.wire.heads import Verb

HERE, THERE = b"connection 1", b"connection 2"


def task(number, address=b"echo", body=b""):
    head = heads.pack(Verb.TASK, len(body), task=number.to_bytes(16, "big"), address=address)
    return head, body


def reply(number, peer=b"p" * 16, body=b""):
    return heads.pack(Verb.REPLY, len(body), peer=peer, number=number), body


def gathered(*messages, connection=HERE):
    bundler = Bundler()
    for message in messages:
        bundler.add(connection, *message)
    return bundler


def singles_in(messages):
    return [split_bundle(*message) for message in messages]


def test_a_lone_message_stays_as_it_was():
    head, body = task(1, body=b"body")

    [(sent_head, sent_body)] = gathered((head, body)).take(HERE)

    assert sent_head == head
    assert sent_body is body


def test_messages_to_one_target_are_one_message_in_their_order():
    messages = [task(number, body=b"%d" % number) for number in range(5)]

    [(head, body)] = gathered(*messages).take(HERE)

    assert len(heads.unpack_items(head)[1]) == 5
    assert body == b"01234"
    assert heads.split(head, body) == split_bundle(head, body) == messages


def test_a_body_may_be_anything_with_a_length_that_bytes_takes():
    messages = [task(1, body=memoryview(b"one")), task(2, body=bytearray(b"two"))]

    [(_, body)] = gathered(*messages).take(HERE)

    assert body == b"onetwo"


@pytest.mark.parametrize(
    "other",
    [task(2, b"other"), reply(2), (heads.with_peer(task(2)[0], b"q" * 16), b"")],
    ids=["address", "verb", "peer"],
)
def test_each_target_has_a_bundle_of_its_own(other):
    first, third = task(1), task(3)

    bundles = gathered(first, other, third).take(HERE)

    assert singles_in(bundles) == [[first, third], [other]]


def test_a_bundle_leaves_room_for_the_mark_of_a_message_that_comes_back():
    messages = [task(number) for number in range(MAX_ITEMS + 1)]

    bundles = gathered(*messages).take(HERE)

    singles = singles_in(bundles)
    assert [len(each) for each in singles] == [63, 1]
    assert [single for each in singles for single in each] == messages
    marked = heads.bounced_whole(bundles[0][0])
    assert len(heads.unpack_items(marked)[1]) == heads.MAX_ITEMS


def test_the_bodies_of_a_bundle_are_bounded_together():
    messages = [task(number, body=bytes(MAX_BODY_BYTES)) for number in range(17)]

    bundles = gathered(*messages).take(HERE)

    sizes = [len(body) for _, body in bundles]
    assert sizes == [heads.MAX_COALESCED_BYTES, MAX_BODY_BYTES]


def test_what_is_full_goes_before_what_came_after_it():
    early, late = [[task(n + at) for n in range(MAX_ITEMS)] for at in (0, MAX_ITEMS)]
    between = task(999, b"other")

    bundles = gathered(*early, between, *late).take(HERE)

    assert singles_in(bundles) == [early, late, [between]]


def test_losses_go_behind_all_replies_whichever_was_first():
    lost = [(heads.pack(Verb.LOST, task=bytes([n]) * 16), b"") for n in range(MAX_ITEMS + 1)]
    replies = [reply(n, peer=bytes([n]) * 16) for n in range(2)]

    bundles = gathered(replies[0], *lost, replies[1]).take(HERE)

    assert singles_in(bundles) == [
        [replies[0]],
        [replies[1]],
        lost[:MAX_ITEMS],
        lost[MAX_ITEMS:],
    ]


@pytest.mark.parametrize(("size", "may"), [(MAX_BODY_BYTES, True), (MAX_BODY_BYTES + 1, False)])
def test_a_large_body_travels_alone(size, may):
    assert Bundler.takes(*task(1, body=bytes(size))) is may
    assert Bundler.takes(*reply(1, body=bytes(size))) is may


@pytest.mark.parametrize("verb", sorted(set(Verb) - {Verb.TASK, Verb.REPLY, Verb.LOST}))
def test_nothing_but_tasks_replies_and_losses_is_bundled(verb):
    assert not Bundler.takes(heads.pack(verb), b"")


def test_what_was_taken_is_not_there_any_more():
    bundler = gathered(task(1))

    assert bundler
    assert len(bundler.take(HERE)) == 1
    assert not bundler
    assert bundler.take(HERE) == []


def test_what_was_full_is_not_there_any_more():
    bundler = gathered(*(task(number) for number in range(MAX_ITEMS + 1)))
    bundler.take(HERE)
    bundler.add(HERE, *task(1000))

    assert singles_in(bundler.take(HERE)) == [[task(1000)]]


def test_each_connection_has_bundles_of_its_own():
    bundler = gathered(task(1), task(2))
    bundler.add(THERE, *task(3))

    assert bundler.connections() == [HERE, THERE]
    assert singles_in(bundler.take(THERE)) == [[task(3)]]
    assert bundler.connections() == [HERE]
    assert singles_in(bundler.take(HERE)) == [[task(1), task(2)]]
