"""Whole messages of items: read, cut apart and gathered."""

import pytest

from zmq_transport.kernel import Outgoing, items, pack_single, read_target, split_items
from zmq_transport.wire import bundle, heads
from zmq_transport.wire.heads import Verb

PEER, TASK, TRACE = b"p" * 16, b"t" * 16, b"r" * 16
LAST = 0xFFFF_FFFF


def head_of(count, verb=Verb.REPLY, size=1, address=b"", peer=PEER):
    rows = [(int(verb), n % 256, 2, n, TASK, TRACE, size) for n in range(count)]
    return heads.pack_items(rows, peer=peer, address=address)


def test_the_numbers_of_the_wire_are_those_of_the_spec_module():
    assert (items.TASK, items.REPLY, items.VERSION) == (Verb.TASK, Verb.REPLY, heads.VERSION)
    assert items.MAX_ITEMS == heads.MAX_ITEMS
    assert items.MAX_GATHERED_ITEMS == bundle.MAX_ITEMS
    assert items.MAX_GATHERED_BYTES == heads.MAX_COALESCED_BYTES


@pytest.mark.parametrize("count", [1, 2, 64])
def test_a_message_is_cut_into_its_items(count):
    body = bytes(range(count))

    verb, peer, address, cut = split_items(head_of(count, address=b"echo"), body)

    assert (verb, peer, address) == (Verb.REPLY, PEER, b"echo")
    assert cut == [(TASK, TRACE, 2, n, n, bytes((n,))) for n in range(count)]


def test_the_body_of_a_single_item_is_not_copied():
    body = bytes(100_000)

    _, _, _, [(*_, part)] = split_items(head_of(1, size=len(body)), body)

    assert part is body


@pytest.mark.parametrize(
    ("head", "body"),
    [
        (b"", b""),
        (head_of(1)[:61], b"x"),
        (head_of(2)[:-1], b"xy"),
        (b"\x02" + head_of(1)[1:], b"x"),
        (head_of(1)[:18] + b"\x00" + head_of(1)[19:], b"x"),
        (head_of(1)[:18] + b"\x41" + head_of(1)[19:] * 65, b"x" * 65),
        (head_of(1), b""),
        (head_of(1), b"xy"),
        (head_of(2), b"x"),
        (head_of(3), b"xxxx"),
        (head_of(2, size=LAST), b"x"),
        (head_of(1, verb=Verb.LOST), b"x"),
        (
            heads.pack_items([(10, 0, 1, 1, TASK, TRACE, 0), (11, 0, 1, 1, TASK, TRACE, 0)]),
            b"",
        ),
    ],
)
def test_every_other_message_is_left_to_the_general_path(head, body):
    assert split_items(head, body) is None


def test_the_target_of_a_head_is_its_verb_peer_and_address():
    assert read_target(head_of(1, Verb.TASK, address=b"?a,b")) == (Verb.TASK, PEER, b"?a,b")
    assert read_target(head_of(64)) == (Verb.REPLY, PEER, b"")
    assert read_target(head_of(64)[:-1]) is None
    assert read_target(b"\x02" + head_of(1)[1:]) is None
    assert read_target(head_of(1)[:18] + b"\x00" + head_of(1)[19:]) is None
    assert read_target(head_of(1)[:18] + b"\x41" + head_of(1)[19:] * 65) is None
    assert read_target(b"") is None


def test_a_single_head_is_the_one_of_the_wire():
    made = pack_single(Verb.TASK, 2, 1, LAST, TASK, TRACE, PEER, b"echo", 77)

    assert made == heads.pack(
        Verb.TASK,
        77,
        peer=PEER,
        flags=2,
        kind=1,
        number=LAST,
        task=TASK,
        trace=TRACE,
        address=b"echo",
    )


def gather(outgoing, count, address=b"echo", body=b"x"):
    for n in range(count):
        outgoing.add(Verb.TASK, 0, 1, n, TASK, TRACE, heads.NOBODY, address, body)


def test_what_is_gathered_is_taken_once():
    outgoing = Outgoing()
    gather(outgoing, 2)

    [(head, body)] = outgoing.take()

    assert [item[3] for item in heads.unpack_items(head)[1]] == [0, 1]
    assert body == b"xx"
    assert outgoing.count == 0
    assert outgoing.take() == []


def test_a_full_bundle_goes_ahead_and_another_is_begun():
    outgoing = Outgoing()
    gather(outgoing, 1, b"other")
    gather(outgoing, 64)

    messages = outgoing.take()

    counted = [
        (heads.unpack_items(head)[2], len(heads.unpack_items(head)[1])) for head, _ in messages
    ]
    assert counted == [(b"echo", 63), (b"other", 1), (b"echo", 1)]


def test_a_bundle_holds_at_most_256_kib():
    outgoing = Outgoing()
    gather(outgoing, 17, body=bytes(16 * 1024))

    assert [len(body) for _, body in outgoing.take()] == [256 * 1024, 16 * 1024]
