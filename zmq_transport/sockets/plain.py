"""Plain sockets for our own ZMTP: listen, options, and what the kernel says of a connection.

Spec: docs/spec/06-sockets.md, "Plain sockets". What is not everywhere stands behind a check.
"""

from __future__ import annotations

import os
import socket as network
import sys
from struct import Struct
from typing import Any

from ..errors import EndpointInUse
from .endpoints import host_in_url
from .options import BACKLOG, ONLY_THIS_USER

KEEPALIVE_S = 1
KEEPALIVE_AGAIN_S = 1
KEEPALIVE_TIMES = 3
_OPTIONS = (
    ("TCP_KEEPIDLE", KEEPALIVE_S),
    ("TCP_KEEPALIVE", KEEPALIVE_S),  # its name on macOS
    ("TCP_KEEPINTVL", KEEPALIVE_AGAIN_S),
    ("TCP_KEEPCNT", KEEPALIVE_TIMES),
)
_KEEPALIVE = {getattr(network, name): value for name, value in _OPTIONS if hasattr(network, name)}
_TCP_INFO = Struct("=24xI108xIII")
"""Of `struct tcp_info` of Linux 4.2 and newer: unacked, segs_out, segs_in, notsent_bytes."""


def listen_on(host: str, port: int) -> network.socket:
    """Listen at `host:port`; with port 0 the system chooses one.

    Raises:
        EndpointInUse: Another process listens there, or the address is not of this host.
    """
    family = network.AF_INET6 if ":" in host else network.AF_INET
    endpoint = f"tcp://{host_in_url(host)}:{port or '*'}"
    try:
        found = network.getaddrinfo(host, port, family, network.SOCK_STREAM)
    except network.gaierror as error:
        raise EndpointInUse(endpoint, "the address is not of this host") from error
    return _listen(family, found[0][4], endpoint)


def listen_at(file: str, mode: int = ONLY_THIS_USER) -> network.socket:
    """Listen at a Unix socket whose file has a mode from its start; see `options.bind_private`.

    Raises:
        EndpointInUse: The socket cannot be made.
    """
    before = os.umask(0o777 & ~mode)
    try:
        return _listen(network.AF_UNIX, file, f"ipc://{file}")
    finally:
        os.umask(before)


def _listen(family: int, address: Any, endpoint: str) -> network.socket:
    made = network.socket(family, network.SOCK_STREAM)
    try:
        made.setblocking(False)
        if family != network.AF_UNIX:
            made.setsockopt(network.SOL_SOCKET, network.SO_REUSEADDR, 1)
        if family == network.AF_INET6:
            made.setsockopt(network.IPPROTO_IPV6, network.IPV6_V6ONLY, 0)  # as libzmq
        made.bind(address)
        made.listen(BACKLOG)
    except OSError as error:
        made.close()
        raise EndpointInUse(endpoint, (error.strerror or str(error)).lower()) from error
    return made


def tune(connection: network.socket) -> None:
    """Set the options of a TCP connection: no delay, and probes of a silent host."""
    connection.setsockopt(network.IPPROTO_TCP, network.TCP_NODELAY, 1)
    connection.setsockopt(network.SOL_SOCKET, network.SO_KEEPALIVE, 1)
    for option, value in _KEEPALIVE.items():
        connection.setsockopt(network.IPPROTO_TCP, option, value)


def segments(connection: network.socket) -> tuple[int, int, bool] | None:
    """Return what the kernel counts for a TCP connection, where it tells.

    Returns:
        Segments sent, those received, and whether any byte is not acknowledged; None on another
        system than Linux, and for a connection that has ended.
    """
    if sys.platform != "linux":
        return None
    try:
        info = connection.getsockopt(network.IPPROTO_TCP, network.TCP_INFO, _TCP_INFO.size)
    except OSError:
        return None
    if len(info) < _TCP_INFO.size:
        return None
    unacknowledged, sent, received, unsent = _TCP_INFO.unpack(info)
    return sent, received, bool(unacknowledged or unsent)
