"""A lane loses, delays and keeps the order, whatever it is told in between."""

import asyncio

import pytest

from cosmonapse.testing.fault_injector import FaultInjector

pytestmark = pytest.mark.asyncio


def put(lane, sent, *numbers):
    for number in numbers:
        lane.take(lambda number=number: sent.append(number))


async def test_a_lane_sends_at_once():
    lane, sent = FaultInjector(), []

    put(lane, sent, 1, 2)

    assert (sent, lane.free) == ([1, 2], True)


async def test_it_loses_as_many_as_it_is_told_and_counts_them():
    lane, sent = FaultInjector(), []

    lane.lose(2)
    put(lane, sent, 1, 2, 3)

    assert (sent, lane.lost_count, lane.free) == ([3], 2, True)


async def test_it_loses_everything_until_it_is_healed():
    lane, sent = FaultInjector(), []

    lane.lose(None)
    put(lane, sent, *range(100))
    lane.heal()
    put(lane, sent, 100)

    assert (sent, lane.lost_count) == ([100], 100)


async def test_what_is_delayed_less_waits_behind_what_is_delayed_more():
    lane, sent, last = FaultInjector(), [], asyncio.Event()

    lane.delay(0.05)
    put(lane, sent, *range(10))
    lane.delay(0.001)
    put(lane, sent, *range(10, 20))
    lane.take(last.set)
    await asyncio.wait_for(last.wait(), 5.0)

    assert sent == list(range(20))


async def test_healing_sends_what_waits_in_front_of_what_comes_next():
    lane, sent = FaultInjector(), []

    lane.delay(60.0)
    put(lane, sent, 1, 2)
    waited = list(sent)
    lane.heal()
    put(lane, sent, 3)

    assert (waited, sent) == ([], [1, 2, 3])


async def test_a_timer_of_before_the_healing_sends_nothing_of_after_it():
    lane, sent, last = FaultInjector(), [], asyncio.Event()

    lane.delay(0.001)
    put(lane, sent, 1)
    lane.heal()
    lane.delay(60.0)
    put(lane, sent, 2)
    asyncio.get_running_loop().call_later(0.01, last.set)
    await last.wait()

    assert sent == [1]
