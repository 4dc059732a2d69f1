"""Which systems are there to be measured side by side, and why others are not."""

from __future__ import annotations

from collections.abc import Collection

from . import bare, in_c, nats, ours, plain, redis
from .system import System

SYSTEMS = (
    ours.SYSTEM,
    plain.SYSTEM,
    nats.SYSTEM,
    nats.WITH_TASKS,
    redis.SYSTEM,
    bare.SYSTEM,
    in_c.ROUTER,
    in_c.PROXY,
    in_c.TCP,
)
NAMES = tuple(system.name for system in SYSTEMS)


def present(wanted: Collection[str]) -> tuple[tuple[System, ...], dict[str, str]]:
    """Return the wanted systems that are present, ours first, and the needs of each absent one."""
    lacks = {
        system.name: lack
        for system in SYSTEMS
        if system.name in wanted and (lack := system.missing()) is not None
    }
    here = (system for system in SYSTEMS if system.name in {*wanted, ours.SYSTEM.name})
    return tuple(system for system in here if system.name not in lacks), lacks
