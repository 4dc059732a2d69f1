"""A task that nobody waits for any more ends, whatever shape its function has."""

import asyncio
import threading

import pytest

from cosmonapse import SignalType
from support.processes import TIMEOUT_S, until
from support.watching import deltas, kept

pytestmark = pytest.mark.asyncio


class Held:
    """Functions that wait for ever, and what became of them."""

    def __init__(self):
        self.began = False
        self.ended = []

    async def coroutine(self, input, context):
        self.began = True
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.ended.append("cancelled")
            raise
        finally:
            self.ended.append("finally")

    async def generator(self, input, context):
        self.began = True
        try:
            yield "one"
            await asyncio.Event().wait()
        finally:
            self.ended.append("finally")

    async def stream(self, input, context):
        try:
            while True:
                yield "more"
                self.began = True
        finally:
            await asyncio.sleep(0)
            self.ended.append("finally")


@pytest.fixture
def held():
    return Held()


def ask(caller, **options):
    return asyncio.create_task(caller.dispatch_and_wait(neuron="worker", input={}, **options))


@pytest.mark.parametrize("shape", ["coroutine", "generator", "stream"])
async def test_a_caller_that_is_cancelled_ends_the_function_and_its_finally_runs(
    shape, held, serve
):
    asked = ask(await serve(getattr(held, shape)))
    await until(lambda: held.began)

    asked.cancel()

    await until(lambda: held.ended[-1:] == ["finally"])
    assert asked.cancelled()


@pytest.mark.parametrize("shape", ["coroutine", "generator", "stream"])
async def test_a_caller_whose_time_is_over_ends_the_function_and_its_finally_runs(
    shape, held, serve, clock
):
    asked = ask(await serve(getattr(held, shape)), timeout_s=60.0)
    await until(lambda: held.began)
    clock.advance(60.0)
    with pytest.raises(TimeoutError):
        await asked

    await until(lambda: held.ended[-1:] == ["finally"])


async def test_a_dispatched_task_ends_at_its_deadline_and_the_handlers_hear_of_it(
    held, serve, clock
):
    caller = await serve(held.coroutine)
    errors = kept(caller.on_error_signal)

    await caller.dispatch_task(neuron="worker", input={}, timeout_s=60.0)
    await until(lambda: held.began)
    clock.advance(60.0)

    await until(lambda: held.ended == ["cancelled", "finally"])
    await until(lambda: errors)
    assert [sig.payload["code"] for sig in errors] == ["EXPIRED"]


async def test_a_cancelled_task_is_one_error_for_who_watches(held, join, serve):
    caller = await serve(held.coroutine)
    watcher = join(dendrite_id="watcher")
    ends = kept(watcher.on_signal(SignalType.ERROR, SignalType.AGENT_OUTPUT))
    await watcher.start()
    asked = ask(caller)
    await until(lambda: held.began)

    asked.cancel()
    await until(lambda: held.ended)
    await until(lambda: ends)
    await caller.dispatch_and_wait(neuron="nobody", input={})
    await until(lambda: len(ends) == 2)

    assert [sig.payload["code"] for sig in ends] == ["CANCELLED", "NO_SUCH_NEURON"]


async def test_a_function_may_clean_up_and_say_something_before_it_ends(held, serve):
    async def says_goodbye(input, context):
        await context.think("hello")
        try:
            await asyncio.Event().wait()
        finally:
            held.ended.append(context.cancelled)
            await context.think("goodbye")

    caller = await serve(says_goodbye)
    thoughts = kept(caller.on_thought_delta)
    asked = ask(caller)
    await until(lambda: deltas(thoughts) == ["hello"])

    asked.cancel()

    await until(lambda: held.ended)
    assert held.ended == [True]


async def test_a_function_that_goes_on_after_its_cancellation_bothers_nobody(serve):
    ended = []

    async def stubborn(input, context):
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            ended.append(input)
        return {"late": True}

    caller = await serve(stubborn, concurrency=1)
    asked = ask(caller)
    asked.add_done_callback(lambda _: None)
    await caller.dispatch_and_wait(neuron="nobody", input={})

    asked.cancel()
    await until(lambda: ended)
    await until(lambda: caller.counts.get("drop.late_reply"), what="its late reply")


async def test_a_function_in_a_thread_sees_that_it_is_cancelled_and_may_stop(serve):
    began, stopped = threading.Event(), threading.Event()

    def looks(input, context):
        began.set()
        while not context.cancelled:
            threading.Event().wait(0.001)
        stopped.set()

    asked = ask(await serve(looks))
    await until(began.is_set)
    assert not stopped.is_set()

    asked.cancel()

    await until(stopped.is_set)


async def test_a_generator_in_a_thread_ends_at_its_next_thought_and_its_finally_runs(serve):
    ended, thoughts = threading.Event(), []

    def endless(input, context):
        try:
            while True:
                yield "more"
                thoughts.append(1)
        finally:
            ended.set()

    asked = ask(await serve(endless))
    await until(lambda: thoughts)

    asked.cancel()

    await until(ended.is_set, timeout_s=1.0)


async def test_a_thread_that_thinks_after_its_task_is_over_is_told(serve):
    began, release, raised = threading.Event(), threading.Event(), []

    def thinks_late(input, context):
        began.set()
        release.wait(TIMEOUT_S)
        try:
            context.think("too late")
        except BaseException as error:
            raised.append(type(error).__name__)
            raise

    caller = await serve(thinks_late)
    thoughts = kept(caller.on_thought_delta)
    asked = ask(caller)
    await until(began.is_set)
    asked.cancel()
    await asyncio.wait([asked])
    await caller.dispatch_and_wait(neuron="nobody", input={})
    release.set()

    await until(lambda: raised)
    assert raised == ["CancelledError"]
    assert thoughts == []


async def test_cancelling_one_task_leaves_the_others_alone(held, serve):
    release = asyncio.Event()

    async def gated(input, context):
        held.began = True
        await release.wait()
        return {}

    caller = await serve(gated)
    asked = [ask(caller) for _ in range(10)]
    await until(lambda: held.began)
    for each in asked[::2]:
        each.cancel()
    release.set()
    replies = await asyncio.gather(*asked[1::2])

    assert {reply.type for reply in replies} == {SignalType.AGENT_OUTPUT}
