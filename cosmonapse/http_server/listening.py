"""The sockets that a server listens on: one for each address that a host means."""

from __future__ import annotations

import errno
import socket

from ..errors import PortInUse
from .bound_address import LOOPBACK, BoundAddress, in_url, plain_address

_BACKLOG = 128


def listening(
    host: str, port: int, what: str = "Prism"
) -> tuple[list[socket.socket], BoundAddress]:
    """Return sockets that listen, and what they mean.

    Args:
        host: A name or an address; `0.0.0.0` and `::` mean every interface.
        port: The port; 0 means any free one.
        what: What else may listen there: for the text of an error.

    Raises:
        PortInUse: Another process listens at one of its addresses, or none of them is of this
            machine.
    """
    host = host.removeprefix("[").removesuffix("]")
    try:
        places = _places(host, port)
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no name of a host"
        hint = "choose an address of this machine (--host)"
        raise PortInUse(f"{in_url(host)}:{port}", str(reason).lower(), hint) from error
    listeners: list[socket.socket] = []
    lack: OSError | None = None
    for family, place in places:
        try:
            listeners.append(_listener(family, place, port))
        except OSError as error:
            lack = error
            if error.errno == errno.EADDRINUSE:
                break  # a browser would meet one or the other behind the same name
            continue  # such as ::1 of a machine without IPv6, whose localhost still has it
        port = listeners[0].getsockname()[1]
    if lack is not None and (not listeners or lack.errno == errno.EADDRINUSE):
        for each in listeners:
            each.close()
        raise PortInUse(f"{in_url(host)}:{port}", _reason(lack, host, port, what)) from lack
    addresses = tuple(plain_address(each.getsockname()[0]) for each in listeners)
    return listeners, BoundAddress(host, addresses, port, socket.gethostname())


def _places(host: str, port: int) -> list[tuple[int, tuple[object, ...]]]:
    """Return family and address of each place; a name may mean several."""
    if host == LOOPBACK:
        return [(socket.AF_INET, (LOOPBACK, port))]
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    return list(dict.fromkeys((int(family), place) for family, _, _, _, place in found))


def _listener(family: int, place: tuple[object, ...], port: int) -> socket.socket:
    listener = socket.socket(family)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((place[0], port, *place[2:]))
        listener.listen(_BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener


def _reason(error: OSError, host: str, port: int, what: str) -> str:
    reason = (error.strerror or str(error)).lower()
    if error.errno != errno.EADDRINUSE:
        return reason
    return f"{reason} (if that is a {what}, open http://{in_url(host)}:{port})"
