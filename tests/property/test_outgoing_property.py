"""What a client gathers leaves as the bundles that one would make of its messages one by one."""

from hypothesis import given
from hypothesis import strategies as st

from zmq_transport.kernel import Outgoing, pack_single, split_items
from zmq_transport.wire import heads
from zmq_transport.wire.bundle import MAX_BODY_BYTES, Bundler, split_bundle
from zmq_transport.wire.heads import Verb

ADDRESSES = st.sampled_from([b"", b"echo", b"?a,b"])
PEERS = st.sampled_from([heads.NOBODY, b"p" * 16])
SIZES = st.integers(0, 40) | st.sampled_from([MAX_BODY_BYTES - 1, MAX_BODY_BYTES])
RUNS = st.tuples(
    st.sampled_from([int(Verb.TASK), int(Verb.REPLY)]),
    st.integers(0, 255),
    st.integers(0, 255),
    st.integers(0, heads.MAX_NUMBER),
    PEERS,
    ADDRESSES,
    SIZES,
    st.integers(1, 70),
)


@given(turns=st.lists(st.lists(RUNS, max_size=5), max_size=3))
def test_the_messages_are_those_of_a_bundler_in_its_order(turns):
    outgoing, bundler, serial = Outgoing(), Bundler(), 0
    for turn in turns:
        for verb, flags, kind, number, peer, address, size, repeats in turn:
            for _ in range(repeats):
                serial += 1
                task, body = serial.to_bytes(16, "big"), bytes([serial % 256]) * size
                fields = verb, flags, kind, number, task, task
                head = pack_single(*fields, peer, address, size)
                outgoing.add(*fields, peer, address, body)
                bundler.add(b"", head, body)
                assert outgoing.count == bundler.count

        messages = bundler.take(b"")

        assert outgoing.take() == messages
        assert outgoing.count == 0
        for head, body in messages:
            assert split_items(head, body) == one_by_one(head, body)


def one_by_one(head, body):
    """Return what `split_items` promises, made of the messages of a bundle."""
    peer, _, address = heads.unpack_items(head)
    found = []
    for single, part in split_bundle(head, body):
        _, verb, flags, kind, number, task, trace, _, _ = heads.unpack_single(single)
        found.append((task, trace, kind, number, flags, part))
    return verb, peer, address, found


@given(
    head=st.binary(max_size=120)
    | st.tuples(st.binary(max_size=90), st.integers(0, 255)).map(
        lambda drawn: b"\x01\x00" + bytes(16) + bytes((drawn[1] % 4, 10)) + drawn[0]
    ),
    body=st.binary(max_size=8),
)
def test_any_bytes_are_items_only_if_the_wire_says_so(head, body):
    split = split_items(head, body)
    if split is None:
        return
    verb, peer, address, found = split
    assert (peer, address) == heads.unpack_items(head)[::2]
    assert len(found) == len(heads.split(head, body))
    assert split == one_by_one(head, body)
    assert verb in (Verb.TASK, Verb.REPLY)
