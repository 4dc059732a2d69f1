"""What each key may do, end to end: it works, or it is refused before anything is sent."""

import asyncio

import pytest

from cosmonapse import Axon, MemoryRegistryStore, RetryStrategy, SignalType, new_trace_id
from cosmonapse.errors import AccessRefused
from support.processes import until

pytestmark = pytest.mark.asyncio
RIGHTS = {
    "caller": ["caller"],
    "worker": ["worker"],
    "watcher": ["watcher"],
    "decider": ["watch", "decide"],
    "honest": ["serve=honest"],
    "clerk": ["dispatch=invoice-*"],
    "member": ["member"],
}


@pytest.fixture
def rights():
    return dict(RIGHTS)


def axon(neuron_id="worker", neuron_fn=None, **settings):
    async def echo(input, context):
        return {"echo": input}

    return Axon(neuron_id=neuron_id, neuron_fn=neuron_fn or echo, **settings)


async def asks(input, context):
    if "permission" in input:
        return {"did": "delete" if input["permission"]["granted"] else "nothing"}
    return {"__permission__": True, "action": "delete everything"}


def collected(handler_of):
    seen = []

    @handler_of
    async def see(sig):
        seen.append(sig)

    return seen


# -- what is refused before it is sent -----------------------------------------------------------


@pytest.mark.parametrize("user", ["worker", "watcher", "decider"])
async def test_without_dispatch_no_task_leaves(join_as, user):
    await join_as("worker", axon())
    dendrite = await join_as(user)

    for send in (dendrite.dispatch_and_wait, dendrite.dispatch_task, dendrite.dispatch):
        for to in ({"neuron": "worker"}, {"capabilities": ["any"]}):
            with pytest.raises(AccessRefused, match=f"'{user}' may not send TASKs.*cosmo keys"):
                await send(input={}, **to)
    with pytest.raises(AccessRefused, match=r"TASK_OFFER"):
        await dendrite.dispatch_offer(input={}, capabilities=["any"])
    assert "bounce.forbidden" not in join_as.synapse.counts


async def test_dispatch_for_some_neurons_is_for_these_alone(join_as):
    await join_as("worker", axon("invoice-1", capabilities=["pay"]), axon("other", None))
    clerk = await join_as("clerk")

    assert await clerk.ask(neuron="invoice-1", input=1) == {"echo": 1}
    assert await clerk.ask(capabilities=["pay"], input=2) == {"echo": 2}
    with pytest.raises(AccessRefused, match=r"'clerk'.*'other'.*--may \+dispatch=other"):
        await clerk.ask(neuron="other", input=3)


async def test_a_neuron_may_not_do_more_than_its_dendrite(join_as):
    async def greedy(input, context):
        return await context.ask(neuron="worker", input={})

    await join_as("worker", axon("greedy", greedy), axon())
    caller = await join_as("caller")

    reply = await caller.dispatch_and_wait(neuron="greedy", input={})

    assert reply.type is SignalType.ERROR
    assert "may not send TASKs to neuron 'worker'" in reply.payload["message"]


@pytest.mark.parametrize("asked", ["honest2", "honesty", "Honest", "hones"])
async def test_an_axon_outside_of_its_serve_makes_start_raise(join_as, asked):
    dendrite = await join_as("honest", axon("honest"), axon(asked), start=False)

    with pytest.raises(AccessRefused, match=f"'honest' may not host an Axon of neuron '{asked}'"):
        await dendrite.start()
    caller = await join_as("member")
    assert await caller.find_neurons() == []


async def test_an_axon_that_comes_later_is_refused_and_leaves_nothing_behind(join_as):
    dendrite, caller = await join_as("honest", axon("honest")), await join_as("member")

    with pytest.raises(AccessRefused, match=r"'other'.*--may \+serve=other"):
        await dendrite.add_axon(axon("other"))

    assert [each.neuron_id for each in await caller.find_neurons()] == ["honest"]
    assert await caller.ask(neuron="honest", input=1) == {"echo": 1}


