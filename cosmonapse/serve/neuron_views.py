"""The roster and the cards as a gateway tells them: one entry for each Neuron. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..cards import Card
from ..registry import NeuronRecord

_STATES = ("alive", "away", "stuck")
"""The state of a Neuron is the best of its replicas, by this order."""


def entries(
    records: Iterable[NeuronRecord], cards: Mapping[str, Card], capability: str | None = None
) -> list[dict[str, Any]]:
    """Return what there is, by id.

    Args:
        records: The live Axons; replicas have one each.
        cards: By id; those that have none are told without one.
        capability: Only those that offer it; None for all.
    """
    replicas: dict[str, list[NeuronRecord]] = {}
    for record in records:
        replicas.setdefault(record.neuron_id, []).append(record)
    found = [_entry(name, of_one, cards.get(name)) for name, of_one in sorted(replicas.items())]
    return [each for each in found if capability is None or capability in each["capabilities"]]


def _entry(neuron_id: str, replicas: list[NeuronRecord], card: Card | None) -> dict[str, Any]:
    told = next((each.description for each in replicas if each.description), "")
    return {
        "id": neuron_id,
        "description": told if card is None else card.description,
        "capabilities": sorted({name for each in replicas for name in each.capabilities}),
        "state": min((each.state for each in replicas), key=_rank),
        "replicas": len(replicas),
        "running": sum(each.running for each in replicas),
        "queued": sum(each.queued for each in replicas),
        "versions": sorted({each.version for each in replicas if each.version}),
        "cards": sorted({each.card for each in replicas if each.card}),
        "input": None if card is None else card.input,
        "output": None if card is None else card.output,
    }


def _rank(state: str) -> int:
    return _STATES.index(state) if state in _STATES else len(_STATES)
