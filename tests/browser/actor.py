"""A worker for the browser tests: `python actor.py URL NAMESPACE DENDRITE_ID NEURON...`.

Its Neurons stream, call tools, ask other Neurons, ask back, fail, hold, and say what is hostile.
It prints `ready`, and `holding` for each task that will not end by itself.
"""

import asyncio
import os
import sys

from cosmonapse import Axon, Dendrite, connect_synapse

PIECE_S = 0.06
HOSTILE = {
    "script": "<script>alert(1)</script><img src=x onerror=alert(2)>",
    "link": '<a href="javascript:alert(3)">x</a><iframe src="https://example.invalid/"></iframe>',
    "control": "a\x00b\x1b[31mred\x07\u202egnp.exe\u2066",
    "right_to_left": "שלום עולם، مرحبا",
    "long": "x" * 50_000,
    "token": "open sesame",
    "__proto__": {"polluted": True},
    "constructor": 'toString"><svg onload=alert(4)>',
}


def nested(levels):
    value = "<b>bottom</b>"
    for _ in range(levels):
        value = {"deeper": value}
    return value


async def assistant(input, context):
    """Plan, think aloud, use a tool, ask another Neuron, think on."""
    await context.plan(["look it up", "sum it up"])
    for piece in ("Let me see. ", "I look into ", "the glossary first. "):
        await asyncio.sleep(PIECE_S)
        await context.think(piece)
    call = await context.tool_call("glossary", {"term": "Dendrite", "limit": 3})
    await asyncio.sleep(4 * PIECE_S)
    await context.tool_result(call, ["A Dendrite is the asyncio client of a program."])
    await asyncio.sleep(PIECE_S)  # a reply and a TASK of one turn have no order among each other
    await context.ask(neuron="search", input={"query": input["prompt"], "api_key": "sk-secret-1"})
    said = "A Dendrite connects a program to the Synapse, hosts its Axons and dispatches tasks. "
    for word in said.split(" "):
        await asyncio.sleep(PIECE_S / 2)
        await context.think(word + " ")
    await context.think("It reconnects by itself.")
    return {"response": said + "It reconnects by itself.", "tokens": 42}


async def search(input, context):
    await asyncio.sleep(3 * PIECE_S)
    return {
        "hits": [{"page": "glossary.md", "score": 0.93}, {"page": "concepts.md", "score": 0.71}]
    }


async def translate(input, context):
    if "clarification" not in input:
        return {"__clarification__": True, "question": "Into which language?"}
    return {"response": f"into {input['clarification']['answer']}: {input['prompt']}"}


async def flaky(input, context):
    await asyncio.sleep(PIECE_S)
    raise ValueError(f"row {input.get('row', 7)} of the table is empty")


async def holder(input, context):
    sys.stdout.write("holding\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


async def hostile(input, context):
    await context.think(HOSTILE["script"])
    return {**HOSTILE, "deep": nested(120)}


async def echo(input, context):
    return input


FUNCTIONS = {
    each.__name__: each for each in (assistant, echo, flaky, holder, hostile, search, translate)
}
OFFERS = {"assistant": ["chat", "tools"], "search": ["retrieval"], "translate": ["chat"]}


async def main(url, namespace, dendrite_id, *neurons):
    dendrite = Dendrite(
        synapse=await connect_synapse(url),
        namespace=namespace,
        dendrite_id=dendrite_id,
        role="worker",
        heartbeat_s=float(os.environ.get("ACTOR_HEARTBEAT_S", "0.5")),
    )
    for name in neurons:
        function = FUNCTIONS[name]
        dendrite.attach_axon(
            Axon(
                neuron_id=name, neuron_fn=function, capabilities=OFFERS.get(name, []), concurrency=8
            )
        )
    async with dendrite:
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        await dendrite.serve()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