async def test_the_synapse_refuses_a_register_that_a_dendrite_did_not_hold_back(join_as):
    dendrite = await join_as("honest", axon("other"), start=False)
    dendrite._subscriptions.own_rights.check_serve = lambda neurons: None

    with pytest.raises(AccessRefused, match="'honest' may not host an Axon of neuron 'other'"):
        await dendrite.start()


@pytest.mark.parametrize("user", ["caller", "worker"])
async def test_a_decorator_without_watch_raises_at_start(join_as, user):
    dendrite = await join_as(user, start=False)
    collected(dendrite.on_plan)

    with pytest.raises(AccessRefused, match=rf"'{user}' may not listen to PLAN, as .*see does"):
        await dendrite.start()


@pytest.mark.parametrize("user", ["caller", "worker"])
async def test_a_decorator_on_a_running_dendrite_raises_at_once(join_as, user):
    dendrite, trace_id = await join_as(user), new_trace_id()

    for decorate in (dendrite.on_plan, dendrite.on_trace(trace_id), dendrite.on_task_signal):
        with pytest.raises(AccessRefused, match=f"'{user}' may not listen"):
            collected(decorate)
    for follow in (
        dendrite.observe_pathway(trace_id),
        dendrite.dispatch(neuron="worker", input={}, scope="terminal"),
    ):
        with pytest.raises(AccessRefused, match="may not"):
            await follow
    await dendrite._subscriptions.settle()


async def test_a_store_of_the_registry_needs_watch(join_as):
    dendrite = await join_as("caller", start=False, registry_store=MemoryRegistryStore())

    with pytest.raises(AccessRefused, match="may not listen to"):
        await dendrite.start()


@pytest.mark.parametrize("user", ["caller", "worker", "watcher"])
async def test_without_decide_no_trace_is_stopped(join_as, user):
    dendrite = await join_as(user)

    for stop in (dendrite.stop_trace, dendrite.emit_stop):
        with pytest.raises(AccessRefused, match=f"'{user}' may not publish a STOP.*decide"):
            await stop(new_trace_id())


async def test_a_stop_that_is_refused_leaves_ones_own_tasks_alone(join_as):
    started, go_on = asyncio.Event(), asyncio.Event()

    async def works(input, context):
        started.set()
        await go_on.wait()
        return {"done": True}

    await join_as("worker", axon(neuron_fn=works))
    caller, trace_id = await join_as("caller"), new_trace_id()
    call = asyncio.create_task(
        caller.dispatch_and_wait(neuron="worker", input={}, trace_id=trace_id)
    )
    await started.wait()

    with pytest.raises(AccessRefused):
        await caller.stop_trace(trace_id)
    go_on.set()

    assert (await call).output == {"done": True}


@pytest.mark.parametrize("user", ["caller", "worker", "watcher"])
async def test_without_decide_no_question_of_another_is_answered(join_as, user):
    await join_as("worker", axon(neuron_fn=asks))
    member, dendrite = await join_as("member"), await join_as(user)
    question = await member.dispatch_and_wait(neuron="worker", input={})

    for granted in (True, False):
        with pytest.raises(AccessRefused, match=r"publish a PERMISSION_DECISION.*decide"):
            await dendrite.respond_to_permission(question, granted)


@pytest.mark.parametrize("user", ["caller", "worker", "watcher", "decider"])
async def test_without_broadcast_no_plan_is_published(join_as, user):
    dendrite, watcher, member = [await join_as(each) for each in (user, "watcher", "member")]
    seen = collected(watcher.on_plan)
    await watcher._subscriptions.settle()

    with pytest.raises(AccessRefused, match=r"may not publish a PLAN.*broadcast"):
        await dendrite.emit_plan(steps=[{"step": "forbidden"}])
    await member.emit_plan(steps=[{"step": "allowed"}])
    await until(lambda: seen)

    assert [each.payload["steps"] for each in seen] == [[{"step": "allowed"}]]


# -- what works with little ----------------------------------------------------------------------


