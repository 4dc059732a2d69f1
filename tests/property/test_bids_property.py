"""Whatever the network says, offers and bids are read or told, and one bid wins by a fixed rule."""

import contextlib
import math

from hypothesis import given
from hypothesis import strategies as st

from cosmonapse import BadSignal, Directed, Signal, SignalType
from cosmonapse.dendrite.caller.bids import bid_payload, choose, read_bid, read_offer

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
PAYLOADS = st.dictionaries(
    st.sampled_from(["input", "capabilities", "deadline_ms", "cost", "eta_ms", "confidence"])
    | st.text(),
    VALUES,
)
DIRECTED = st.none() | st.builds(
    Directed,
    st.none() | st.text() | st.just("worker"),
    st.sampled_from([None, "neuron", "dendrite"]),
)
NUMBERS = st.none() | st.floats(0, 1) | st.integers(0, 1)
WAYS = st.sampled_from(["first_bid", "lowest_cost", "highest_confidence"])


@given(PAYLOADS, DIRECTED)
def test_nothing_from_the_network_raises_anything_but_bad_signal(payload, directed):
    offer = Signal(type=SignalType.TASK_OFFER, payload=payload, directed=directed)
    bid = Signal(type=SignalType.BID, payload=payload, directed=directed)

    with contextlib.suppress(BadSignal):
        assert 0 < read_offer(offer).deadline_ms <= 3_600_000
    with contextlib.suppress(BadSignal):
        read = read_bid(bid)
        assert read.cost is None or math.isfinite(read.cost)
        assert read.confidence is None or 0 <= read.confidence <= 1


@given(VALUES | PAYLOADS)
def test_what_a_bid_fn_returns_is_no_bid_or_one_that_can_travel_or_is_told(value):
    with contextlib.suppress(TypeError, ValueError):
        payload = bid_payload(value)
        if payload is not None:
            bid = Signal(type=SignalType.BID, payload=payload, directed=Directed("a", "neuron"))
            assert read_bid(Signal.decode(bid.encode())).cost == payload["cost"]


@given(st.lists(st.tuples(NUMBERS, NUMBERS), min_size=1, max_size=20), WAYS)
def test_the_winner_is_the_first_that_no_other_beats(said, select):
    bids = [
        read_bid(
            Signal(
                type=SignalType.BID,
                payload={"cost": cost, "confidence": confidence},
                directed=Directed("a", "neuron"),
            )
        )
        for cost, confidence in said
    ]

    winner = choose(bids, select)

    key = "confidence" if select == "highest_confidence" else "cost"
    values = [getattr(each, key) for each in bids]
    told = [each for each in values if each is not None]
    if select == "first_bid" or not told:
        assert winner is bids[0]
    else:
        best = max(told) if key == "confidence" else min(told)
        assert winner is bids[values.index(best)]
