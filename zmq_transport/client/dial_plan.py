"""Which address of a proxy to try next, for how long, and after which pause.

Spec: docs/spec/06-sockets.md, Connecting. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import attrs

from ..errors import AccessFault
from ..sockets.endpoints import Endpoint
from .refusals import refused_s

CONNECT_S = 0.75
CONNECT_MAX_S = 1.2
HANDSHAKE_S = 0.75
HANDSHAKE_MAX_S = 3.0
PAUSE_S = 0.02
PAUSE_MAX_S = 0.2
STRANGER_PAUSE_MAX_S = 0.8
STEADY_S = 1.0
_MAX_DOUBLINGS = 10


@attrs.frozen
class Attempt:
    """One attempt to connect.

    Args:
        address: The address.
        connect_s: Limit for the connection, in seconds.
        handshake_s: Limit for the handshake that follows, in seconds.
    """

    address: Endpoint
    connect_s: float
    handshake_s: float


class DialPlan:
    """The order, the limits and the pauses of the attempts of one client.

    A round tries every address once, without a pause in between. The limits and the pause double
    from round to round, up to their maximum. An address is good from a WELCOME on: a proxy that
    stands by has a handshake as well, and lets nobody in.

    Args:
        dice: Returns a random number from 0 up to 1, for the jitter of the pauses.
    """

    def __init__(self, dice: Callable[[], float]) -> None:
        self._dice = dice
        self._addresses: tuple[Endpoint, ...] = ()
        self._tried: set[Endpoint] = set()
        self._not_welcome_at: set[Endpoint] = set()
        self._silent: set[Endpoint] = set()
        self._current: Endpoint | None = None
        self._good: Endpoint | None = None
        self._round = 0
        self._refused_count = 0

    @property
    def is_alone(self) -> bool:
        """Tell whether every address was tried since the last WELCOME, and none gave another."""
        return bool(self._addresses) and self._not_welcome_at.issuperset(self._addresses)

    def next_attempt(self, addresses: Sequence[Endpoint]) -> Attempt:
        """Return the next attempt.

        Args:
            addresses: Every address of the proxy as far as it is known now, at least one.
        """
        self._addresses = tuple(addresses)
        self._not_welcome_at.intersection_update(addresses)
        self._silent.intersection_update(addresses)
        left = [each for each in addresses if each not in self._tried]
        if not left:
            self._tried.clear()
            left = list(addresses)
        address = min(left, key=self._rank)
        self._current = address
        self._tried.add(address)
        return Attempt(address, self._doubled(CONNECT_S, CONNECT_MAX_S), self._handshake_s())

    def on_established(self) -> None:
        """Record that the handshake of the current attempt succeeded."""
        self._refused_count = 0

    def on_welcomed(self) -> None:
        """Record that the proxy at the current address accepted this client."""
        self._tried.clear()
        self._not_welcome_at.clear()
        self._silent.clear()
        self._good = self._current

    def on_failed(
        self, *, stranger: bool = False, silent: bool = False, again: bool = False
    ) -> float:
        """Record that the current attempt failed; return the pause in seconds.

        Args:
            stranger: True if another protocol or another socket type answered.
            silent: True if nothing came in all the time of the attempt.
            again: True to try the same address once more in the same round.
        """
        if again and self._current is not None:
            self._tried.discard(self._current)
            return 0.0
        self._on_not_welcome(silent=silent)
        return self._pause_after_attempt(STRANGER_PAUSE_MAX_S if stranger else PAUSE_MAX_S)

    def on_standby(self, *, has_named_others: bool = False) -> float:
        """Record that the proxy at the current address does not lead; return the pause in seconds.

        Args:
            has_named_others: True if it named one that was not known.
        """
        self._on_not_welcome(silent=False)
        return 0.0 if has_named_others else self._pause_after_attempt(PAUSE_MAX_S)

    def on_refused(self, fault: AccessFault) -> float:
        """Record that the far end refused this client; return the pause in seconds.

        It follows `on_failed`, once every address was tried.
        """
        self._refused_count += 1
        return refused_s(fault, self._refused_count) * (0.5 + self._dice())

    def on_ended(self, lasted_s: float, *, silent: bool = False) -> float:
        """Record that an established connection ended; return the pause in seconds.

        Args:
            lasted_s: How long it lasted.
            silent: True if it ended as nothing came any more: that counts as a try of the address.
        """
        if lasted_s >= STEADY_S:
            self._round = 0
        if self._current in self._tried:  # it gave no WELCOME
            self._on_not_welcome(silent=silent)
            return self._pause_after_attempt(PAUSE_MAX_S)
        pause_s = self._pause_s(PAUSE_MAX_S)
        if silent and self._current is not None:
            # Its time was that of an attempt, so the next round begins behind it.
            self._on_not_welcome(silent=True)
            self._tried.add(self._current)
        return pause_s

    def _rank(self, address: Endpoint) -> tuple[bool, bool]:
        # The last one that was good comes first: most proxies come back where they were. One that
        # takes all its time without an answer comes last: it would hold up the others again.
        return address in self._silent, address != self._good

    def _on_not_welcome(self, *, silent: bool) -> None:
        if self._current is None:
            return
        self._not_welcome_at.add(self._current)
        (self._silent.add if silent else self._silent.discard)(self._current)

    def _pause_after_attempt(self, most_s: float) -> float:
        """Return no pause within a round, and one at its end."""
        if any(each not in self._tried for each in self._addresses):
            return 0.0
        return self._pause_s(most_s)

    def _handshake_s(self) -> float:
        # One address alone leaves nothing else to try, so a slow far end gets all its time.
        if len(self._addresses) == 1:
            return HANDSHAKE_MAX_S
        return self._doubled(HANDSHAKE_S, HANDSHAKE_MAX_S)

    def _pause_s(self, most_s: float) -> float:
        length_s = self._doubled(PAUSE_S, most_s)
        self._tried.clear()
        self._round = min(self._round + 1, _MAX_DOUBLINGS)
        return length_s * (0.5 + self._dice())

    def _doubled(self, first_s: float, most_s: float) -> float:
        return min(first_s * 2.0**self._round, most_s)
