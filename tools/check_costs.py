"""What a check of types costs: `python -m tools.check_costs`; a call in a process, and cards.

Prints the time of one check by each library, of one `ask` over memory:// with and without types,
and the time to fetch the cards of 500 Axons: cold, warm, and the roster alone.
"""

from __future__ import annotations

import asyncio
import time
import timeit
from typing import Annotated

import msgspec
from pydantic import BaseModel, Field

from cosmonapse import Axon, Dendrite, synapse_from_url

_CALLS = 20_000
_ASKS = 2_000
_AXONS = 500
_VALUE = {"city": "Oslo", "nights": 2, "tags": ["a", "b"]}
_READY = {
    "properties": {
        "city": {"type": "string"},
        "nights": {"type": "integer", "minimum": 1},
        "tags": {"type": "array", "items": {"type": "string"}},
    },
    "required": ["city", "nights"],
}


class Model(BaseModel):
    """A trip, for pydantic."""

    city: str
    nights: int = Field(ge=1)
    tags: list[str] = []


class Struct(msgspec.Struct):
    """A trip, for msgspec."""

    city: str
    nights: Annotated[int, msgspec.Meta(ge=1)]
    tags: list[str] = []


KINDS = {"no type": None, "pydantic": Model, "msgspec": Struct, "jsonschema": _READY}


async def _book(input: object, context: object) -> object:
    return input


def axon_of(kind: object, neuron_id: str = "a", **settings: object) -> Axon:
    """Return an Axon that takes a type."""
    return Axon(neuron_id=neuron_id, neuron_fn=_book, input=kind, **settings)


def print_checks() -> None:
    """Print the time of one check by each library."""
    for name, kind in KINDS.items():
        contract = axon_of(kind).contract
        if contract is None:
            continue
        calls = _CALLS // (20 if name == "jsonschema" else 1)
        best_s = min(timeit.repeat(lambda c=contract: c.given(_VALUE), number=calls, repeat=5))
        print(f"check by {name:<11} {best_s / calls * 1e6:8.2f} us")


async def print_asks() -> None:
    """Print the time of one `ask` in a process, for each kind of type, interleaved."""
    best = dict.fromkeys(KINDS, float("inf"))
    synapse = synapse_from_url("memory://check-costs")
    worker = Dendrite(synapse=synapse)
    for number, kind in enumerate(KINDS.values()):
        worker.attach_axon(axon_of(kind, f"a{number}"))
    async with worker, Dendrite(synapse=synapse) as caller:
        for _ in range(5):
            for number, name in enumerate(KINDS):
                started_s = time.perf_counter()
                for _ in range(_ASKS // 4):
                    await caller.ask(neuron=f"a{number}", input=_VALUE)
                best[name] = min(best[name], (time.perf_counter() - started_s) / (_ASKS // 4))
    for name, each_s in best.items():
        print(f"ask with {name:<13} {each_s * 1e6:8.1f} us")


async def print_cards() -> None:
    """Print how long the cards of 500 Axons take."""
    synapse = synapse_from_url("memory://check-costs-cards")
    worker = Dendrite(synapse=synapse)
    for number in range(_AXONS):
        worker.attach_axon(axon_of(Model, f"a{number}", description="Books a trip"))
    async with worker, Dendrite(synapse=synapse) as caller:
        for name, work in (
            ("find_neurons", caller.find_neurons),
            ("cards, cold", caller.cards),
            ("cards, warm", caller.cards),
        ):
            started_s = time.perf_counter()
            found = await work()
            print(f"{name:<14} of {len(found)} {(time.perf_counter() - started_s) * 1e3:8.1f} ms")


if __name__ == "__main__":
    print_checks()
    asyncio.run(print_asks())
    asyncio.run(print_cards())
