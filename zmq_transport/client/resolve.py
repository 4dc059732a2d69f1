"""Resolve the host name of an endpoint to every address that it has.

Spec: docs/spec/06-sockets.md, Connecting. ZeroMQ resolves a name by itself, but only once, uses
only the first address, and reports a wrong name as silence.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Callable

from ..sockets.endpoints import Endpoint, IpcEndpoint, TcpEndpoint
from .background import call_in_background

LOOKUP_S = 1.0
"""After this time the addresses of the last answer are used; the lookup goes on."""


def lookup(host: str, port: int) -> list[str]:
    """Return every address of a host, IPv4 before IPv6; none if the name does not resolve.

    The order within a family is that of the system.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return []
    # IPv4 first: a proxy that was told no address listens there.
    found.sort(key=lambda each: each[0] != socket.AF_INET)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


class Resolver:
    """The addresses of one endpoint, looked up again for every attempt.

    Args:
        endpoint: The endpoint.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._known: list[Endpoint] = []
        self._then: Callable[[list[Endpoint]], None] | None = None
        self._is_looking = False
        self._timer: asyncio.TimerHandle | None = None

    def resolve(self, then: Callable[[list[Endpoint]], None]) -> None:
        """Call `then` once with every address; with none if the name does not resolve."""
        endpoint = self._endpoint
        if isinstance(endpoint, IpcEndpoint) or _is_address(endpoint.host):
            then([endpoint])
            return
        self._then = then
        self._timer = asyncio.get_running_loop().call_later(LOOKUP_S, self._on_late)
        if not self._is_looking:
            self._is_looking = True
            host, port = endpoint.host, endpoint.port
            call_in_background(
                lambda: [TcpEndpoint(each, port) for each in lookup(host, port)], self._on_found
            )

    def close(self) -> None:
        """Call nobody any more."""
        self._then = None
        if self._timer is not None:
            self._timer.cancel()

    def _on_found(self, found: list[TcpEndpoint]) -> None:
        self._is_looking = False
        # Without an answer the last one stays good: a name server may be away for a while.
        self._known = [*found] or self._known
        self._hand_over(self._known)

    def _on_late(self) -> None:
        if self._known:
            self._hand_over(self._known)

    def _hand_over(self, addresses: list[Endpoint]) -> None:
        then = self._then
        self.close()
        if then is not None:
            then(addresses)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
