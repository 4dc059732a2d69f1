"""Where a server is reached: its addresses, and the names in a `Host` that mean it. Pure."""

from __future__ import annotations

import ipaddress

import attrs

LOOPBACK = "127.0.0.1"
_LOOPBACK_NAMES = (LOOPBACK, "localhost", "[::1]")
_HTTP_PORT = 80


def plain_address(text: str) -> str:
    """Return an address as one writes it: without a zone, and IPv4 inside IPv6 as IPv4."""
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return text
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(mapped or address)


def in_url(host: str) -> str:
    """Return a host as it stands in a URL and in a `Host` header."""
    return f"[{host}]" if ":" in host else host.lower()


@attrs.frozen
class BoundAddress:
    """What a server listens on.

    Args:
        host: A name or an address, as the user gave it.
        addresses: The addresses that it means.
        port: The port, the same on all of them.
        machine: The name of this machine, accepted where it listens on every interface.
    """

    host: str
    addresses: tuple[str, ...]
    port: int
    machine: str = ""

    @property
    def is_every(self) -> bool:
        """Return whether it listens on every interface of this machine."""
        return any(map(_is_every, self.addresses))

    @property
    def is_beyond_loopback(self) -> bool:
        """Return whether other machines may reach it."""
        return not all(ipaddress.ip_address(each).is_loopback for each in self.addresses)

    @property
    def url(self) -> str:
        """Return the URL of the page; for this machine, if it listens on every interface."""
        return self.url_at(LOOPBACK if self.is_every else self.host)

    def url_at(self, host: str) -> str:
        """Return the URL of the page under one host."""
        return f"http://{in_url(host)}:{self.port}/"

    @property
    def authorities(self) -> frozenset[str]:
        """Return every value of `Host` that means this server, in small letters."""
        names: set[str] = set()
        if self.is_every or not self.is_beyond_loopback:
            names.update(_LOOPBACK_NAMES)
        names.update(in_url(each) for each in self.addresses if not _is_every(each))
        if self.is_every:
            names.add(in_url(self.machine))
        else:
            names.add(in_url(self.host))
        return frozenset().union(*map(self.authorities_of, names - {""}))

    def authorities_of(self, name: str) -> frozenset[str]:
        """Return the values of `Host` for one name; a browser omits the port of HTTP."""
        both = {f"{name}:{self.port}"} | ({name} if self.port == _HTTP_PORT else set())
        return frozenset(both)


def _is_every(address: str) -> bool:
    return ipaddress.ip_address(address).is_unspecified
