"""The connected clients, by connection, instance id and namespace. Pure.

Spec: docs/spec/02-session.md.

A connection id is assigned by ROUTER; an instance id survives reconnects. Every other table of the
proxy refers to the `Peer`, and is cleared together with it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ..access.origin import UNKNOWN, Origin
from ..access.rights import EVERYTHING, Grant
from ..kernel import Entry
from ..wire.subscribed_topics import SubscribedTopics
from .page_table import PageTable
from .routing import Routes, Seat

_FEW: Final = 64
_MAX_NAMES: Final = 4096
MAX_LEFT: Final = 65_536
TURNS: Final = 10
"""How many groups the peers stand in, as those to probe at every tenth tick."""


class Namespace:
    """The routes and subscriptions of one namespace. No message crosses between two.

    Attributes:
        peers: The clients that belong here.
        numbered: The same by their numbers, for the pages of the roster.
        counted: When its clients were last counted, and what came of it, see `questions`.
        callers: Those that are told of workers.
        hosts: Those with a seat.
        older: Those that do not take PUBLISH.
        older_told_at_s: When the others were told that there are some.
        without_runs: Those that do not read runs.
    """

    __slots__ = (
        "callers",
        "counted",
        "hosts",
        "name",
        "numbered",
        "older",
        "older_told_at_s",
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
        self.counted = float("-inf"), 0, 0
        self.numbered: PageTable[Peer] = PageTable()
        self.callers: set[Peer] = set()
        self.hosts: dict[Peer, None] = {}
        self.older: set[Peer] = set()
        self.older_told_at_s = float("-inf")
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
        takes_access: True if its HELLO said that it takes USERS, and knows the reason `forbidden`.
        origin: Where its connection comes from, as the transport verified it.
        grant: What its user may do.
        is_limited: True if it may not send tasks to every seat.
        gone: True once it is forgotten, for references that outlive it.
        facts_bytes: Length of all that it told of its seats, as it came.
        open_count: How many tasks it has, those of given-up seats included.
        open_bytes: Length of their bodies.
        unseated: Seats that were given up and may have tasks.
        stand_ins: By name, seats for claims that were read ahead of their REGISTER.
        since_s: Since when it is known, on the monotonic clock.
        number: Grows with every peer.
    """

    __slots__ = (
        "_may_dispatch",
        "absent_at_s",
        "connection",
        "epoch",
        "facts_bytes",
        "gone",
        "grant",
        "instance",
        "is_limited",
        "listed",
        "name",
        "namespace",
        "number",
        "open_bytes",
        "open_count",
        "origin",
        "prune_at",
        "seats",
        "since_s",
        "stand_ins",
        "takes_access",
        "takes_published",
        "unseated",
        "worker",
    )

    def __init__(
        self, connection: bytes, instance: bytes, name: str, namespace: Namespace, epoch: bytes
    ) -> None:
        self.origin = UNKNOWN
        self.use_grant(EVERYTHING)
        self.takes_access = False
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
        self.facts_bytes = 0
        self.open_count = 0
        self.open_bytes = 0
        self.unseated: list[Seat] = []
        self.prune_at = _FEW
        self.stand_ins: dict[str, Seat] = {}
        self.since_s = 0.0
        self.number = 0

    @property
    def user(self) -> str:
        """The user that the transport verified; empty without keys."""
        return self.origin.user

    def use_grant(self, grant: Grant) -> None:
        """Let it do what its user may do from now on."""
        self.grant = grant
        self.is_limited = grant.dispatches is not None and "*" not in grant.dispatches
        self._may_dispatch: dict[str, bool] = {}

    def may_dispatch_to(self, name: str) -> bool:
        """Tell whether it may send tasks to seats of that name; asked for each candidate."""
        may = self._may_dispatch.get(name)
        if may is None:
            if len(self._may_dispatch) >= _MAX_NAMES:
                self._may_dispatch.clear()
            may = self._may_dispatch[name] = self.grant.may_dispatch_to(name)
        return may

    def open_tasks(self) -> list[Entry]:
        """Return the open tasks that it has, those of given-up seats included."""
        seats = *self.seats.values(), *self.unseated, *self.stand_ins.values()
        return [task for seat in seats for task in seat.open]

    def give_up(self, seat: Seat) -> None:
        """Remember a seat that gets no new tasks, for as long as it has some."""
        if not seat.open:
            return
        self.unseated.append(seat)
        if len(self.unseated) >= self.prune_at:
            self.unseated = [each for each in self.unseated if each.open]
            self.prune_at = 2 * len(self.unseated) + _FEW

    def find_stand_in(self, name: str) -> Seat | None:
        """Return the seat that holds claimed tasks until the one of that name registers."""
        return self.stand_ins.get(name)

    def seat_of_claim(self, name: str, max_stand_ins: int) -> Seat | None:
        """Return the seat of that name, or the one that stands in for it; None if too many do."""
        seat = self.seats.get(name) or self.stand_ins.get(name)
        if seat is None:
            if len(self.stand_ins) >= max_stand_ins:
                return None
            seat = self.stand_ins[name] = Seat(self, name, frozenset(), {})
        return seat

    def __repr__(self) -> str:
        """Name it as `Peer(name, namespace)`."""
        return f"Peer({self.name}, {self.namespace.name})"


