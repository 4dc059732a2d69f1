"""Which systems are there to be measured side by side, and why others are not."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from . import bare, bare_zmtp, beside, in_c, nats, ours, plain, redis
from .system import System

SYSTEMS = (
    ours.SYSTEM,
    plain.SYSTEM,
    nats.SYSTEM,
    nats.WITH_TASKS,
    redis.SYSTEM,
    bare.SYSTEM,
    bare_zmtp.SYSTEM,
    in_c.ROUTER,
    in_c.PROXY,
    in_c.TCP,
)
NAMES = tuple(system.name for system in SYSTEMS)


def present(
    wanted: Collection[str], checkout: Path | None = None
) -> tuple[tuple[System, ...], dict[str, str]]:
    """Return the wanted systems that are present, ours first, and the needs of each absent one.

    Args:
        wanted: Their names.
        checkout: The folder of another checkout of this project to measure, too.
    """
    here = [system for system in SYSTEMS if system.name in {*wanted, ours.SYSTEM.name}]
    if checkout is not None:
        here.insert(1, beside.system(checkout.resolve()))
    lacks = {each.name: lack for each in here if (lack := each.missing()) is not None}
    return tuple(system for system in here if system.name not in lacks), lacks
