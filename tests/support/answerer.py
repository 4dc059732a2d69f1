"""An orchestrator: `python answerer.py URL NAMESPACE ID ROLE`.

In the role `answers` it answers every clarification with its id, and prints `ran` with the id of
the follow-up or `dropped`. With `caller` it dispatches to `clarifies`, waits for an answer from
elsewhere, and prints `asked` once the question is there.
"""

import asyncio
import sys

from cosmonapse import Dendrite, SignalType, connect_synapse


def say(*words):
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


def answering(dendrite):
    """Answer from the start on, so that no question comes too early."""

    @dendrite.on_clarification
    async def answers(sig):
        task = await dendrite.respond_to_clarification(sig, answer=dendrite.dendrite_id)
        say("dropped" if task is None else f"ran {task.id}")


async def answer(dendrite):
    say("ready")
    await dendrite.serve()


async def call(dendrite):
    pw = await dendrite.dispatch(
        neuron="clarifies", input={"prompt": "go"}, timeout_s=60.0, answer_elsewhere=True
    )
    await pw.wait_for(SignalType.CLARIFICATION)
    say("asked", pw.trace_id)
    await pw.outcome()


async def main(url, namespace, dendrite_id, role):
    dendrite = Dendrite(
        synapse=await connect_synapse(url), namespace=namespace, dendrite_id=dendrite_id
    )
    if role == "answers":
        answering(dendrite)
    async with dendrite:
        await {"answers": answer, "caller": call}[role](dendrite)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