Publisher = tuple[str, str]
"""(namespace, user) of one that publishes."""


class Peers:
    """Every peer, by connection and by instance id, and their namespaces.

    Attributes:
        absent: Those whose connection is gone.
        turns: All of them, in ten groups of about the same size.
        seat_count: How many seats all of them have.

    Args:
        publisher: Instance id under which the proxy publishes.
    """

    def __init__(self, publisher: bytes) -> None:
        self._publisher = publisher
        self._left: dict[bytes, Publisher] = {}
        self._left_before: dict[bytes, Publisher] = {}
        self.by_connection: dict[bytes, Peer] = {}
        self.by_instance: dict[bytes, Peer] = {}
        self.namespaces: dict[str, Namespace] = {}
        self.absent: dict[Peer, None] = {}
        self.turns: tuple[dict[Peer, None], ...] = tuple({} for _ in range(TURNS))
        self.seat_count = 0
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
        origin: Origin = UNKNOWN,
        grant: Grant = EVERYTHING,
    ) -> Peer:
        """Add a client."""
        self._count += 1
        peer = Peer(connection, instance, name, self.namespace(namespace), epoch)
        peer.origin = origin
        peer.use_grant(grant)
        peer.since_s, peer.number = now_s, self._count
        peer.namespace.peers.add(peer)
        peer.namespace.numbered.add(peer.number, peer)
        self.by_connection[connection] = peer
        self.by_instance[instance] = peer
        self.turns[peer.number % TURNS][peer] = None
        return peer

    def rebind(self, peer: Peer, connection: bytes, origin: Origin = UNKNOWN) -> None:
        """Bind `peer` to a new connection; its seats and tasks stay with it."""
        self.by_connection.pop(peer.connection, None)
        peer.connection, peer.origin = connection, origin
        peer.absent_at_s = None
        peer.stand_ins = {name: seat for name, seat in peer.stand_ins.items() if seat.open}
        self.absent.pop(peer, None)
        peer.listed = False
        self.by_connection[connection] = peer

    def mark_absent(self, peer: Peer, now_s: float) -> None:
        """Record that the connection of `peer` is gone."""
        peer.absent_at_s = now_s
        self.absent[peer] = None

    def publisher_of(self, instance: bytes) -> Publisher | None:
        """Return who publishes under an instance id: one that is here, or left a moment ago."""
        peer = self.by_instance.get(instance)
        if peer is not None:
            return peer.namespace.name, peer.user
        # Its last publications have another way to us than its GOODBYE, so they may come after it.
        return self._left.get(instance) or self._left_before.get(instance)

    def forget_left(self) -> None:
        """Forget those who left before the last call; call it every 10 s."""
        self._left_before, self._left = self._left, {}

    def forget(self, peer: Peer) -> None:
        """Remove a peer from every table of this module."""
        peer.gone = True
        self.seat_count -= len(peer.seats)
        if len(self._left) >= MAX_LEFT:
            self.forget_left()
        self._left[peer.instance] = peer.namespace.name, peer.user
        self.absent.pop(peer, None)
        self.turns[peer.number % TURNS].pop(peer, None)
        if self.by_connection.get(peer.connection) is peer:
            del self.by_connection[peer.connection]
        if self.by_instance.get(peer.instance) is peer:
            del self.by_instance[peer.instance]
        if peer in peer.namespace.peers:
            peer.namespace.peers.remove(peer)
            peer.namespace.numbered.remove(peer.number)
        peer.namespace.callers.discard(peer)
        peer.namespace.hosts.pop(peer, None)
        peer.namespace.older.discard(peer)
        peer.namespace.without_runs.discard(peer)
        self.discard_if_empty(peer.namespace)
