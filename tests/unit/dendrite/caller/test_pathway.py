"""A Pathway: everything that a task has to say, for any number of readers, in any shape."""

import asyncio
import contextlib
import gc

import pytest

from cosmonapse import (
    DendriteProtocolError,
    PathwayClosedError,
    SignalTooLarge,
    SignalType,
    UnencodableValue,
    new_trace_id,
)
from cosmonapse.dendrite.caller import pathway
from support.processes import until
from support.watching import deltas, kept

pytestmark = pytest.mark.asyncio
THOUGHT, OUTPUT = SignalType.THOUGHT_DELTA, SignalType.AGENT_OUTPUT


async def counts(input, context):
    for n in range(input["count"]):
        yield f"{n} "


async def reasons(input, context):
    await context.think("hm", kind="reasoning")
    yield "so"
    await context.emit(THOUGHT, delta="hm", kind="reasoning")


async def held(input, context):
    await context.think("begun")
    await asyncio.Event().wait()


async def asks(input, context):
    if "clarification" not in input:
        return {"__clarification__": True, "question": "which?"}
    return {"answer": input["clarification"]["answer"]}


@pytest.fixture
def ended():
    return []


@pytest.fixture
def holds(ended):
    async def fn(input, context):
        await context.think("begun")
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(context.task.id)

    return fn


def texts(count):
    return [f"{n} " for n in range(count)]


async def test_it_gives_every_signal_from_the_first_to_the_outcome_and_ends(serve):
    caller = await serve(counts)

    pw = await caller.dispatch(neuron="worker", input={"count": 3})
    seen = [sig async for sig in pw]

    assert [sig.type for sig in seen] == [THOUGHT, THOUGHT, THOUGHT, OUTPUT]
    assert {sig.trace_id for sig in seen} == {pw.trace_id}
    assert {sig.parent_id for sig in seen} == {pw.task.id}
    assert pw.closed
    assert (pw.role, pw.scope) == ("caller", "all")


async def test_every_shape_sees_everything_and_none_drains_another(serve):
    caller = await serve(counts)
    pw = await caller.dispatch_and_subscribe(neuron="worker", input={"count": 50})
    handled, threaded = [], []
    pw.on(THOUGHT)(handled.append)

    @pw.on()
    async def each(sig):
        threaded.append(sig)

    async def iterate():
        return [sig async for sig in pw]

    async def waits():
        return [await pw.wait() for _ in range(51)]

    async def waits_for_thoughts():
        return [await pw.wait_for(THOUGHT) for _ in range(50)]

    async def thoughts():
        return [text async for text in pw.thoughts()]

    one, two, waited, picked, said, outcome = await asyncio.gather(
        iterate(), iterate(), waits(), waits_for_thoughts(), thoughts(), pw.outcome()
    )
    await pw.close()

    assert one == two == waited == threaded
    assert deltas(one[:-1]) == said == deltas(picked) == deltas(handled) == texts(50)
    assert outcome is one[-1]
    assert outcome.output == {"response": "".join(said)}


async def test_what_has_arrived_can_be_read_after_the_end(serve):
    caller = await serve(counts)
    async with await caller.dispatch(neuron="worker", input={"count": 3}) as pw:
        await pw.outcome()

    assert [text async for text in pw.thoughts()] == texts(3)
    assert (await pw.wait()).type is THOUGHT
    assert (await pw.wait_for(OUTPUT)).output == {"response": "0 1 2 "}


async def test_a_closed_one_with_nothing_left_says_so(serve):
    caller = await serve(counts)
    pw = await caller.dispatch(neuron="worker", input={"count": 0})
    await pw.wait()

    with pytest.raises(PathwayClosedError, match="no Signal left; it ended with AGENT_OUTPUT"):
        await pw.wait()
    with pytest.raises(PathwayClosedError, match="no PLAN left"):
        await pw.wait_for(SignalType.PLAN)


async def test_a_wait_that_is_over_or_cancelled_takes_nothing(serve):
    release = asyncio.Event()

    async def gated(input, context):
        await release.wait()
        await context.think("late")

    caller = await serve(gated)
    pw = await caller.dispatch(neuron="worker", input={})
    for waiting in (pw.wait, pw.outcome, lambda s: pw.wait_for(THOUGHT, s)):
        with pytest.raises(TimeoutError, match=r"no .* on Pathway.*within 0.01 s"):
            await waiting(0.01)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(pw.wait(), 0.01)
    release.set()

    assert (await pw.wait()).payload["delta"] == "late"
    assert (await pw.wait_for(THOUGHT)).payload["delta"] == "late"
    await pw.outcome()


