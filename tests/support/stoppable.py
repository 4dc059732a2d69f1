"""A worker process for tests of stopping: `python stoppable.py URL NAMESPACE ID`.

Its Axons are `ID.coroutine`, `ID.generator`, `ID.thread` and `ID.parent`, which asks the neuron
that its input names in `child`. It prints `ready`, `ran SHAPE`, `ended SHAPE` and `undone SHAPE`.
"""

import asyncio
import sys
import threading

from cosmonapse import Axon, Dendrite, connect_synapse


def say(*words):
    """Print a line at once."""
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


async def coroutine(input, context):
    say("ran coroutine")
    try:
        await asyncio.Event().wait()
    finally:
        say("ended coroutine")


async def generator(input, context):
    say("ran generator")
    try:
        while True:
            yield "more "
            await asyncio.sleep(0.01)  # as a model does that streams
    finally:
        say("ended generator")


def thread(input, context):
    say("ran thread")
    while not context.cancelled:
        threading.Event().wait(0.01)
    say("ended thread")


async def parent(input, context):
    say("ran parent")
    try:
        return (await context.dispatch_and_wait(neuron=input["child"], input={})).payload
    finally:
        say("ended parent")


def undo_of(shape):
    def undo(task):
        say("undone", shape)

    return undo


async def main(url, namespace, name):
    dendrite = Dendrite(
        synapse=await connect_synapse(url), namespace=namespace, dendrite_id=name, role="worker"
    )
    for function in (coroutine, generator, thread, parent):
        shape = function.__name__
        dendrite.attach_axon(
            Axon(
                neuron_id=f"{name}.{shape}",
                neuron_fn=function,
                rollback_fn=undo_of(shape),
            )
        )
    async with dendrite:
        say("ready")
        await dendrite.serve()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
