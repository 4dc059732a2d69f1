"""The spans of tasks, by an exporter in memory: their tree, their kinds, what they say."""

import asyncio
from types import SimpleNamespace

import attrs
import pytest
import pytest_asyncio
from opentelemetry import trace
from opentelemetry.trace import SpanKind, StatusCode

from cosmonapse import (
    Axon,
    Dendrite,
    MemorySynapse,
    NeuronError,
    RetryStrategy,
    SignalType,
    UnencodableValue,
)
from cosmonapse.tasks import task_for
from cosmonapse.telemetry import span_names as names
from cosmonapse.telemetry.trace_context import TraceContext
from cosmonapse.tracing import disable, dispatch_spans, enable, is_enabled
from cosmonapse.tracing.api import span_context_of
from cosmonapse.tracing.run_spans import MAX_TOOL_CALLS
from support.spans import Spans

pytestmark = pytest.mark.asyncio
MARKER = "THE-SECRET-PROMPT"
PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


async def leaf(input, context):
    return {"trace": context.task.meta.get("traceparent"), "given": input}


def threaded(input, context):
    return context.ask(neuron="leaf", input=input)


async def parent(input, context):
    call = await context.tool_call("search", {"q": MARKER})
    await context.tool_result(call, MARKER)
    await context.think("so ")
    return await context.ask(neuron="threaded", input=input)


async def failing(input, context):
    raise ValueError(MARKER)


async def flaky(input, context):
    if context.task.meta.get("attempt", 1) < 3:
        raise NeuronError("BUSY_NOW", MARKER, recoverable=True)
    return {}


async def asking(input, context):
    if "clarification" in input:
        return input["clarification"]
    return {"__clarification__": True, "question": "which?"}


async def bad_tool(input, context):
    call = await context.tool_call("search", {})
    await context.tool_result(call, error=MARKER)
    await context.tool_call("unended", {})
    return {"current": trace.get_current_span().get_span_context().span_id}


async def many_tools(input, context):
    for _ in range(MAX_TOOL_CALLS + 3):
        await context.tool_call("search", {})
    return {}


async def gated(input, context):
    await asyncio.sleep(input["for_s"])
    return {}


class Fabric:
    def __init__(self, caller, worker, spans):
        self.caller, self.worker, self.spans = caller, worker, spans

    async def ask(self, neuron, **more):
        return await self.caller.ask(neuron=neuron, input={"text": MARKER}, **more)


async def made(capture_content=False):
    spans, synapse = Spans(), MemorySynapse()
    worker = Dendrite(synapse=synapse, role="worker", dendrite_id="worker")
    for each in (leaf, threaded, parent, failing, flaky, asking, bad_tool, many_tools):
        worker.attach_axon(Axon(neuron_id=each.__name__, neuron_fn=each))
    worker.attach_axon(Axon(neuron_id="gated", neuron_fn=gated, concurrency=1, max_queued=1))
    worker.attach_axon(Axon(neuron_id="paired", neuron_fn=gated))
    caller = Dendrite(synapse=synapse, dendrite_id="caller")
    for each in (worker, caller):
        enable(each, spans.provider, capture_content=capture_content)
        await each.start()
    return Fabric(caller, worker, spans)


async def ended(fabric):
    await fabric.caller.stop()
    await fabric.worker.stop(drain_s=0.0)


@pytest_asyncio.fixture
async def fabric():
    fabric = await made()
    yield fabric
    await ended(fabric)


async def test_a_workflow_is_one_tree_through_threads_and_children(fabric):
    with fabric.spans.tracer.start_as_current_span("request"):
        await fabric.ask("parent")

    tree = [each for each in fabric.spans.tree() if "queue" not in each]  # a loaded machine
    assert tree == [
        " > request",
        "dispatch leaf > invoke_agent leaf",
        "dispatch parent > invoke_agent parent",
        "dispatch threaded > invoke_agent threaded",
        "invoke_agent parent > dispatch threaded",
        "invoke_agent parent > execute_tool search",
        "invoke_agent threaded > dispatch leaf",
        "request > dispatch parent",
    ]
    assert len(fabric.spans.trace_ids()) == 1


