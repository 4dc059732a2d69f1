"""The wire against `docs/spec/vectors.json`, in both directions."""

import pytest

from support.heads import bundled, target_of
from support.vectors import MESSAGES, VECTORS, each_of, message_named
from zmq_transport.access.origin import instance_of_user
from zmq_transport.errors import InvalidName, VersionMismatch, WireError
from zmq_transport.wire import heads
from zmq_transport.wire.batch import Batcher, singles
from zmq_transport.wire.heads import ItemFlag, Reason, Verb
from zmq_transport.wire.recipients import Recipients

SINGLES = [each for each in MESSAGES if len(each["items"]) == 1]


def item_of(fields):
    task, trace = bytes.fromhex(fields["task"]), bytes.fromhex(fields["trace"])
    verb = int(Verb[fields["verb"]])
    return (verb, fields["flags"], fields["kind"], fields["number"], task, trace, fields["size"])


def fields_of(vector):
    items = [item_of(each) for each in vector["items"]]
    return bytes.fromhex(vector["peer"]), items, vector["address"].encode()


def test_the_verbs_have_the_codes_of_the_vectors():
    assert {each.name: each.value for each in Verb} == VECTORS["verbs"]


def test_flags_and_reasons_are_those_of_the_vectors():
    assert {each.name: each.value for each in ItemFlag} == VECTORS["flags"]
    assert [each.value for each in Reason] == VECTORS["reasons"]


def test_the_bits_of_recipients_are_those_of_the_vectors():
    assert {each.name: each.value for each in Recipients} == VECTORS["recipients"]


def test_every_message_has_a_name_of_its_own():
    names = [each["name"] for each in MESSAGES]

    assert len(set(names)) == len(names)


def test_every_verb_is_in_some_message():
    used = {item["verb"] for vector in MESSAGES for item in vector["items"]}

    assert used == set(VECTORS["verbs"])


@each_of(MESSAGES)
def test_the_fields_of_a_message_give_its_head(vector):
    peer, items, address = fields_of(vector)

    assert heads.pack_items(items, peer=peer, address=address).hex() == vector["head"]


@each_of(MESSAGES)
def test_the_head_of_a_message_gives_its_fields(vector):
    assert heads.unpack_items(bytes.fromhex(vector["head"])) == fields_of(vector)


@each_of(MESSAGES)
def test_the_body_of_a_message_falls_apart_into_those_of_its_items(vector):
    parts = heads.split_body(fields_of(vector)[1], bytes.fromhex(vector["body"]))

    assert [part.hex() for part in parts] == vector["bodies"]


@each_of(SINGLES)
def test_the_quick_way_for_one_item_packs_the_same_head(vector):
    peer, [(verb, flags, kind, number, task, trace, size)], address = fields_of(vector)

    head = heads.pack(
        verb,
        size,
        peer=peer,
        flags=flags,
        kind=kind,
        number=number,
        task=task,
        trace=trace,
        address=address,
    )

    assert head.hex() == vector["head"]


@each_of(SINGLES)
def test_the_quick_way_for_one_item_reads_the_same_fields(vector):
    peer, [item], address = fields_of(vector)

    assert heads.unpack_single(bytes.fromhex(vector["head"])) == (peer, *item, address)


@each_of([each for each in MESSAGES if len(each["items"]) > 1])
def test_the_quick_way_leaves_several_items_to_the_other(vector):
    assert heads.unpack_single(bytes.fromhex(vector["head"])) is None


@each_of(VECTORS["bad_heads"])
def test_a_bad_head_is_refused_with_its_reason(vector):
    head = bytes.fromhex(vector["head"])

    with pytest.raises(WireError) as caught:
        heads.unpack_items(head)

    assert caught.value.reason == vector["reason"]
    assert isinstance(caught.value, VersionMismatch) == (vector["reason"] == "version")


@each_of(VECTORS["bad_bodies"])
def test_a_body_that_its_items_do_not_make_up_is_refused(vector):
    _, items, _ = heads.unpack_items(bytes.fromhex(vector["head"]))

    with pytest.raises(WireError) as caught:
        heads.split_body(items, bytes.fromhex(vector["body"]))

    assert caught.value.reason == vector["reason"]


@each_of(VECTORS["accepted_heads"])
def test_a_head_that_we_do_not_write_is_read(vector):
    known = bytes.fromhex(message_named(vector["reads_as"])["head"])
    head = bytes.fromhex(vector["head"])

    assert head != known
    assert heads.unpack_items(head) == heads.unpack_items(known)
    assert heads.unpack_single(head) == heads.unpack_single(known)


@each_of(VECTORS["bounced_whole"])
def test_a_message_comes_back_whole_and_is_itself_again(vector):
    sent, bounced = vector["sent"], vector["bounced"]
    reason = heads.Reason(vector["reason"])

    head = heads.bounced_whole(bytes.fromhex(sent["head"]), reason)

    assert head.hex() == bounced["head"]
    assert heads.unbounced(head).hex() == sent["head"]
    assert bounced["body"] == reason.encode().hex() + sent["body"]