async def test_a_worker_and_a_caller_need_no_more_than_their_word(join_as):
    async def streams(input, context):
        await context.think("well")
        return {"echo": input}

    await join_as("worker", axon(neuron_fn=streams, capabilities=["echo"]))
    caller = await join_as("caller")

    record = await caller.wait_for_neuron(neuron="worker")
    assert record.neuron_id == "worker"
    assert await caller.ask(neuron="worker", input=1) == {"echo": 1}
    assert await caller.ask(capabilities=["echo"], input=2) == {"echo": 2}
    async with await caller.dispatch(neuron="worker", input=3) as pathway:
        kinds = [sig.type.value async for sig in pathway]
    assert kinds == ["THOUGHT_DELTA", "AGENT_OUTPUT"]


async def test_an_auction_works_for_a_key_that_serves_and_one_that_dispatches(join_as):
    await join_as("worker", axon(capabilities=["echo"], bid_fn=lambda input, offer: 1.0))
    caller = await join_as("caller")

    reply = await caller.dispatch_offer(input=1, capabilities=["echo"])

    assert reply.output == {"echo": 1}
    assert reply.origin == "worker"


async def test_who_dispatches_waits_for_a_neuron_that_comes_later(join_as):
    caller = await join_as("caller")

    waiting = asyncio.create_task(caller.wait_for_neuron(neuron="late", timeout_s=10))
    await asyncio.sleep(0)
    await join_as("worker", axon("late"))

    assert (await waiting).neuron_id == "late"


async def test_a_stop_reaches_workers_and_callers_and_its_answers_come_back(join_as):
    started, ended = asyncio.Event(), []

    async def works(input, context):
        started.set()
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            ended.append(True)
            raise

    await join_as("worker", axon(neuron_fn=works))
    caller, decider = await join_as("caller"), await join_as("decider")
    trace_id = new_trace_id()
    call = asyncio.create_task(
        caller.dispatch_and_wait(neuron="worker", input={}, trace_id=trace_id)
    )
    await started.wait()

    answers = await decider.stop_trace(trace_id, collect_acks=True, timeout_s=5)

    assert [(each.payload["cancelled"], each.origin) for each in answers] == [(1, "worker")]
    assert (await call).payload["code"] == "CANCELLED"
    assert ended == [True]


async def test_a_stop_ends_a_retry_of_a_key_that_dispatches(join_as):
    caller, decider = await join_as("caller"), await join_as("decider")
    trace_id = new_trace_id()
    call = asyncio.create_task(
        caller.dispatch_and_wait(
            neuron="nobody",
            input={},
            trace_id=trace_id,
            retry=RetryStrategy(max_attempts=2, backoff=20.0),
        )
    )
    await until(lambda: caller.counts.get("bounced.no_route"))

    await decider.stop_trace(trace_id)

    assert (await call).payload["code"] == "CANCELLED"


async def test_a_caller_answers_the_question_of_its_own_task_without_decide(join_as):
    await join_as("worker", axon(neuron_fn=asks))
    caller = await join_as("caller")

    async with await caller.dispatch(neuron="worker", input={}) as pathway:
        async for sig in pathway:
            if sig.type is SignalType.PERMISSION:
                await caller.grant_permission(sig)
            else:
                assert sig.output == {"did": "delete"}
                break


async def test_a_decider_answers_for_others_and_a_key_with_dispatch_waits_for_it(join_as):
    await join_as("worker", axon(neuron_fn=asks))
    caller, decider = await join_as("caller"), await join_as("decider")

    @decider.on_permission
    async def decide(sig):
        await decider.grant_permission(sig)

    await decider._subscriptions.settle()
    reply = await caller.dispatch_and_wait(neuron="worker", input={}, answer_elsewhere=True)

    assert reply.output == {"did": "delete"}


async def test_a_caller_awaits_the_decision_of_another_without_watching_its_trace(join_as):
    await join_as("worker", axon(neuron_fn=asks))
    caller, decider = await join_as("caller"), await join_as("decider")
    questions = collected(decider.on_permission)
    await decider._subscriptions.settle()
    call = asyncio.create_task(
        caller.dispatch_and_wait(neuron="worker", input={}, answer_elsewhere=True)
    )
    await until(lambda: questions)

    decided = asyncio.create_task(caller.await_decision(questions[0], timeout_s=10))
    await asyncio.sleep(0)
    await decider.deny_permission(questions[0])

    decision = await decided
    assert (decision.payload["granted"], decision.origin) == (False, "decider")
    assert (await call).output == {"did": "nothing"}


