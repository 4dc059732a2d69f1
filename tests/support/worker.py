"""A worker process for tests: `python worker.py URL SPEC`, with the SPEC as JSON.

namespace, id ("worker"), axons (see `support.processes.axon`), heartbeat_s, until: "serve", or
"event" for a bare `await asyncio.Event().wait()`. It prints `ready` and the actions of its
Neurons; a line on its stdin releases the tasks of `gated`.
"""

import asyncio
import json
import sys
import threading

from cosmonapse import Axon, Dendrite, connect_synapse

released = asyncio.Event()


def say(*words):
    """Print a line at once."""
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


async def echo(input, context):
    return {"echo": input, "trace_id": context.trace_id}


async def slow(input, context):
    say("ran", input["n"])
    await asyncio.sleep(input["for_s"])  # it works that long
    return {"n": input["n"]}


async def logged(input, context):
    """Print a line at the start and the end, and stream a few pieces in between."""
    say("started", input["n"])
    for piece in range(input.get("pieces", 0)):
        await asyncio.sleep(input["for_s"] / input["pieces"])  # it works that long
        yield f"{piece} "
    if not input.get("pieces"):
        await asyncio.sleep(input["for_s"])
    say("finished", input["n"])
    yield "."


async def stream(input, context):
    for number in range(input["count"]):
        yield f"{number} "


async def drips(input, context):
    for piece in input["pieces"][:-1]:
        yield piece
    say("dripping", input["n"])
    try:
        await released.wait()
    except asyncio.CancelledError:
        say("cancelled", input["n"])
        raise
    yield input["pieces"][-1]


async def asks(input, context):
    if input.keys() & {"clarification", "permission", "override"}:
        say("answered", input["n"])
        return input
    return input["question"]


async def held(input, context):
    say("holding", input["n"])
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        say("cancelled", input["n"])
        raise


async def gated(input, context):
    say("holding", input["n"])
    await released.wait()
    say("let go", input["n"])
    return {"n": input["n"]}


async def fails(input, context):
    return {"__error__": True, "code": "NO_GOOD", "message": input["why"], "recoverable": False}


async def returns(input, context):
    return input


async def blocks(input, context):
    say("blocking")
    sys.stdin.readline()  # the loop stands still until a line comes
    return {}


def stays(input, context):
    say("staying")
    threading.Event().wait()


FUNCTIONS = {
    each.__name__: each
    for each in (
        asks,
        blocks,
        drips,
        echo,
        fails,
        gated,
        held,
        logged,
        returns,
        slow,
        stays,
        stream,
    )
}


async def main(url, spec):
    dendrite = Dendrite(
        synapse=await connect_synapse(url),
        namespace=spec["namespace"],
        dendrite_id=spec.get("id", "worker"),
        role="worker",
        heartbeat_s=spec.get("heartbeat_s", 2.0),
    )
    for each in spec["axons"]:
        dendrite.attach_axon(Axon(neuron_fn=FUNCTIONS[each.pop("does")], **each))

    def on_stdin():
        if sys.stdin.readline():
            released.set()
        else:
            asyncio.get_running_loop().remove_reader(sys.stdin)

    asyncio.get_running_loop().add_reader(sys.stdin, on_stdin)
    async with dendrite:
        say("ready", dendrite.dendrite_id)
        if spec.get("until") == "event":
            await asyncio.Event().wait()
        await dendrite.serve()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], json.loads(sys.argv[2])))
