"""Who is connected: connections, instance ids, namespaces. Spec: docs/spec/02-session.md. Pure.

A connection id is what ROUTER assigned; an instance id survives reconnects. Every other table of
the proxy hangs off the `Peer` of a connection and goes with it.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..wire.subscribed_topics import SubscribedTopics
from .routing import Routes, Seat


class Namespace:
    """What one namespace has: its routes and its audience. Nothing crosses between two."""

    __slots__ = ("callers", "name", "peers", "routes", "subscribed")

    def __init__(self, name: str, publisher: bytes) -> None:
        self.name = name
        self.routes = Routes()
        self.subscribed = SubscribedTopics(publisher)
        self.peers: set[Peer] = set()
        self.callers: set[Peer] = set()


class Peer:
    """One client that said HELLO. Slots, because every message touches one.

    Attributes:
        connection: What ROUTER assigned; changes when the client comes back.
        instance: Its instance id.
        name: For people.
        realm: Its namespace.
        epoch: The epoch of the proxy that it knew before it came here, or empty.
        seats: What it serves, by name.
        absent_at_s: Since when its connection is gone, or None.
        worker: True once tasks may be with it.
        listed: True once it has said which tasks it has open, and has no others.
        gone: True once it is forgotten; a reference that outlives it can tell.
    """

    __slots__ = (
        "absent_at_s",
        "connection",
        "epoch",
        "gone",
        "instance",
        "listed",
        "name",
        "namespace",
        "seats",
        "worker",
    )

    def __init__(
        self, connection: bytes, instance: bytes, name: str, namespace: Namespace, epoch: bytes
    ) -> None:
        self.connection = connection
        self.instance = instance
        self.name = name
        self.namespace = namespace
        self.epoch = epoch
        self.seats: dict[str, Seat] = {}
        self.absent_at_s: float | None = None
        self.gone = False
        self.worker = False
        self.listed = not epoch

    def __repr__(self) -> str:
        """Name it as `Peer(name, namespace)`."""
        return f"Peer({self.name}, {self.namespace.name})"


class Peers:
    """Every peer, by connection and by instance id, and the namespaces that they make.

    Args:
        publisher: Instance id under which the proxy publishes.
    """

    def __init__(self, publisher: bytes) -> None:
        self._publisher = publisher
        self.by_connection: dict[bytes, Peer] = {}
        self.by_instance: dict[bytes, Peer] = {}
        self.namespaces: dict[str, Namespace] = {}

    def __len__(self) -> int:
        """Return the number of peers."""
        return len(self.by_instance)

    def __iter__(self) -> Iterator[Peer]:
        """Yield every peer."""
        return iter(self.by_instance.values())

    def namespace(self, name: str) -> Namespace:
        """Return a namespace, made when it is first named."""
        namespace = self.namespaces.get(name)
        if namespace is None:
            namespace = self.namespaces[name] = Namespace(name, self._publisher)
        return namespace

    def leave_namespace(self, namespace: Namespace) -> None:
        """Forget a namespace that has neither peers nor listeners."""
        if not namespace.peers and not namespace.subscribed:
            self.namespaces.pop(namespace.name, None)

    def admit(
        self, connection: bytes, instance: bytes, name: str, namespace: str, epoch: bytes
    ) -> Peer:
        """Take a client in."""
        peer = Peer(connection, instance, name, self.namespace(namespace), epoch)
        peer.namespace.peers.add(peer)
        self.by_connection[connection] = peer
        self.by_instance[instance] = peer
        return peer

    def rebind(self, peer: Peer, connection: bytes) -> None:
        """Let `peer` go on over a new connection; all that hangs off it comes along."""
        self.by_connection.pop(peer.connection, None)
        peer.connection = connection
        peer.absent_at_s = None
        peer.listed = False
        self.by_connection[connection] = peer

    def forget(self, peer: Peer) -> None:
        """Drop a peer from every table of this module."""
        peer.gone = True
        if self.by_connection.get(peer.connection) is peer:
            del self.by_connection[peer.connection]
        if self.by_instance.get(peer.instance) is peer:
            del self.by_instance[peer.instance]
        peer.namespace.peers.discard(peer)
        peer.namespace.callers.discard(peer)
        self.leave_namespace(peer.namespace)
