"""A worker process without a model: it answers from the pages of this project, under "worker".

    python examples/flask/offline_worker.py

It needs no token and no network. worker.py puts a language model behind the same neuron id; start
the one or the other. Started side by side the two would share the load.
"""

import asyncio
import os

from cosmonapse import Axon, Dendrite, connect_synapse
from cosmonapse.demo.librarian import librarian, load_pages

NAMESPACE = os.environ.get("COSMO_NAMESPACE", "api-demo")


async def main() -> None:
    dendrite = Dendrite(
        synapse=await connect_synapse(), namespace=NAMESPACE, dendrite_id="offline-worker"
    )
    dendrite.attach_axon(
        Axon(neuron_id="worker", neuron_fn=librarian(load_pages()), capabilities=["chat"])
    )
    async with dendrite:
        print(f"worker ready at {dendrite.synapse.url}", flush=True)
        await dendrite.serve()  # until Ctrl-C or SIGTERM; running tasks are finished first


asyncio.run(main())
