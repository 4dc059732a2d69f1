"""Judges the health of a fabric from the state of its Synapse and its roster. Pure."""

from __future__ import annotations

import enum
from collections import Counter
from collections.abc import Mapping, Sequence
from types import MappingProxyType

import attrs

from .registry import NeuronRecord, SynapseState

ALIVE = "alive"
_HEARD = frozenset({"standby", "leader", "leaving"})
_ENDED = frozenset({"overdue", "orphaned"})
_SENT_AGAIN = frozenset({"lost.not_started", "bounce.hello_first", "bounce.going_away"})
"""What the fabric corrects by itself."""


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
    state: SynapseState,
    records: Sequence[NeuronRecord],
    expected: Mapping[str, int] = MappingProxyType({}),
    max_errors: int | None = None,
) -> Verdict:
    """Judge a fabric.

    CRITICAL: an expected neuron has too few Axons that are alive. WARNING: an Axon is stuck or
    away, the Synapse is stopping, does not hear another one of its fabric or has no standby, one of
    them has other allowed keys, or too much went wrong in the last minute.

    Args:
        state: The state of the Synapse.
        records: Every Axon of the namespace.
        expected: How many Axons of a neuron must be alive, by neuron id.
        max_errors: How many tasks may be lost or come back in a minute; None: none may be lost, and
            those that come back do not count.
    """
    alive = Counter(record.neuron_id for record in records if record.state == ALIVE)
    missing = [
        f"{least:,} alive Axons of {neuron} are expected, and there are {alive[neuron]:,}"
        for neuron, least in expected.items()
        if alive[neuron] < least
    ]
    faults = [_fault(record) for record in records if record.state != ALIVE]
    if state.draining:
        faults.append("the Synapse is stopping")
    if state.warning:
        faults.append(state.warning)
    faults += [*_fabric_faults(state), *_losses(state, max_errors)]
    level = Level.CRITICAL if missing else Level.WARNING if faults else Level.OK
    return Verdict(level, (*missing, *faults))


def _fabric_faults(state: SynapseState) -> list[str]:
    """Return what is wrong with the other Synapses of the fabric, besides that one is silent."""
    found = []
    others = [each for each in state.peers if each["role"] != "own"]
    if others and not state.half and not any(each["role"] in _HEARD for each in others):
        named = " and ".join(str(each["url"]) for each in others)
        found.append(f"the Synapse has no standby: it does not hear {named}")
    found += [
        f"the allowed keys differ from those at {each['url']}: copy the folder 'allowed'"
        for each in others
        if each["role"] in _HEARD and each.get("same_users") is False
    ]
    if len(others) < len(state.peers):
        found.append("one of the URLs of --peer is that of the Synapse itself")
    return found


def _fault(record: NeuronRecord) -> str:
    where = f"{record.neuron_id} at {record.dendrite_id}"
    return f"{where} is {record.state}, with {record.open} open tasks"


def _losses(state: SynapseState, max_errors: int | None) -> list[str]:
    """Return a line for each kind of loss in the last minute, over all namespaces."""
    within = f"in the last {state.recent_s:.0f} s, over all namespaces"
    lost = sum(
        count
        for name, count in state.recent.items()
        if name in _ENDED or (name.startswith("lost.") and name not in _SENT_AGAIN)
    )
    returned = sum(
        count
        for name, count in state.recent.items()
        if name.startswith("bounce.") and name not in _SENT_AGAIN
    )
    broken = state.recent.get("unreachable", 0)
    found = [f"{broken:,} connections of Dendrites broke {within}"] if broken else []
    if max_errors is None:
        return [*found, f"{lost:,} tasks were lost {within}"] if lost else found
    if lost + returned > max_errors:
        found.append(
            f"{lost:,} tasks were lost and {returned:,} came back {within}: "
            f"more than {max_errors:,} in a minute"
        )
    return found