async def test_closing_cancels_the_task_and_loses_nothing_that_arrived(serve, holds, ended):
    caller = await serve(holds)
    pw = await caller.dispatch(neuron="worker", input={})
    await pw.wait_for(THOUGHT)

    await pw.close()
    await pw.close()

    await until(lambda: ended == [pw.task.id])
    assert pw.closed
    assert [sig.type for sig in [each async for each in pw]] == [THOUGHT, SignalType.ERROR]
    assert (await pw.outcome()).payload["code"] == "CANCELLED"


async def test_a_block_that_is_left_by_an_error_cancels_the_task(serve, holds, ended):
    caller = await serve(holds)

    async def leaves():
        async with await caller.dispatch(neuron="worker", input={}) as pw:
            await pw.wait()
            raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        await leaves()

    await until(lambda: ended)


async def test_readers_end_when_it_is_closed_by_another(serve):
    caller = await serve(held)
    pw = await caller.dispatch(neuron="worker", input={})

    async def thoughts():
        return [text async for text in pw.thoughts()]

    reader, waiter = asyncio.create_task(thoughts()), asyncio.create_task(pw.wait_for(OUTPUT))
    await pw.wait()
    await pw.close()

    assert await reader == ["begun"]
    with pytest.raises(PathwayClosedError):
        await waiter


async def test_closing_lets_the_handlers_have_what_has_arrived(serve):
    caller = await serve(counts)
    pw = await caller.dispatch(neuron="worker", input={"count": 20})
    seen = []

    @pw.on(THOUGHT)
    async def slowly(sig):
        await asyncio.sleep(0)
        seen.append(sig)

    await pw.outcome()
    await pw.close()

    assert deltas(seen) == texts(20)


async def test_handlers_that_close_it_do_not_wait_for_each_other(serve):
    caller = await serve(held)
    pw = await caller.dispatch(neuron="worker", input={})
    through = []
    for _ in range(2):

        @pw.on(THOUGHT)
        async def closes(sig):
            await asyncio.sleep(0)
            await pw.close()
            through.append(sig)

    await until(lambda: len(through) == 2, timeout_s=2.0)

    assert pw.closed


async def test_a_handler_that_hangs_is_cancelled_some_time_after_closing(serve, monkeypatch):
    monkeypatch.setattr(pathway, "_DRAIN_S", 0.02)
    caller = await serve(held)
    pw = await caller.dispatch(neuron="worker", input={})
    began, gone = asyncio.Event(), []

    @pw.on()
    async def hangs(sig):
        began.set()
        try:
            await asyncio.Event().wait()
        finally:
            gone.append(sig.type)

    await began.wait()
    await pw.close()

    await until(lambda: gone == [THOUGHT])


async def test_a_handler_that_raises_is_counted_and_called_again(serve, caplog):
    caller = await serve(counts)
    pw = await caller.dispatch(neuron="worker", input={"count": 3})
    seen = []

    @pw.on(THOUGHT)
    async def raises(sig):
        seen.append(sig)
        raise ValueError("no")

    await pw.outcome()
    await pw.close()

    assert deltas(seen) == texts(3)
    assert pw.counts == {"handler_raised": 3}
    assert "raises" in caplog.text


async def test_two_dispatches_on_one_trace_each_get_their_own(serve):
    caller = await serve(counts)
    trace_id = new_trace_id()

    ways = [
        await caller.dispatch(neuron="worker", input={"count": n}, trace_id=trace_id)
        for n in (2, 5)
    ]

    assert [[text async for text in pw.thoughts()] for pw in ways] == [texts(2), texts(5)]
    assert {pw.trace_id for pw in ways} == {trace_id}


async def test_a_task_that_fails_ends_it_with_the_error(join):
    caller = await join().__aenter__()
    pw = await caller.dispatch(neuron="nobody", input={})

    assert [sig.payload["code"] async for sig in pw] == ["NO_SUCH_NEURON"]


async def test_a_task_whose_time_is_over_ends_it_with_an_error(serve, holds, ended, clock):
    caller = await serve(holds)
    pw = await caller.dispatch(neuron="worker", input={}, timeout_s=60.0)
    await pw.wait()
    clock.advance(60.0)

    assert (await pw.outcome()).payload["code"] == "EXPIRED"
    await until(lambda: ended)


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"scope": "some"}, ValueError),
        ({"timeout_s": 0}, ValueError),
        ({"timeout_s": float("nan"), "scope": "terminal"}, ValueError),
        ({"input": object()}, UnencodableValue),
        ({"input": "x" * 1_000_001, "scope": "terminal"}, SignalTooLarge),
        ({"neuron": None}, ValueError),
    ],
)
async def test_a_dispatch_that_is_wrong_raises_and_leaves_nothing_behind(wrong, error, join):
    caller = await join().__aenter__()

    with pytest.raises(error):
        await caller.dispatch(**{"neuron": "worker", "input": {}, **wrong})

    assert not caller._subscriptions._runners
    assert not len(caller._dispatcher.open_tasks)


