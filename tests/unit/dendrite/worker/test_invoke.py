"""What may be a Neuron, and where it runs."""

import asyncio
import functools
import threading

import pytest

from cosmonapse import SignalType
from support.processes import TIMEOUT_S, until
from support.watching import deltas, kept

pytestmark = pytest.mark.asyncio
MAX_SIGNAL_BYTES = 1_000_000


async def coroutine(input, context):
    return {"got": input}


def plain(input, context):
    return {"got": input}


async def asynchronous_texts(input, context):
    yield "one "
    yield "two "


def texts(input, context):
    yield "one "
    yield "two "


async def thinks(input, context):
    await context.think("one ")
    await context.think("two ")
    return {}


def thinks_in_a_thread(input, context):
    context.think("one ")
    context.think("two ")


class Coroutine:
    async def __call__(self, input, context):
        return {"got": input}

    async def method(self, input, context):
        return {"got": input}

    @staticmethod
    def plainly(input, context):
        return {"got": input}


class Plain:
    def __call__(self, input, context):
        return {"got": input}


class AsynchronousTexts:
    async def __call__(self, input, context):
        for text in ("one ", "two "):
            yield text


class Texts:
    def __call__(self, input, context):
        yield from ("one ", "two ")


ANSWERS = {
    "coroutine": coroutine,
    "def": plain,
    "object with async __call__": Coroutine(),
    "object with __call__": Plain(),
    "bound method": Coroutine().method,
    "static method": Coroutine.plainly,
    "partial of a coroutine": functools.partial(coroutine),
    "partial of a def": functools.partial(plain),
    "partial of an object": functools.partial(Coroutine()),
    "partial of a partial": functools.partial(functools.partial(coroutine)),
    "lambda": lambda input, context: {"got": input},
    "lambda that returns a coroutine": lambda input, context: coroutine(input, context),
}
STREAMS = {
    "async generator": asynchronous_texts,
    "generator": texts,
    "object with async generator": AsynchronousTexts(),
    "object with generator": Texts(),
    "partial of an async generator": functools.partial(asynchronous_texts),
    "partial of a generator": functools.partial(texts),
    "lambda that returns an async generator": lambda input, context: asynchronous_texts(0, 0),
    "lambda that returns a generator": lambda input, context: texts(0, 0),
}


@pytest.mark.parametrize("neuron_fn", ANSWERS.values(), ids=ANSWERS)
async def test_whatever_can_be_called_with_input_and_context_is_a_neuron(neuron_fn, serve):
    caller = await serve(neuron_fn)

    assert await caller.ask(neuron="worker", input=[1, None, "x"]) == {"got": [1, None, "x"]}


@pytest.mark.parametrize("neuron_fn", STREAMS.values(), ids=STREAMS)
async def test_the_texts_of_a_generator_are_thoughts_in_order_and_together_its_output(
    neuron_fn, serve
):
    caller = await serve(neuron_fn)
    thoughts = kept(caller.on_thought_delta)

    output = await caller.ask(neuron="worker", input={})
    await until(lambda: len(thoughts) == 2)

    assert output == {"response": "one two "}
    assert [sig.payload for sig in thoughts] == [
        {"delta": "one ", "seq": 0},
        {"delta": "two ", "seq": 1},
    ]


@pytest.mark.parametrize("neuron_fn", [thinks, thinks_in_a_thread])
async def test_a_function_may_think_aloud_on_the_loop_and_in_a_thread(neuron_fn, serve):
    caller = await serve(neuron_fn)
    seen = kept(caller.on_signal(SignalType.THOUGHT_DELTA, SignalType.AGENT_OUTPUT))

    await caller.dispatch_and_wait(neuron="worker", input={})
    await until(lambda: len(seen) == 3)

    assert deltas(seen[:2]) == ["one ", "two "]
    assert [sig.payload["seq"] for sig in seen[:2]] == [0, 1]
    assert seen[2].type is SignalType.AGENT_OUTPUT


async def test_what_a_generator_yields_and_what_it_thinks_make_one_stream(serve):
    def mixed(input, context):
        yield "a"
        context.think("b")
        yield "c"
        yield {"letters": 3}

    caller = await serve(mixed)
    thoughts = kept(caller.on_thought_delta)

    output = await caller.ask(neuron="worker", input={})
    await until(lambda: len(thoughts) == 3)

    assert deltas(thoughts) == ["a", "b", "c"]
    assert output == {"letters": 3}


