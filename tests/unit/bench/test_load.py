"""The load of a measurement."""

import asyncio

from cosmonapse.bench.load import drive


def test_each_caller_calls_once_at_least_however_late_it_comes_to_it():
    called = []

    async def call(payload):
        called.append(payload)
        await asyncio.sleep(0)

    sample = asyncio.run(drive(call, 3, 0.0, {"n": 1}))

    assert called == [{"n": 1}] * 3
    assert sample.calls == 3