@pytest.mark.parametrize("scope", ["all", "terminal"])
async def test_a_stop_of_the_dendrite_ends_every_reader_and_handler(scope, serve, holds, ended):
    caller = await serve(holds)
    pw = await caller.dispatch(neuron="worker", input={}, scope=scope)
    gone = []

    @pw.on(THOUGHT)
    async def hangs(sig):
        try:
            await asyncio.Event().wait()
        finally:
            gone.append(sig)

    async def iterate():
        return [sig.type async for sig in pw]

    reader = asyncio.create_task(iterate())
    waiter = asyncio.create_task(pw.wait_for(OUTPUT))
    await pw.wait_for(THOUGHT)
    await caller.stop()

    assert THOUGHT in await reader
    with pytest.raises(PathwayClosedError):
        await waiter
    await until(lambda: gone)
    await until(lambda: ended)


async def test_it_is_not_dispatched_or_observed_after_the_stop(serve):
    caller = await serve(held)
    await caller.stop()

    with pytest.raises(DendriteProtocolError):
        await caller.dispatch(neuron="worker", input={})
    with pytest.raises(DendriteProtocolError):
        await caller.observe_pathway(new_trace_id())


# -- questions ---------------------------------------------------------------------------------


async def test_a_question_that_nobody_answers_ends_it(serve):
    caller = await serve(asks)
    pw = await caller.dispatch(neuron="worker", input={})

    assert [sig.type async for sig in pw] == [SignalType.CLARIFICATION]
    assert (await pw.outcome()).payload == {"question": "which?"}


@pytest.mark.parametrize("scope", ["all", "terminal"])
async def test_a_question_that_its_handler_passes_over_ends_it_then(scope, serve):
    caller = await serve(asks)
    passed, trace_id = asyncio.Event(), new_trace_id()
    copies = kept(caller.on_trace(trace_id))

    @caller.on_clarification
    async def passes(sig):
        await until(lambda: sig in copies)
        passed.set()

    pw = await caller.dispatch(neuron="worker", input={}, scope=scope, trace_id=trace_id)
    outcome = await pw.outcome(5.0)

    assert outcome.type is SignalType.CLARIFICATION
    assert passed.is_set()
    assert pw.closed


@pytest.mark.parametrize("shape", ["on", "async for", "wait_for", "decorator"])
async def test_a_question_may_be_answered_in_any_shape_and_it_goes_on(shape, serve):
    caller = await serve(asks)
    seen = []

    async def answers(sig):
        await asyncio.sleep(0)
        await caller.respond_to_clarification(sig, answer="this")

    if shape == "decorator":
        caller.on_clarification(answers)
    pw = await caller.dispatch(neuron="worker", input={})
    first = pw.task
    if shape == "on":
        pw.on(SignalType.CLARIFICATION)(answers)
    elif shape == "wait_for":
        await answers(await pw.wait_for(SignalType.CLARIFICATION))
    async for sig in pw:
        seen.append(sig)
        if shape == "async for" and sig.type is SignalType.CLARIFICATION:
            await answers(sig)

    assert [sig.type for sig in seen] == [SignalType.CLARIFICATION, OUTPUT]
    assert seen[-1].output == {"answer": "this"}
    assert pw.task.id == seen[-1].parent_id != first.id


async def test_one_that_gives_up_waiting_does_not_keep_another_waiting(serve):
    release = asyncio.Event()

    async def gated(input, context):
        await context.think("begun")
        return {"__clarification__": True, "question": "which?"}

    caller = await serve(gated)

    @caller.on_clarification
    async def passes(sig):
        await release.wait()

    pw = await caller.dispatch(neuron="worker", input={}, timeout_s=20.0)
    await pw.wait()
    await pw.wait()  # the question: this reader comes back for more
    waiting = asyncio.create_task(pw.wait())
    with pytest.raises(TimeoutError):
        await pw.wait(0.02)
    release.set()

    with pytest.raises(PathwayClosedError):
        await asyncio.wait_for(waiting, 2.0)


async def test_closing_takes_the_question_back(serve):
    caller = await serve(asks)
    asked = []

    @caller.on_clarification
    async def waits(sig):
        asked.append(sig)
        await asyncio.Event().wait()

    pw = await caller.dispatch(neuron="worker", input={})
    await until(lambda: asked)
    await pw.close()

    assert await caller.respond_to_clarification(asked[0], answer="late") is None
    with pytest.raises(PathwayClosedError):
        await pw.outcome()


