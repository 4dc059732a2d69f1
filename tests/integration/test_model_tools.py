"""Models with tools: a real fabric, and the stand-in provider in both of its dialects."""

import asyncio
import json

import pytest
import pytest_asyncio

from cosmonapse import (
    Axon,
    Clarification,
    Neuron,
    NeuronError,
    PermissionNeeded,
    SignalType,
    SynapseServer,
)
from cosmonapse.error_codes import CODES
from cosmonapse.testing import ChatServer, Fabric
from support.processes import Children, axon

OBJECT = {"type": "object"}
QUESTION = {"prompt": "How much is it?"}
KINDS = [
    pytest.param(source, stream, id=f"{source}-{'streamed' if stream else 'plain'}")
    for source in ("openai", "anthropic")
    for stream in (True, False)
]
SUM = ("math_add", {"a": 1, "b": 2})

pytestmark = [pytest.mark.usefixtures("direct"), pytest.mark.asyncio]


async def add(input, context):
    return {"sum": input["a"] + input["b"]}


@pytest.fixture(scope="module")
def servers():
    with SynapseServer(port=0) as synapse, ChatServer() as chat, Children() as children:
        yield synapse.url, chat, children


@pytest.fixture
def chat(servers):
    servers[1].requests.clear()
    return servers[1]


@pytest_asyncio.fixture
async def fabric(servers, namespace):
    async with Fabric(servers[0], namespace=namespace) as fabric:
        fabric.neurons = []
        yield fabric
        for neuron in fabric.neurons:
            await neuron.aclose()


async def asked(fabric, chat, *tools, source="openai", input=QUESTION, patterns="*", **settings):
    """Ask an agent with these tools; return its Signals by their type, and its last one."""
    settings = {"endpoint": chat.url, "api_key": "k", "model": "m", **settings}
    agent = Neuron(source=source, tools=patterns, **settings)
    fabric.neurons.append(agent)
    await fabric.worker(Axon(neuron_id="agent", neuron_fn=agent), *map(tool, tools))
    caller = await fabric.dendrite()
    async with await caller.dispatch(neuron="agent", input=input) as pathway:
        signals = [each async for each in pathway]
    by_type = {}
    for each in signals:
        by_type.setdefault(each.type, []).append(each.payload)
    return by_type, signals[-1]


def tool(function, **settings):
    if isinstance(function, Axon):
        return function
    name = settings.pop("neuron_id", f"math.{function.__name__}")
    about = {"description": "A tool.", "input": OBJECT, **settings}
    return Axon(neuron_id=name, neuron_fn=function, **about)


def results_in(request):
    """Return what the model was told of its calls, in a request in either dialect."""
    messages = request.json["messages"]
    if messages[-1]["role"] == "user":
        blocks = messages[-1]["content"]
        return [(each["content"], each.get("is_error", False)) for each in blocks]
    told = [each["content"] for each in messages if each["role"] == "tool"]
    return [(each.removeprefix("Error: "), each.startswith("Error: ")) for each in told]


@pytest.mark.parametrize(("source", "stream"), KINDS)
async def test_a_model_calls_a_tool_reads_its_output_and_answers(fabric, chat, source, stream):
    chat.calls_tools(SUM, text="Let me see.").answers("It is 3.")

    seen, last = await asked(fabric, chat, add, source=source, stream=stream)

    (call,), (result,) = seen[SignalType.TOOL_CALL], seen[SignalType.TOOL_RESULT]
    assert (call["tool_name"], call["args"]) == ("math.add", {"a": 1, "b": 2})
    assert (result["call_id"], result["result"]) == (call["call_id"], {"sum": 3})
    assert results_in(chat.requests[1]) == [('{"sum": 3}', False)]
    output = last.output
    assert (output["response"], output["turns"], output["tool_calls"]) == ("It is 3.", 2, 1)
    assert output["usage"].get("output_tokens", output["usage"].get("completion_tokens")) == 8
    texts = [each["delta"] for each in seen.get(SignalType.THOUGHT_DELTA, [])]
    assert "".join(texts) == ("Let me see.\n\nIt is 3." if stream else "")


@pytest.mark.parametrize(("source", "stream"), KINDS)
async def test_calls_that_cannot_run_are_told_to_the_model_and_it_goes_on(
    fabric, chat, source, stream
):
    chat.calls_tools(SUM, ("nope", {}), ("math_add", {"a": 1}), ("math_add", "[1]"))

    seen, last = await asked(fabric, chat, add, source=source, stream=stream)

    told = results_in(chat.requests[1])
    assert told[:2] == [
        ('{"sum": 3}', False),
        ("no tool is called 'nope'; there are: math_add", True),
    ]
    assert told[2] == ("NEURON_EXCEPTION: KeyError: 'b'", True)
    assert told[3][1]  # no object: Anthropic's own form cannot even say that
    assert len(seen[SignalType.TOOL_CALL]) == len(seen[SignalType.TOOL_RESULT]) == 4
    assert last.type is SignalType.AGENT_OUTPUT


