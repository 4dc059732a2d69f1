"""Whatever is gathered comes out exactly once, per target in its order, within the limits."""

from hypothesis import given
from hypothesis import strategies as st

from support.heads import target_of
from zmq_transport.wire import heads
from zmq_transport.wire.bundle import MAX_BODY_BYTES, MAX_ITEMS, Bundler, split_bundle
from zmq_transport.wire.heads import Verb

CONNECTIONS = st.sampled_from([b"one", b"two", b"three"])
TARGETS = st.tuples(
    st.sampled_from([Verb.TASK, Verb.REPLY, Verb.LOST]),
    st.sampled_from([heads.NOBODY, b"p" * 16]),
    st.sampled_from([b"", b"echo", b"?a,b"]),
)
SIZES = st.integers(0, 40) | st.sampled_from([MAX_BODY_BYTES - 1, MAX_BODY_BYTES])
STEPS = st.lists(
    st.tuples(st.just("add"), CONNECTIONS, TARGETS, SIZES, st.integers(1, 70))
    | st.tuples(st.just("take"), CONNECTIONS, st.none(), st.just(0), st.just(1)),
    max_size=12,
)


def message(number, target, size):
    verb, peer, address = target
    task = number.to_bytes(16, "big")
    head = heads.pack(verb, size, peer=peer, task=task, address=address)
    return head, bytes([number % 256]) * size


def opened(bundles):
    """Return the messages in bundles, each read back from the message that travels."""
    singles = []
    for head, body in bundles:
        parts = heads.split(head, body)
        assert parts == split_bundle(head, body)
        assert 1 <= len(parts) <= MAX_ITEMS < heads.MAX_ITEMS
        assert len(body) <= heads.MAX_COALESCED_BYTES
        assert len({target_of(each) for each, _ in parts}) == 1
        singles += parts
    return singles


def by_target(singles):
    targets = {}
    for head, body in singles:
        targets.setdefault(target_of(head), []).append((head, body))
    return targets


@given(steps=STEPS)
def test_what_is_added_comes_out_once_and_each_target_in_its_order(steps):
    bundler, model, number = Bundler(), {}, 0
    for verb, connection, target, size, repeats in steps:
        if verb == "take":
            taken = opened(bundler.take(connection))
            added = model.pop(connection, [])
            assert sorted(taken) == sorted(added)
            assert by_target(taken) == by_target(added)
            continue
        for _ in range(repeats):
            number += 1
            single = message(number, target, size)
            assert bundler.takes(*single)
            bundler.add(connection, *single)
            model.setdefault(connection, []).append(single)
        assert bool(bundler) is bool(model)
        assert sorted(bundler.connections()) == sorted(model)
    for connection, added in model.items():
        assert by_target(opened(bundler.take(connection))) == by_target(added)
    assert not bundler


@given(messages=st.lists(st.tuples(TARGETS, st.integers(0, 10)), max_size=200))
def test_messages_are_not_more_than_the_targets_and_the_limits_ask_for(messages):
    bundler, counts = Bundler(), {}
    for number, (target, size) in enumerate(messages):
        bundler.add(b"one", *message(number, target, size))
        counts[target] = counts.get(target, 0) + 1

    assert len(bundler.take(b"one")) == sum(-(-count // MAX_ITEMS) for count in counts.values())