def test_a_message_comes_back_for_want_of_a_hello_unless_told_otherwise():
    head = bytes.fromhex(VECTORS["bounced_whole"][0]["sent"]["head"])

    assert heads.bounced_whole(head) == heads.bounced_whole(head, heads.Reason.HELLO_FIRST)


def singles_of(vector):
    return [tuple(bytes.fromhex(each[key]) for key in ("head", "body")) for each in vector]


@each_of(VECTORS["bundles"])
def test_messages_to_one_target_are_one_message(vector):
    singles = singles_of(vector["singles"])

    assert len({target_of(head) for head, _ in singles}) == 1
    assert bundled([head for head, _ in singles]).hex() == vector["head"]
    assert b"".join(body for _, body in singles).hex() == vector["body"]


@each_of(VECTORS["bundles"])
def test_one_message_falls_apart_into_messages_of_one_item(vector):
    head, body = bytes.fromhex(vector["head"]), bytes.fromhex(vector["body"])
    singles = singles_of(vector["singles"])

    assert heads.unbundle(head) == [single for single, _ in singles]
    assert heads.split(head, body) == singles


@each_of(VECTORS["broadcasts"])
def test_a_header_is_packed_and_read(vector):
    fields = (
        bytes.fromhex(vector["publisher"]),
        int(vector["sequence"]),
        bytes.fromhex(vector["caller"]),
        bytes.fromhex(vector["worker"]),
    )

    assert heads.pack_header(*fields).hex() == vector["header"]
    assert heads.unpack_header(bytes.fromhex(vector["header"])) == fields
    assert heads.read_topic(vector["topic"].encode())[0] == "demo"


@each_of(VECTORS["batches"])
def test_messages_that_follow_one_another_are_one_message(vector):
    topic = vector["topic"].encode()
    messages = [
        (topic, bytes.fromhex(each["header"]), bytes.fromhex(each["body"]))
        for each in vector["singles"]
    ]
    batcher = Batcher()
    for each in messages:
        batcher.add(*each)

    [batch] = batcher.take()

    assert batch == (topic, bytes.fromhex(vector["header"]), bytes.fromhex(vector["body"]))
    assert singles(*batch) == messages


@each_of(VECTORS["bad_headers"])
def test_a_bad_header_is_refused_with_its_reason(vector):
    with pytest.raises(WireError) as caught:
        singles(b"demo/t/1/", bytes.fromhex(vector["header"]), bytes.fromhex(vector["body"]))

    assert caught.value.reason == vector["reason"]


@each_of(VECTORS["topics"]["valid"], key="topic")
def test_a_topic_is_read_and_built(vector):
    topic, namespace = vector["topic"].encode(), vector["namespace"]
    trace = None if vector["trace"] is None else bytes.fromhex(vector["trace"])

    assert heads.read_topic(topic) == (namespace, vector["kind"], trace)
    if vector["kind"] is not None:
        assert heads.kind_topic(namespace, vector["kind"]) == topic
    if trace is not None:
        assert heads.trace_topic(namespace, trace) == topic


def test_a_sync_topic_is_built_as_it_is_written():
    instance = bytes(range(16))
    written = VECTORS["broadcasts"][-1]["topic"].encode()

    assert heads.sync_topic("demo", instance, 1) == written


@each_of(VECTORS["topics"]["invalid"], key="topic")
def test_what_is_no_topic_is_refused(vector):
    with pytest.raises(WireError) as caught:
        heads.read_topic(vector["topic"].encode())

    assert caught.value.reason == vector["reason"]


@each_of(VECTORS["addresses"]["valid"], key="address")
def test_an_address_is_read_and_built(vector):
    address, name = vector["address"].encode(), vector["name"]

    assert heads.read_address(address) == (name, frozenset(vector["capabilities"]))
    assert heads.address_of(name, reversed(vector["capabilities"])) == address


@each_of(VECTORS["addresses"]["accepted_only"], key="address")
def test_capabilities_are_read_in_any_order(vector):
    assert heads.read_address(vector["address"].encode()) == (
        vector["name"],
        frozenset(vector["capabilities"]),
    )


@pytest.mark.parametrize("address", VECTORS["addresses"]["invalid"])
def test_what_is_no_address_is_refused(address):
    with pytest.raises(WireError, match=r".") as caught:
        heads.read_address(bytes.fromhex(address))

    assert caught.value.reason == "bad_address"


@pytest.mark.parametrize("name", ["", "a b", "a/b", "a\n", "..", "a" * 129])
def test_what_is_no_name_gets_no_address(name):
    with pytest.raises(InvalidName):
        heads.address_of(name)


@each_of(VECTORS["users"], key="instance")
def test_an_instance_id_with_a_key_ends_with_the_tag_of_its_user(vector):
    made = instance_of_user(bytes.fromhex(vector["secret"]), vector["user"])

    assert made.hex() == vector["instance"]
    assert vector["instance"].endswith(vector["tag"])


@each_of(VECTORS["instances"], key="instance")
def test_an_instance_id_is_the_hash_of_its_secret(vector):
    assert heads.instance_of(bytes.fromhex(vector["secret"])).hex() == vector["instance"]
