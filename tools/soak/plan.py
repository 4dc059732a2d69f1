"""Which fault comes when, by seeded dice. Pure: the same seed gives the same plan."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence

import attrs

_NOTHING = (0.0, 0.0)
FAULTS: Mapping[str, tuple[float, float]] = {
    "synapse_kill": (0.0, 0.5),
    "synapse_term": (0.0, 0.5),
    "worker_kill": (0.0, 1.0),
    "worker_term": (0.0, 0.5),
    "worker_freeze": (0.5, 4.5),
    "worker_block": (7.5, 9.0),
    "replica_joins": _NOTHING,
    "link_reset": _NOTHING,
    "link_stall": (0.3, 4.5),
    "link_half_open": _NOTHING,
    "link_cut": (5.0, 5.0),
    "failover": (0.2, 1.0),
    "failover_stop": (0.2, 1.0),
    "failover_freeze": (0.2, 2.0),
    "partition": (4.0, 8.0),
    "slow_watcher": (2.0, 4.0),
    "frozen_watcher": (1.0, 5.0),
    "double_kill": (0.0, 0.5),
    "double_freeze": (0.5, 4.5),
    "restart_freeze": (0.5, 4.5),
}
"""Every fault, and how many seconds it lasts at least and at most, before it is mended."""
BY_RELAY = frozenset({"link_reset", "link_stall", "link_half_open"})
"""Those that need everything on one host, with a relay."""
BY_CABLE = frozenset({"link_cut", "partition"})
"""Those that need two hosts."""
BY_STANDBY = frozenset({"failover", "failover_stop", "failover_freeze", "partition"})
"""Those that need a second Synapse. The length of all but the last is how long the one that led is
away after the other one leads."""
AT_THE_ONLY_ONE = frozenset(
    {"synapse_kill", "synapse_term", "double_kill", "double_freeze", "restart_freeze", "link_cut"}
)
"""Those that are others where there is a second Synapse."""
BY_THREAD = frozenset({"worker_block"})
"""Those that need workers whose heartbeats do not wait for their loop."""
_PAUSE_S = (0.3, 2.0)


@attrs.frozen
class Planned:
    """One fault to come.

    Args:
        kind: One of `FAULTS`.
        pause_s: How long to wait before it, from the end of the one before.
        length_s: How long until it is mended.
        dice: From 0 to below 1; chooses the process that it hits.
    """

    kind: str
    pause_s: float
    length_s: float
    dice: float


def plan(seed: int, kinds: Sequence[str], apart_s: float = 0.0) -> Iterator[Planned]:
    """Yield faults without end: each of `kinds` once in any order, and then again.

    Args:
        seed: Of the dice.
        kinds: Of `FAULTS`.
        apart_s: How much longer than usual it is from the end of one to the next.
    """
    dice = random.Random(seed)
    while True:
        for kind in dice.sample(sorted(set(kinds)), len(set(kinds))):
            yield Planned(
                kind, apart_s + dice.uniform(*_PAUSE_S), dice.uniform(*FAULTS[kind]), dice.random()
            )
