"""What a client with one seat says: HELLO, REGISTER and HEARTBEATs, as a Dendrite says them."""

from __future__ import annotations

import attrs

from cosmonapse.signals import Directed, Signal, SignalType
from zmq_transport.wire import greetings, heads
from zmq_transport.wire.heads import Verb

NAMESPACE = "presence"
Message = tuple[bytes, bytes]
"""head, body"""


@attrs.frozen
class Client:
    """A client that only serves.

    Args:
        number: Makes its ids and names.
    """

    number: int

    @property
    def connection(self) -> bytes:
        """Its connection id, for an engine without sockets."""
        return self.number.to_bytes(8, "big")

    @property
    def name(self) -> str:
        """The name that it serves."""
        return f"neuron-{self.number}"

    def hello(self) -> Message:
        """Return its HELLO."""
        secret = self.number.to_bytes(16, "big")
        instance = heads.instance_of(secret)
        hello = greetings.Hello(secret, instance, NAMESPACE, self.name, publish=True, runs=True)
        body = greetings.pack_hello(hello)
        return heads.pack(Verb.HELLO, len(body)), body

    def register(self) -> Message:
        """Return the REGISTER of its seat."""
        return self._presence(SignalType.REGISTER, {"role": "worker", "capabilities": ["echo"]})

    def heartbeat(self, lag_ms: int) -> Message:
        """Return a HEARTBEAT of its seat, with the lag of its loop."""
        payload = {"status": "ready", "running": 0, "queued": 0, "loop_lag_ms": lag_ms}
        return self._presence(SignalType.HEARTBEAT, payload)

    def _presence(self, kind: SignalType, payload: dict[str, object]) -> Message:
        verb = int(Verb[kind.name])
        facts = greetings.pack_map(payload)
        producer = Directed(self.name, "neuron")
        opaque = Signal(type=kind, payload=payload, directed=producer).encode()
        nobody = heads.NOBODY
        items = [
            (verb, 0, 0, 0, nobody, nobody, len(facts)),
            (verb, 0, kind.code, 0, nobody, nobody, len(opaque)),
        ]
        head = heads.pack_items(items, address=heads.address_of(self.name))
        return head, facts + opaque
