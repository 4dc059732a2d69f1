"""The last Signals stay, within bounds; each has its number."""

from hypothesis import given
from hypothesis import strategies as st

from cosmonapse.prism.ring import Ring
from support.observed import observed

SMALL, LARGE = observed(), observed(payload={"text": "x" * 1_000})


def filled(signals, **bounds):
    ring = Ring(1, **bounds)
    for each in signals:
        ring.add(each)
    return ring


def test_an_empty_ring_has_nothing():
    ring = Ring(5)

    assert (ring.first, ring.last, len(ring)) == (5, 4, 0)
    assert ring.get(5) is None
    assert ring.after(4, 10) == []


def test_a_signal_comes_back_as_it_was_received():
    ring = filled([SMALL, LARGE])

    assert [each.decoded() for each in ring.after(0, 10)] == [SMALL, LARGE]
    assert ring.get(2).decoded() == LARGE


def test_a_signal_that_is_larger_than_the_ring_is_not_kept():
    ring = filled([SMALL, LARGE], most_bytes=len(LARGE.body) - 1)

    assert (len(ring), ring.evicted, ring.size_bytes) == (0, 2, 0)
    assert ring.first == ring.last + 1 == 3


@given(
    st.lists(st.sampled_from([SMALL, LARGE]), max_size=60),
    st.integers(1, 20),
    st.integers(100, 5_000),
    st.integers(0, 70),
    st.integers(1, 30),
)
def test_the_newest_stay_and_the_bounds_hold(signals, most, most_bytes, number, at_once):
    ring = filled(signals, most=most, most_bytes=most_bytes)

    kept = ring.after(0, 1_000)
    assert len(kept) == len(ring) <= most
    assert sum(len(each.body) for each in kept) == ring.size_bytes <= most_bytes
    assert [each.number for each in kept] == list(range(ring.first, ring.last + 1))
    assert ring.last == len(signals) == len(ring) + ring.evicted
    assert [each.body for each in kept] == [each.body for each in signals[ring.evicted :]]
    assert ring.after(number, at_once) == [e for e in kept if e.number > number][:at_once]
    found = ring.get(number)
    assert found == next((each for each in kept if each.number == number), None)
