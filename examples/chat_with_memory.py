"""A chat that knows what was said, and a memory that every agent of the fabric asks.

    python examples/chat_with_memory.py

The model is a stand-in, so no key and no network is needed. With a key of yours it is
`Neuron(source="openai", model="gpt-5-mini")`, without an endpoint.
"""

import asyncio
import tempfile
from pathlib import Path

from cosmonapse import Axon, Dendrite, MemorySynapse, Neuron, Sessions, SqliteMemory, engram
from cosmonapse.testing import ChatServer

SESSION = {"session": "zoe", "last": 20}


async def talk(dendrite, server):
    """Say two things in one session; return what the model was shown with the second."""
    for prompt in ("I am Zoe, and I own the cafe.", "What do I own?"):
        output = await dendrite.ask(neuron="chat", input={"prompt": prompt}, context_ref=SESSION)
        print(f"{prompt} -> {output['response']}")
    return server.requests[-1].json["messages"]


async def main():
    """Start a fabric in this process, talk, and look into the memory."""
    with (
        tempfile.TemporaryDirectory() as folder,
        ChatServer() as server,
        Sessions(Path(folder) / "chat.db") as sessions,
        SqliteMemory(Path(folder) / "mem.db") as memory,
    ):
        model = Neuron(source="openai", model="m", endpoint=server.url, api_key="none")
        async with Dendrite(synapse=MemorySynapse()) as dendrite:
            await dendrite.add_axon(
                Axon(neuron_id="chat", neuron_fn=model, context_fetcher=sessions)
            )
            await dendrite.add_axon(engram("memory", memory))

            shown = await talk(dendrite, server)
            print("The model was shown:", *(each["content"] for each in shown), sep="\n  ")

            await dendrite.imprint("Zoe owns the Café Central", space="zoe", id="owner")
            (hit,) = await dendrite.recall("which cafe?", space="zoe", limit=1)
            print(f"Recalled: {hit['text']}")
        await model.aclose()


asyncio.run(main())
