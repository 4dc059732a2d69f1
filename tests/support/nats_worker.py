"""A worker in several namespaces, over NATS: `python nats_worker.py URL NEURON NAMESPACE ...`.

Its Neuron works for `for_s` seconds, and remembers the `id` of every task that it begins. It prints
`ready`. To a line on its stdin it answers `ran`, how many different tasks it began, and how often
it began the one that it began most often.
"""

import asyncio
import sys
from collections import Counter

from cosmonapse import Axon, Dendrite, connect_synapse

CONCURRENCY = 500


def say(*words):
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


async def main(url, neuron, *namespaces):
    ran = Counter()

    async def work(input, context):
        ran[input["id"]] += 1
        await asyncio.sleep(input["for_s"])
        return {"id": input["id"], "by": neuron}

    synapse = await connect_synapse(url)
    for namespace in namespaces:
        dendrite = Dendrite(synapse=synapse, namespace=namespace, role="worker")
        axon = Axon(
            neuron_id=neuron, capabilities=["work"], neuron_fn=work, concurrency=CONCURRENCY
        )
        dendrite.attach_axon(axon)
        await dendrite.start()
    say("ready")
    while await asyncio.to_thread(sys.stdin.readline):
        say("ran", len(ran), max(ran.values(), default=0))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
