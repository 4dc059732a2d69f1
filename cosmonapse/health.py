"""Judges the health of a fabric from the state of its Synapse and its roster. Pure."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Sequence

import attrs

from .registry import NeuronRecord, SynapseState

ALIVE = "alive"


class Level(enum.IntEnum):
    """The severity of a verdict; the values are the exit codes of monitoring plugins."""

    OK = 0
    WARNING = 1
    CRITICAL = 2


@attrs.frozen
class Verdict:
    """The faults of a fabric, the most severe first.

    Args:
        level: The severity of the most severe one.
        findings: One line for each fault.
    """

    level: Level
    findings: tuple[str, ...] = ()


def verdict(
    state: SynapseState, records: Sequence[NeuronRecord], wanted: Iterable[str] = ()
) -> Verdict:
    """Judge a fabric.

    CRITICAL: a wanted neuron is not alive. WARNING: an Axon is stuck or away, or the
    Synapse is stopping.

    Args:
        state: The state of the Synapse.
        records: Every Axon of the namespace.
        wanted: Neuron ids that must be alive.
    """
    alive = {record.neuron_id for record in records if record.state == ALIVE}
    missing = [f"no Axon that is alive serves {neuron}" for neuron in wanted if neuron not in alive]
    faults = [_fault(record) for record in records if record.state != ALIVE]
    if state.draining:
        faults.append("the Synapse is stopping")
    level = Level.CRITICAL if missing else Level.WARNING if faults else Level.OK
    return Verdict(level, (*missing, *faults))


def _fault(record: NeuronRecord) -> str:
    where = f"{record.neuron_id} at {record.dendrite_id}"
    return f"{where} is {record.state}, with {record.open} open tasks"
