"""The addresses of a proxy whose place is not known beforehand, and may change.

Spec: docs/spec/06-sockets.md, Connecting.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from ..sockets.endpoints import Endpoint, FoundEndpoint, TcpEndpoint, TcpEndpoints
from .background import call_in_background
from .resolve import Resolver


class FoundResolver:
    """The addresses of an endpoint that has to be found; a `Resolver` for it.

    Those that are known are handed over at once: mostly the proxy is where it was, or will be in a
    moment. Meanwhile it is looked for, and the next attempt has what was found.

    Args:
        endpoint: The endpoint.
    """

    def __init__(self, endpoint: FoundEndpoint) -> None:
        self._found_endpoint = endpoint
        self._others = Resolver(TcpEndpoints(()))
        self._then: Callable[[list[Endpoint]], None] | None = None
        self._is_looking = False
        self._is_first = True

    @property
    def unresolved(self) -> tuple[str, ...]:
        """The name, while no place was ever found."""
        return () if self._found_endpoint.known() else (str(self._found_endpoint),)

    def add(self, places: Iterable[TcpEndpoint]) -> bool:
        """See `Resolver`."""
        known = self._found_endpoint.known()
        return self._others.add(each for each in places if each not in known)

    def keep_only(self, address: Endpoint) -> None:
        """See `Resolver`."""
        self._others.keep_only(address)

    def resolve(self, then: Callable[[list[Endpoint]], None]) -> None:
        """Call `then` once with every address; with none if nothing is found."""
        known = self._found_endpoint.known()
        is_first, self._is_first = self._is_first, False
        if not (known and is_first) and not self._is_looking:
            self._is_looking = True
            call_in_background(self._found_endpoint.find, self._on_found)
        self._then = then
        if known:
            self._hand_over(known)

    def close(self) -> None:
        """Call nobody any more."""
        self._then = None
        self._others.close()

    def _on_found(self, found: Sequence[TcpEndpoint]) -> None:
        self._is_looking = False
        self._hand_over(found)

    def _hand_over(self, found: Sequence[TcpEndpoint]) -> None:
        then, self._then = self._then, None
        if then is not None:
            self._others.resolve(lambda others: then([*dict.fromkeys([*found, *others])]))