async def test_a_caller_that_waits_is_a_client_and_one_that_does_not_a_producer(fabric):
    await fabric.ask("leaf")
    await fabric.caller.dispatch_task(neuron="bad_tool", input={})
    await fabric.worker.stop()  # it drains: the task has ended

    kinds = {span.name: span.kind for span in fabric.spans.all}
    assert kinds["dispatch leaf"] is SpanKind.CLIENT
    assert kinds["invoke_agent leaf"] is SpanKind.SERVER
    assert kinds["dispatch bad_tool"] is SpanKind.PRODUCER
    assert kinds["invoke_agent bad_tool"] is SpanKind.CONSUMER


async def test_a_span_says_where_it_belongs_in_the_fabric(fabric):
    await fabric.ask("leaf")

    sent, run = fabric.spans.one("dispatch leaf"), fabric.spans.one("invoke_agent leaf")
    for span in (sent, run):
        assert span.attributes[names.NAMESPACE] == "default"
        assert span.attributes[names.DESTINATION] == "leaf"
        assert span.attributes[names.OUTCOME] == "AGENT_OUTPUT"
        assert span.attributes[names.TRACE].startswith("trc_")
    assert sent.attributes[names.MESSAGE_ID] == run.attributes[names.MESSAGE_ID]
    assert (sent.attributes[names.DENDRITE], run.attributes[names.DENDRITE]) == (
        "caller",
        "worker",
    )
    assert run.attributes[names.OPERATION] == "invoke_agent"
    assert run.attributes[names.QUEUED_MS] >= 0


async def test_an_error_sets_status_and_code_at_both_ends_and_its_text_nowhere(fabric):
    with pytest.raises(NeuronError):
        await fabric.ask("failing")

    for name in ("dispatch failing", "invoke_agent failing"):
        span = fabric.spans.one(name)
        assert span.status.status_code is StatusCode.ERROR
        assert span.attributes[names.ERROR_TYPE] == "NEURON_EXCEPTION"
    assert MARKER not in fabric.spans.everything_said()


async def test_a_task_that_nobody_serves_has_a_span_with_the_code(fabric):
    with pytest.raises(NeuronError):
        await fabric.ask("nobody")

    assert fabric.spans.one("dispatch nobody").attributes[names.ERROR_TYPE] == "NO_SUCH_NEURON"


async def test_a_task_that_does_not_leave_has_a_span_with_the_reason(fabric):
    with pytest.raises(UnencodableValue):
        await fabric.caller.ask(neuron="leaf", input={"x": object()})

    span = fabric.spans.one("dispatch leaf")
    assert span.attributes[names.ERROR_TYPE] == "UnencodableValue"


async def test_attempts_are_siblings_that_are_linked(fabric):
    retry = RetryStrategy(max_attempts=3, backoff=lambda attempt: 0.0)

    with fabric.spans.tracer.start_as_current_span("request"):
        await fabric.ask("flaky", retry=retry)

    sent = fabric.spans.named("dispatch flaky")
    assert [each.attributes.get(names.ATTEMPT) for each in sent] == [None, 2, 3]
    assert len({each.parent.span_id for each in sent}) == 1
    assert [[link.context.span_id for link in each.links] for each in sent] == [
        [],
        [sent[0].context.span_id],
        [sent[1].context.span_id],
    ]
    runs = fabric.spans.named("invoke_agent flaky")
    assert [each.parent.span_id for each in runs] == [each.context.span_id for each in sent]
    assert len(fabric.spans.trace_ids()) == 1


