"""A process that watches outputs: `python bystander.py URL NAMESPACE`.

It prints `ready`; to each line on stdin it answers `seen`, how many outputs it saw, and how many it
knows to have missed.
"""

import asyncio
import sys

from cosmonapse import Dendrite, connect_synapse


def say(*words):
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


async def main(url, namespace):
    seen = 0
    dendrite = Dendrite(
        synapse=await connect_synapse(url), namespace=namespace, dendrite_id="bystander"
    )

    @dendrite.on_agent_output
    async def count(sig):
        nonlocal seen
        seen += 1

    async with dendrite:
        say("ready")
        while await asyncio.to_thread(sys.stdin.readline):
            say("seen", seen, dendrite.counts.get("gap.broadcast", 0))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2]))
