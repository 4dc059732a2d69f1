"""A worker whose Neurons ask and tell: `python asker.py URL NAMESPACE`.

It prints `ready`, and `given NEURON INPUT`, as JSON, for each TASK that it runs.
"""

import asyncio
import json
import sys

from cosmonapse import Axon, Dendrite, Escalation, PermissionNeeded, connect_synapse


def say(*words):
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


async def clarifies(input, context):
    say("given clarifies", json.dumps(input))
    if "clarification" not in input:
        return {"__clarification__": True, "question": "which style?"}
    return {"response": input["clarification"]["answer"], "prompt": input["prompt"]}


async def needs_permission(input, context):
    say("given needs-permission", json.dumps(input))
    if "permission" not in input:
        raise PermissionNeeded("delete")
    return {"deleted": input["permission"]["granted"], "prompt": input["prompt"]}


async def escalates(input, context):
    say("given escalates", json.dumps(input))
    if "override" not in input:
        raise Escalation("too hard")
    return {"done": input["override"]}


async def uses_tools(input, context):
    call = await context.tool_call("search", {"query": input["prompt"]})
    await context.tool_result(call, ["found"])
    return {"response": "found"}


async def tells(input, context):
    """Send replies of every kind, and start a child task that does the same."""
    await context.plan(["think", "search", "ask another"])
    await context.think("hm")
    call = await context.tool_call("search", {})
    await context.tool_result(call, [])
    return await context.ask(neuron="uses-tools", input={"prompt": "child"})


FUNCTIONS = {
    "clarifies": clarifies,
    "needs-permission": needs_permission,
    "escalates": escalates,
    "uses-tools": uses_tools,
    "tells": tells,
}


async def main(url, namespace):
    dendrite = Dendrite(
        synapse=await connect_synapse(url), namespace=namespace, dendrite_id="asker", role="worker"
    )
    for neuron_id, function in FUNCTIONS.items():
        dendrite.attach_axon(Axon(neuron_id=neuron_id, neuron_fn=function))
    async with dendrite:
        say("ready")
        await dendrite.serve()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2]))