# -- what hostile bytes do not get past the Synapse ----------------------------------------------


async def test_a_decision_of_a_key_without_decide_is_dropped_and_the_caller_waits_on(join_as):
    await join_as("worker", axon(neuron_fn=asks))
    caller, decider = await join_as("caller"), await join_as("decider")
    watcher = await join_as("watcher")
    watcher._subscriptions.own_rights.check_emit = lambda type: None
    questions = collected(watcher.on_permission)
    await watcher._subscriptions.settle()
    call = asyncio.create_task(
        caller.dispatch_and_wait(neuron="worker", input={}, answer_elsewhere=True)
    )
    await until(lambda: questions)
    [question] = questions
    forged = question.reply(
        SignalType.PERMISSION_DECISION, payload={"granted": True, "reason": "trust me"}
    )

    for _ in range(3):
        watcher._publisher.publish(forged)
    await until(lambda: join_as.synapse.counts.get("drop.forbidden", 0) >= 3)
    assert not call.done()

    await decider.deny_permission(question)
    assert (await call).output == {"did": "nothing"}


async def test_a_stop_of_a_key_without_decide_is_dropped_and_the_worker_works_on(join_as):
    started, go_on = asyncio.Event(), asyncio.Event()

    async def works(input, context):
        started.set()
        await go_on.wait()
        return {"done": True}

    await join_as("worker", axon(neuron_fn=works))
    caller, watcher = await join_as("caller"), await join_as("watcher")
    watcher._subscriptions.own_rights.check_emit = lambda type: None
    trace_id = new_trace_id()
    call = asyncio.create_task(
        caller.dispatch_and_wait(neuron="worker", input={}, trace_id=trace_id)
    )
    await started.wait()

    await watcher.stop_trace(trace_id)
    await until(lambda: join_as.synapse.counts.get("drop.forbidden"))
    go_on.set()

    assert (await call).output == {"done": True}


async def test_a_task_without_the_right_comes_back_as_access_denied_and_is_not_retried(join_as):
    await join_as("worker", axon())
    watcher = await join_as("watcher")
    watcher._subscriptions.own_rights.limits_dispatch = False

    for retry in (None, RetryStrategy(max_attempts=3, backoff=0.0)):
        reply = await watcher.dispatch_and_wait(neuron="worker", input={}, retry=retry)

        assert reply.type is SignalType.ERROR
        assert reply.payload["code"] == "ACCESS_DENIED"
        assert reply.payload["recoverable"] is False
        assert "cosmo keys allow" in reply.payload["message"]
    assert watcher.counts["bounced.forbidden"] == 2


# -- rights that change --------------------------------------------------------------------------


async def test_rights_that_were_taken_away_end_a_call_and_are_said_in_the_log(
    join_as, rights, caplog
):
    await join_as("worker", axon())
    member = await join_as("member")
    collected(member.on_plan)
    await member._subscriptions.settle()
    assert await member.ask(neuron="worker", input=1) == {"echo": 1}

    join_as.synapse.use_rights({**rights, "member": ["dispatch=other"]})
    await until(lambda: member._subscriptions.own_rights.limits_dispatch)

    with pytest.raises(AccessRefused, match="'member' may not send TASKs to neuron 'worker'"):
        await member.ask(neuron="worker", input=2)
    assert "'member' may not listen to PLAN" in caplog.text


async def test_rights_that_were_given_work_without_another_start(join_as, rights):
    await join_as("worker", axon())
    watcher = await join_as("watcher")
    with pytest.raises(AccessRefused):
        await watcher.ask(neuron="worker", input=1)

    join_as.synapse.use_rights({**rights, "watcher": ["watch", "dispatch"]})
    await until(lambda: not watcher._subscriptions.own_rights.limits_dispatch)

    assert await watcher.ask(neuron="worker", input=2) == {"echo": 2}
