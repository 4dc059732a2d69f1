"""What is packed comes back; whatever else comes is a WireError and nothing but that."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from support.heads import bundled
from zmq_transport.errors import WireError
from zmq_transport.proxy.engine import Engine
from zmq_transport.wire import greetings, heads

IDS = st.binary(min_size=16, max_size=16)
BYTE = st.integers(0, 255)
U32 = st.integers(0, 2**32 - 1)
ITEMS = st.tuples(BYTE, BYTE, BYTE, U32, IDS, IDS, U32)
NAMES = st.from_regex(r"[A-Za-z0-9._-]{1,20}", fullmatch=True).filter(
    lambda n: n not in (".", "..")
)
DEEP = st.builds(lambda n, mark: mark * n + b"\xc0", st.integers(1, 1100), st.just(b"\x91"))
HEADS = st.builds(
    lambda item, address: heads.pack_items([item], address=address), ITEMS, st.binary()
)
PARSERS = [
    heads.unpack_single,
    heads.unpack_items,
    heads.bounced_whole,
    heads.unbundle,
    heads.read_address,
    heads.read_topic,
    heads.unpack_header,
    greetings.unpack_map,
    greetings.unpack_hello,
    greetings.unpack_welcome,
]


@given(peer=IDS, item=ITEMS, address=st.binary(max_size=40))
def test_a_head_with_one_item_comes_back(peer, item, address):
    verb, flags, kind, number, task, trace, size = item

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

    assert heads.unpack_single(head) == (peer, *item, address)
    assert heads.unpack_items(head) == (peer, [item], address)


@given(peer=IDS, items=st.lists(ITEMS, min_size=1, max_size=64), address=st.binary(max_size=40))
def test_a_head_with_many_items_comes_back(peer, items, address):
    assert heads.unpack_items(heads.pack_items(items, peer=peer, address=address)) == (
        peer,
        items,
        address,
    )


@given(head=HEADS, peer=IDS, address=st.binary(max_size=40), number=U32)
def test_changing_a_head_changes_what_it_says_and_nothing_else(head, peer, address, number):
    old = heads.unpack_single(head)

    assert heads.unpack_single(heads.with_peer(head, peer)) == (peer, *old[1:])
    assert heads.unpack_single(heads.redirect(head, peer, address)) == (peer, *old[1:8], address)
    assert heads.unpack_single(heads.with_number(head, number)) == (*old[:4], number, *old[5:])


@given(items=st.lists(ITEMS, min_size=1, max_size=63), address=st.binary(max_size=40), peer=IDS)
def test_what_is_bounced_whole_can_be_unbounced(items, address, peer):
    head = heads.pack_items(items, peer=peer, address=address)

    assert heads.unbounced(heads.bounced_whole(head)) == head


@given(items=st.lists(ITEMS, min_size=1, max_size=64), address=st.binary(max_size=40), peer=IDS)
def test_a_message_falls_apart_and_is_put_together_again(items, address, peer):
    head = heads.pack_items(items, peer=peer, address=address)

    alone = heads.unbundle(head)

    assert alone == [heads.pack_items([item], peer=peer, address=address) for item in items]
    assert bundled(alone) == head


@given(parts=st.lists(st.binary(max_size=20), min_size=1, max_size=64))
def test_a_body_is_cut_where_it_was_joined(parts):
    items = [(0, 0, 0, 0, heads.NOBODY, heads.NOBODY, len(part)) for part in parts]

    assert heads.split_body(items, b"".join(parts)) == parts


@given(items=st.lists(ITEMS, min_size=1, max_size=5), body=st.binary(max_size=50))
def test_lengths_that_do_not_add_up_are_refused(items, body):
    if sum(item[6] for item in items) == len(body):
        return
    with pytest.raises(WireError):
        heads.split_body(items, body)


@given(name=NAMES, capabilities=st.lists(NAMES, min_size=1, max_size=8))
def test_an_address_comes_back(name, capabilities):
    assert heads.read_address(heads.address_of(name)) == (name, frozenset())
    address = heads.address_of(capabilities=capabilities)
    assert heads.read_address(address) == (None, frozenset(capabilities))
    assert heads.address_of(capabilities=reversed(capabilities)) == address


@given(namespace=NAMES, kind=BYTE, trace=IDS, turn=st.integers(0, 999_999_999))
def test_a_topic_comes_back_and_is_no_prefix_of_another(namespace, kind, trace, turn):
    topics = [
        heads.kind_topic(namespace, kind),
        heads.trace_topic(namespace, trace),
        heads.sync_topic(namespace, trace, turn),
    ]

    meanings = [heads.read_topic(topic) for topic in topics]

    assert meanings == [
        (namespace, kind, None),
        (namespace, None, trace),
        (namespace, None, None),
    ]
    assert not any(a != b and b.startswith(a) for a in topics for b in topics)


@given(publisher=IDS, sequence=st.integers(0, 2**64 - 1), caller=IDS, worker=IDS)
def test_a_header_comes_back(publisher, sequence, caller, worker):
    header = heads.pack_header(publisher, sequence, caller, worker)

    assert heads.unpack_header(header) == (publisher, sequence, caller, worker)


@pytest.mark.parametrize("parse", PARSERS)
@given(data=st.binary(max_size=200) | HEADS | DEEP)
@example(data=b"\x81\xa9namespace" + b"\x91" * 1010 + b"\xc0")
@example(data=b"?" + b"a" * 100_000)
def test_any_bytes_are_parsed_or_are_a_wire_error(parse, data):
    refusal = ""
    try:
        parse(data)
    except WireError as error:
        refusal = str(error)

    assert len(refusal) < 600


@given(value=DEEP, field=st.sampled_from(["secret", "namespace", "name", "epoch", "capabilities"]))
def test_a_deep_field_is_an_answer_and_no_exhausted_stack(value, field):
    engine = Engine(epoch=bytes(16), now_s=0.0)
    hello = greetings.Hello(bytes(16), heads.instance_of(bytes(16)), "space", "name")
    packed = greetings.pack_hello(hello)
    key = bytes([0xA0 + len(field)]) + field.encode()
    body = b"\x86" + packed[1:] + key + value

    engine.on_message(b"one", heads.pack(heads.Verb.HELLO, len(body)), body, 0.0)
    engine.on_message(b"two", heads.pack(heads.Verb.HELLO, len(packed)), packed, 0.0)

    assert engine.counts["refused"] <= 1


@given(
    data=st.dictionaries(
        st.text(max_size=8), st.none() | U32 | st.text(max_size=8) | IDS, max_size=8
    )
)
def test_a_small_map_comes_back(data):
    assert greetings.unpack_map(greetings.pack_map(data)) == data
