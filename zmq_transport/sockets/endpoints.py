"""Where a proxy can be reached: over the network or over Unix sockets.

Spec: docs/spec/06-sockets.md. Pure.
"""

from __future__ import annotations

import functools
import ipaddress
import re
from collections.abc import Callable
from typing import Final

import attrs

SOCKET_PATH_BYTES: Final = 107
"""Limit of the path of a Unix socket, without its NUL: `sun_path` of Linux, unix(7)."""
_SUFFIXES: Final = ("", ".listen", ".publish")
_URL: Final = re.compile(
    r"[a-z][a-z0-9+.-]*://(\[(?P<address>[0-9A-Fa-f]*:[0-9A-Fa-f:.]*(%[\w.-]+)?)\]|(?P<name>[\w.-]{1,253}))"
    r":(?P<port>[0-9]{1,5})/?",
    re.ASCII,
)
_MAX_PORT: Final = 65535
MAX_PATH_BYTES: Final = SOCKET_PATH_BYTES - max(map(len, _SUFFIXES))


def host_in_url(host: str) -> str:
    """Return `host` as it stands in front of a port: an IPv6 address in brackets."""
    return f"[{host}]" if ":" in host else host


@functools.lru_cache(maxsize=1024)
def one_form_of(address: str) -> str:
    """Return a network address in one form; `ipc` for anything else, as of a Unix socket."""
    try:
        network = ipaddress.ip_address(address)
    except ValueError:
        return "ipc"
    return str(getattr(network, "ipv4_mapped", None) or network)


@attrs.frozen
class TcpEndpoint:
    """A proxy on the network.

    Args:
        host: A name, an IPv4 or an IPv6 address, the latter without brackets.
        port: Its directed port.
    """

    host: str
    port: int

    def __str__(self) -> str:
        """Write it as ZeroMQ does."""
        return f"tcp://{host_in_url(self.host)}:{self.port}"

    def broadcast(self, listen_port: int, publish_port: int) -> tuple[TcpEndpoint, TcpEndpoint]:
        """Return where to subscribe and where to publish, from the ports of a WELCOME."""
        return TcpEndpoint(self.host, listen_port), TcpEndpoint(self.host, publish_port)


@attrs.frozen
class IpcEndpoint:
    """A proxy on this machine, at three Unix sockets beside each other.

    Args:
        path: Its directed socket, at most `MAX_PATH_BYTES` long.
    """

    path: str

    def __str__(self) -> str:
        """Write it as ZeroMQ does."""
        return f"ipc://{self.path}"

    @property
    def files(self) -> tuple[str, str, str]:
        """The directed socket, the one to subscribe at and the one to publish at."""
        directed, listen, publish = (self.path + suffix for suffix in _SUFFIXES)
        return directed, listen, publish

    def broadcast(self, listen_port: int, publish_port: int) -> tuple[IpcEndpoint, IpcEndpoint]:
        """Return where to subscribe and where to publish; the ports of a WELCOME are for TCP."""
        _, listen, publish = self.files
        return IpcEndpoint(listen), IpcEndpoint(publish)


@attrs.frozen
class TcpEndpoints:
    """The proxies of one fabric on the network, in the order in which they are tried.

    Args:
        places: 1 to 16 of them.
    """

    places: tuple[TcpEndpoint, ...]

    def __str__(self) -> str:
        """Write them behind each other, the scheme once."""
        return "tcp://" + ",".join(f"{host_in_url(at.host)}:{at.port}" for at in self.places)


@attrs.frozen
class FoundEndpoint:
    """A proxy on the network whose place has to be found, and may change.

    Args:
        name: What stands for it, for error texts.
        known: Returns where it was last, at once; nothing if it was never found.
        find: Returns where it is now, or else where it was last. It may block, and must not raise.
        fault: Returns why it was not found at the last time.
    """

    name: str
    known: Callable[[], tuple[TcpEndpoint, ...]] = attrs.field(eq=False)
    find: Callable[[], tuple[TcpEndpoint, ...]] = attrs.field(eq=False)
    fault: Callable[[], str] = attrs.field(eq=False)

    def __str__(self) -> str:
        """Return what stands for it."""
        return self.name


Endpoint = TcpEndpoint | IpcEndpoint
Target = Endpoint | TcpEndpoints | FoundEndpoint
"""Where a client finds its proxy: at one place, at one of several, or where it is found."""


def url_of(place: TcpEndpoint) -> str:
    """Return the URL by which a proxy names a place, as `endpoint_in` reads it."""
    return f"cosmo://{host_in_url(place.host)}:{place.port}"


def endpoint_in(url: str) -> TcpEndpoint | None:
    """Return the place that a proxy names by a URL, such as `cosmo://10.0.0.2:7070`.

    Returns:
        None if it is not `scheme://host:port`, with an IPv6 address in brackets.
    """
    found = _URL.fullmatch(url)
    if found is None or not 0 < int(found["port"]) <= _MAX_PORT:
        return None
    return TcpEndpoint(found["address"] or found["name"], int(found["port"]))


def places_of(target: Target) -> tuple[Endpoint, ...]:
    """Return every place of a target, in order; of one that was never found its name alone."""
    if isinstance(target, FoundEndpoint):
        return target.known() or (TcpEndpoint(target.name, 0),)
    return target.places if isinstance(target, TcpEndpoints) else (target,)
