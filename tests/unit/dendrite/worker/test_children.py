"""Tasks that a Neuron dispatches: same trace, its task as parent, its time, and its end."""

import asyncio
import threading

import pytest
import pytest_asyncio

from cosmonapse import Axon, Dendrite, MemorySynapse, NeedsAnswer, NeuronError, SignalType
from support.processes import until
from support.watching import kept

pytestmark = pytest.mark.asyncio
CHILD = {"neuron": "child", "input": {"from": "parent"}}


class Child:
    """A Neuron that keeps what it is told, and may hold its task."""

    def __init__(self):
        self.tasks, self.left_s, self.ended = [], [], []
        self.hold = False

    async def __call__(self, input, context):
        self.tasks.append(context.task)
        self.left_s.append(context.remaining_s)
        try:
            if self.hold:
                await asyncio.Event().wait()
        finally:
            self.ended.append(context.task.id)
        return {"got": input}


@pytest.fixture
def child():
    return Child()


@pytest_asyncio.fixture
async def parent(join, serve, child):
    """Start the child on a worker of its own; return what starts a parent."""
    axons = [Axon(neuron_id="child", neuron_fn=child)]
    await join(*axons, dendrite_id="other", role="worker").start()
    return serve


async def by_coroutine(input, context):
    reply = await context.dispatch_and_wait(**CHILD)
    return {"type": reply.type.value, "output": reply.output}


async def by_generator(input, context):
    yield "asking "
    reply = await context.dispatch_and_wait(**CHILD)
    yield {"type": reply.type.value, "output": reply.output}


def by_thread(input, context):
    reply = context.dispatch_and_wait(**CHILD)
    return {"type": reply.type.value, "output": reply.output}


def by_generator_in_a_thread(input, context):
    yield "asking "
    reply = context.dispatch_and_wait(**CHILD)
    yield {"type": reply.type.value, "output": reply.output}


async def by_task_group(input, context):
    async with asyncio.TaskGroup() as group:
        asked = group.create_task(context.dispatch_and_wait(**CHILD))
    return {"type": asked.result().type.value, "output": asked.result().output}


shapes = pytest.mark.parametrize(
    "shape", [by_coroutine, by_generator, by_thread, by_generator_in_a_thread, by_task_group]
)


@shapes
async def test_a_child_task_is_on_the_trace_of_its_parent_and_has_what_is_left(
    shape, parent, child
):
    caller = await parent(shape)

    reply = await caller.dispatch_and_wait(neuron="worker", input={}, timeout_s=5.0)

    assert reply.output == {"type": "AGENT_OUTPUT", "output": {"got": {"from": "parent"}}}
    (task,) = child.tasks
    assert (task.trace_id, task.parent_id) == (reply.trace_id, reply.parent_id)
    assert 3.0 < child.left_s[0] <= 5.0


async def test_a_watcher_sees_what_a_neuron_said_before_the_child_task_that_it_sent_then(
    parent, child, join
):
    async def explains(input, context):
        for text in "abc":
            await context.think(text)
        await context.dispatch_and_wait(**CHILD)
        return {}

    caller = await parent(explains)
    watcher = join(dendrite_id="watcher")
    seen = kept(watcher.on_signal(SignalType.TASK, SignalType.THOUGHT_DELTA))
    await watcher.start()
    await caller.dispatch_and_wait(neuron="worker", input={})

    await until(lambda: len(seen) == 5)
    names = [each.payload.get("delta") or each.directed.id for each in seen]
    assert names == ["worker", "a", "b", "c", "child"]


@shapes
async def test_a_child_task_is_cancelled_with_its_parent(shape, parent, child):
    child.hold = True
    caller = await parent(shape)
    asked = asyncio.create_task(caller.dispatch_and_wait(neuron="worker", input={}))
    await until(lambda: child.tasks)

    asked.cancel()

    await until(lambda: child.ended == [child.tasks[0].id])


@shapes
async def test_a_child_task_ends_when_the_time_of_its_parent_is_over(shape, parent, child, clock):
    child.hold = True
    caller = await parent(shape)

    asked = asyncio.create_task(caller.dispatch_and_wait(neuron="worker", input={}, timeout_s=10.0))
    await until(lambda: child.tasks)
    clock.advance(10.0)
    with pytest.raises(TimeoutError):
        await asked

    await until(lambda: child.ended)


