"""A Synapse on the network, over ZeroMQ."""

from __future__ import annotations

import zmq_transport as wire_side

from ..transport import Receiver
from .adapter import ClientTransport, Where, mapped
from .url import Endpoint


def _hint(endpoint: Endpoint) -> str:
    local = endpoint.host in ("127.0.0.1", "localhost")
    host = "" if local else f" --host {endpoint.host}"
    where = "run" if local else f"on {endpoint.host} run"
    return f"{where} 'cosmo synapse start{host} --port {endpoint.port}', or check the URL"


class ZmqSynapse:
    """A Synapse on the network; see `cosmonapse.transport.Synapse`."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._where = Where(endpoint.url, _hint(endpoint))
        self._transports: set[ClientTransport] = set()

    def __repr__(self) -> str:
        """Name it as `Synapse(url)`."""
        return f"Synapse({self.url})"

    @property
    def url(self) -> str:
        """The URL it was made from."""
        return self._endpoint.url

    async def connect(self, timeout_s: float) -> None:
        """See the port."""
        with mapped(self._where):
            await wire_side.probe(self._endpoint.host, self._endpoint.port, timeout_s)

    def transport(
        self, namespace: str, dendrite_id: str, receiver: Receiver, max_signal_bytes: int
    ) -> ClientTransport:
        """See the port."""
        carrier = wire_side.ZmqCarrier(self._endpoint.host, self._endpoint.port, max_signal_bytes)
        made = ClientTransport(
            carrier,
            self._where,
            namespace,
            dendrite_id,
            receiver,
            max_signal_bytes,
            self._transports.discard,
        )
        self._transports.add(made)
        return made

    async def close(self) -> None:
        """See the port."""
        for transport in list(self._transports):
            await transport.close(1.0)