async def test_attempts_without_a_span_around_them_are_linked_as_well(fabric):
    await fabric.ask("flaky", retry=RetryStrategy(max_attempts=3, backoff=lambda attempt: 0.0))

    sent = fabric.spans.named("dispatch flaky")
    assert [each.parent for each in sent] == [None] * 3
    assert [len(each.links) for each in sent] == [0, 1, 1]


async def test_a_question_and_its_answer_stay_in_the_trace_whoever_answers(fabric):
    @fabric.caller.on_clarification
    async def answer(question):
        with fabric.spans.tracer.start_as_current_span("somebody else"):
            await fabric.caller.respond_to_clarification(question, answer=MARKER)

    await fabric.ask("asking")

    first, second = fabric.spans.named("dispatch asking")
    assert first.attributes[names.OUTCOME] == "CLARIFICATION"
    assert second.parent.span_id == first.context.span_id
    runs = fabric.spans.named("invoke_agent asking")
    assert [each.parent.span_id for each in runs] == [
        first.context.span_id,
        second.context.span_id,
    ]


async def test_a_wait_for_a_place_has_a_span_and_a_refusal_too(fabric):
    goes_on = asyncio.Event()

    async def held(input, context):
        await goes_on.wait()
        return {}

    await fabric.worker.add_axon(
        Axon(neuron_id="held", neuron_fn=held, concurrency=1, max_queued=1)
    )
    asked = [asyncio.ensure_future(fabric.ask("held")) for _ in range(2)]
    await asyncio.sleep(0)
    with pytest.raises(NeuronError, match="is full"):
        await fabric.ask("held")
    await asyncio.sleep(0.04)
    goes_on.set()
    await asyncio.gather(*asked)

    refused, waited = fabric.spans.named("queue held")
    assert refused.attributes[names.ERROR_TYPE] == "OVERLOADED"
    assert waited.status.status_code is StatusCode.UNSET
    run = fabric.spans.named("invoke_agent held")[1]
    assert waited.parent.span_id == run.parent.span_id
    assert waited.end_time - waited.start_time >= 30_000_000
    assert run.attributes[names.QUEUED_MS] >= 30


async def test_the_first_thought_is_an_event_at_both_ends(fabric):
    async with await fabric.caller.dispatch(neuron="parent", input={}) as pathway:
        await pathway.wait_for(SignalType.AGENT_OUTPUT, 5)

    for name in ("dispatch parent", "invoke_agent parent"):
        events = [each.name for each in fabric.spans.one(name).events]
        assert events == [names.FIRST_THOUGHT], name


async def test_a_tool_that_fails_and_one_that_never_ends_have_spans(fabric):
    output = await fabric.ask("bad_tool")

    failed = fabric.spans.one("execute_tool search")
    assert failed.status.status_code is StatusCode.ERROR
    run = fabric.spans.one("invoke_agent bad_tool")
    assert fabric.spans.one("execute_tool unended").parent.span_id == run.context.span_id
    assert output["current"] == run.context.span_id


async def test_so_many_tools_of_a_run_have_a_span(fabric):
    await fabric.ask("many_tools")

    assert len(fabric.spans.named("execute_tool search")) == MAX_TOOL_CALLS


async def test_so_many_failed_tasks_are_remembered(fabric, monkeypatch):
    monkeypatch.setattr(dispatch_spans, "MAX_FAILED", 3)

    for _ in range(5):
        with pytest.raises(NeuronError):
            await fabric.ask("nobody")

    observer = fabric.caller._observers._observers[0]
    assert len(observer._dispatches._failed) == 3


async def test_content_is_nowhere_unless_it_is_asked_for(fabric):
    await fabric.ask("parent")
    with pytest.raises(NeuronError):
        await fabric.ask("failing")
    await fabric.ask("bad_tool")
    assert MARKER not in fabric.spans.everything_said()

    asked = await made(capture_content=True)
    await asked.ask("parent")
    await ended(asked)

    run, tool = asked.spans.one("invoke_agent parent"), asked.spans.one("execute_tool search")
    told = [run.attributes[names.INPUT_MESSAGES], run.attributes[names.OUTPUT_MESSAGES]]
    told += [tool.attributes[names.TOOL_ARGUMENTS], tool.attributes[names.TOOL_RESULT]]
    assert [MARKER in each for each in told] == [True] * 4


