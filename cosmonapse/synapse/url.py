"""Synapse URLs. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final
from urllib.parse import urlsplit

import attrs

from zmq_transport.sockets.endpoints import MAX_PATH_BYTES, SOCKET_PATH_BYTES, host_in_url

from ..defaults import DEFAULT_HOST as DEFAULT_HOST
from ..defaults import DEFAULT_PORT as DEFAULT_PORT
from ..defaults import DEFAULT_URL as DEFAULT_URL
from ..defaults import MAX_PEERS
from ..errors import InvalidName, InvalidUrl
from ..names import checked_name

_FORM = "write cosmo://host:port, such as " + DEFAULT_URL
_IPC = "cosmo+ipc"
_IPC_FORM = f"write {_IPC}:// and an absolute path, such as {_IPC}:///run/cosmo.sock"
_LIST_FORM = "write a list as cosmo://a:7070,b:7070"
AUTO: Final = "auto"
"""The host that no Synapse can have: `cosmo://auto` finds one on the LAN."""
MAX_PLACES: Final = MAX_PEERS + 1
_AUTO = re.compile(rf"cosmo://{AUTO}(?![^/:?#])", re.IGNORECASE)
_IN_BRACKETS = re.compile(r"\[[^\]]*\](:\d*)?")


@attrs.frozen
class Endpoint:
    """Where a Synapse listens on the network.

    Args:
        host: Name, IPv4 or IPv6 address, the latter without brackets.
        port: TCP port of its directed plane.
    """

    host: str
    port: int

    @property
    def url(self) -> str:
        """The URL that names it."""
        return f"cosmo://{host_in_url(self.host)}:{self.port}"


@attrs.frozen
class Endpoints:
    """Where the Synapses of one fabric listen, in the order in which they are tried.

    Args:
        places: 2 to 16 of them, each one once.
    """

    places: tuple[Endpoint, ...]

    @property
    def url(self) -> str:
        """The URL that names them all."""
        return joined(each.url for each in self.places)


@attrs.frozen
class IpcEndpoint:
    """Where a Synapse listens on this machine.

    Args:
        path: Absolute path of the Unix socket of its directed plane, at most 99 bytes in UTF-8.

    Raises:
        InvalidUrl: The path is invalid; the text names the fault.
    """

    path: str = attrs.field()

    @path.validator
    def _check(self, _: attrs.Attribute[str], path: str) -> None:
        fault = _fault_of(path)
        if fault:
            raise InvalidUrl(self.url, f"{fault}; {_IPC_FORM}")

    @property
    def url(self) -> str:
        """The URL that names it."""
        return f"{_IPC}://{self.path}"


def parse_url(url: str) -> Endpoint | IpcEndpoint | Endpoints:
    """Return what is behind `cosmo://host[:port]`, a list of them, or `cosmo+ipc://path`.

    A list is `cosmo://a:7070,b:7070`: up to 16 places of Synapses that stand by for each other,
    the first to try in front. A place that is named twice counts once; one place alone is an
    `Endpoint`. An IPv6 address stands in brackets: `cosmo://[::1]:7070`. The port is 7070 unless it
    is named. The path is used unchanged: no character of it is special or escaped.

    Raises:
        InvalidUrl: The URL is invalid; the text names the bad part.
    """
    if not isinstance(url, str):
        raise InvalidUrl(str(url), f"it is of type {type(url).__name__}; {_FORM}")
    scheme, _, rest = url.partition(":")
    if scheme.lower() != _IPC:
        return _on_the_network(url)
    if not rest.startswith("//"):
        raise InvalidUrl(url, f"// is missing; {_IPC_FORM}")
    return IpcEndpoint(rest.removeprefix("//"))


def _fault_of(path: str) -> str:
    """Return the fault of the path of a Unix socket; empty for a valid one."""
    if not path:
        return "it names no path"
    if not path.startswith("/"):
        return f"the path {path!r:.100} is not absolute"
    if path.endswith("/"):
        return "the path is one of a directory, not of a socket"
    if not path.isprintable():
        return "the path has characters that cannot be printed"
    size = len(path.encode())
    if size > MAX_PATH_BYTES:
        return (
            f"the path has {size} bytes and at most {MAX_PATH_BYTES} fit: a Unix socket allows "
            f"{SOCKET_PATH_BYTES}, and the longest of the names beside it ends in .publish"
        )
    return ""


def _on_the_network(url: str) -> Endpoint | Endpoints:
    shown = masked(url)
    if "@" in url:
        raise InvalidUrl(shown, f"it must not contain a user or a password; {_FORM}")
    scheme, slashes, listed = url.partition("://")
    if "," not in listed:
        return _one_place(url, shown)
    # Of a place alone the text of the fault says what is wrong; of a list, in which one.
    found: dict[Endpoint, None] = {}
    for number, place in enumerate(listed.removesuffix("/").split(","), 1):
        at = f"place {number} of the list"
        if fault := _list_fault(place):
            raise InvalidUrl(shown, f"{at} {fault}; {_LIST_FORM}")
        try:
            found[_one_place(f"{scheme}{slashes}{place}", shown)] = None
        except InvalidUrl as error:
            raise InvalidUrl(shown, f"{at}, {place!r:.100}: {error.reason}") from None
    if len(found) > MAX_PLACES:
        raise InvalidUrl(shown, f"it names {len(found)} places, and at most {MAX_PLACES} may be")
    return Endpoints(tuple(found)) if len(found) > 1 else next(iter(found))


def _list_fault(place: str) -> str:
    """Return what is wrong with a place for being one of a list; empty if nothing is."""
    if not place:
        return "is empty"
    if place != place.strip():
        return "has a space beside it"
    if "://" in place:
        return "repeats the scheme, which stands once, in front"
    if place.lower().partition(":")[0] == AUTO:
        return f"is {AUTO!r}, which stands alone: cosmo://{AUTO}"
    return ""


def _one_place(url: str, shown: str) -> Endpoint:
    bare = url.partition("://")[2].partition("/")[0]
    if bare.count(":") > 1 and not _IN_BRACKETS.fullmatch(bare):
        raise InvalidUrl(shown, f"an IPv6 address stands in brackets, cosmo://[::1]:7070; {_FORM}")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise InvalidUrl(shown, f"{str(error).lower()}; {_FORM}") from None
    if parts.scheme != "cosmo":
        found = f"the scheme {parts.scheme!r} is unknown" if parts.scheme else "it has no scheme"
        raise InvalidUrl(shown, f"{found}; {_FORM}")
    if not parts.hostname:
        raise InvalidUrl(shown, f"it names no host; {_FORM}")
    if port == 0:
        raise InvalidUrl(shown, f"port 0 cannot be connected to; {_FORM}")
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        raise InvalidUrl(shown, f"nothing may follow the port; {_FORM}")
    host = parts.hostname.replace("%25", "%")  # RFC 6874: the zone of a link-local address
    return Endpoint(host, DEFAULT_PORT if port is None else port)


def joined(urls: Iterable[str]) -> str:
    """Return the URL that names all of some on the network."""
    return "cosmo://" + ",".join(each.partition("://")[2] for each in urls)


def is_auto(url: object) -> bool:
    """Return whether a URL stands for a Synapse that is to be found on the LAN."""
    return isinstance(url, str) and _AUTO.match(url) is not None


def auto_namespace(url: str) -> str | None:
    """Return the namespace in `cosmo://auto/NAMESPACE`; None for `cosmo://auto`.

    Raises:
        InvalidUrl: It has another form.
    """
    rest = url[len(f"cosmo://{AUTO}") :].removesuffix("/")
    if not rest:
        return None
    try:
        return checked_name("namespace", rest.removeprefix("/"))
    except InvalidName:
        form = f"write cosmo://{AUTO} or cosmo://{AUTO}/NAMESPACE, without a port"
        raise InvalidUrl(masked(url), form) from None


def url_of(address: str) -> str:
    """Return the URL of an address of the transport, such as `tcp://10.0.0.2:7070`."""
    for scheme, ours in (("tcp://", "cosmo://"), ("ipc://", f"{_IPC}://")):
        if address.startswith(scheme):
            return ours + address.removeprefix(scheme)
    return address


def memory_name(url: str) -> str:
    """Return the name behind `memory://name`.

    Raises:
        InvalidUrl: The name is missing or invalid.
    """
    name = url.partition("://")[2]
    try:
        return checked_name("name", name)
    except InvalidName:
        raise InvalidUrl(masked(url), "write memory:// and a name of A-Z a-z 0-9 . _ -") from None


def unusable(url: str, reason: str) -> InvalidUrl:
    """Return the error for a URL whose scheme cannot be used, with any password masked."""
    return InvalidUrl(masked(url), f"{reason}, or {_FORM}")


def masked(url: str) -> str:
    """Return a URL, or what was given as one, with the text between scheme and last `@` masked."""
    before, at, host = url.rpartition("@")
    scheme, slashes, _ = before.rpartition("://")
    return f"{scheme}{slashes}***@{host}" if at else url
