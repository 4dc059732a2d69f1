"""The counters of what a router on NATS drops, by reason. Pure.

Besides those of its engines, see `zmq_transport.wire.drops`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from zmq_transport.wire.drops import drop_counter

_DROPPED: Final[Mapping[str, str]] = {
    "bad_frame": "drop.bad_frame",
    "bad_subject": "drop.bad_subject",
    "bad_totals": "drop.bad_totals",
    "foreign_slot": "drop.foreign_slot",
    "max_partial": "drop.max_partial",
    "partial_bytes": "drop.partial_bytes",
    "stale": "drop.stale",
}


def router_drop(reason: str) -> str:
    """Return the counter of messages that a router dropped for `reason`."""
    return _DROPPED.get(reason) or drop_counter(reason)
