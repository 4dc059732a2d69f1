"""A Python peer for cards: `card_peer.py URL`. It hosts `py`, and then looks at the Axon `js`."""

import asyncio
import sys

from cosmonapse import Axon, Dendrite, connect_synapse

NIGHTS = {
    "type": "number",
    "minimum": 1.0,
    "maximum": 30.5,
    "description": "How long: \u00fcber Nacht",
}
INPUT = {"type": "object", "properties": {"nights": NIGHTS, "é": {"enum": [2**60, None]}}}


def say(*values: object) -> None:
    sys.stdout.write(" ".join(str(each) for each in values) + "\n")
    sys.stdout.flush()


async def book(given: object, context: object) -> object:
    return given


async def main(url: str) -> None:
    axon = Axon(neuron_id="py", neuron_fn=book, description="Books\na room", input=INPUT)
    async with Dendrite(synapse=await connect_synapse(url), dendrite_id="peer") as dendrite:
        await dendrite.add_axon(axon)
        say("py", axon.card.digest)
        await dendrite.wait_for_neuron(neuron="js", timeout_s=30)
        card = await dendrite.card("js")
        say("js", card.digest, card.description, card.input["properties"]["nights"]["type"])
        for given in ({"nights": 3}, {"nights": "Rosebud"}, {"nights": 4, "permission": {}}):
            reply = await dendrite.dispatch_and_wait(neuron="js", input=given, timeout_s=30)
            say(reply.type.value, reply.payload.get("code"), reply.payload.get("message"))
        say("done")
        await asyncio.Event().wait()


asyncio.run(main(sys.argv[1]))
