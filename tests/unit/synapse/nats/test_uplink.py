"""One connection of a client to its router."""

import pytest

from cosmonapse.synapse.nats.credit import Credit, Receipt
from cosmonapse.synapse.nats.frames import (
    ASK,
    Tag,
    Totals,
    pack_directed,
    pack_piece,
    pack_read,
    tag_of,
    unpack_read,
)
from cosmonapse.synapse.nats.pieces import Joiner
from cosmonapse.synapse.nats.uplink import LIFE_S, Uplink
from zmq_transport.errors import WireError
from zmq_transport.wire import heads
from zmq_transport.wire.heads import Verb

ROUTER = bytes(range(16))


def uplink(most_bytes=1024, **limits):
    return Uplink("a.team", "ada", ROUTER, "0123456789abcdef", most_bytes, **limits)


def task(caller, size):
    return heads.pack(Verb.TASK, size, peer=caller * 16, address=b"worker"), bytes(size)


def test_its_subjects_name_namespace_router_user_and_connection():
    made = uplink()

    assert made.up == f"cosmo.a~team.up.{ROUTER.hex()}.ada.0123456789abcdef"
    assert made.down == "cosmo.a~team.down.ada.0123456789abcdef"
    assert made.heard == "cosmo.a~team.heard.ada.0123456789abcdef"


def test_a_small_message_goes_at_once():
    assert uplink().put(b"head", b"body") == [pack_directed(b"head", b"body")]


def test_there_is_no_room_over_the_window_until_the_router_has_read():
    made = uplink(window=4)

    sent = [made.put(b"head", b"body") for _ in range(4)]
    size = len(sent[0][0])

    assert sent[1] == [sent[0][0], ASK]
    assert not made.has_room
    assert made.was_read(pack_read(Totals(2, 2 * size)))
    assert made.has_room


def test_totals_that_cannot_be_say_that_the_router_knows_nothing_of_it():
    assert not uplink().was_read(pack_read(Totals(2**64 - 1, 2**64 - 1)))


def test_a_large_message_goes_in_pieces_and_one_of_another_caller_passes_between():
    made, joiner = uplink(), Joiner(2**20, 2**20)
    large, small, same = task(b"a", 5_000), task(b"b", 10), task(b"a", 10)
    assert made.put(*large) == []
    assert made.has_waiting
    first = made.take(1_024)

    assert made.put(*same) == []
    assert made.put(*small) == [pack_directed(*small)]
    rest = made.take(100_000)

    assert not made.has_waiting
    pieces = [each for each in first + rest if tag_of(each) == Tag.PIECE]
    whole = [each for each in map(joiner.take, pieces) if each is not None]
    assert whole == [pack_directed(*large)]
    assert rest[-1] == pack_directed(*same)


def test_a_broadcast_message_waits_for_all_before_it_and_all_after_it_wait():
    made = uplink()
    made.put(*task(b"a", 5_000))

    assert made.put_publication(b"topic", b"header", b"body") == []
    assert made.put(*task(b"b", 10)) == []
    assert tag_of(made.take(10**6)[-2]) == Tag.PUBLICATION


def test_what_both_ends_count_is_the_same_with_pieces_too():
    made, there = uplink(window_bytes=10**6), Receipt()
    for part in made.put(b"head", b"body"):
        there.took(len(part))
    made.put(*task(b"a", 50_000))
    for part in made.take(10**6):
        if part != ASK:
            there.took(len(part))

    assert made.was_read(pack_read(there.totals))


def test_it_puts_pieces_together_and_counts_each():
    made, credit = uplink(), Credit()
    data = pack_directed(b"head", bytes(3_000))
    parts = [
        pack_piece(0, data[at : at + 1_000], is_last=at >= 2_000) for at in range(0, 3_000, 1_000)
    ]
    parts[-1] = pack_piece(0, data[2_000:], is_last=True)
    for part in parts:
        credit.sent(len(part))

    assert [made.read(part) for part in parts] == [None, None, data]
    assert credit.was_read(unpack_read(made.answer(0.0)))
    assert credit.unread == Totals(0, 0)


def test_only_what_is_large_comes_in_pieces():
    with pytest.raises(WireError, match="does not come in pieces"):
        uplink().read(pack_piece(0, ASK, is_last=True))


def test_its_sign_of_life_says_news_at_once_and_nothing_new_every_two_seconds():
    made = uplink()
    assert made.sign_of_life(0.0) == pack_read(Totals(0, 0))
    assert made.sign_of_life(1.0) is None

    made.read(pack_directed(b"", b""))

    assert unpack_read(made.sign_of_life(1.1)).messages == 1
    assert made.sign_of_life(1.2) is None
    assert made.sign_of_life(1.1 + LIFE_S) is not None