@pytest.mark.parametrize("is_async", [True, False])
async def test_of_several_dicts_the_last_is_the_output(is_async, serve):
    async def on_loop(input, context):
        yield {"n": 1}
        yield {"n": 2}

    def in_thread(input, context):
        yield from ({"n": 1}, {"n": 2})

    caller = await serve(on_loop if is_async else in_thread)

    assert await caller.ask(neuron="worker", input={}) == {"n": 2}


@pytest.mark.parametrize("is_async", [True, False])
async def test_a_generator_that_yields_nothing_gives_an_empty_response(is_async, serve):
    async def on_loop(input, context):
        return
        yield

    def in_thread(input, context):
        yield from ()

    caller = await serve(on_loop if is_async else in_thread)

    assert await caller.ask(neuron="worker", input={}) == {"response": ""}


async def test_a_generator_that_yields_neither_text_nor_dict_fails_and_is_closed(serve):
    closed = asyncio.Event()

    async def yields_a_number(input, context):
        try:
            yield 7
        finally:
            closed.set()

    reply = await (await serve(yields_a_number)).dispatch_and_wait(neuron="worker", input={})

    assert reply.payload["code"] == "NEURON_EXCEPTION"
    assert "not int" in reply.payload["message"]
    assert closed.is_set()


async def test_a_generator_in_a_thread_that_yields_neither_is_closed_before_the_reply(serve):
    closed = threading.Event()

    def yields_a_number(input, context):
        try:
            yield 7
        finally:
            closed.set()

    reply = await (await serve(yields_a_number)).dispatch_and_wait(neuron="worker", input={})

    assert "not int" in reply.payload["message"]
    assert closed.is_set()


async def test_a_thought_that_is_no_text_fails_before_it_leaves(serve):
    async def thinks_a_number(input, context):
        await context.think(7)

    reply = await (await serve(thinks_a_number)).dispatch_and_wait(neuron="worker", input={})

    assert reply.payload["message"] == "TypeError: a thought must be a str, not int"


async def test_a_plain_function_may_block_and_the_loop_goes_on(serve):
    release = threading.Event()

    def blocks(input, context):
        return {"released": release.wait(TIMEOUT_S), "thread": threading.current_thread().name}

    caller = await serve(blocks)
    asked = asyncio.create_task(caller.ask(neuron="worker", input={}))
    for _ in range(20):  # round trips through the loop that a blocked one would not make
        await caller.dispatch_and_wait(neuron="nobody", input={})
    release.set()

    output = await asked
    assert output["released"]
    assert output["thread"] != threading.main_thread().name


async def test_plain_functions_run_at_the_same_time_up_to_the_concurrency(serve):
    together = threading.Barrier(3)

    def meets(input, context):
        return together.wait(TIMEOUT_S)

    caller = await serve(meets, concurrency=3)
    outputs = await asyncio.gather(*(caller.ask(neuron="worker", input={}) for _ in range(6)))

    assert sorted(each["value"] for each in outputs) == [0, 0, 1, 1, 2, 2]


async def test_a_generator_in_a_thread_streams_while_it_blocks(serve):
    release = threading.Event()

    def blocks_in_between(input, context):
        yield "before"
        release.wait(TIMEOUT_S)
        yield "after"

    caller = await serve(blocks_in_between)
    thoughts = kept(caller.on_thought_delta)
    asked = asyncio.create_task(caller.ask(neuron="worker", input={}))
    await until(lambda: deltas(thoughts) == ["before"])
    release.set()

    assert await asked == {"response": "beforeafter"}


async def test_a_long_stream_does_not_keep_others_waiting(serve):
    async def never_waits(input, context):
        for _ in range(5_000):
            yield "x"

    caller = await serve(never_waits)
    streaming = asyncio.create_task(caller.ask(neuron="worker", input={}))
    await caller.dispatch_and_wait(neuron="nobody", input={})
    await caller.dispatch_and_wait(neuron="nobody", input={})

    assert not streaming.done()
    assert len((await streaming)["response"]) == 5_000


async def test_a_thought_over_the_limit_is_not_lost_in_silence(serve):
    async def long_thought(input, context):
        await context.think("x" * (MAX_SIGNAL_BYTES + 1))
        return {}

    caller = await serve(long_thought)
    reply = await caller.dispatch_and_wait(neuron="worker", input={})

    assert reply.type is SignalType.ERROR
    assert f"{MAX_SIGNAL_BYTES:,}" in reply.payload["message"]
