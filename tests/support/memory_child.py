"""A process with a memory or sessions in a file: `python -m support.memory_child URL FILE NAME`.

It hosts an Engram `memory` and a chat Neuron `chat` over FILE and FILE.chat, as one of several.
"""

import asyncio
import sys

from cosmonapse import Axon, Dendrite, Sessions, SqliteMemory, connect_synapse, engram


async def reply(input, context):
    """Tell who answers, and how many messages were there."""
    return {"response": f"{len(context)}"}


async def main(url, path, name):
    """Serve until a signal."""
    async with Dendrite(synapse=await connect_synapse(url), dendrite_id=name) as dendrite:
        sessions = Sessions(f"{path}.chat")
        await dendrite.add_axon(engram("memory", SqliteMemory(path)))
        await dendrite.add_axon(Axon(neuron_id="chat", neuron_fn=reply, context_fetcher=sessions))
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        await dendrite.serve()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
