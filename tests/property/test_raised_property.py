"""Whatever a function raises, its caller gets an outcome and its place is free again."""

import asyncio
import logging

from hypothesis import given
from hypothesis import strategies as st

from cosmonapse import Axon, Clarification, Dendrite, MemorySynapse, NeuronError, SignalType

TIMEOUT_S = 10.0


class LacksItsBase(NeuronError):
    def __init__(self, *_):
        Exception.__init__(self, "it never called its base")


class LacksItsPayload(Clarification):
    def __init__(self, *_):
        Exception.__init__(self, "it never called its base")


class Unprintable(Exception):
    def __str__(self):
        raise KeyboardInterrupt


class OfItsOwn(BaseException):
    pass


class BadCode(NeuronError):
    def __init__(self, *_):
        super().__init__("some text")
        self.code = {}


class BreaksWhenRead(dict):
    def items(self):
        raise GeneratorExit


def kinds(base):
    """Yield the classes of Python below `base` that a text alone makes."""
    for kind in base.__subclasses__():
        if kind.__module__ == "builtins":
            yield kind
            yield from kinds(kind)


def can_be_made(kind):
    try:
        kind("why")
    except TypeError:
        return False
    return True


OURS = [LacksItsBase, LacksItsPayload, Unprintable, OfItsOwn, BadCode, asyncio.CancelledError]
KINDS = sorted({each for each in kinds(BaseException) if can_be_made(each)}, key=repr) + OURS


def group_of(errors):
    return BaseExceptionGroup("several", errors)


ERRORS = st.recursive(
    st.sampled_from(KINDS).map(lambda kind: kind("why")),
    lambda inner: st.lists(inner, min_size=1, max_size=3).map(group_of),
    max_leaves=4,
)


def neuron_of(shape, error):
    """Return a Neuron of a shape that raises `error`."""

    async def coroutine(input, context):
        raise error

    async def after_a_step(input, context):
        await asyncio.sleep(0)
        raise error

    async def through_a_future(input, context):
        future = asyncio.get_running_loop().create_future()
        future.set_exception(error)
        await future

    async def async_generator(input, context):
        yield "half of"
        raise error

    def plain(input, context):
        raise error

    def generator(input, context):
        yield "half of"
        raise error

    async def in_its_output(input, context):
        return BreaksWhenRead(key="value")

    return locals()[shape]


SHAPES = (
    "coroutine",
    "after_a_step",
    "through_a_future",
    "async_generator",
    "plain",
    "generator",
    "in_its_output",
)


async def outcomes_of(neuron_fn):
    """Return two outcomes of an Axon with one place, and what it holds after them."""
    synapse = MemorySynapse()
    async with Dendrite(synapse=synapse) as worker, Dendrite(synapse=synapse) as caller:
        await worker.add_axon(Axon(neuron_id="worker", neuron_fn=neuron_fn, concurrency=1))
        replies = [
            await caller.dispatch_and_wait(neuron="worker", input={}, timeout_s=TIMEOUT_S)
            for _ in range(2)
        ]
        return replies, worker._inbox.load("worker"), len(worker._inbox.jobs)


@given(shape=st.sampled_from(SHAPES), error=ERRORS)
def test_every_exception_is_an_outcome_and_a_free_place(shape, error):
    if shape == "through_a_future" and isinstance(error, StopIteration):
        shape = "coroutine"  # no future accepts it
    logging.disable()
    try:
        replies, load, job_count = asyncio.run(outcomes_of(neuron_of(shape, error)))
    finally:
        logging.disable(logging.NOTSET)

    assert [reply.type for reply in replies] == [SignalType.ERROR] * 2
    assert all(reply.payload["code"] and reply.payload["message"] for reply in replies)
    assert load == (0, 0)
    assert job_count == 0
