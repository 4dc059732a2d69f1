"""Processes bid for a task: the best wins, and who is slow, fails or dies hurts nobody."""

import asyncio
import time
from pathlib import Path

import pytest

from support.processes import measured

BIDDER = Path(__file__).parents[1] / "support" / "bidder.py"
pytestmark = pytest.mark.asyncio


@pytest.fixture
def bidder(url, namespace, children):
    """Start a bidding worker process; return it once it is ready."""

    def start(neuron_id, how="quick", cost=1):
        child = children.start(BIDDER, url, namespace, neuron_id, how, cost)
        child.line("ready")
        child.may_complain = how == "raises"
        return child

    return start


async def offered(caller, number=1, **options):
    options = {"capabilities": ["chat"], "deadline_ms": 500, "select": "lowest_cost", **options}
    return await caller.dispatch_offer(input={"n": number}, **options)


async def test_the_cheapest_of_three_processes_wins_and_the_others_are_declined(bidder, join):
    dear, cheap, middle = bidder("dear", cost=9), bidder("cheap", cost=1), bidder("middle", cost=5)
    async with join("caller") as caller:
        reply = await offered(caller)

    assert reply.output == {"by": "cheap", "n": 1}
    assert cheap.line("ran").text == "1"
    for loser in (dear, middle):
        assert loser.line("declined").text == "another bid was better"
        assert not loser.lines("ran", 0)


async def test_a_slow_a_failing_and_a_killed_bidder_do_not_keep_the_others_from_winning(
    bidder, join
):
    slow, raises, dies = (
        bidder("slow", "slow", 0),
        bidder("raises", "raises"),
        bidder("dies", "holds"),
    )
    bidder("good", cost=7)
    async with join("caller") as caller:
        offering = asyncio.create_task(offered(caller, deadline_ms=1_000))
        await asyncio.to_thread(dies.line, "bidding")
        await asyncio.to_thread(dies.kill)
        reply = await offering
        again = await offered(caller, 2, select="first_bid")

    assert (reply.output["by"], again.output["by"]) == ("good", "good")
    assert "it has no idea what this costs" in raises.said
    assert slow.lines("bidding", 1)
    assert not slow.lines("ran", 0)


async def test_the_first_bid_does_not_wait_for_the_deadline(bidder, join):
    bidder("quick")
    async with join("caller") as caller:
        await offered(caller, select="first_bid")
        began_s = time.perf_counter()
        reply = await offered(caller, 2, select="first_bid", deadline_ms=20_000)
        took_s = time.perf_counter() - began_s

    measured("an offer to its outcome", took_s)
    assert reply.output["by"] == "quick"
    assert took_s < 1.0


async def test_offers_right_after_the_start_of_bidder_and_caller_are_bid_for(bidder, join):
    bidder("quick")
    winners = []
    for number in range(20):
        async with join(f"caller-{number}") as caller:
            winners.append((await offered(caller, number, select="first_bid")).output["by"])

    assert winners == ["quick"] * 20


async def test_when_all_bidders_are_dead_it_is_a_timeout(bidder, join):
    bidder("dead").kill()
    async with join("caller") as caller:
        with pytest.raises(TimeoutError, match="chat made a bid"):
            await offered(caller, deadline_ms=100)
