"""What offers and bids say, and which bid wins."""

import math

import pytest

from cosmonapse import BadSignal, Directed, Signal, SignalType
from cosmonapse.dendrite.caller.bids import (
    bid_payload,
    checked_select,
    choose,
    offer_payload,
    read_bid,
    read_offer,
)

BIDDER = Directed("worker", "neuron")


def bid(directed=BIDDER, **payload):
    return Signal(type=SignalType.BID, payload=payload, directed=directed)


def offer(**payload):
    return Signal(type=SignalType.TASK_OFFER, payload=payload)


def test_an_offer_is_read_as_it_was_made():
    made = offer(**offer_payload({"n": 1}, ["chat", "fr"], 250))

    read = read_offer(made)

    assert (read.input, read.capabilities, read.deadline_ms) == ({"n": 1}, {"chat", "fr"}, 250)


def test_an_offer_by_hand_needs_no_capabilities_and_no_deadline():
    read = read_offer(offer(input=None))

    assert (read.capabilities, read.deadline_ms) == (frozenset(), 250)


@pytest.mark.parametrize("deadline_ms", [0, -1, math.nan, math.inf, 3_600_001, "250", None, True])
def test_a_deadline_that_makes_no_sense_is_refused_by_both_sides(deadline_ms):
    with pytest.raises(ValueError, match="deadline_ms must be over 0"):
        offer_payload({}, ["chat"], deadline_ms)
    with pytest.raises(BadSignal, match="deadline_ms"):
        read_offer(offer(input={}, deadline_ms=deadline_ms))


@pytest.mark.parametrize(
    "payload", [{}, {"input": 1, "capabilities": "chat"}, {"input": 1, "capabilities": [7]}]
)
def test_an_offer_that_makes_no_sense_is_told(payload):
    with pytest.raises(BadSignal):
        read_offer(offer(**payload))


def test_a_bid_names_who_would_do_it_and_what_it_costs():
    read = read_bid(bid(cost=2.5, eta_ms=10, confidence=0.5))

    assert (read.neuron, read.cost, read.confidence) == ("worker", 2.5, 0.5)


@pytest.mark.parametrize(
    "directed", [None, Directed("worker", "dendrite"), Directed("a b", "neuron")]
)
def test_a_bid_of_nobody_is_told(directed):
    with pytest.raises(BadSignal, match="must name the neuron"):
        read_bid(bid(directed, cost=1))


@pytest.mark.parametrize("value", [None, "1", True, math.nan, math.inf, [1], {}])
def test_a_value_that_makes_no_sense_counts_as_not_said(value):
    read = read_bid(bid(cost=value, confidence=value))

    assert (read.cost, read.confidence) == (None, None)


def test_the_first_of_equals_wins_and_what_lacks_the_value_comes_last():
    bids = [read_bid(bid(**each)) for each in ({}, {"cost": 2}, {"cost": 1}, {"cost": 1})]

    assert choose(bids, "lowest_cost") is bids[2]
    assert choose(bids, "first_bid") is bids[0]
    assert choose(bids, "highest_confidence") is bids[0]


def test_the_highest_confidence_wins_and_one_of_zero_beats_none():
    bids = [read_bid(bid(cost=0)), read_bid(bid(cost=0, confidence=0))]
    surer = read_bid(bid(cost=9, confidence=0.9))

    assert choose(bids, "highest_confidence") is bids[1]
    assert choose([*bids, surer], "highest_confidence") is surer


@pytest.mark.parametrize(
    ("value", "payload"),
    [
        (None, None),
        (0, {"cost": 0}),
        (-1.5, {"cost": -1.5}),
        ({"cost": 1, "eta_ms": 20, "confidence": 1}, {"cost": 1, "eta_ms": 20, "confidence": 1}),
        ({"cost": 1, "eta_ms": None}, {"cost": 1}),
    ],
)
def test_what_a_bid_fn_returns_becomes_a_bid(value, payload):
    assert bid_payload(value) == payload


@pytest.mark.parametrize(
    "value",
    ["1", True, [1], {}, {"eta_ms": 1}, {"cost": None}, {"cost": 1, "eta": 2}, {"cost": "1"}],
)
def test_what_is_no_bid_is_told(value):
    with pytest.raises(TypeError, match="bid"):
        bid_payload(value)


@pytest.mark.parametrize(
    "value",
    [
        math.nan,
        10**400,
        {"cost": 1, "eta_ms": -1},
        {"cost": 1, "confidence": 1.01},
        {"cost": 1, "confidence": -0.1},
    ],
)
def test_a_number_out_of_range_is_told(value):
    with pytest.raises(ValueError, match="of a bid"):
        bid_payload(value)


def test_an_unknown_way_to_choose_is_refused_and_the_known_ones_are_named():
    with pytest.raises(ValueError, match=r"first_bid.*lowest_cost.*highest_confidence.*'cheapest'"):
        checked_select("cheapest")
