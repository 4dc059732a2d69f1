"""Which fault comes when, by seeded dice. Pure: the same seed gives the same plan."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence

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
    "rolling_restart": _NOTHING,
    "reload": _NOTHING,
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
BY_EVERYTHING = frozenset({"rolling_restart", "reload"})
"""Those that need `--everything`."""
BY_ITSELF = frozenset({"reload"})
"""Those that come each minute, and by name alone in between."""
ENDS = frozenset({"worker_kill", "worker_term", "failover", "failover_stop", "rolling_restart"})
"""Those after which a process is another one, so that it has no slope."""
_PAUSE_S = (0.3, 2.0)
_ROUGH = ((0.0, 0.15), (0.5, 0.58), (0.93, 1.0))
"""The parts of a day in which processes end. What lives between them is judged by its growth."""
_DAY_PAUSES = 100
_DAY_PAUSE_S = 30.0


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


def day(
    seed: int, kinds: Sequence[str], seconds: float, elapsed_s: Callable[[], float]
) -> Iterator[Planned]:
    """Yield the faults of a day: pauses of ordinary work, and three parts in which processes end.

    Each of these parts begins with a rolling restart, and each kind comes in its turn.

    Args:
        seed: Of the dice.
        kinds: Of `FAULTS`.
        seconds: How long the day is.
        elapsed_s: How much of it is over.
    """
    dice = random.Random(seed)
    pause_s = min(_DAY_PAUSE_S, seconds / _DAY_PAUSES)
    left: dict[bool, list[str]] = {False: [], True: []}
    restarted: set[int] = set()
    while True:
        part = elapsed_s() / seconds
        rough = next((n for n, (first, last) in enumerate(_ROUGH) if first <= part < last), None)
        turn = sorted(kind for kind in set(kinds) if rough is not None or kind not in ENDS)
        if not turn:
            return
        waiting = left[rough is not None]
        if not waiting:
            waiting += dice.sample(turn, len(turn))
        kind = waiting.pop()
        if rough is not None and rough not in restarted and "rolling_restart" in turn:
            restarted.add(rough)
            kind = "rolling_restart"
        pauses = pause_s + dice.uniform(*_PAUSE_S)
        yield Planned(kind, pauses, dice.uniform(*FAULTS[kind]), dice.random())
