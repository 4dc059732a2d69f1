"""Look for Synapses on the LAN, and ask each whether it answers. Blocking."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Final

import attrs

from ..runtime.addresses import addresses, lan_addresses
from .browser import Browser
from .choice import Found, Place, distinct

SETTLE_S: Final = 0.5
"""Time for the answers of all: what is announced answers a question after 0.12 s at most."""
MAX_ASKED: Final = 64
"""Places that are asked: an announcement must not make this machine knock everywhere."""
_TICK_S: Final = 0.05
_MAX_THREADS: Final = 32


def look(
    asks: Callable[[Place], bool],
    most_s: float,
    is_enough: Callable[[Sequence[Found]], bool] = lambda found: False,
) -> list[Found]:
    """Return the Synapses that are announced.

    Args:
        asks: Tells whether a Synapse answers at a place, within a second.
        most_s: The time after which to return, in seconds; a place that is being asked then is
            waited for.
        is_enough: Whether to return after 0.5 s already, with what was found.

    Raises:
        MissingExtra: The package `zeroconf` is not installed.
        NoMulticast: This machine has no network to look on.
    """
    began_s = time.monotonic()
    with Browser() as browser, ThreadPoolExecutor(_MAX_THREADS, "lan question") as threads:
        asked: dict[Place, Future[bool]] = {}
        while True:
            found = distinct(browser.records(), {*lan_addresses(), *addresses("::")})
            for each in (place for one in found for place in one.places):
                if each not in asked and len(asked) < MAX_ASKED:
                    asked[each] = threads.submit(asks, each)
            waited_s = time.monotonic() - began_s
            pending = [each for each in asked.values() if not each.done()]
            if waited_s >= most_s:
                wait(pending)
                return [_with_answers(each, asked) for each in found]
            seen = [_with_answers(each, asked) for each in found]
            if waited_s >= SETTLE_S and not pending and is_enough(seen):
                return seen
            if pending:
                wait(pending, _TICK_S, FIRST_COMPLETED)
            else:
                until_s = SETTLE_S if waited_s < SETTLE_S else most_s
                browser.wait(until_s - waited_s)


def _with_answers(found: Found, asked: dict[Place, Future[bool]]) -> Found:
    ended = {place for place, answer in asked.items() if answer.done() and answer.result()}
    return attrs.evolve(found, answering=tuple(each for each in found.places if each in ended))
