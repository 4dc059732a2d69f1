"""context_ref: what a Neuron finds in its context besides the task."""

import asyncio
import threading

import pytest

from cosmonapse import Axon, UnencodableValue
from support.processes import until

pytestmark = pytest.mark.asyncio


async def items(input, context):
    return {"items": list(context)}


def items_in_a_thread(input, context):
    return {"items": list(context)}


async def fetch(reference):
    return [reference, "fetched"]


def fetch_in_a_thread(reference):
    assert threading.current_thread() is not threading.main_thread()
    return [reference, "fetched"]


class Fetcher:
    async def __call__(self, reference):
        return [reference, "fetched"]


functions = pytest.mark.parametrize("neuron_fn", [items, items_in_a_thread])


@functions
@pytest.mark.parametrize("fetcher", [fetch, fetch_in_a_thread, Fetcher(), Fetcher().__call__])
async def test_the_fetcher_makes_items_from_the_reference(neuron_fn, fetcher, serve):
    caller = await serve(neuron_fn, context_fetcher=fetcher)

    output = await caller.ask(neuron="worker", input={}, context_ref={"key": 1})

    assert output == {"items": [{"key": 1}, "fetched"]}


@functions
async def test_a_list_needs_no_fetcher(neuron_fn, serve):
    caller = await serve(neuron_fn)

    output = await caller.ask(neuron="worker", input={}, context_ref=[1, {"two": 2}])

    assert output == {"items": [1, {"two": 2}]}


@pytest.mark.parametrize("reference", ["a name", {"key": 1}, 7])
async def test_a_reference_without_a_fetcher_leaves_the_context_empty(reference, serve):
    caller = await serve(items)

    output = await caller.ask(neuron="worker", input={}, context_ref=reference)

    assert output == {"items": []}


async def test_without_a_reference_nothing_is_fetched(serve):
    asked = []
    caller = await serve(items, context_fetcher=asked.append)

    assert await caller.ask(neuron="worker", input={}) == {"items": []}
    assert asked == []


@pytest.mark.parametrize("found", [None, (), [], iter(())])
async def test_a_fetcher_that_finds_nothing_leaves_the_context_empty(found, serve):
    caller = await serve(items, context_fetcher=lambda reference: found)

    assert await caller.ask(neuron="worker", input={}, context_ref=1) == {"items": []}


async def test_a_fetcher_that_raises_ends_the_task_with_an_error(serve):
    async def broken(reference):
        raise KeyError(reference)

    caller = await serve(items, context_fetcher=broken)

    reply = await caller.dispatch_and_wait(neuron="worker", input={}, context_ref="lost")

    assert reply.payload["code"] == "NEURON_EXCEPTION"
    assert "KeyError: 'lost'" in reply.payload["message"]


async def test_a_fetcher_that_hangs_is_cancelled_with_its_task(serve, clock):
    began, ended = asyncio.Event(), []

    async def hangs(reference):
        began.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(reference)

    caller = await serve(items, context_fetcher=hangs)
    asked = asyncio.create_task(
        caller.dispatch_and_wait(neuron="worker", input={}, context_ref=1, timeout_s=60.0)
    )
    await began.wait()
    clock.advance(60.0)
    with pytest.raises(TimeoutError):
        await asked

    await until(lambda: ended == [1])


async def test_a_child_task_may_have_a_reference_of_its_own(join, serve):
    async def parent(input, context):
        return await context.ask(neuron="child", input={}, context_ref=[*context, "more"])

    await join(Axon(neuron_id="child", neuron_fn=items)).start()
    caller = await serve(parent)

    output = await caller.ask(neuron="worker", input={}, context_ref=["given"])

    assert output == {"items": ["given", "more"]}


async def test_a_reference_that_cannot_travel_is_refused_at_the_caller(serve):
    caller = await serve(items)

    with pytest.raises(UnencodableValue, match=r"payload\.context_ref\[0\]"):
        await caller.ask(neuron="worker", input={}, context_ref=[object()])
