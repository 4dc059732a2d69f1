"""Frames, addresses and topics beyond the vectors."""

import pytest

from support.heads import bundled, target_of
from zmq_transport.errors import InvalidName, VersionMismatch, WireError
from zmq_transport.wire import heads
from zmq_transport.wire.heads import Reason, Verb

PEER, OTHER = b"p" * 16, b"q" * 16
HEAD = heads.pack(Verb.TASK, 3, peer=PEER, kind=1, number=500, task=b"t" * 16, address=b"echo")
ITEM = (int(Verb.CANCEL), 0, 0, 0, heads.NOBODY, heads.NOBODY, 0)


def test_a_head_with_one_item_and_no_address_has_62_bytes():
    assert len(heads.pack(Verb.PING)) == 62


def test_the_longest_head_has_the_length_that_the_limit_says():
    head = heads.pack_items([ITEM] * heads.MAX_ITEMS, address=b"a" * heads.MAX_ADDRESS_BYTES)

    assert len(head) == heads.MAX_HEAD_BYTES == 6867


def test_another_peer_changes_nothing_else():
    changed = heads.with_peer(HEAD, OTHER)

    assert heads.unpack_single(changed) == (OTHER, *heads.unpack_single(HEAD)[1:])


def test_a_redirected_head_has_another_peer_and_address():
    peer, *fields, address = heads.unpack_single(heads.redirect(HEAD, OTHER, b"other-seat"))

    assert (peer, address) == (OTHER, b"other-seat")
    assert fields == list(heads.unpack_single(HEAD)[1:-1])


def test_another_number_changes_nothing_else():
    before, after = (heads.unpack_single(each) for each in (HEAD, heads.with_number(HEAD, 7)))

    assert after[4] == 7
    assert (*before[:4], *before[5:]) == (*after[:4], *after[5:])


def test_the_flags_of_a_message_are_ignored():
    flagged = HEAD[:1] + b"\xff" + HEAD[2:]

    assert heads.unpack_single(flagged) == heads.unpack_single(HEAD)
    assert heads.unpack_items(flagged) == heads.unpack_items(HEAD)


@pytest.mark.parametrize("unpack", [heads.unpack_single, heads.unpack_items])
@pytest.mark.parametrize("head", [b"", b"\x01", HEAD[:61]])
def test_a_short_head_is_refused(unpack, head):
    with pytest.raises(WireError) as caught:
        unpack(head)

    assert caught.value.reason == "short_head"


@pytest.mark.parametrize("unpack", [heads.unpack_single, heads.unpack_items])
@pytest.mark.parametrize("head", [b"\x02", b"\x02" + HEAD[1:]])
def test_another_version_is_told_from_a_broken_head(unpack, head):
    with pytest.raises(VersionMismatch) as caught:
        unpack(head)

    assert caught.value.theirs == 2


def test_the_sizes_of_items_must_add_up_to_the_body():
    item = (*ITEM[:6], 3)

    assert heads.split_body([item, ITEM, item], b"onetwo") == [b"one", b"", b"two"]
    for body in (b"onetw", b"onetwo!"):
        with pytest.raises(WireError) as caught:
            heads.split_body([item, item], body)
        assert caught.value.reason == "body_length"


def test_a_full_message_cannot_be_sent_back_whole():
    full = heads.pack_items([ITEM] * heads.MAX_ITEMS)

    with pytest.raises(WireError) as caught:
        heads.bounced_whole(full)

    assert caught.value.reason == "item_count"
    assert heads.bounced_whole(heads.pack_items([ITEM] * (heads.MAX_ITEMS - 1)))


@pytest.mark.parametrize("reason", [Reason.HELLO_FIRST, Reason.GOING_AWAY])
def test_the_mark_of_what_comes_back_has_the_size_of_its_reason(reason):
    _, [mark, item], address = heads.unpack_items(heads.bounced_whole(HEAD, reason))

    assert (mark[0], mark[6]) == (Verb.BOUNCE, len(reason))
    assert [item] == heads.unpack_items(HEAD)[1]
    assert address == b"echo"


def test_tasks_replies_and_losses_may_be_bundled_and_nothing_else():
    may = {verb for verb in Verb if heads.is_bundled(heads.pack(verb))}

    assert may == {Verb.TASK, Verb.REPLY, Verb.LOST}
    assert not heads.is_bundled(heads.bounced_whole(HEAD))


@pytest.mark.parametrize(
    "other",
    [
        heads.pack(Verb.REPLY, peer=PEER, address=b"echo"),
        heads.pack(Verb.TASK, peer=OTHER, address=b"echo"),
        heads.pack(Verb.TASK, peer=PEER, address=b"echo2"),
        heads.pack(Verb.TASK, peer=PEER),
    ],
    ids=["verb", "peer", "address", "no address"],
)
def test_another_verb_peer_or_address_is_another_target(other):
    assert target_of(other) != target_of(HEAD)