@pytest.mark.parametrize(("value", "is_asked"), [("true", True), ("no_content", False)])
async def test_the_variable_of_the_conventions_asks_for_content(value, is_asked, monkeypatch):
    monkeypatch.setenv(names.CAPTURE_VARIABLE, value)
    fabric = await made(capture_content=None)

    await fabric.ask("leaf")

    await ended(fabric)
    assert (MARKER in fabric.spans.everything_said()) is is_asked


async def test_what_an_edge_was_given_is_the_parent_where_no_span_is_current(fabric):
    await fabric.ask("leaf", meta={"traceparent": PARENT, "tracestate": "a=1"})
    with fabric.spans.tracer.start_as_current_span("request") as span:
        await fabric.ask("leaf", meta={"traceparent": PARENT})

    given, current = fabric.spans.named("dispatch leaf")
    assert given.context.trace_id == int(PARENT[3:35], 16)
    assert given.parent.span_id == int(PARENT[36:52], 16)
    assert given.context.trace_state.get("a") == "1"
    assert current.parent.span_id == span.get_span_context().span_id


async def test_what_is_invalid_counts_as_absent_and_is_counted_once(fabric):
    disable(fabric.caller)

    await fabric.ask("leaf", meta={"traceparent": "no"})

    assert fabric.spans.one("invoke_agent leaf").parent is None
    assert fabric.worker.counts["drop.bad_traceparent"] == 1


async def test_what_is_invalid_is_counted_for_a_task_that_never_runs_too(fabric):
    disable(fabric.caller)
    bad = {"traceparent": "no"}
    running = [
        asyncio.ensure_future(fabric.caller.ask(neuron="gated", input={"for_s": 0.3}))
        for _ in range(2)
    ]
    await asyncio.sleep(0)

    with pytest.raises(NeuronError, match="is full"):
        await fabric.caller.ask(neuron="gated", input={"for_s": 0.0}, meta=bad)

    assert fabric.worker.counts["drop.bad_traceparent"] == 1
    await asyncio.gather(*running)


async def test_a_member_that_opentelemetry_cannot_read_costs_no_other_one_and_no_line(caplog):
    found = TraceContext(1, 1, 1, "1evil0=x,ok=1,1a@b=2")

    assert dict(span_context_of(found).trace_state) == {"ok": "1", "1a@b": "2"}
    assert not caplog.messages


async def test_a_caller_that_is_not_traced_passes_on_what_it_was_given(fabric):
    disable(fabric.caller)

    output = await fabric.ask("leaf", meta={"traceparent": PARENT})

    assert output["trace"] == PARENT
    run = fabric.spans.one("invoke_agent leaf")
    assert run.parent.span_id == int(PARENT[36:52], 16)


async def test_a_second_task_sees_nothing_of_the_span_of_the_first(fabric):
    disable(fabric.caller)
    for _ in range(3):  # by the same asyncio task
        await fabric.ask("leaf")

    runs = fabric.spans.named("invoke_agent leaf")
    assert [each.parent for each in runs] == [None] * 3
    assert len({each.context.trace_id for each in runs}) == 3


async def test_disabled_means_no_spans_and_those_that_were_open_end(fabric):
    asking = asyncio.ensure_future(fabric.caller.ask(neuron="gated", input={"for_s": 0.3}))
    await asyncio.sleep(0)  # it is sent in that turn

    disable(fabric.caller)
    disable(fabric.caller)

    assert not is_enabled(fabric.caller)
    assert [each.name for each in fabric.spans.all] == ["dispatch gated"]
    await asking
    await fabric.ask("leaf")
    assert not fabric.spans.named("dispatch leaf")


