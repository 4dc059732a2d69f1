"""An injector loses, delays and keeps the order, after any sequence of settings."""

import asyncio

import pytest

from cosmonapse.testing.fault_injector import FaultInjector

pytestmark = pytest.mark.asyncio


def put(injector, sent, *numbers):
    for number in numbers:
        injector.take(lambda number=number: sent.append(number))


async def test_an_injector_sends_at_once():
    injector, sent = FaultInjector(), []

    put(injector, sent, 1, 2)

    assert (sent, injector.free) == ([1, 2], True)


async def test_it_loses_as_many_as_it_is_told_and_counts_them():
    injector, sent = FaultInjector(), []

    injector.lose(2)
    put(injector, sent, 1, 2, 3)

    assert (sent, injector.lost_count, injector.free) == ([3], 2, True)


async def test_it_loses_everything_until_it_is_healed():
    injector, sent = FaultInjector(), []

    injector.lose(None)
    put(injector, sent, *range(100))
    injector.heal()
    put(injector, sent, 100)

    assert (sent, injector.lost_count) == ([100], 100)


async def test_what_is_delayed_less_waits_behind_what_is_delayed_more():
    injector, sent, last = FaultInjector(), [], asyncio.Event()

    injector.delay(0.05)
    put(injector, sent, *range(10))
    injector.delay(0.001)
    put(injector, sent, *range(10, 20))
    injector.take(last.set)
    await asyncio.wait_for(last.wait(), 5.0)

    assert sent == list(range(20))


async def test_healing_sends_what_waits_in_front_of_what_comes_next():
    injector, sent = FaultInjector(), []

    injector.delay(60.0)
    put(injector, sent, 1, 2)
    waited = list(sent)
    injector.heal()
    put(injector, sent, 3)

    assert (waited, sent) == ([], [1, 2, 3])


async def test_a_timer_of_before_the_healing_sends_nothing_of_after_it():
    injector, sent, last = FaultInjector(), [], asyncio.Event()

    injector.delay(0.001)
    put(injector, sent, 1)
    injector.heal()
    injector.delay(60.0)
    put(injector, sent, 2)
    asyncio.get_running_loop().call_later(0.01, last.set)
    await last.wait()

    assert sent == [1]
