"""Is the fabric well? A verdict from what the Synapse and its roster say. Pure."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Sequence

import attrs

from .registry import NeuronRecord, SynapseState

ALIVE = "alive"


class Level(enum.IntEnum):
    """How bad it is; as the exit codes of monitoring plugins."""

    OK = 0
    WARNING = 1
    CRITICAL = 2


@attrs.frozen
class Verdict:
    """What is wrong, the worst first.

    Args:
        level: The worst of it.
        findings: One line for each thing that is wrong.
    """

    level: Level
    findings: tuple[str, ...] = ()


def verdict(
    state: SynapseState, records: Sequence[NeuronRecord], wanted: Iterable[str] = ()
) -> Verdict:
    """Judge a fabric.

    CRITICAL: a neuron that is wanted is not alive. WARNING: an Axon is stuck or away, or the
    Synapse is stopping.

    Args:
        state: Of the Synapse.
        records: Every Axon of the namespace.
        wanted: Neuron ids that must be there.
    """
    alive = {record.neuron_id for record in records if record.state == ALIVE}
    missing = [f"nobody alive serves {neuron}" for neuron in wanted if neuron not in alive]
    ill = [_illness(record) for record in records if record.state != ALIVE]
    if state.draining:
        ill.append("the Synapse is stopping")
    level = Level.CRITICAL if missing else Level.WARNING if ill else Level.OK
    return Verdict(level, (*missing, *ill))


def _illness(record: NeuronRecord) -> str:
    where = f"{record.neuron_id} at {record.dendrite_id}"
    return f"{where} is {record.state}, with {record.open} open tasks"
