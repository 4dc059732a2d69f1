"""A bidding worker process for tests: `python bidder.py URL NAMESPACE ID HOW COST`.

HOW is `quick`, `slow` (a plain function that waits for a line on stdin), `raises` or `holds` (says
`bidding` and never bids). It prints `ready`, each TASK that it runs and each TASK_DECLINED.
"""

import asyncio
import sys

from cosmonapse import Axon, Dendrite, connect_synapse


def say(*words):
    """Print a line at once."""
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


async def main(url, namespace, neuron_id, how, cost):
    async def answers(input, context):
        say("ran", input["n"])
        return {"by": neuron_id, "n": input["n"]}

    async def quick(input, offer):
        return {"cost": float(cost), "confidence": 0.5}

    def slow(input, offer):
        say("bidding", input["n"])
        sys.stdin.readline()
        return float(cost)

    def raises(input, offer):
        raise RuntimeError("it has no idea what this costs")

    async def holds(input, offer):
        say("bidding", input["n"])
        await asyncio.Event().wait()

    dendrite = Dendrite(
        synapse=await connect_synapse(url),
        namespace=namespace,
        dendrite_id=neuron_id,
        role="worker",
    )
    dendrite.attach_axon(
        Axon(
            neuron_id=neuron_id,
            neuron_fn=answers,
            capabilities=["chat"],
            bid_fn={"quick": quick, "slow": slow, "raises": raises, "holds": holds}[how],
        )
    )

    @dendrite.on_task_declined(neuron=neuron_id)
    async def on_declined(sig):
        say("declined", sig.payload["reason"])

    async with dendrite:
        say("ready")
        await dendrite.serve()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
