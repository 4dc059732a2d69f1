"""A Python caller of the JavaScript worker of the tests: `worker_caller.py URL`.

It writes a line for each outcome.
"""

import asyncio
import sys

from cosmonapse import Dendrite, SignalType, connect_synapse


def say(*values: object) -> None:
    sys.stdout.write(" ".join(str(each) for each in values) + "\n")


async def main(url: str) -> None:
    synapse = await connect_synapse(url)
    async with Dendrite(synapse=synapse, dendrite_id="caller") as dendrite:

        async def ask(neuron: str, given: object):
            return await dendrite.dispatch_and_wait(neuron=neuron, input=given, timeout_s=30)

        reply = await ask("echo", {"a": [1, 2.5, "x", None, b"b"]})
        say("echo", reply.type.value, reply.payload)
        pieces, texts = 2000, []
        async with await dendrite.dispatch(neuron="stream", input={"pieces": pieces}) as pathway:
            async for signal in pathway:
                if signal.type.value == "THOUGHT_DELTA":
                    texts.append(signal.payload["delta"])
        assert texts == [f"{n} " for n in range(pieces)], texts[:10]
        say(f"stream THOUGHT_DELTA*{len(texts)}", signal.type.value, signal.payload)
        reply = await ask("fails", {"how": "neuron"})
        say("fails", reply.type.value, reply.payload)
        asked = await ask("asks", {})
        say("asks", asked.type.value, asked.payload)
        answered = await ask("asks", {"clarification": {"question": "q", "answer": "the red one"}})
        say("answered", answered.type.value, answered.payload)
        say("meta", [*reply.meta], reply.meta["dendrite"])

        slow = {"ms": 60_000, "says": "begun"}
        async with await dendrite.dispatch(neuron="slow", input=slow) as pathway:
            await pathway.wait_for(SignalType.THOUGHT_DELTA)
        say("cancelled")

        pathway = await dendrite.dispatch(neuron="slow", input=slow)
        await pathway.wait_for(SignalType.THOUGHT_DELTA)
        stopped = await dendrite.stop_trace(pathway.trace_id, collect_acks=True, timeout_s=10)
        answers = [(each.payload["cancelled"], each.payload["node"]) for each in stopped]
        say("stopped", answers, (await pathway.wait_for(SignalType.ERROR)).payload["code"])


asyncio.run(main(sys.argv[1]))