async def test_a_task_that_runs_already_when_it_is_turned_on_did_not_wait(fabric):
    disable(fabric.worker)
    asking = asyncio.ensure_future(fabric.caller.ask(neuron="paired", input={"for_s": 0.3}))
    while not fabric.worker._inbox.jobs:  # noqa: ASYNC110  # nothing tells of it
        await asyncio.sleep(0)
    await asyncio.sleep(0)  # it begins in that turn

    enable(fabric.worker, fabric.spans.provider)
    await asking

    assert [each.name for each in fabric.spans.all] == ["dispatch paired"]


@pytest.mark.parametrize("attempt", [2**64 - 1, True, -1])
async def test_what_is_no_number_of_an_attempt_is_no_attribute(attempt, fabric):
    await fabric.ask("leaf", meta={"attempt": attempt})

    for name in ("dispatch leaf", "invoke_agent leaf"):
        assert names.ATTEMPT not in fabric.spans.one(name).attributes


async def test_who_is_dropped_or_stops_is_not_enabled_and_leaves_no_span_open(fabric):
    def refused(*_):
        raise ValueError("broken")

    asking = asyncio.ensure_future(fabric.caller.ask(neuron="gated", input={"for_s": 0.3}))
    await asyncio.sleep(0)  # it is sent in that turn
    fabric.caller._observers._observers[0]._dispatches._tracer = SimpleNamespace(start_span=refused)
    await fabric.ask("leaf")

    assert not is_enabled(fabric.caller)
    assert fabric.spans.named("dispatch gated")
    await asking

    assert is_enabled(fabric.worker)
    await fabric.worker.stop()
    assert not is_enabled(fabric.worker)


async def test_nothing_is_kept_of_tasks_that_have_ended(fabric):
    for neuron in ("parent", "failing", "asking", "bad_tool", "nobody"):
        try:
            await fabric.ask(neuron)
        except Exception:  # noqa: S112, BLE001  # their end counts, and not how
            continue
    await asyncio.sleep(0)

    for dendrite in (fabric.caller, fabric.worker):
        observer = dendrite._observers._observers[0]
        dispatches, runs = observer._dispatches, observer._runs
        kept = (dispatches._open, dispatches._parents, runs._runs)
        assert [len(each) for each in kept] == [0, 0, 0]


async def test_an_answer_after_the_caller_is_gone_stays_in_the_trace(fabric):
    asked = await fabric.caller.dispatch_and_wait(neuron="asking", input={})
    first = fabric.spans.one("dispatch asking")
    other = Dendrite(synapse=fabric.caller.synapse, dendrite_id="other")
    enable(other, fabric.spans.provider)
    await fabric.caller.stop()

    async with other:
        task = await other.respond_to_clarification(asked, answer="that one")

    assert task.meta["caller"] == "gone"
    second = fabric.spans.named("dispatch asking")[1]
    assert second.parent.span_id == first.context.span_id


async def test_two_callers_that_use_the_same_id_have_a_run_each(fabric):
    """Task ids belong to their caller; a second one may repeat them, by chance or by intent."""
    other = Dendrite(synapse=fabric.caller.synapse, dendrite_id="other")
    enable(other, fabric.spans.provider)
    task = task_for("paired", None, {"for_s": 0.3})

    async def close_in_between():
        runs = fabric.worker._observers._observers[0]._runs
        while len(runs._runs) < 2:  # noqa: ASYNC110  # nothing tells of it
            await asyncio.sleep(0)
        assert runs.context_of(task.id) is None
        disable(fabric.worker)

    async with other:
        await asyncio.gather(
            fabric.caller._dispatcher.wait(task, 5.0),
            other._dispatcher.wait(attrs.evolve(task, meta={}), 5.0),
            close_in_between(),
        )

    sent = {each.context.span_id for each in fabric.spans.named("dispatch paired")}
    runs = {each.parent.span_id for each in fabric.spans.named("invoke_agent paired")}
    assert len(sent) == 2
    assert runs == sent