async def test_a_thread_that_waits_for_a_child_is_released_when_its_task_is_cancelled(
    parent, child
):
    child.hold = True
    released = []

    def waits(input, context):
        try:
            context.dispatch_and_wait(**CHILD)
        except asyncio.CancelledError:
            released.append(context.cancelled)
            raise

    caller = await parent(waits)
    asked = asyncio.create_task(caller.dispatch_and_wait(neuron="worker", input={}))
    await until(lambda: child.tasks)

    asked.cancel()

    await until(lambda: released == [True])
    await until(lambda: not any(each.name == "neuron worker" for each in threading.enumerate()))


async def test_a_child_that_is_left_running_is_cancelled_when_its_parent_ends(parent, child):
    child.hold = True
    left = []

    async def leaves(input, context):
        left.append(asyncio.create_task(context.dispatch_and_wait(**CHILD)))
        await until(lambda: child.tasks)

    caller = await parent(leaves)
    await caller.ask(neuron="worker", input={})

    await until(lambda: child.ended)
    await asyncio.wait(left)
    assert left[0].cancelled()


async def test_a_child_has_at_most_the_time_that_it_is_given(parent, child, clock):
    child.hold = True

    async def hasty(input, context):
        try:
            await context.dispatch_and_wait(**CHILD, timeout_s=60.0)
        except TimeoutError as error:
            return {"error": str(error)}

    caller = await parent(hasty)
    asked = asyncio.create_task(caller.ask(neuron="worker", input={}, timeout_s=120.0))
    await until(lambda: child.tasks)
    clock.advance(60.0)
    output = await asked

    assert "no reply from neuron 'child'" in output["error"]
    await until(lambda: child.ended)


@pytest.mark.parametrize("threaded", [False, True])
async def test_the_output_of_a_child_can_be_had_directly(threaded, parent):
    async def asks(input, context):
        return await context.ask(**CHILD)

    def asks_in_a_thread(input, context):
        return context.ask(**CHILD)

    caller = await parent(asks_in_a_thread if threaded else asks)

    assert await caller.ask(neuron="worker", input={}) == {"got": {"from": "parent"}}


@pytest.mark.parametrize("threaded", [False, True])
async def test_the_error_of_a_child_is_raised_by_ask(threaded, parent):
    async def asks(input, context):
        return await context.ask(neuron="nobody", input={})

    def asks_in_a_thread(input, context):
        return context.ask(neuron="nobody", input={})

    caller = await parent(asks_in_a_thread if threaded else asks)

    with pytest.raises(NeuronError, match="NO_SUCH_NEURON") as caught:
        await caller.ask(neuron="worker", input={})
    assert caught.value.recoverable


async def test_the_question_of_a_child_comes_to_its_parent(join, serve):
    async def unsure(input, context):
        return {"__clarification__": True, "question": "which?"}

    async def asks(input, context):
        with pytest.raises(NeedsAnswer):
            await context.ask(neuron="child", input={})
        return {"asked": True}

    await join(Axon(neuron_id="child", neuron_fn=unsure), role="worker").start()
    caller = await serve(asks)

    assert await caller.ask(neuron="worker", input={}) == {"asked": True}


@pytest.mark.parametrize(
    "wrong",
    [{"input": object()}, {"neuron": None}, {"capabilities": ["both"]}, {"neuron": "no name"}],
)
async def test_a_child_task_that_is_wrong_raises_in_its_parent(wrong, parent, child):
    async def asks(input, context):
        with pytest.raises((TypeError, ValueError)):
            await context.dispatch_and_wait(**{**CHILD, **wrong})
        return {}

    caller = await parent(asks)

    assert await caller.ask(neuron="worker", input={}) == {}
    assert child.tasks == []


async def test_children_of_children_are_cancelled_too(join, parent, child):
    child.hold = True

    async def middle(input, context):
        return await context.ask(**CHILD)

    async def top(input, context):
        return await context.ask(neuron="middle", input={})

    await join(Axon(neuron_id="middle", neuron_fn=middle), dendrite_id="third").start()
    caller = await parent(top)
    asked = asyncio.create_task(caller.ask(neuron="worker", input={}))
    await until(lambda: child.tasks)

    asked.cancel()

    await until(lambda: child.ended)


