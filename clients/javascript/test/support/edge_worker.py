"""A worker that obeys its prompt and tells what happens to it: `python edge_worker.py URL`.

It prints "started PROMPT" and "cancelled PROMPT". The text in front of the first space of a prompt
is an order; the rest makes it unlike others.
"""

import asyncio
import sys

from cosmonapse import (
    Axon,
    Clarification,
    Dendrite,
    Escalation,
    NeuronError,
    PermissionNeeded,
    connect_synapse,
)


def say(text):
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def refuse(order, rest):
    """Raise what an order asks for at once."""
    match order:
        case "error":
            raise NeuronError(rest, "why")
        case "retry-after":
            raise NeuronError("PROVIDER_ERROR", "slow down", True, retry_after_s=float(rest))
        case "asks":
            raise Clarification("Which one?", context={"of": [1, 2.5]})
        case "needs":
            raise PermissionNeeded("delete", scope="all", reason="it is old")
        case "escalates":
            raise Escalation("too hard", target="boss")
        case "raises":
            raise KeyError(rest)


async def work(input, context):
    prompt = input["prompt"]
    say(f"started {prompt}")
    order, _, rest = prompt.partition(" ")
    refuse(order, rest)
    try:
        async for each in obey(order, rest, prompt, context):
            yield each
    except asyncio.CancelledError:
        say(f"cancelled {prompt}")
        raise


async def obey(order, rest, prompt, context):
    match order:
        case "values":
            inner = {"bytes": b"\xff\x00", "numbers": [float("inf"), 1.5, -3, 2**60, 0.1]}
            yield {**inner, "text": 'a "quoted" \u2603\n\u0007\\', "nothing": None, "yes": True}
            return
        case "silent":
            await asyncio.Event().wait()
        case "tools":
            call = context.tool_call("search", {"q": rest}, call_id="call-1")
            context.tool_result(call, {"found": 1}, call_id="call-1")
            context.think("hmm", kind="reasoning")
        case "flood":
            for _ in range(int(rest.split()[0])):
                yield "x" * 65_536
            yield {"response": "over"}
            return
        case "quiet":
            yield {"response": f"echo: {prompt}"}
            return
    yield "one\n"
    if order == "held":
        await asyncio.Event().wait()
    if order == "slow":
        await asyncio.sleep(float(rest.split()[0]))
    if order == "fails-late":
        raise NeuronError("NO_GOOD", "it went wrong half way")
    yield "two \u2603"
    yield {"response": f"echo: {prompt}"}


async def main(url):
    dendrite = Dendrite(
        synapse=await connect_synapse(url), namespace="api-demo", dendrite_id="edge-worker"
    )
    dendrite.attach_axon(Axon(neuron_id="worker", neuron_fn=work, capabilities=["edge"]))
    async with dendrite:
        say("worker ready")
        await dendrite.serve()


asyncio.run(main(sys.argv[1]))
