"""Resolve the host names of a target to every address that they have.

Spec: docs/spec/06-sockets.md, Connecting. ZeroMQ resolves a name by itself, but only once, uses
only the first address, and reports a wrong name as silence.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Final

from ..sockets.endpoints import Endpoint, IpcEndpoint, Target, TcpEndpoint, places_of
from ..sockets.lookup import is_address, lookup
from .background import call_in_background

LOOKUP_S = 1.0
"""After this time the addresses of the last answer are used; the lookup goes on."""
MAX_NAMED: Final = 16
"""So many places count that proxies name beside those that are given."""
FRESH_S: Final = 0.2
"""Each of several places has an attempt in a round: a name is not looked up for each of them."""
SIDE_BY_SIDE_S = 0.2
"""The same where there are several places: the others do not wait longer for a slow name."""


class Resolver:
    """The addresses of a target, looked up again for every attempt.

    The names of several places are looked up side by side, and a slow one holds up no other.

    Args:
        target: One place, or several.
    """

    def __init__(self, target: Target) -> None:
        self._given = [_KnownName(each) for each in places_of(target)]
        self._named: dict[TcpEndpoint, _KnownName] = {}
        self._then: Callable[[list[Endpoint]], None] | None = None
        self._awaited: set[_KnownName] = set()
        self._timer: asyncio.TimerHandle | None = None

    def resolve(self, then: Callable[[list[Endpoint]], None]) -> None:
        """Call `then` once with every address, in the order of the places; with none if no name
        resolves.
        """
        self._then = then
        # One that is looked up since an earlier attempt had its time already.
        fresh_s = 0.0 if len(self._places) == 1 else FRESH_S
        self._awaited = {each for each in self._places if each.look_up(self._on_found, fresh_s)}
        if self._is_over():
            self._hand_over()
            return
        limit_s = LOOKUP_S if len(self._places) == 1 else SIDE_BY_SIDE_S
        self._timer = asyncio.get_running_loop().call_later(limit_s, self._on_late)

    @property
    def _places(self) -> list[_KnownName]:
        return [*self._given, *self._named.values()]

    def add(self, places: Iterable[TcpEndpoint]) -> bool:
        """Look up these behind the others, as far as there is room and they are not known.

        Returns:
            True if one was added.
        """
        known = set(self._addresses()) | {each.endpoint for each in self._places}
        before_count = len(self._named)
        for place in places:
            if place not in known and len(self._named) < MAX_NAMED:
                self._named[place] = _KnownName(place)
        return len(self._named) > before_count

    def keep_only(self, address: Endpoint) -> None:
        """Forget what was added, but for the place that has this address."""
        self._named = {at: each for at, each in self._named.items() if address in each.known}

    @property
    def unresolved(self) -> tuple[str, ...]:
        """The names that have no address so far."""
        return tuple(each.name for each in self._places if not each.known)

    def close(self) -> None:
        """Call nobody any more."""
        self._then = None
        if self._timer is not None:
            self._timer.cancel()

    def _on_found(self, place: _KnownName) -> None:
        self._awaited.discard(place)
        if self._is_over():
            self._hand_over()

    def _on_late(self) -> None:
        self._awaited.clear()
        if self._is_over():
            self._hand_over()

    def _is_over(self) -> bool:
        if self._awaited:
            return False
        return bool(self._addresses()) or not any(each.is_looking for each in self._places)

    def _addresses(self) -> list[Endpoint]:
        return list(dict.fromkeys(each for place in self._places for each in place.known))

    def _hand_over(self) -> None:
        then = self._then
        self.close()
        if then is not None:
            then(self._addresses())


class _KnownName:
    """One place, and the addresses that its name had last."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self.is_looking = False
        is_named = isinstance(endpoint, TcpEndpoint) and not is_address(endpoint.host)
        self.known: list[Endpoint] = [] if is_named else [endpoint]
        self._is_named = is_named
        self._answered_s: float | None = None

    @property
    def name(self) -> str:
        """Its host; the path of a Unix socket."""
        return self.endpoint.path if isinstance(self.endpoint, IpcEndpoint) else self.endpoint.host

    def look_up(self, then: Callable[[_KnownName], None], fresh_s: float) -> bool:
        """Begin to look the name up; False if there is nothing to begin.

        Args:
            then: Is called with this, once there is an answer.
            fresh_s: An answer that is younger is not asked for again.
        """
        endpoint = self.endpoint
        if self.is_looking or not self._is_named or isinstance(endpoint, IpcEndpoint):
            return False
        loop = asyncio.get_running_loop()
        if self._answered_s is not None and loop.time() - self._answered_s < fresh_s:
            return False
        self.is_looking = True
        host, port = endpoint.host, endpoint.port

        def on_found(found: list[TcpEndpoint]) -> None:
            self.is_looking = False
            self._answered_s = loop.time()
            # Without an answer the last one stays good: a name server may be away for a while.
            self.known = [*found] or self.known
            then(self)

        call_in_background(
            lambda: [TcpEndpoint(each, port) for each in lookup(host, port)], on_found
        )
        return True