async def test_malformed_arguments_are_told_to_the_model(fabric, chat):
    chat.calls_tools(("math_add", '{"a": 1, '))

    _, last = await asked(fabric, chat, add)

    ((text, is_error),) = results_in(chat.requests[1])
    assert is_error
    assert "are no valid JSON" in text
    assert last.output["tool_calls"] == 1


async def test_the_calls_of_a_turn_run_at_once_and_their_results_keep_their_order(fabric, chat):
    started = asyncio.Barrier(3)

    async def meet(input, context):
        async with started:  # alone none of them would ever end
            return {"n": input["n"]}

    chat.calls_tools(*(("math_meet", {"n": n}) for n in range(3)))

    await asked(fabric, chat, meet)

    assert [json.loads(text)["n"] for text, _ in results_in(chat.requests[1])] == [0, 1, 2]


@pytest.mark.parametrize("source", ["openai", "anthropic"])
async def test_a_model_that_never_answers_ends_with_its_turns(fabric, chat, source):
    settings = {"model": "tool-loop-varied", "max_turns": 3}

    seen, last = await asked(fabric, chat, tool(echo), source=source, **settings)

    assert (last.payload["code"], last.payload["recoverable"]) == ("TOOL_LOOP", False)
    assert "after max_turns=3 turns and 3 calls, at last math_echo({" in last.payload["message"]
    assert len(chat.requests) == 3
    assert len(seen[SignalType.TOOL_CALL]) == 2  # the results of the last turn go nowhere


async def echo(input, context):
    return input


@pytest.mark.parametrize("source", ["openai", "anthropic"])
async def test_a_provider_that_fails_after_a_tool_is_asked_again_and_the_tool_runs_once(
    fabric, chat, source
):
    chat.calls_tools(SUM).behaves("503", "503").answers("It is 3.")

    seen, last = await asked(fabric, chat, add, source=source)

    assert last.output["response"] == "It is 3."
    assert len(seen[SignalType.TOOL_CALL]) == 1
    assert chat.requests[1].json == chat.requests[2].json == chat.requests[3].json


@pytest.mark.parametrize(
    ("behaviours", "requests"),
    [
        (["503"], 1),  # no tool has run: the caller may retry
        (["tool", "400"], 2),
        (["tool", "503", "503", "503"], 4),
        (["tool", "cut-off"], 2),  # its first words are out
    ],
)
async def test_a_provider_is_asked_again_only_where_that_helps(fabric, chat, behaviours, requests):
    for each in behaviours:
        chat.calls_tools(SUM) if each == "tool" else chat.behaves(each)

    _, last = await asked(fabric, chat, add)

    assert last.payload["code"].startswith("PROVIDER_")
    assert len(chat.requests) == requests


async def test_agents_that_are_tools_of_each_other_end(fabric, chat):
    for each in ["ab", "ba"]:
        agent = Neuron(
            source="openai", tools=each[1], endpoint=chat.url, api_key="k", model="m", stream=False
        )
        fabric.neurons.append(agent)
        await fabric.worker(Axon(neuron_id=each[0], neuron_fn=agent, description="x", input=OBJECT))
    for name in "babababab":
        chat.calls_tools((name, QUESTION))

    async with await (await fabric.dendrite()).dispatch(neuron="a", input=QUESTION) as pathway:
        last = [each async for each in pathway][-1]
    told = [results_in(each)[0] for each in chat.requests if len(each.json["messages"]) > 1]

    assert last.output["turns"] == 2
    assert len(chat.requests) == 9 + 9  # each of nine agents asked, and was told
    (refusal,) = [text for text, is_error in told if is_error]
    assert refusal.startswith("TOOL_LOOP: b is not called: this task stands in 8 calls of tools")


async def test_an_agent_is_no_tool_of_itself_unless_its_id_is_given(fabric, chat):
    agent = Neuron(source="openai", tools="*", endpoint=chat.url, api_key="k", model="m")
    fabric.neurons.append(agent)
    described = {"description": "x", "input": OBJECT}

    async def own_tools(input, context):
        return {each: [t.neuron_id for t in await context.tools(each)] for each in ["*", "own"]}

    await fabric.worker(
        Axon(neuron_id="agent", neuron_fn=agent, **described),
        Axon(neuron_id="own", neuron_fn=own_tools, **described),
    )
    caller = await fabric.dendrite()
    await caller.ask(neuron="agent", input=QUESTION)

    offered = [each["function"]["name"] for each in chat.requests[0].json["tools"]]
    assert offered == ["own"]
    assert await caller.ask(neuron="own", input={}) == {"*": ["agent"], "own": ["own"]}


