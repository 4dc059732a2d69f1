"""What a call leaves to the garbage collector."""

import gc

import pytest

pytestmark = pytest.mark.asyncio
CALLS = 50


async def echo(input, context):
    return input


async def aloud(input, context):
    for _ in range(3):
        await context.think("hm")
    return input


@pytest.mark.parametrize("neuron_fn", [echo, aloud])
async def test_a_call_leaves_no_circles_of_objects(serve, neuron_fn):
    caller = await serve(neuron_fn)
    for _ in range(5):
        await caller.dispatch_and_wait(neuron="worker", input={"n": 1})
    gc.collect()
    gc.disable()
    try:
        for _ in range(CALLS):
            await caller.dispatch_and_wait(neuron="worker", input={"n": 1})
        left = gc.collect()
    finally:
        gc.enable()

    assert left < CALLS
