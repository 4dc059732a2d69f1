"""The connected clients, by connection, instance id and namespace. Pure.

Spec: docs/spec/02-session.md.

A connection id is assigned by ROUTER; an instance id survives reconnects. Every other table of the
proxy refers to the `Peer`, and is cleared together with it.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..wire.subscribed_topics import SubscribedTopics
from .routing import Routes, Seat


class Namespace:
    """The routes and subscriptions of one namespace. No message crosses between two.

    Attributes:
        peers: The clients that belong here.
        callers: Those that are told of workers.
        hosts: Those with a seat.
        older: Those that do not take PUBLISH.
        without_runs: Those that do not read runs.
    """

    __slots__ = (
        "callers",
        "hosts",
        "name",
        "older",
        "peers",
        "routes",
        "subscribed",
        "without_runs",
    )

    def __init__(self, name: str, publisher: bytes) -> None:
        self.name = name
        self.routes = Routes()
        self.subscribed = SubscribedTopics(publisher)
        self.peers: set[Peer] = set()
        self.callers: set[Peer] = set()
        self.hosts: dict[Peer, None] = {}
        self.older: set[Peer] = set()
        self.without_runs: set[Peer] = set()


class Peer:
    """One client that said HELLO. Slots, because every message touches one.

    Attributes:
        connection: The connection id; changes when the client reconnects.
        instance: Its instance id.
        name: Its name, for logs and the roster.
        namespace: Its namespace.
        epoch: The epoch of the proxy that it knew before, or empty.
        seats: Its seats, by name.
        absent_at_s: Since when its connection is gone, on the monotonic clock, or None.
        worker: True once it may have tasks.
        listed: True once it has listed all tasks that it has open.
        takes_published: True if its HELLO said that it takes PUBLISH.
        gone: True once it is forgotten, for references that outlive it.
        unseated: Seats that get no new tasks and may have some: those that were given up, and
            those of claims read ahead of their REGISTER.
        since_s: Since when it is known, on the monotonic clock.
        number: Grows with every peer.
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
        "number",
        "seats",
        "since_s",
        "takes_published",
        "unseated",
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
        self.takes_published = False
        self.listed = not epoch
        self.unseated: list[Seat] = []
        self.since_s = 0.0
        self.number = 0

    def has_task(self) -> bool:
        """Tell whether it has open tasks, those of given-up seats included."""
        if self.unseated:
            self.unseated = [seat for seat in self.unseated if seat.open]
        return bool(self.unseated) or any(seat.open for seat in self.seats.values())

    def find_stand_in(self, name: str) -> Seat | None:
        """Return the seat that holds claimed tasks until the one of that name registers."""
        stand_ins = (seat for seat in self.unseated if seat.is_stand_in)
        return next((seat for seat in stand_ins if seat.name == name), None)

    def seat_of_claim(self, name: str) -> Seat:
        """Return the seat of that name, or the one that stands in for it."""
        seat = self.seats.get(name) or self.find_stand_in(name)
        if seat is None:
            seat = Seat(self, name, frozenset(), {})
            self.unseated.append(seat)
        return seat

    def __repr__(self) -> str:
        """Name it as `Peer(name, namespace)`."""
        return f"Peer({self.name}, {self.namespace.name})"


class Peers:
    """Every peer, by connection and by instance id, and their namespaces.

    Attributes:
        absent: Those whose connection is gone.

    Args:
        publisher: Instance id under which the proxy publishes.
    """

    def __init__(self, publisher: bytes) -> None:
        self._publisher = publisher
        self.by_connection: dict[bytes, Peer] = {}
        self.by_instance: dict[bytes, Peer] = {}
        self.namespaces: dict[str, Namespace] = {}
        self.absent: dict[Peer, None] = {}
        self._count = 0

    def __len__(self) -> int:
        """Return the number of peers."""
        return len(self.by_instance)

    def __iter__(self) -> Iterator[Peer]:
        """Yield every peer, oldest first."""
        return iter(self.by_instance.values())

    def namespace(self, name: str) -> Namespace:
        """Return a namespace; make it if it is new."""
        namespace = self.namespaces.get(name)
        if namespace is None:
            namespace = self.namespaces[name] = Namespace(name, self._publisher)
        return namespace

    def discard_if_empty(self, namespace: Namespace) -> None:
        """Forget a namespace that has neither peers nor subscriptions."""
        if not namespace.peers and not namespace.subscribed:
            self.namespaces.pop(namespace.name, None)

    def admit(
        self,
        connection: bytes,
        instance: bytes,
        name: str,
        namespace: str,
        epoch: bytes,
        now_s: float,
    ) -> Peer:
        """Add a client."""
        self._count += 1
        peer = Peer(connection, instance, name, self.namespace(namespace), epoch)
        peer.since_s, peer.number = now_s, self._count
        peer.namespace.peers.add(peer)
        self.by_connection[connection] = peer
        self.by_instance[instance] = peer
        return peer

    def rebind(self, peer: Peer, connection: bytes) -> None:
        """Bind `peer` to a new connection; its seats and tasks stay with it."""
        self.by_connection.pop(peer.connection, None)
        peer.connection = connection
        peer.absent_at_s = None
        self.absent.pop(peer, None)
        peer.listed = False
        self.by_connection[connection] = peer

    def mark_absent(self, peer: Peer, now_s: float) -> None:
        """Record that the connection of `peer` is gone."""
        peer.absent_at_s = now_s
        self.absent[peer] = None

    def forget(self, peer: Peer) -> None:
        """Remove a peer from every table of this module."""
        peer.gone = True
        self.absent.pop(peer, None)
        if self.by_connection.get(peer.connection) is peer:
            del self.by_connection[peer.connection]
        if self.by_instance.get(peer.instance) is peer:
            del self.by_instance[peer.instance]
        peer.namespace.peers.discard(peer)
        peer.namespace.callers.discard(peer)
        peer.namespace.hosts.pop(peer, None)
        peer.namespace.older.discard(peer)
        peer.namespace.without_runs.discard(peer)
        self.discard_if_empty(peer.namespace)
