"""A user's program with types: a worker, an orchestrator, and code without asyncio.

Never run: a test has mypy read it, in strict mode. Each `assert_type` is a promise to whoever
writes such a program with an editor that knows types.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any, assert_type

from cosmonapse import (
    Axon,
    AxonSource,
    BlockingDendrite,
    Card,
    Clarification,
    CosmonapseError,
    Dendrite,
    DendriteRecord,
    Directed,
    Escalation,
    Key,
    McpServer,
    MemoryRegistryStore,
    MemoryStore,
    MemorySynapse,
    NeedsAnswer,
    Neuron,
    NeuronError,
    NeuronRecord,
    Pathway,
    PathwayClosedError,
    PermissionNeeded,
    RegistryStore,
    RetryStrategy,
    Sessions,
    Signal,
    SignalTooLarge,
    SignalType,
    SqliteMemory,
    SqliteRegistryStore,
    SynapseServer,
    SynapseState,
    SynapseUnreachable,
    TaskContext,
    TaskRecord,
    TextStream,
    ToolDefinitions,
    connect_synapse,
    default_retry_on,
    engram,
    neuron,
    new_event_id,
    new_trace_id,
    synapse_from_url,
)

# -- a worker ------------------------------------------------------------------------------------


async def summarise(input: dict[str, Any], context: TaskContext) -> dict[str, Any]:
    assert_type(context.task, Signal)
    assert_type(context.trace_id, str)
    assert_type(context.remaining_s, float)
    assert_type(context.cancelled, bool)
    if "clarification" not in input:
        raise Clarification("for whom?", context=["experts", "children"])
    if "permission" not in input:
        raise PermissionNeeded("read the archive", scope="archive")
    await context.think("first the sources")
    call: Signal = await context.tool_call("search", {"words": input["words"]})
    await context.tool_result(call, ["a", "b"])
    await context.plan(["read", "write"], rationale="in this order")
    await context.emit(SignalType.MEMORY_APPEND, key="seen", value=2)
    child: Signal = await context.dispatch_and_wait(capabilities=["fr"], input={}, timeout_s=2.0)
    text: dict[str, Any] = await context.ask(neuron="translator", input={"text": child.output})
    return {"response": text["value"]}


async def count(input: dict[str, Any], context: TaskContext) -> AsyncIterator[str | dict[str, Any]]:
    for number in range(3):
        yield f"{number} "
    yield {"response": "three"}


@neuron(capabilities=["text"], rate_limit="10/s")
async def shorten(input: dict[str, Any], context: TaskContext) -> dict[str, Any]:
    return {"response": input["prompt"][:10]}


@neuron
def upper(input: dict[str, Any], context: TaskContext) -> str:
    return str(input["prompt"]).upper()


async def decorated_neurons(context: TaskContext) -> None:
    assert_type(shorten.axon, Axon)
    assert_type(shorten.axon.rate_limit, str | None)
    assert_type(await shorten({"prompt": "hello"}, context), dict[str, Any])
    assert_type(upper({"prompt": "hello"}, context), str)


def translate(input: dict[str, Any], context: TaskContext) -> dict[str, Any]:
    context.think("in a thread")
    if not input:
        raise Escalation("nothing to translate", target="chief")
    if len(input) > 9:
        raise NeuronError("TOO_MUCH", "at most nine", recoverable=False)
    return {"value": str(input)}


def spell(input: dict[str, Any], context: TaskContext) -> Iterator[str]:
    yield from str(input)


async def fetch(reference: Any) -> list[Any]:
    return [reference]


def bid(input: Any, offer: Signal) -> dict[str, float] | None:
    return {"cost": 1.5, "confidence": 0.5} if offer.payload.get("capabilities") else None


def axons() -> list[Axon]:
    return [
        Axon(neuron_id="summary", neuron_fn=summarise, capabilities=["text", "en"], version="1"),
        Axon(neuron_id="counter", neuron_fn=count, concurrency=2, max_queued=8),
        Axon(neuron_id="translator", neuron_fn=translate, capabilities=("fr",), bid_fn=bid),
        Axon(neuron_id="speller", neuron_fn=spell, context_fetcher=fetch),
        Axon(
            neuron_id="model", neuron_fn=Neuron(source="openai", model="m", api_key="placeholder")
        ),
    ]


async def work(url: str, store: RegistryStore) -> None:
    synapse = await connect_synapse(url, timeout_s=2.0)
    dendrite = Dendrite(synapse=synapse, namespace="typed", role="worker", registry_store=store)
    for axon in axons():
        dendrite.attach_axon(axon)
    await dendrite.serve()
    await synapse.close()


# -- handlers ------------------------------------------------------------------------------------


def decorated(orchestrator: Dendrite, trace_id: str) -> int:
    @orchestrator.on_agent_output
    async def bare(sig: Signal) -> int:
        return len(sig.payload)

    @orchestrator.on_agent_output(neuron="summary", capability="text")
    async def filtered(sig: Signal) -> None:
        assert_type(sig.directed, Directed | None)

    @orchestrator.on_thought_delta(trace_id=trace_id)
    def plain(sig: Signal) -> str:
        return str(sig.payload["delta"])

    @orchestrator.on_signal(SignalType.STOP, SignalType.STOPPED, neuron="summary")
    def generic(sig: Signal) -> None:
        assert_type(sig.type, SignalType)

    @orchestrator.on_trace(trace_id)
    async def traced(sig: Signal) -> None:
        assert_type(sig.ts, float)
        assert_type(sig.origin, str | None)

    assert_type(plain(Signal(type=SignalType.TASK)), str)
    orchestrator.on_task_signal(plain)
    return sum(orchestrator.off(each) for each in (bare, filtered, plain, generic, traced))


def arbiter(orchestrator: Dendrite) -> None:
    @orchestrator.on_clarification
    async def clarify(sig: Signal) -> None:
        task = await orchestrator.respond_to_clarification(sig, answer="for all", extra={"n": 1})
        assert_type(task, Signal | None)

    @orchestrator.on_permission(neuron="summary")
    async def decide(sig: Signal) -> None:
        if sig.payload["action"] == "read the archive":
            await orchestrator.grant_permission(sig, reason="it is open", ttl_ms=500)
        else:
            await orchestrator.deny_permission(sig)
        await orchestrator.respond_to_permission(sig, granted=False)

    @orchestrator.on_escalation
    async def take_over(sig: Signal) -> None:
        await orchestrator.respond_to_escalation(sig, input={"override": True}, neuron="chief")
        assert_type(await orchestrator.await_decision(sig, timeout_s=1.0), Signal)


# -- cards, tools and memory ---------------------------------------------------------------------


@neuron(description="Add two numbers")
async def add(a: int, b: int = 1) -> dict[str, int]:
    return {"sum": a + b}


async def helped(input: dict[str, Any], context: TaskContext) -> dict[str, Any]:
    tools: ToolDefinitions = await context.tools("fs.*", "add")
    assert_type(tools.as_openai(), list[dict[str, Any]])
    total: dict[str, Any] = await context.call_tool("add", {"a": 1}, timeout_s=2.0)
    await context.imprint("the sum is known", space="typed")
    return {"value": total["sum"]}


def sources(store: MemoryStore) -> list[AxonSource]:
    remembers = Axon(neuron_id="chat", neuron_fn=helped, context_fetcher=Sessions("chat.db"))
    assert_type(remembers.card, Card)
    assert_type(engram("memory", store), Axon)
    return [McpServer("npx -y a-server", id="fs", tools=["read_*"])]


async def remembering(orchestrator: Dendrite) -> None:
    for source in sources(SqliteMemory("memory.db")):
        await orchestrator.add_source(source)
    assert_type(await add(2), dict[str, int])
    assert_type(await orchestrator.card("add"), Card)
    assert_type(await orchestrator.cards("a*"), dict[str, Card])
    assert_type(await orchestrator.call_tool("add", {"a": 1}), dict[str, Any])
    assert_type(await orchestrator.tools("add"), ToolDefinitions)
    assert_type(await orchestrator.imprint("Zoe owns the cafe", space="u1"), str)
    assert_type(await orchestrator.recall("cafe", space="u1", limit=5), list[dict[str, Any]])


# -- an orchestrator -----------------------------------------------------------------------------


async def dispatching(orchestrator: Dendrite) -> None:
    task = await orchestrator.dispatch_task(neuron="counter", input={}, meta={"for": "log"})
    assert_type(task, Signal)
    reply = await orchestrator.dispatch_and_wait(
        capabilities=["text"],
        input={"words": ["a"]},
        timeout_s=30,
        retry=RetryStrategy(max_attempts=2, backoff=0.5, retry_on=default_retry_on),
        trace_id=new_trace_id(),
        parent_id=new_event_id(),
        answer_elsewhere=True,
    )
    assert_type(reply, Signal)
    assert_type(reply.output, dict[str, Any])
    output = await orchestrator.ask(neuron="summary", input="anything", timeout_s=1.5)
    assert_type(output, dict[str, Any])
    best = await orchestrator.dispatch_offer(
        input={}, capabilities=["fr"], deadline_ms=100, select="lowest_cost"
    )
    assert_type(best, Signal)
    stopped = await orchestrator.stop_trace(task.trace_id, rollback=True, collect_acks=True)
    assert_type(stopped, list[Signal])


async def reading(orchestrator: Dendrite) -> str:
    pathway = await orchestrator.dispatch(neuron="counter", input={}, scope="all")
    assert_type(pathway, Pathway)

    @pathway.on(SignalType.TOOL_CALL, SignalType.TOOL_RESULT)
    async def tool(sig: Signal) -> bool:
        return "error" in sig.payload

    @pathway.on()
    def anything(sig: Signal) -> str:
        return sig.type.value

    assert_type(anything(task_of(pathway)), str)
    texts = []
    async with pathway:
        async for text in pathway.thoughts():
            assert_type(text, str)
            texts.append(text)
        async for signal in pathway:
            assert_type(signal, Signal)
        assert_type(await pathway.wait(timeout_s=1.0), Signal)
        assert_type(await pathway.wait_for(SignalType.FINAL), Signal)
        assert_type(await pathway.outcome(timeout_s=1.0), Signal)
    assert_type(pathway.closed, bool)
    observed = await orchestrator.observe_pathway(pathway.trace_id)
    await observed.close()
    assert_type(await orchestrator.dispatch_and_subscribe(neuron="a", input=1), Pathway)
    assert_type(await orchestrator.synapse_state(), SynapseState)
    return "".join(texts)


def task_of(pathway: Pathway) -> Signal:
    if pathway.task is None:
        raise PathwayClosedError("an observer has none")
    return pathway.task


async def publishing(orchestrator: Dendrite, about: Signal) -> None:
    final = await orchestrator.emit_final(about=about, result={"sum": 3}, cost=0.1)
    assert_type(final, Signal)
    await orchestrator.emit_tool_call(trace_id=about.trace_id, tool_name="search", args={"n": 1})
    await orchestrator.emit_plan(about=about, steps=["one"], neuron="summary", meta={"a": 1})
    await orchestrator.emit_thought_delta(about=about, delta="hm")
    payload = {"key": "a", "value": 1}
    made = about.reply(SignalType.MEMORY_APPEND, payload=payload, directed=about.directed)
    assert_type(await orchestrator.emit(Signal.decode(made.encode())), Signal)


async def looking(orchestrator: Dendrite, store: RegistryStore) -> list[str]:
    records = await orchestrator.find_neurons("text")
    assert_type(records, list[NeuronRecord])
    assert_type(await orchestrator.registry_snapshot(), list[NeuronRecord])
    assert_type(await orchestrator.dendrites_snapshot(), list[DendriteRecord])
    assert_type(await orchestrator.open_tasks(), list[TaskRecord])
    assert_type(await orchestrator.wait_for_neuron(neuron="a", timeout_s=1.0), NeuronRecord)
    assert_type(orchestrator.counts, dict[str, int])
    assert_type(store.get("summary"), NeuronRecord | None)
    remembered = store.list("text", include_deregistered=True)
    return [each.neuron_id for each in (*records, *remembered) if each.state == "alive"]


async def orchestrate(url: str) -> int:
    try:
        async with Dendrite(synapse=synapse_from_url(url), dendrite_id="boss") as orchestrator:
            arbiter(orchestrator)
            await orchestrator.add_axon(axons()[0])
            await orchestrator.detach_axon("summary", drain_s=0.5)
            await dispatching(orchestrator)
            await looking(orchestrator, MemoryRegistryStore())
    except NeuronError as error:
        assert_type(error.recoverable, bool)
        return len(error.code + error.message)
    except NeedsAnswer as question:
        return len(question.signal.payload)
    except SignalTooLarge as error:
        return error.size - error.limit
    except SynapseUnreachable as error:
        return len(error.reason)
    except (CosmonapseError, TimeoutError):
        return 1
    return 0


# -- without asyncio -----------------------------------------------------------------------------


def blocking(url: str) -> str:
    with BlockingDendrite(url, namespace="typed", axons=axons()) as dendrite:

        @dendrite.on_error_signal
        def complain(sig: Signal) -> str:
            return str(sig.payload["message"])

        assert_type(complain(Signal(type=SignalType.ERROR)), str)
        assert_type(dendrite.ask(neuron="summary", input={}), dict[str, Any])
        assert_type(dendrite.dispatch_and_wait(neuron="a", input=1, timeout_s=1.0), Signal)
        assert_type(dendrite.find_neurons(capability="text"), list[NeuronRecord])
        stream = dendrite.stream(neuron="counter", input={}, timeout_s=5.0)
        assert_type(stream, TextStream)
        texts = [assert_type(text, str) for text in stream]
        assert_type(stream.output, dict[str, Any])
    return "".join(texts)


def main(path: str) -> None:
    key = Key.read("ada.key")
    assert_type(key.name, str)
    with SynapseServer(port=0, keys="keys", insecure=False) as closed:
        asyncio.run(connect_synapse(closed.url, key=key))
        synapse_from_url(closed.url, key="ada.key")
    with SynapseServer(port=0, namespaces=["typed"]) as server, SqliteRegistryStore(path) as store:
        asyncio.run(work(server.url, store))
        asyncio.run(orchestrate(server.url))
        blocking(server.url)
    Dendrite(synapse=MemorySynapse("here", max_signal_bytes=4096))
