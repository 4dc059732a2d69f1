"""A worker with Neurons that misbehave: `python unruly.py URL NAMESPACE`.

It prints `ready` and the actions of its Neurons. To the line `counts` on stdin it answers with its
counters as JSON; the line `release` ends the tasks of `stubborn`.
"""

import asyncio
import json
import os
import signal
import sys

from cosmonapse import Axon, Dendrite, connect_synapse

released = asyncio.Event()


def say(*words):
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


async def notes(input, context):
    say("ran", json.dumps(input))
    return {"got": input}


async def stubborn(input, context):
    """Go on after every cancellation."""
    say("holding", input["n"])
    while not released.is_set():
        try:
            await released.wait()
        except asyncio.CancelledError:
            say("ignored", input["n"])
    return {"n": input["n"]}


async def kills(input, context):
    say("killing")
    os.kill(os.getpid(), signal.SIGKILL)


def leaves(input, context):
    say("leaving")
    os._exit(3)


async def slow(input, context):
    await asyncio.sleep(input)  # it works that long
    return {}


AXONS = {
    "notes": Axon(neuron_id="notes", neuron_fn=notes),
    "stubborn": Axon(neuron_id="stubborn", neuron_fn=stubborn, concurrency=2, max_queued=0),
    "kills": Axon(neuron_id="kills", neuron_fn=kills),
    "leaves": Axon(neuron_id="leaves", neuron_fn=leaves),
    "slow": Axon(neuron_id="slow", neuron_fn=slow, concurrency=4, max_queued=1000),
}


async def main(url, namespace):
    dendrite = Dendrite(
        synapse=await connect_synapse(url),
        namespace=namespace,
        dendrite_id="unruly",
        role="worker",
    )
    for each in AXONS.values():
        dendrite.attach_axon(each)

    def on_stdin():
        line = sys.stdin.readline().strip()
        if line == "counts":
            say("counts", json.dumps(dendrite.counts))
        elif line == "release":
            released.set()
        else:
            asyncio.get_running_loop().remove_reader(sys.stdin)

    asyncio.get_running_loop().add_reader(sys.stdin, on_stdin)
    async with dendrite:
        say("ready")
        await dendrite.serve()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
