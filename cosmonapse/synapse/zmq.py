"""A Synapse on the network or on this machine, over ZeroMQ."""

from __future__ import annotations

import shlex

import zmq_transport as wire_side

from .adapter import ClientSynapse, ErrorContext, mapped
from .url import Endpoint, IpcEndpoint


def _hint(endpoint: Endpoint | IpcEndpoint) -> str:
    if isinstance(endpoint, IpcEndpoint):
        path = shlex.quote(endpoint.path)
        return f"on this machine run 'cosmo synapse start --ipc {path}', or check the URL"
    local = endpoint.host in ("127.0.0.1", "localhost")
    host = "" if local else f" --host {endpoint.host}"
    where = "run" if local else f"on {endpoint.host} run"
    return f"{where} 'cosmo synapse start{host} --port {endpoint.port}', or check the URL"


_MOST_BYTES = 2**31 - 2**17
"""Limit of received bodies. `max_signal_bytes` limits those sent, the Synapse those forwarded."""


class ZmqSynapse(ClientSynapse):
    """A Synapse in a process of its own; see `cosmonapse.transport.Synapse`."""

    def __init__(self, endpoint: Endpoint | IpcEndpoint) -> None:
        super().__init__(ErrorContext(endpoint.url, _hint(endpoint)))
        self._endpoint = (
            wire_side.IpcEndpoint(endpoint.path)
            if isinstance(endpoint, IpcEndpoint)
            else wire_side.TcpEndpoint(endpoint.host, endpoint.port)
        )

    def carrier(self, max_signal_bytes: int) -> wire_side.ZmqCarrier:
        """Return a carrier for one connection."""
        return wire_side.ZmqCarrier(self._endpoint, _MOST_BYTES)

    async def connect(self, timeout_s: float) -> None:
        """See the port."""
        with mapped(self.where):
            await wire_side.probe(self._endpoint, timeout_s)
