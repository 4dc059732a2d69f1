"""A busy stream: `python nats_stream.py URL NAMESPACE emit|watch`. It prints `ready`.

The one that emits publishes 100 PLANs of 256 KiB a second. The one that watches answers each line
on its stdin with `seen`, how many it saw, and how many it knows to have missed.
"""

import asyncio
import sys

from cosmonapse import Dendrite, connect_synapse

BODY = "x" * 256 * 1024
PAUSE_S = 0.01


def say(*words):
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


async def emit(dendrite):
    async with dendrite:
        say("ready")
        due_s = asyncio.get_running_loop().time()
        while True:
            await dendrite.emit_plan(steps=[BODY])
            due_s += PAUSE_S
            await asyncio.sleep(max(0.0, due_s - asyncio.get_running_loop().time()))


async def watch(dendrite):
    seen = 0

    @dendrite.on_plan
    async def count(sig):
        nonlocal seen
        seen += 1

    async with dendrite:
        say("ready")
        while await asyncio.to_thread(sys.stdin.readline):
            say("seen", seen, dendrite.counts.get("gap.broadcast", 0))


async def main(url, namespace, role):
    dendrite = Dendrite(synapse=await connect_synapse(url), namespace=namespace, dendrite_id=role)
    await {"emit": emit, "watch": watch}[role](dendrite)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
