"""Resolve the host name of an endpoint before ZeroMQ connects to it.

ZeroMQ resolves a name by itself, but reports a wrong one as silence.
"""

from __future__ import annotations

import asyncio
import socket

from ..errors import Unreachable
from ..sockets.endpoints import Endpoint, IpcEndpoint, TcpEndpoint


async def resolve(endpoint: Endpoint) -> Endpoint:
    """Return the endpoint with the first IPv4 address of its host; an IPC endpoint unchanged.

    Raises:
        Unreachable: The name does not resolve.
    """
    if isinstance(endpoint, IpcEndpoint):
        return endpoint
    host, port = endpoint.host, endpoint.port
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host, port, family=socket.AF_INET, type=socket.SOCK_STREAM)
    except OSError as error:
        raise Unreachable(str(endpoint), f"the name {host} does not resolve") from error
    (_, _, _, _, (address, *_)), *_ = found
    return TcpEndpoint(str(address), port)
