"""What one turn of a model with a tool costs beside the two bare calls it is made of.

By hand: `PYTHONPATH=tests:. python -m support.tool_turns`. In turns, with the stand-in provider
and a real Synapse on loopback.
"""

import asyncio
import statistics
import sys
import time

from cosmonapse import Axon, Neuron, SynapseServer
from cosmonapse.testing import ChatServer, Fabric

ROUNDS = 100


async def add(input, context):
    return {"sum": input["a"] + input["b"]}


async def measured(chat, url):
    """Return the medians in ms: an agent with one call, a bare model task, a bare tool task."""
    about = {"source": "openai", "model": "m", "endpoint": chat.url, "api_key": "k"}
    agent = Neuron(**about, tools="math.*", stream=False)
    bare = Neuron(**about, stream=False)
    tool = Axon(neuron_id="math.add", neuron_fn=add, description="Adds.", input={"type": "object"})
    took = {"agent": [], "bare": [], "math.add": []}
    async with Fabric(url, namespace="default") as fabric:
        await fabric.worker(
            tool,
            Axon(neuron_id="agent", neuron_fn=agent),
            Axon(neuron_id="bare", neuron_fn=bare),
        )
        caller = await fabric.dendrite()
        for number in range(ROUNDS + 10):
            for name in took:
                if name == "agent":
                    chat.calls_tools(("math_add", {"a": 1, "b": number}))
                given = {"prompt": "?", "a": 1, "b": 2}
                begun_s = time.perf_counter()
                await caller.ask(neuron=name, input=given)
                if number >= 10:
                    took[name].append((time.perf_counter() - begun_s) * 1000)
    await agent.aclose()
    await bare.aclose()
    return {name: statistics.median(each) for name, each in took.items()}


def main():
    with SynapseServer(port=0) as synapse, ChatServer() as chat:
        found = asyncio.run(measured(chat, synapse.url))
    own = found["agent"] - 2 * found["bare"] - found["math.add"]
    for name, took_ms in found.items():
        sys.stdout.write(f"{name}: {took_ms:.2f} ms\n")
    sys.stdout.write(f"a loop beside two model tasks and a tool task: {own:+.2f} ms\n")


if __name__ == "__main__":
    main()
