"""A worker of the scene: `python -m cosmonapse.demo.scene_worker URL DENDRITE_ID NEURON...`."""

from __future__ import annotations

import asyncio
import sys
import time
from typing import Any

from .. import Axon, Dendrite, connect_synapse
from ..errors import LocalError, NeuronError
from ..runtime.loops import run
from .scene_script import MISSING, NAMESPACE

_PIECE_S = 0.08
_BLOCKED_S = 3600.0
_NOTE = (
    "A Synapse routes each Signal to the Neuron that is meant, and copies it to all who watch. "
    "It keeps the ledger of open tasks, and bounces what nobody can take."
)


async def _say(context: Any, text: str) -> None:
    for word in text.split():
        await context.think(f"{word} ")
        await asyncio.sleep(_PIECE_S)


async def _assistant(input: Any, context: Any) -> Any:
    await context.plan(["look it up", "sum it up"])
    await _say(context, "Let me look into the glossary first.")
    call = await context.tool_call("glossary", {"term": "Dendrite", "limit": 3})
    await asyncio.sleep(3 * _PIECE_S)
    await context.tool_result(call, ["A Dendrite is the asyncio client of a program."])
    found = await context.ask(neuron="librarian", input={"query": input["prompt"]})
    await _say(context, "A Dendrite connects a program to the Synapse and hosts its Axons.")
    return {"response": "A Dendrite connects a program to the Synapse.", "pages": found["pages"]}


async def _librarian(input: Any, context: Any) -> Any:
    found = await context.ask(neuron="search", input={"query": input["query"]})
    await asyncio.sleep(2 * _PIECE_S)
    return {"pages": [hit["page"] for hit in found["hits"]]}


async def _search(input: Any, context: Any) -> Any:
    await asyncio.sleep(_PIECE_S)
    return {"hits": [{"page": "glossary.md", "score": 0.93}, {"page": "concepts.md"}]}


async def _writer(input: Any, context: Any) -> Any:
    await asyncio.sleep(4 * _PIECE_S)  # a model reads before it writes
    await _say(context, _NOTE)
    usage = {"prompt_tokens": 412, "completion_tokens": 58, "total_tokens": 470}
    return {"response": _NOTE, "model": "demo-large", "usage": usage, "finish_reason": "stop"}


async def _translate(input: Any, context: Any) -> Any:
    if "clarification" not in input:
        return {"__clarification__": True, "question": "Into which language?"}
    return {"response": f"into {input['clarification']['answer']}"}


async def _payments(input: Any, context: Any) -> Any:
    """Fail each first attempt, so that each retry makes it good."""
    await asyncio.sleep(_PIECE_S)
    if _first_time(context.trace_id):
        raise NeuronError("the bank does not answer", code="BANK_AWAY", recoverable=True)
    return {"paid": True}


_seen: list[str] = []


def _first_time(trace_id: str) -> bool:
    if trace_id in _seen:
        return False
    _seen.append(trace_id)
    del _seen[:-1000]
    return True


async def _invoices(input: Any, context: Any) -> Any:
    await asyncio.sleep(_PIECE_S)
    raise ValueError("row 7 of the table is empty")


async def _report(input: Any, context: Any) -> Any:
    return await context.ask(neuron="archive", input={"prompt": "the scans of this month"})


async def _archive(input: Any, context: Any) -> Any:
    return await context.ask(neuron=MISSING, input={"prompt": "read page 1"})


async def _digest(input: Any, context: Any) -> Any:
    await asyncio.sleep(4.0)
    return {"response": "a quiet day"}


async def _thumbnails(input: Any, context: Any) -> Any:
    await asyncio.sleep(_PIECE_S)
    return {"picture": "p4.png"}


async def _importer(input: Any, context: Any) -> Any:
    await context.think("reading 40,000 rows ")
    await asyncio.sleep(1.0)
    time.sleep(_BLOCKED_S)  # noqa: ASYNC251  the mistake that the scene shows: it blocks the loop


async def _echo(input: Any, context: Any) -> Any:
    return input


FUNCTIONS: dict[str, Any] = {
    "assistant": _assistant,
    "librarian": _librarian,
    "search": _search,
    "writer": _writer,
    "translate": _translate,
    "payments": _payments,
    "invoices": _invoices,
    "report": _report,
    "archive": _archive,
    "digest": _digest,
    "thumbnails": _thumbnails,
    "importer": _importer,
}
_OFFERS = {"assistant": ["chat", "tools"], "search": ["retrieval"], "writer": ["text-generation"]}


async def serve(url: str, dendrite_id: str, *neurons: str) -> None:
    """Host the Neurons until SIGINT or SIGTERM; those without a part of their own echo."""
    synapse = await connect_synapse(url)
    dendrite = Dendrite(
        synapse=synapse, namespace=NAMESPACE, dendrite_id=dendrite_id, role="worker"
    )
    for name in neurons:
        dendrite.attach_axon(
            Axon(
                neuron_id=name,
                neuron_fn=FUNCTIONS.get(name, _echo),
                capabilities=_OFFERS.get(name, []),
                concurrency=1 if name == "digest" else 8,
            )
        )
    async with dendrite:
        print(f"ready {dendrite_id}", flush=True)
        await dendrite.serve()


if __name__ == "__main__":
    try:
        run(serve(*sys.argv[1:]))
    except LocalError as error:
        sys.exit(str(error))