# -- nothing is left ---------------------------------------------------------------------------


async def test_a_thousand_that_were_settled_leave_nothing_behind(serve):
    caller = await serve(counts)
    for _ in range(10):
        ways = [await caller.dispatch(neuron="worker", input={"count": 1}) for _ in range(100)]
        for pw in ways:
            assert (await pw.outcome()).type is OUTPUT
    kept = list(caller._pathways._all)
    assert len(kept) <= 100

    del ways, pw, kept
    gc.collect()

    assert len(caller._pathways._all) == 0
    assert len(caller._dispatcher.open_tasks) == 0
    assert caller._subscriptions._runners == {}
    mine = {asyncio.current_task()}
    assert not [task for task in asyncio.all_tasks() - mine if "handler" in task.get_name()]


async def leave_unread(caller, scope):
    pw = await caller.dispatch(neuron="worker", input={}, scope=scope)
    assert not pw.closed


async def leave_in_the_middle(caller, scope):
    pw = await caller.dispatch(neuron="worker", input={}, scope=scope)
    async for _ in pw.thoughts():
        break


async def leave_by_an_exception(caller, scope):
    pw = await caller.dispatch(neuron="worker", input={}, scope=scope)
    with contextlib.suppress(ValueError):
        async for text in pw.thoughts():
            raise ValueError(text)


@pytest.mark.parametrize("scope", ["all", "terminal"])
@pytest.mark.parametrize("leave", [leave_unread, leave_in_the_middle, leave_by_an_exception])
async def test_one_that_was_left_early_without_closing_cancels_its_task_and_warns(
    leave, scope, serve, holds, ended, caplog
):
    caller = await serve(holds)

    async def leave_and_forget():
        await leave(caller, scope)
        # One collection late in a whole run may take a second, and the loop turns once after each.
        await until(
            lambda: gc.collect() is not None and not len(caller._dispatcher.open_tasks), 60.0
        )

    with pytest.warns(ResourceWarning, match=r"dropped before its end.*async with pathway"):
        await leave_and_forget()

    assert "a TASK for worker" in caplog.text
    if leave is not leave_unread:
        await until(lambda: len(ended) == 1)
    assert len(caller._pathways._all) == 0
    assert caller._subscriptions._runners == {}


async def test_one_whose_thoughts_were_left_early_is_still_there_for_its_outcome(serve):
    release = asyncio.Event()

    async def gated(input, context):
        await context.think("begun")
        await release.wait()
        return {"n": 1}

    caller = await serve(gated)
    async with await caller.dispatch(neuron="worker", input={}) as pw:
        async for _ in pw.thoughts():
            break
        gc.collect()
        release.set()

        assert (await pw.outcome()).output == {"n": 1}


async def test_one_that_only_its_handlers_hold_goes_on_to_its_end(serve):
    release = asyncio.Event()

    async def gated(input, context):
        await release.wait()
        return {"n": 1}

    caller = await serve(gated)
    seen = []
    (await caller.dispatch(neuron="worker", input={})).on(OUTPUT)(seen.append)
    await asyncio.sleep(0)
    gc.collect()
    release.set()

    await until(lambda: seen)
    assert seen[0].output == {"n": 1}


async def test_an_observer_that_nobody_holds_stops_listening(join):
    watcher = await join().__aenter__()
    await watcher.observe_pathway(new_trace_id())
    gc.collect()

    await until(lambda: not watcher._subscriptions._runners)
    assert watcher._subscriptions._orders == {}


async def test_an_observer_that_nobody_holds_goes_on_for_its_handlers(serve, caplog):
    caller = await serve(counts)
    trace_id = new_trace_id()
    seen = []

    async def watch():
        pw = await caller.observe_pathway(trace_id)

        @pw.on(THOUGHT)
        async def each(sig):
            seen.append(sig)

    await watch()
    await asyncio.sleep(0)
    gc.collect()
    await caller.ask(neuron="worker", input={"count": 3}, trace_id=trace_id)

    await until(lambda: len(seen) == 3)
    assert "destroyed" not in caplog.text


async def test_reasoning_is_a_thought_in_its_place_and_no_text_of_the_response(serve):
    caller = await serve(reasons)
    pw = await caller.dispatch(neuron="worker", input={})

    seen = [each.payload async for each in pw if each.type is THOUGHT]

    assert [(each["delta"], each["seq"], each.get("kind")) for each in seen] == [
        ("hm", 0, "reasoning"),
        ("so", 1, None),
        ("hm", 2, "reasoning"),
    ]
    assert [text async for text in pw.thoughts()] == ["so"]
    assert (await pw.outcome()).output == {"response": "so"}
