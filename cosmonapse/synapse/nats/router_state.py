"""The state of a router: that of all its engines together. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

import attrs

from zmq_transport.wire.state_messages import ProxyState

_SUMMED = ("clients", "away", "seats", "open", "parked", "topics")


def summed_state(
    states: Iterable[ProxyState], counts: Mapping[str, int], uptime_s: float, *, draining: bool
) -> ProxyState:
    """Return the state of a router.

    Args:
        states: Those of its engines.
        counts: Every counter since its start, also of engines that it has no more.
        uptime_s: Seconds since its start.
        draining: Whether it was asked to stop.
    """
    states = list(states)
    recent: Counter[str] = Counter()
    for each in states:
        recent.update(each.recent)
    sums = {name: sum(getattr(each, name) for each in states) for name in _SUMMED}
    empty = ProxyState(uptime_s, draining, 0, 0, 0, 0, 0, 0, dict(counts))
    recent_s = max((each.recent_s for each in states), default=0.0)
    return attrs.evolve(empty, recent_s=recent_s, recent=dict(recent), **sums)
