"""The texts of a generator in its thread: all of them, in order, however they are mixed."""

import asyncio
import threading

import pytest

from cosmonapse import SignalType
from cosmonapse.dendrite.worker import yielded_stream
from support.processes import TIMEOUT_S
from support.watching import deltas

pytestmark = pytest.mark.asyncio


async def streamed(serve, function, **options):
    caller = await serve(function, **options)
    async with await caller.dispatch(neuron="worker", input={}) as pathway:
        signals = [each async for each in pathway]
    return signals


async def test_every_text_of_a_fast_generator_arrives_in_order(serve):
    def counts(input, context):
        for n in range(5000):
            yield str(n)

    signals = await streamed(serve, counts)

    assert deltas(signals[:-1]) == [str(n) for n in range(5000)]
    assert [each.payload["seq"] for each in signals[:-1]] == list(range(5000))
    assert signals[-1].output == {"response": "".join(map(str, range(5000)))}


async def test_what_a_generator_calls_comes_after_what_it_has_yielded(serve):
    def mixes(input, context):
        for n in range(50):
            yield f"y{n}"
            context.think(f"t{n}")
            yield f"z{n}"
            context.plan([n])

    signals = await streamed(serve, mixes)

    said = [
        each.payload["delta"] if each.type is SignalType.THOUGHT_DELTA else each.payload["steps"]
        for each in signals[:-1]
    ]
    assert said == [each for n in range(50) for each in (f"y{n}", f"t{n}", f"z{n}", [n])]
    numbers = [each.payload["seq"] for each in signals[:-1] if "seq" in each.payload]
    assert numbers == list(range(150))


async def test_thoughts_of_several_threads_have_numbers_of_their_own(serve):
    def mixes(input, context):
        thinks = [lambda n=n: [context.think(f"{n}.{k}") for k in range(100)] for n in range(2)]
        threads = [threading.Thread(target=each) for each in thinks]
        for each in threads:
            each.start()
        for n in range(2000):
            yield str(n)
        for each in threads:
            each.join()

    signals = await streamed(serve, mixes)

    assert [each.payload["seq"] for each in signals[:-1]] == list(range(2200))


async def test_what_was_yielded_before_an_exception_comes_before_the_error(serve):
    def raises(input, context):
        for n in range(300):
            yield str(n)
        raise ValueError("enough")

    *thoughts, error = await streamed(serve, raises)

    assert deltas(thoughts) == [str(n) for n in range(300)]
    assert (error.type, "enough" in error.payload["message"]) == (SignalType.ERROR, True)


@pytest.mark.parametrize("text", ["\ud800", "x" * 20_000_000])
async def test_a_text_that_cannot_travel_ends_the_task_with_an_error(serve, text):
    def yields(input, context):
        yield "a"
        yield text
        for _ in range(1000):
            yield "b"

    *thoughts, error = await streamed(serve, yields)

    assert error.type is SignalType.ERROR
    assert deltas(thoughts) == ["a"]


async def test_a_generator_is_closed_soon_after_the_end_of_its_task(serve):
    closed, begun = threading.Event(), threading.Event()

    def forever(input, context):
        try:
            while True:
                yield "x"
                begun.set()
        finally:
            closed.set()

    caller = await serve(forever)
    pathway = await caller.dispatch(neuron="worker", input={})
    await asyncio.to_thread(begun.wait, TIMEOUT_S)
    await pathway.close()

    assert await asyncio.to_thread(closed.wait, TIMEOUT_S)


async def test_a_generator_that_has_to_wait_for_the_loop_loses_nothing(serve, monkeypatch):
    monkeypatch.setattr(yielded_stream, "_MAX_AHEAD", 2)

    def counts(input, context):
        for n in range(500):
            yield str(n)

    *thoughts, output = await streamed(serve, counts)

    assert deltas(thoughts) == [str(n) for n in range(500)]
    assert output.type is SignalType.AGENT_OUTPUT
