"""A worker process in Python: one Neuron behind the id "worker". It needs no token.

    python examples/express/worker.py

worker.js is the same in JavaScript. Start both and the two share the load.
"""

import asyncio
import os
import re

from cosmonapse import Axon, Dendrite, connect_synapse

NAMESPACE = os.environ.get("COSMO_NAMESPACE", "api-demo")


async def shout(input, context):
    """Say the prompt in capital letters, word by word."""
    words = re.findall(r"\S+\s*", input["prompt"].upper())
    for word in words:
        yield word
    yield {"response": "".join(words)}


async def main() -> None:
    dendrite = Dendrite(
        synapse=await connect_synapse(), namespace=NAMESPACE, dendrite_id="worker-py"
    )
    dendrite.attach_axon(Axon(neuron_id="worker", neuron_fn=shout, capabilities=["chat"]))
    async with dendrite:
        print(f"worker ready at {dendrite.synapse.url}", flush=True)
        await dendrite.serve()  # until Ctrl-C or SIGTERM; running tasks are finished first


asyncio.run(main())