def test_the_fields_of_an_item_make_no_other_target():
    other = heads.pack(
        Verb.TASK, 9, peer=PEER, flags=2, kind=7, number=1, task=OTHER, trace=OTHER, address=b"echo"
    )

    assert target_of(other) == target_of(HEAD)


def test_a_bundle_of_one_is_the_message_itself():
    assert bundled([HEAD]) == HEAD
    assert heads.unbundle(HEAD) == [HEAD]
    assert heads.split(HEAD, b"abc") == [(HEAD, b"abc")]


def test_a_bundle_keeps_every_item_as_it_was():
    several = [heads.with_number(HEAD, number) for number in range(heads.MAX_ITEMS)]

    whole = bundled(several)

    peer, items, address = heads.unpack_items(whole)
    assert (peer, address) == (PEER, b"echo")
    assert [item[3] for item in items] == list(range(heads.MAX_ITEMS))
    assert heads.unbundle(whole) == several


def test_what_is_no_head_falls_apart_into_nothing():
    with pytest.raises(WireError) as caught:
        heads.unbundle(HEAD[:61])

    assert caught.value.reason == "short_head"


@pytest.mark.parametrize("body", [b"abcab", b"abcabcd"])
def test_a_message_whose_sizes_do_not_add_up_is_not_split(body):
    with pytest.raises(WireError) as caught:
        heads.split(bundled([HEAD, HEAD]), body)

    assert caught.value.reason == "body_length"


def test_one_set_of_capabilities_has_one_address():
    addresses = {heads.address_of(None, each) for each in (["b", "a"], ("a", "b", "a"), {"a", "b"})}

    assert addresses == {b"?a,b"}


def test_an_address_of_nothing_is_refused():
    with pytest.raises(ValueError, match="at least one capability"):
        heads.address_of()


def test_an_address_over_the_limit_is_refused():
    with pytest.raises(ValueError, match="4096"):
        heads.address_of(None, (f"{n:0128}" for n in range(40)))


def test_an_address_of_more_than_64_capabilities_is_refused_at_both_ends():
    names = [f"n{number:02}" for number in range(65)]
    address = heads.address_of(None, names[:64])

    assert heads.read_address(address) == (None, frozenset(names[:64]))
    with pytest.raises(ValueError, match="64 capabilities, not 65"):
        heads.address_of(None, names)
    with pytest.raises(WireError) as caught:
        heads.read_address(address + b",n64")
    assert caught.value.reason == "bad_address"


def test_an_address_over_the_limit_is_none_for_a_reader():
    with pytest.raises(WireError) as caught:
        heads.read_address(b"?" + b",".join(b"%0128d" % n for n in range(40)))

    assert caught.value.reason == "bad_address"


@pytest.mark.parametrize("name", ["a", "A-z_0.9", "...", "-", "a" * 128])
def test_a_name_is_taken_as_it_is(name):
    assert heads.checked_name("name", name) == name


@pytest.mark.parametrize(
    "value", ["", ".", "..", "a b", "a/b", "a\n", "a\x00", "\u202ea", "é", "a" * 129, None, 7, b"a"]
)
def test_what_is_no_name_is_refused_with_what_it_was_for(value):
    with pytest.raises(InvalidName, match=r"^seat must be") as caught:
        heads.checked_name("seat", value)

    assert (caught.value.what, caught.value.value) == ("seat", value)


def test_an_instance_id_does_not_give_its_secret_away():
    secret = bytes(range(16))

    assert len(heads.instance_of(secret)) == 16
    assert heads.instance_of(secret) != secret


def test_no_topic_is_the_prefix_of_another():
    topics = [heads.kind_topic("n", kind) for kind in range(256)]
    topics += [
        heads.kind_topic("n2", 1),
        heads.trace_topic("n", PEER),
        heads.sync_topic("n", PEER, 1),
    ]
    topics += [heads.sync_topic("n", PEER, 10), heads.LIVE_TOPIC]

    for topic in topics:
        assert not [other for other in topics if other != topic and other.startswith(topic)]


def test_the_sentinel_sorts_behind_every_topic():
    assert heads.kind_topic("z" * 128, 255) < heads.LIVE_TOPIC
    assert heads.trace_topic("zzzz", b"\xff" * 16) < heads.LIVE_TOPIC


def test_the_longest_topic_is_far_from_the_limit():
    assert len(heads.sync_topic("n" * 128, PEER, 999_999_999)) == 178 < heads.MAX_TOPIC_BYTES


@pytest.mark.parametrize("header", [b"", bytes(55), bytes(57)])
def test_a_header_of_another_length_is_refused(header):
    with pytest.raises(WireError) as caught:
        heads.unpack_header(header)

    assert caught.value.reason == "bad_header"
