"""Which nats-server is tried next, and how soon. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

FIRST_PAUSE_S: Final = 0.05
MOST_PAUSE_S: Final = 1.0
LASTED_S: Final = 1.0
"""A connection that lasted so long was a good one: the next attempt follows soon."""
MAX_TOLD: Final = 64
"""Most servers that a server may name besides those of the URL."""


class NatsAddress(NamedTuple):
    """Where a nats-server is.

    Args:
        url: `nats://host:port` or `tls://host:port`.
        tls_name: The name that its certificate has; empty if it is the host.
    """

    url: str
    tls_name: str = ""


class ServerRotation:
    """The servers of a URL and those that the last one named, one after the other.

    Args:
        servers: Those of the URL, at least one.
        dice: Returns a number from 0 up to 1. Clients begin at different servers, and come back
            at different times.
    """

    def __init__(self, servers: Iterable[str], dice: Callable[[], float]) -> None:
        self._dice = dice
        self._own = tuple(NatsAddress(each) for each in servers)
        self._told: tuple[NatsAddress, ...] = ()
        self._next = int(dice() * len(self._own))
        self._failures = 0

    @property
    def servers(self) -> tuple[NatsAddress, ...]:
        """All of them, those of the URL first."""
        return self._own + self._told

    def next(self) -> NatsAddress:
        """Return the one to try now."""
        everyone = self.servers
        chosen = everyone[self._next % len(everyone)]
        self._next = (self._next + 1) % len(everyone)
        return chosen

    def on_connected(self, told: Iterable[NatsAddress]) -> None:
        """Take the servers that the one named which answered; those before are forgotten."""
        own = {each.url for each in self._own}
        news = {each.url: each for each in told if each.url not in own}
        self._told = tuple(news.values())[:MAX_TOLD]
        self._next %= len(self.servers)

    def pause_after_s(self, lasted_s: float) -> float:
        """Return how long to wait after a connection ended, or an attempt failed.

        Args:
            lasted_s: How long it was connected; 0 if it failed.
        """
        if lasted_s >= LASTED_S:
            self._failures = 0
        pause_s = min(MOST_PAUSE_S, FIRST_PAUSE_S * 2.0 ** min(self._failures, 16))
        self._failures += 1
        return pause_s * (0.5 + 0.5 * self._dice())
