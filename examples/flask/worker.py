"""A worker process: one language model behind the neuron id "worker".

    export HF_TOKEN=...
    python examples/flask/worker.py

Start it twice and the two share the load.
"""

import asyncio
import os
import sys

from cosmonapse import Axon, Dendrite, Neuron, connect_synapse

URL = os.environ.get("SYNAPSE_URL")  # without it: COSMO_URL, else cosmo://127.0.0.1:7070
NAMESPACE = os.environ.get("COSMO_NAMESPACE", "api-demo")


async def main() -> None:
    model = Neuron(
        source="huggingface",
        endpoint=os.environ.get("HF_ENDPOINT", "https://router.huggingface.co"),
        model=os.environ.get("HF_MODEL", "meta-llama/Llama-3.1-8B-Instruct"),
        api_key=os.environ.get("HF_TOKEN") or sys.exit("set HF_TOKEN to a token of the provider"),
        use_chat_api=True,
        max_new_tokens=256,
    )
    dendrite = Dendrite(
        synapse=await connect_synapse(URL), namespace=NAMESPACE, dendrite_id="worker"
    )
    dendrite.attach_axon(
        Axon(neuron_id="worker", neuron_fn=model, capabilities=["text-generation", "chat"])
    )
    async with dendrite:
        print(f"worker ready at {dendrite.synapse.url}", flush=True)
        await dendrite.serve()  # until Ctrl-C or SIGTERM; running tasks are finished first


asyncio.run(main())
