"""What users get wrong: mypy must find exactly what the comments say, and nothing else."""

from __future__ import annotations

from cosmonapse import Axon, BlockingDendrite, Dendrite, Pathway, Signal, SignalType, TaskContext


async def takes_one(input: object) -> None: ...


def taken(value: object) -> None: ...


def counted(sig: Signal) -> int:
    return 1


async def dispatching(dendrite: Dendrite) -> None:
    await dendrite.dispatch_and_wait(neuron=1, input={})  # wrong: arg-type
    await dendrite.dispatch_and_wait(neuron="a")  # wrong: call-arg
    await dendrite.dispatch_and_wait("a", {})  # wrong: call-arg
    await dendrite.dispatch_task(neuron="a", input={}, timeout="5")  # wrong: call-arg
    await dendrite.ask(neuron=1, input={})  # wrong: arg-type
    await dendrite.ask(neuron="a", input={}, timeout=5)  # wrong: call-arg
    await dendrite.ask(neuron="a")  # wrong: call-arg
    await dendrite.dispatch(neuron="a", input={}, scope="everything")  # wrong: arg-type
    await dendrite.dispatch_offer(input={}, capabilities=["a"], select="best")  # wrong: arg-type
    dendrite.dispatch_task(neuron="a", input={})  # wrong: unused-coroutine
    reply: str = await dendrite.dispatch_and_wait(neuron="a", input={})  # wrong: assignment
    reply = await dendrite.ask(neuron="a", input={})  # wrong: assignment
    taken(reply)
    Dendrite(synapse=dendrite.synapse, role="boss")  # wrong: arg-type
    Dendrite(synapse="memory://here")  # wrong: arg-type


async def reading(pathway: Pathway) -> None:
    for piece in pathway.thoughts():  # wrong: attr-defined
        taken(piece)
    async for text in pathway.thoughts():
        number: int = text  # wrong: assignment
        taken(number)
    await pathway.wait_for("FINAL")  # wrong: arg-type


async def saying(dendrite: Dendrite, context: TaskContext, sig: Signal) -> None:
    context.ask(neuron="a", input={}, timeout=5)  # wrong: call-arg
    context.think(1)  # wrong: arg-type
    await dendrite.respond_to_permission(sig, granted="yes")  # wrong: arg-type
    await dendrite.emit_final(about="task", result=1)  # wrong: arg-type
    sig.trace_id = "other"  # wrong: misc


def decorating(dendrite: Dendrite) -> None:
    dendrite.on_agent_output(neuron=1)  # wrong: call-overload
    dendrite.on_agent_output(node="a")  # wrong: call-overload
    dendrite.on_signal("TASK")  # wrong: arg-type
    dendrite.on_agent_outputs(counted)  # wrong: attr-defined
    same = dendrite.on_agent_output(counted)
    text: str = same(Signal(type=SignalType.FINAL))  # wrong: assignment
    taken(text)
    dendrite.on_agent_output(len)  # wrong: type-var


def hosting() -> None:
    Axon(neuron_id="a", neuron_fn=takes_one)  # wrong: arg-type
    Axon("a", takes_one)  # wrong: arg-type, call-arg


def blocking(dendrite: BlockingDendrite) -> None:
    dendrite.ask(neuron=1, input={})  # wrong: arg-type
    dendrite.dispatch(neuron="a", input={})  # wrong: attr-defined