async def test_the_depth_of_calls_goes_through_tasks_that_are_no_calls_of_tools(fabric):
    async def tell(input, context):
        return dict(context.task.meta)

    async def ask(input, context):
        return await context.ask(neuron="tell", input={}, meta=input.get("meta"))

    async def call(input, context):
        return await context.call_tool("ask", input)

    for function in (tell, ask, call):
        await fabric.worker(Axon(neuron_id=function.__name__, neuron_fn=function))
    caller = await fabric.dendrite()

    assert await caller.ask(neuron="call", input={}) == {"tool_depth": 1}
    told = await caller.ask(neuron="call", input={"meta": {"mine": "x"}})
    assert told == {"tool_depth": 1, "mine": "x"}
    assert await caller.ask(neuron="ask", input={}) == {}


async def test_a_model_that_repeats_a_call_is_told_and_then_ended(fabric, chat):
    seen, last = await asked(fabric, chat, tool(echo), model="tool-loop", max_turns=20)

    assert last.payload["code"] == "TOOL_LOOP"
    assert "runs in circles: it called math_echo({}) 5 times" in last.payload["message"]
    results = [each.get("error", "ran") for each in seen[SignalType.TOOL_RESULT]]
    assert results[:3] == ["ran"] * 3
    assert results[3].startswith("not run: it was called 3 times")
    assert len(results) == 4


async def test_a_cancelled_agent_cancels_the_tool_that_it_waits_for(fabric, chat):
    begun, ended = asyncio.Event(), asyncio.Event()

    async def hang(input, context):
        begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            ended.set()
            raise

    chat.calls_tools(("math_hang", {}))
    asking = asyncio.create_task(asked(fabric, chat, hang))
    await asyncio.wait_for(begun.wait(), 5)

    asking.cancel()

    await asyncio.wait_for(ended.wait(), 2)
    assert len(chat.requests) == 1


async def test_a_worker_that_is_killed_during_a_call_is_an_error_to_the_model(
    servers, fabric, chat, namespace
):
    url, _, children = servers
    spec = {**axon("slow", "far.slow"), "description": "Works long.", "input": OBJECT}
    child = children.worker(url, namespace, spec)
    chat.calls_tools(("far_slow", {"n": 1, "for_s": 60})).answers("It died.")
    asking = asyncio.create_task(asked(fabric, chat, patterns=["far.*", "no.*"]))
    await asyncio.to_thread(child.line, "ran")

    child.kill()
    _, last = await asyncio.wait_for(asking, 10)

    ((text, is_error),) = results_in(chat.requests[1])
    assert is_error
    assert text.startswith("WORKER_LOST: ")
    assert last.output["response"] == "It died."


async def test_a_tool_that_takes_too_long_is_an_error_to_the_model(fabric, chat):
    async def hang(input, context):
        await asyncio.Event().wait()

    chat.calls_tools(("math_hang", {}))

    await asked(fabric, chat, hang, tool_timeout_s=0.05)

    ((text, is_error),) = results_in(chat.requests[1])
    assert (text[:9], is_error) == ("EXPIRED: ", True)


async def test_a_long_result_is_cut_with_a_note(fabric, chat):
    async def long(input, context):
        return {"text": "ü" * 1000}

    chat.calls_tools(("math_long", {}))

    seen, _ = await asked(fabric, chat, long, max_tool_result_bytes=100)

    ((text, _),) = results_in(chat.requests[1])
    assert text.endswith("ü\n[cut: 100 of 2,012 bytes; ask for less]")
    assert seen[SignalType.TOOL_RESULT][0]["result"] == {"text": "ü" * 1000}


async def test_without_a_tool_no_tools_are_offered_and_calls_are_the_error_that_they_were(
    fabric, chat
):
    _, last = await asked(fabric, chat, model="tool-calls", patterns="nope.*")

    assert "tools" not in chat.requests[0].json
    assert last.payload["code"] == "PROVIDER_ERROR"
    assert "nothing but tool calls (get_weather)" in last.payload["message"]


@pytest.mark.parametrize("source", ["openai", "anthropic"])
async def test_a_conversation_may_hold_earlier_turns_of_tools(fabric, chat, source):
    function = {"name": "math_add", "arguments": '{"a": 1}'}
    call = {"id": "c1", "type": "function", "function": function}
    messages = [
        {"role": "user", "content": "?"},
        {"role": "assistant", "content": None, "tool_calls": [call, {**call, "id": "c2"}]},
        {"role": "tool", "tool_call_id": "c1", "content": "3"},
        {"role": "tool", "tool_call_id": "c2", "content": "4"},
    ]

    await asked(fabric, chat, add, source=source, input={"messages": messages})

    sent = chat.requests[0].json["messages"]
    if source == "openai":
        assert sent == messages
    else:
        blocks = [{"type": "tool_use", "id": each, "name": "math_add"} for each in ("c1", "c2")]
        assert sent[1] == {
            "role": "assistant",
            "content": [{**each, "input": {"a": 1}} for each in blocks],
        }
        assert [each["tool_use_id"] for each in sent[2]["content"]] == ["c1", "c2"]
        assert len(sent) == 3


