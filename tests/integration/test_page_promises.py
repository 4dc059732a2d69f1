"""What the page about orchestrators promises, between processes."""

import asyncio
import itertools
import json
from collections import Counter
from pathlib import Path

import pytest

from cosmonapse import SignalType, new_trace_id
from support.processes import axon, until
from support.watching import about, deltas, kept

pytestmark = pytest.mark.asyncio
ASKER = Path(__file__).parents[1] / "support" / "asker.py"
ANSWERER = ASKER.with_name("answerer.py")
THOUGHTS = 10_000
GO = {"prompt": "go"}


@pytest.fixture
def asker(url, namespace, children):
    """A process whose Neurons ask and tell."""
    child = children.start(ASKER, url, namespace)
    child.line("ready")
    return child


def given(asker, neuron, count):
    """Return the inputs that a Neuron of the asker got, once it got so many."""
    return [json.loads(each) for each in asker.lines(f"given {neuron}", count)]


async def test_outputs_are_seen_by_capability_without_any_store(url, namespace, join, children):
    children.worker(
        url,
        namespace,
        axon("echo", "writer", ["text-generation", "chat"]),
        axon("echo", "painter", ["image-generation"]),
    )
    async with join("orchestrator") as orchestrator:
        texts = kept(orchestrator.on_agent_output(capability="text-generation"))
        sounds = kept(orchestrator.on_agent_output(capability="sound"))
        everything = kept(orchestrator.on_agent_output)
        written = await orchestrator.dispatch_and_wait(neuron="writer", input=GO)
        painted = await orchestrator.dispatch_and_wait(neuron="painter", input=GO)
        await until(lambda: len(everything) == 2)

    assert texts == [written]
    assert everything == [written, painted]
    assert sounds == []


async def test_ten_thousand_thoughts_arrive_and_a_bystander_misses_none_in_silence(
    url, namespace, join, children
):
    children.worker(url, namespace, axon("stream"))
    caller, bystander = join("caller"), join("bystander")
    here, there = kept(caller.on_thought_delta), kept(bystander.on_thought_delta)
    async with caller, bystander:
        pw = await caller.dispatch(neuron="worker", input={"count": THOUGHTS})
        seen = [sig async for sig in pw]
        await until(lambda: len(here) == THOUGHTS)
        await until(
            lambda: len(there) + bystander.counts.get("gap.broadcast", 0) >= THOUGHTS,
            timeout_s=20.0,
        )

        assert caller.counts.get("gap.replies", 0) == 0

    expected = [f"{n} " for n in range(THOUGHTS)]
    assert deltas(seen[:-1]) == expected == deltas(here)
    assert seen[-1].type is SignalType.AGENT_OUTPUT
    assert pw.dropped == 0
    numbers = [sig.payload["seq"] for sig in there]
    assert numbers == sorted(set(numbers))
    assert numbers


async def test_tool_calls_and_results_name_their_tool(asker, join):
    orchestrator = join("orchestrator")
    calls, results = kept(orchestrator.on_tool_call), kept(orchestrator.on_tool_result)
    async with orchestrator:
        await orchestrator.ask(neuron="uses-tools", input=GO)
        await until(lambda: calls and results)

    assert [sig.payload.get("tool_name") for sig in calls + results] == ["search", "search"]
    assert calls[0].payload["args"] == {"query": "go"}
    assert results[0].payload["result"] == ["found"]


async def test_a_clarification_is_answered_by_the_handler_of_the_page(asker, join):
    trace_id = new_trace_id()
    async with join("orchestrator") as orchestrator:

        @orchestrator.on_clarification
        async def _handle_clarification(sig):
            await orchestrator.respond_to_clarification(
                sig, answer="Please use plain English, no technical jargon."
            )

        reply = await orchestrator.dispatch_and_wait(
            neuron="clarifies", input=GO, trace_id=trace_id
        )

    answer = "Please use plain English, no technical jargon."
    assert reply.output == {"response": answer, "prompt": "go"}
    assert reply.trace_id == trace_id
    assert given(asker, "clarifies", 2) == [
        GO,
        {**GO, "clarification": {"question": "which style?", "answer": answer}},
    ]


async def test_a_permission_and_an_escalation_are_answered_too(asker, join):
    traces = [new_trace_id(), new_trace_id()]
    async with join("orchestrator") as orchestrator:

        @orchestrator.on_permission
        async def _decide(sig):
            await orchestrator.respond_to_permission(sig, granted=True)

        @orchestrator.on_escalation
        async def _handle_escalation(sig):
            await orchestrator.respond_to_escalation(
                sig, input={"override": "proceed with best effort"}
            )

        permitted, done = [
            await orchestrator.dispatch_and_wait(neuron=neuron, input=GO, trace_id=trace_id)
            for neuron, trace_id in zip(("needs-permission", "escalates"), traces, strict=True)
        ]

    assert permitted.output == {"deleted": True, "prompt": "go"}
    assert done.output == {"done": "proceed with best effort"}
    assert [permitted.trace_id, done.trace_id] == traces
    assert given(asker, "escalates", 2) == [GO, {"override": "proceed with best effort"}]


async def test_without_a_handler_the_question_comes_to_the_caller(asker, join):
    async with join("orchestrator") as orchestrator:
        replies = [
            await orchestrator.dispatch_and_wait(neuron=neuron, input=GO)
            for neuron in ("clarifies", "needs-permission", "escalates")
        ]

    assert [reply.type.value for reply in replies] == ["CLARIFICATION", "PERMISSION", "ESCALATION"]
    assert replies[0].payload == {"question": "which style?"}


