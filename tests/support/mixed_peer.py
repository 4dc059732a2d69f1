"""Serves and asks at several Synapses, in any version: `python mixed_peer.py NAME NAMESPACE URL...`

At the last Synapse its tasks are traced and counted, in a version that can. It prints `ready`. At a
line on its stdin with the names of all peers it asks each one for everything, at each Synapse, and
prints `told`, the number of the Synapse and what came of it. It serves until its stdin ends.
clients/javascript/subject/mixed-peer.js is the same in JavaScript.
"""

import asyncio
import json
import sys

from cosmonapse import Axon, Dendrite, NeuronError, connect_synapse

try:
    from cosmonapse import metrics, tracing
except ImportError:
    tracing = None  # the version before metrics and tracing

META = {
    "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    "tracestate": "a=b",
    "unheard_of": {"what": [1, None]},
}
DATA = bytes(range(256)) * 400
PIECES = ["one ", "two ", "three"]


def say(*words):
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


class Peer:
    """One Dendrite of this process: its Neurons, and what it asks those of others."""

    def __init__(self, name, synapse, namespace):
        self.name = name
        self.dendrite = Dendrite(synapse=synapse, namespace=namespace, dendrite_id=name)
        self._heard, self._cancelled = {}, {}
        self._spans = None
        for does in (self.echo, self.stream, self.held, self.cancelled, self.asks, self.chain):
            axon = Axon(neuron_id=f"{name}.{does.__name__}", neuron_fn=does)
            self.dendrite.attach_axon(axon)
        self.dendrite.attach_axon(Axon(neuron_id=f"{name}.fails", neuron_fn=self.fails))
        self.dendrite.on_clarification(self.answer)
        self.dendrite.on_memory_append(lambda signal: self.event(signal.payload["key"]).set())

    def event(self, key):
        return self._heard.setdefault(key, asyncio.Event())

    def observe(self):
        """Count and trace the tasks, where this version can."""
        if tracing is not None:
            from opentelemetry.sdk.trace import TracerProvider
            from opentelemetry.sdk.trace.export import SimpleSpanProcessor
            from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

            self._spans, provider = InMemorySpanExporter(), TracerProvider()
            provider.add_span_processor(SimpleSpanProcessor(self._spans))
            tracing.enable(self.dendrite, provider)
            metrics.register_metrics(self.dendrite)

    # -- what it serves

    async def echo(self, input, context):
        meta = context.task.meta
        return {"by": self.name, "data": input["data"], "meta": {name: meta[name] for name in META}}

    async def stream(self, input, context):
        for piece in PIECES:
            yield piece
        yield {"by": self.name}

    async def held(self, input, context):
        await context.think("holding")
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self._cancelled.setdefault(input["token"], asyncio.Event()).set()
            raise

    async def cancelled(self, input, context):
        await self._cancelled.setdefault(input["token"], asyncio.Event()).wait()
        return {"by": self.name}

    async def asks(self, input, context):
        if "clarification" not in input:
            question = f"for {input['whom']}"
            return {"__clarification__": True, "question": question}
        return {"by": self.name, "answer": input["clarification"]["answer"]}

    async def chain(self, input, context):
        if not input["via"]:
            return {"by": [self.name]}
        first, *rest = input["via"]
        output = await context.ask(neuron=f"{first}.chain", input={"via": rest})
        return {"by": [self.name, *output["by"]]}

    async def fails(self, input, context):
        raise NeuronError("NO_GOOD", f"{self.name} cannot", recoverable=False)

    # -- what it asks

    async def answer(self, question):
        if question.payload["question"] == f"for {self.name}":
            await self.dendrite.respond_to_clarification(question, answer=f"{self.name} knows")

    async def ask_all(self, names):
        await self.dendrite.emit_memory_append(key=self.name, value=1)
        neurons = {each.neuron_id.partition(".")[0] for each in await self.dendrite.find_neurons()}
        for each in set(names) - {self.name}:
            await self.event(each).wait()
        of = {each: await self.ask_one(each, names) for each in names}
        spans = (
            {} if self._spans is None else {each.name for each in self._spans.get_finished_spans()}
        )
        traced = {each for each in names if f"dispatch {each}.echo" in spans}
        return {"roster": sorted(neurons), "traced": sorted(traced), "of": of}

    async def ask_one(self, other, names):
        ask = self.dendrite.ask
        others = [each for each in names if each != other]
        told = {}
        output = await ask(neuron=f"{other}.echo", input={"data": DATA}, meta=META)
        own = {"traceparent", "tracestate"} if self._spans is not None else set()
        meta = {name for name in META if output["meta"][name] == META[name]}
        told["call"] = [output["by"], output["data"] == DATA, sorted(META.keys() - meta - own)]
        async with await self.dendrite.dispatch(neuron=f"{other}.stream", input={}) as pathway:
            told["stream"] = [each async for each in pathway.thoughts()]
            told["stream"].append((await pathway.outcome()).output["by"])
        token = f"{self.name}-{other}"
        async with await self.dendrite.dispatch(
            neuron=f"{other}.held", input={"token": token}
        ) as pathway:
            async for _ in pathway.thoughts():
                break
        told["cancel"] = (await ask(neuron=f"{other}.cancelled", input={"token": token}))["by"]
        for whom in (self.name, others[-1]):
            question = {"whom": whom}
            reply = await self.dendrite.dispatch_and_wait(
                neuron=f"{other}.asks", input=question, answer_elsewhere=True
            )
            told.setdefault("question", []).append([reply.output["by"], reply.output["answer"]])
        told["chain"] = (await ask(neuron=f"{other}.chain", input={"via": others}))["by"]
        try:
            await ask(neuron=f"{other}.fails", input={})
        except NeuronError as error:
            told["error"] = [error.code, error.message, error.recoverable]
        return told


async def main(name, namespace, *urls):
    peers = [Peer(name, await connect_synapse(url), namespace) for url in urls]
    peers[-1].observe()
    for each in peers:
        await each.dendrite.start()
    say("ready")
    names = (await asyncio.to_thread(sys.stdin.readline)).split()
    for number, each in enumerate(peers if names else ()):
        say("told", number, json.dumps(await each.ask_all(names)))
    await asyncio.to_thread(sys.stdin.read)
    for each in peers:
        await each.dendrite.stop()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
