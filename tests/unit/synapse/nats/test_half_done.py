"""A coroutine that is run at once as far as it goes."""

import asyncio

import pytest

from cosmonapse.synapse.nats.half_done import begun

pytestmark = pytest.mark.asyncio


async def test_what_does_not_wait_is_done_at_once():
    done = []

    async def work():
        done.append(1)
        await asyncio.sleep(0)
        done.append(2)

    assert begun(work(), 1.0, "work") is None
    assert done == [1, 2]


async def test_what_waits_goes_on_in_the_background():
    done = []
    gate = asyncio.get_running_loop().create_future()

    async def work():
        done.append(await gate)
        await asyncio.sleep(0.001)
        done.append("end")

    rest = begun(work(), 5.0, "work")
    assert done == []
    gate.set_result("first")
    await rest
    assert done == ["first", "end"]


async def test_what_waits_too_long_is_cancelled():
    ended = []

    async def work():
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            ended.append(True)

    await begun(work(), 0.01, "work")

    assert ended == [True]


async def test_a_connection_that_breaks_meanwhile_is_no_error():
    async def at_once():
        raise ConnectionResetError

    async def later():
        await asyncio.sleep(0.001)
        raise ConnectionResetError

    assert begun(at_once(), 1.0, "work") is None
    await begun(later(), 1.0, "work")


async def test_a_cancelled_rest_ends_its_work():
    ended = []

    async def work():
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            ended.append(True)

    rest = begun(work(), 5.0, "work")
    await asyncio.sleep(0)
    rest.cancel()
    with pytest.raises(asyncio.CancelledError):
        await rest
    assert ended == [True]