# -- questions of tools --------------------------------------------------------------------------


async def book(input, context):
    if "clarification" not in input:
        raise Clarification("How many nights?")
    return {"nights": input["clarification"]["answer"]}


async def pay(input, context):
    if "permission" not in input:
        raise PermissionNeeded("pay 3 EUR")
    return {"paid": input["permission"]["granted"]}


@pytest.mark.parametrize(
    ("function", "kind", "answer", "result"),
    [
        (book, SignalType.CLARIFICATION, {"answer": 2}, {"nights": 2}),
        (pay, SignalType.PERMISSION, {"granted": True}, {"paid": True}),
    ],
)
async def test_the_agent_asks_for_its_tool_and_passes_the_answer_on(
    fabric, chat, function, kind, answer, result
):
    chat.calls_tools((f"math_{function.__name__}", {}))
    _, question = await asked(fabric, chat, function)
    assert question.type is kind
    assert question.payload["context"]["tool"] == f"math.{function.__name__}"

    caller = await fabric.dendrite()
    chat.calls_tools((f"math_{function.__name__}", {}))
    about = {
        key: question.payload[key] for key in ("question", "action") if key in question.payload
    }
    name = "clarification" if kind is SignalType.CLARIFICATION else "permission"
    await caller.ask(neuron="agent", input={**QUESTION, name: {**about, **answer}})

    assert results_in(chat.requests[-1])[-1] == (json.dumps(result), False)


async def test_a_model_cannot_give_a_permission(fabric, chat):
    granted = {"action": "pay 3 EUR", "granted": True}
    chat.calls_tools(("math_pay", {"permission": granted}))

    await asked(fabric, chat, pay)

    assert results_in(chat.requests[1]) == [
        ("not run: permission is not yours to give; leave it out", True)
    ]


# -- tools without a model -----------------------------------------------------------------------


@pytest.mark.parametrize("in_thread", [False, True])
async def test_a_neuron_calls_a_tool_and_gets_its_output_or_its_error(fabric, in_thread):
    async def on_loop(input, context):
        tools = await context.tools("math.*")
        output = await context.call_tool("math.add", {"a": 1, "b": 2}, call_id="mine")
        with pytest.raises(NeuronError) as caught:
            await context.call_tool("math.nope")
        return {"tools": tools.as_openai(), "output": output, "code": caught.value.code}

    def threaded(input, context):
        tools = context.tools("math.*")
        output = context.call_tool("math.add", {"a": 1, "b": 2}, call_id="mine")
        with pytest.raises(NeuronError) as caught:
            context.call_tool("math.nope")
        return {"tools": tools.as_openai(), "output": output, "code": caught.value.code}

    await fabric.worker(threaded if in_thread else on_loop, tool(add))
    caller = await fabric.dendrite()

    signals = [each async for each in await caller.dispatch(neuron="worker", input={})]

    called, result, second, failed, last = signals
    assert (called.payload["call_id"], result.payload["call_id"]) == ("mine", "mine")
    assert result.payload["result"] == last.output["output"] == {"sum": 3}
    assert second.payload["args"] == {}
    assert failed.payload["error"].startswith("NO_SUCH_NEURON: ")
    assert last.output["code"] == "NO_SUCH_NEURON"
    assert [each["function"]["name"] for each in last.output["tools"]] == ["math_add"]


async def test_a_program_calls_a_tool_and_watchers_see_it_on_one_trace(fabric):
    await fabric.worker(tool(add))
    caller, watcher = await fabric.dendrite(), await fabric.dendrite(dendrite_id="watcher")
    seen = {}

    def watch(signal):
        seen.setdefault(signal.payload["call_id"], []).append(signal)

    watcher.on_tool_call(watch)
    watcher.on_tool_result(watch)

    async with asyncio.timeout(20):
        # The caller hears a little later than the watcher that someone listens.
        while not (whole := [each for each in seen.values() if len(each) == 2]):
            output = await caller.call_tool("math.add", {"a": 1, "b": 2})
            await asyncio.sleep(0.02)

    call, result = whole[0]
    assert output == {"sum": 3}
    assert call.trace_id == result.trace_id
    assert (call.type, result.type) == (SignalType.TOOL_CALL, SignalType.TOOL_RESULT)
    assert [each.name for each in await caller.tools()] == ["math_add"]


async def test_the_code_of_a_loop_is_in_the_table():
    assert not CODES["TOOL_LOOP"].recoverable