async def test_two_processes_that_both_answer_let_the_neuron_go_on_once(
    asker, url, namespace, join, children
):
    processes = [
        children.start(ANSWERER, url, namespace, name, "answers") for name in ("one", "other")
    ]
    for each in processes:
        each.line("ready")
    async with join("caller") as caller:
        for _ in range(3):
            reply = await caller.dispatch_and_wait(
                neuron="clarifies", input=GO, answer_elsewhere=True
            )
            assert reply.output["response"] in ("one", "other")
        lines = [await asyncio.to_thread(each.lines, "", 4) for each in processes]

    said = Counter(line.split()[0] for each in lines for line in each)
    assert said == {"ready": 2, "ran": 3, "dropped": 3}
    assert len(given(asker, "clarifies", 6)) == 6


async def test_an_answer_to_a_caller_that_was_killed_lets_the_work_go_on_once(
    asker, url, namespace, join, children
):
    async with join("watcher") as watcher:
        questions, outputs = kept(watcher.on_clarification), kept(watcher.on_agent_output)
        await watcher.dispatch_and_wait(neuron="nobody", input={})
        caller = children.start(ANSWERER, url, namespace, "caller", "caller")
        trace_id = (await asyncio.to_thread(caller.line, "asked")).text
        await until(lambda: questions)
        caller.kill()

        tasks = await asyncio.gather(
            *(watcher.respond_to_clarification(questions[0], answer=n) for n in range(2))
        )
        await until(lambda: outputs)

    assert sorted(each is None for each in tasks) == [False, True]
    assert outputs[0].trace_id == trace_id
    assert [each["prompt"] for each in given(asker, "clarifies", 2)] == ["go", "go"]


STORY = [
    "TASK",
    "PLAN",
    "THOUGHT_DELTA",
    "TOOL_CALL",
    "TOOL_RESULT",
    "TASK",
    "TOOL_CALL",
    "TOOL_RESULT",
    "AGENT_OUTPUT",
    "AGENT_OUTPUT",
]


@pytest.mark.parametrize("place", ["caller", "bystander"])
async def test_on_trace_sees_every_type_in_causal_order_and_costs_nothing_after_off(
    place, asker, join
):
    async with join("caller") as caller, join("bystander") as bystander:
        watcher = {"caller": caller, "bystander": bystander}[place]
        trace_id, seen = new_trace_id(), []

        @watcher.on_trace(trace_id)
        async def _trace_all(sig):
            seen.append(sig)

        await watcher.dispatch_and_wait(neuron="nobody", input={})
        for _ in range(5):
            await caller.ask(neuron="tells", input=GO, trace_id=trace_id)
        await until(lambda: len(seen) >= 5 * len(STORY))
        watcher.off(_trace_all)
        await watcher.dispatch_and_wait(neuron="nobody", input={})
        before = watcher.counts.get("drop.no_handler", 0)
        await caller.ask(neuron="tells", input=GO, trace_id=trace_id)
        await watcher.dispatch_and_wait(neuron="nobody", input={})

        assert watcher.counts.get("drop.no_handler", 0) == before

    assert [sig.type.value for sig in seen] == STORY * 5
    assert len({sig.id for sig in seen}) == len(seen)


async def test_two_dispatches_on_one_trace_each_get_their_own_reply(url, namespace, join, children):
    children.worker(url, namespace, axon("slow"), axon("stream", "streams"))
    trace_id = new_trace_id()
    async with join("caller") as caller:
        seen = kept(caller.on_signal(SignalType.AGENT_OUTPUT, trace_id=trace_id))
        late, soon = await asyncio.gather(
            *(
                caller.dispatch_and_wait(
                    neuron="worker", input={"n": n, "for_s": for_s}, trace_id=trace_id
                )
                for n, for_s in ((1, 0.2), (2, 0.0))
            )
        )
        ways = [
            await caller.dispatch(neuron="streams", input={"count": n}, trace_id=trace_id)
            for n in (3, 5)
        ]
        texts = [[text async for text in pw.thoughts()] for pw in ways]
        await until(lambda: len(seen) == 4)

    assert [late.output["n"], soon.output["n"]] == [1, 2]
    assert {late.trace_id, soon.trace_id} == {trace_id}
    assert [len(each) for each in texts] == [3, 5]
    assert about(seen, trace_id)[:2] == [soon, late]


async def test_work_is_dealt_to_named_workers_in_turn_and_to_replicas_by_load(
    url, namespace, join, children
):
    started = [
        children.worker(url, namespace, axon(neuron_id=neuron), id=name, ready=False)
        for neuron, name in (("a", "a"), ("b", "b"), ("same", "left"), ("same", "right"))
    ]
    for each in started:
        each.line("ready")
    turns = itertools.cycle(["a", "b"])
    async with join("caller") as caller:
        dealt = [await caller.dispatch_and_wait(neuron=next(turns), input=GO) for _ in range(10)]
        shared = await asyncio.gather(
            *(caller.dispatch_and_wait(neuron="same", input=GO) for _ in range(40))
        )

    assert [reply.directed.id for reply in dealt] == ["a", "b"] * 5
    assert [reply.meta["dendrite"] for reply in dealt] == ["a", "b"] * 5
    shares = Counter(reply.meta["dendrite"] for reply in shared)
    assert set(shares) == {"left", "right"}
    assert {reply.directed.id for reply in shared} == {"same"}