async def test_nothing_is_asked_after_the_reply(parent, child):
    contexts = []

    async def leaks(input, context):
        contexts.append(context)

    caller = await parent(leaks)
    await caller.ask(neuron="worker", input={})

    with pytest.raises(asyncio.CancelledError):
        await contexts[0].dispatch_and_wait(**CHILD)
    with pytest.raises(asyncio.CancelledError):
        await asyncio.to_thread(contexts[0].dispatch_and_wait, **CHILD)
    assert child.tasks == []


async def test_a_thread_that_outlives_its_loop_is_told_that_its_task_has_ended(recwarn):
    contexts = []

    async def leaks(input, context):
        contexts.append(context)

    async def main():
        dendrite = Dendrite(synapse=MemorySynapse())
        dendrite.attach_axon(Axon(neuron_id="worker", neuron_fn=leaks))
        async with dendrite:
            await dendrite.ask(neuron="worker", input={})

    await asyncio.to_thread(asyncio.run, main())

    with pytest.raises(asyncio.CancelledError):
        contexts[0].think("late")
    with pytest.raises(asyncio.CancelledError):
        contexts[0].dispatch_and_wait(**CHILD)
    assert not recwarn.list  # no coroutine that was never awaited


# -- what it says while it works ---------------------------------------------------------------


async def test_tool_calls_and_results_belong_together(serve):
    async def uses_tools(input, context):
        call = await context.tool_call("search", {"q": 1})
        await context.tool_result(call, ["found"])
        await context.tool_result("other", error="broken", call_id="mine")

    caller = await serve(uses_tools)
    seen = kept(caller.on_signal(SignalType.TOOL_CALL, SignalType.TOOL_RESULT))
    reply = await caller.dispatch_and_wait(neuron="worker", input={})
    await until(lambda: len(seen) == 3)

    call, result, failed = (sig.payload for sig in seen)
    assert (call["tool_name"], call["tool"], call["args"]) == ("search", "search", {"q": 1})
    assert (result["tool_name"], result["result"]) == ("search", ["found"])
    assert result["call_id"] == call["call_id"]
    assert failed == {"tool_name": "other", "tool": "other", "error": "broken", "call_id": "mine"}
    assert {sig.parent_id for sig in seen} == {reply.parent_id}


async def test_a_thread_calls_tools_without_await(serve):
    def uses_tools(input, context):
        call = context.tool_call("search")
        context.tool_result(call, 1)
        context.plan(["think", "answer"], "why not")

    caller = await serve(uses_tools)
    pw = await caller.dispatch(neuron="worker", input={})
    seen = [sig async for sig in pw]

    assert [sig.type.value for sig in seen] == ["TOOL_CALL", "TOOL_RESULT", "PLAN", "AGENT_OUTPUT"]
    assert seen[2].payload == {"steps": ["think", "answer"], "rationale": "why not"}


async def test_any_signal_of_a_working_neuron_goes_to_its_caller(serve):
    async def says(input, context):
        await context.emit(SignalType.CRITIQUE, target_event_id="e", issues=[], verdict="good")
        await context.emit("MEMORY_APPEND", key="k", value=1)
        await context.emit(SignalType.THOUGHT_DELTA, delta="hm")

    caller = await serve(says)
    pw = await caller.dispatch(neuron="worker", input={})
    seen = [sig async for sig in pw]

    assert [sig.type.value for sig in seen] == [
        "CRITIQUE",
        "MEMORY_APPEND",
        "THOUGHT_DELTA",
        "AGENT_OUTPUT",
    ]


async def test_what_is_no_such_signal_is_refused_where_it_is_said(serve):
    async def says(input, context):
        for kind in (SignalType.FINAL, SignalType.ERROR, SignalType.TASK, SignalType.ESCALATION):
            with pytest.raises(ValueError, match="return it, or raise it"):
                context.emit(kind, result=1)
        with pytest.raises(TypeError, match="steps is missing"):
            context.emit(SignalType.PLAN)
        with pytest.raises(TypeError, match="delta is missing"):
            context.emit(SignalType.THOUGHT_DELTA, text="x")
        return {"said": True}

    caller = await serve(says)

    assert await caller.ask(neuron="worker", input={}) == {"said": True}
