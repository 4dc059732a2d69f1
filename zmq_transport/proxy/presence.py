"""Track which seats are served and which clients left, fell silent or vanished. Pure.

Spec: docs/spec/04-liveness.md.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain
from typing import Any

from ..errors import WireError
from ..wire import greetings, heads
from ..wire.heads import Verb
from .peers import TURNS, Peer
from .presence_reader import PresenceReader
from .roster import short_facts
from .routing import Seat
from .tables import SEND, Output, Tables
from .tasks import Tasks

_PING = heads.pack(Verb.PING)
_REGISTER = int(Verb.REGISTER)
_EVERY_TICKS = 10
"""How often tasks are looked for that are overdue."""


class Presence:
    """Keeps the seats in step with the presence of their clients."""

    def __init__(self, tables: Tables, tasks: Tasks) -> None:
        self._tables = tables
        self._tasks = tasks
        self._reader = PresenceReader()
        self._ticks = 0

    def on_message(
        self, peer: Peer, items: list[heads.Item], address: bytes, body: bytes, now_s: float
    ) -> list[Output]:
        """Handle a REGISTER, HEARTBEAT or DEREGISTER: facts for the tables, a body to publish.

        Hot: while no task is sent it is all that there is, and it grows with the clients.

        Raises:
            WireError: It is malformed, or names a seat that the client does not have.
        """
        parts = heads.split_body(items, body)
        # The name of a seat was checked when it registered.
        name: str | None = address.decode(errors="replace")
        if name not in peer.seats:
            name, _ = heads.read_address(address)
        if len(items) != 2 or name is None:
            raise WireError("bad_presence", "presence needs two items and the address of one name")
        # 04-liveness, "Presence": the first item is for the tables, the second for subscribers.
        (verb, *_), (_, _, kind, _, _, trace, _) = items
        facts, published = parts
        refusal = self._apply(peer, verb, name, facts)
        if refusal:
            # 04-liveness, "Acknowledgement" 1: a refused one is not published, nor a sign of life
            self._tables.counts["refused.seat"] += 1
            return [_acknowledgement(peer, address, refusal)]
        self.record_alive(peer, now_s)
        outputs = self._shown(peer, verb, kind, trace, name, published)
        if verb != _REGISTER:
            return outputs
        # 09-resync, "Who may have had a task" 2: callers get the news of a worker ahead of
        # the answer to its REGISTER, so before it can get a task.
        news = self._tables.worker_news.add_worker(peer, now_s)
        acknowledgement = _acknowledgement(peer, address, "")
        parked = self._tasks.unpark(now_s)
        return [*((SEND, *message) for message in news), *outputs, acknowledgement, *parked]

    def _shown(
        self, peer: Peer, verb: int, kind: int, trace: bytes, name: str, published: bytes
    ) -> list[Output]:
        """Show presence to the tap and to those who listen; return the copies."""
        tables, namespace = self._tables, peer.namespace
        if tables.tap is not None:
            tables.tap_message(namespace, verb, kind, trace, name, published)
        if tables.access is None and not namespace.subscribed.has_subscriber(kind, trace):
            return []
        return tables.copies(namespace, kind, trace, heads.NOBODY, peer.instance, published)

    def _apply(self, peer: Peer, verb: int, name: str, facts: bytes) -> str:
        """Apply presence to the tables; return why a REGISTER is refused, or an empty text."""
        if verb == _REGISTER:
            return self._register(peer, name, greetings.unpack_map(facts), len(facts))
        vitals, size = self._reader.read(facts), len(facts)
        seat = peer.seats.get(name)
        if seat is None:
            raise WireError("foreign_seat", f"this client has no seat {name}")
        if verb == Verb.DEREGISTER:
            self.unseat(seat)
        elif size == seat.vitals_bytes or self._may_tell(peer, size - seat.vitals_bytes):
            peer.facts_bytes += size - seat.vitals_bytes
            seat.vitals, seat.vitals_bytes = vitals, size
        else:
            self._tables.counts["full.facts"] += 1
        return ""

    def _may_tell(self, peer: Peer, more_bytes: int) -> bool:
        """Tell whether a client may tell more of its seats."""
        return peer.facts_bytes + more_bytes <= self._tables.settings.max_facts_bytes

    def _register(self, peer: Peer, name: str, facts: dict[str, Any], size: int) -> str:
        """Add a seat; return why it is refused, or an empty text."""
        if not peer.grant.may_serve(name):
            # 11-access, "What is checked" 3: the first word tells it from every other refusal.
            fix = self._tables.fix_for("serve", peer.user, name)
            text = f"access: the key {peer.user} may not serve {name}"
            return f"{text}; {fix}" if fix else text
        try:
            capabilities = greetings.unpack_capabilities(facts)
        except WireError as error:
            return str(error)
        known = peer.seats.get(name)
        known_bytes = 0 if known is None else known.facts_bytes
        if not self._may_tell(peer, size - known_bytes):
            limit = self._tables.settings.max_facts_bytes
            return f"what one client tells of its seats has at most {limit:,} bytes"
        if known is not None and known.capabilities == capabilities:
            peer.facts_bytes += size - known_bytes
            known.facts, known.facts_bytes = short_facts(facts), size
            return ""
        # 04-liveness, "Presence" 3: other capabilities make a new seat, as pools depend on them
        if known is not None:
            self.unseat(known)
        elif len(peer.seats) >= self._tables.settings.max_seats:
            return f"one client has at most {self._tables.settings.max_seats} seats"
        peer.seats[name] = seat = Seat(peer, name, capabilities, short_facts(facts))
        seat.facts_bytes = size
        peer.facts_bytes += size
        self._tables.peers.seat_count += 1
        peer.namespace.hosts[peer] = None
        # 04-liveness, "Absence" 2: a REGISTER may still be read from a connection that is gone.
        seat.available = peer.absent_at_s is None
        # 09-resync, "What the proxy does with it": a CLAIM may be read ahead of the REGISTER.
        if (stand_in := peer.find_stand_in(name)) is not None:
            seat.take_over(stand_in)
            del peer.stand_ins[name]
        peer.namespace.routes.add(seat)
        return ""

    def unseat(self, seat: Seat) -> None:
        """Remove a seat: it gets no new tasks, and may still settle those that it has."""
        peer: Peer = seat.peer
        del peer.seats[seat.name]
        peer.facts_bytes -= seat.facts_bytes + seat.vitals_bytes
        self._tables.peers.seat_count -= 1
        peer.give_up(seat)
        peer.namespace.routes.remove(seat)
        if not peer.seats:
            self._tables.liveness.forget(peer.instance)
            peer.namespace.hosts.pop(peer, None)

    def record_alive(self, peer: Peer, now_s: float) -> None:
        """Record a sign of life of a peer with seats."""
        if not peer.seats:  # 04-liveness, "Silence" 4: only a client with seats can be silent
            return
        was_silent = self._tables.liveness.record(peer.instance, now_s)
        if was_silent and peer.absent_at_s is None:
            self.set_available(peer, True)

    def on_reconnected(self, peer: Peer, now_s: float) -> None:
        """Make the seats of a peer available again after a HELLO over a new connection."""
        self.set_available(peer, True)
        self.record_alive(peer, now_s)

    @staticmethod
    def set_available(peer: Peer, available: bool) -> None:
        """Offer new tasks to the seats of `peer`, or stop offering them."""
        for seat in peer.seats.values():
            peer.namespace.routes.set_available(seat, available)

    def mark_absent(self, peer: Peer, now_s: float) -> None:
        """Mark a peer as absent: its connection is gone, and it has a moment to come back."""
        if peer.absent_at_s is None:
            self._tables.peers.mark_absent(peer, now_s)
            self._tables.counts["unreachable"] += 1
            self.set_available(peer, False)

    def mark_lost(self, peer: Peer, reason: str) -> list[Output]:
        """Remove the seats and tasks of a peer that does not come back, and announce it."""
        outputs: list[Output] = []
        for seat in list(peer.seats.values()):
            self.unseat(seat)
            kind, body = self._tables.lost_notice(
                seat.name, seat.capabilities, peer.instance, reason
            )
            self._tables.tap_message(
                peer.namespace, Verb.DEREGISTER, kind, heads.NOBODY, seat.name, body
            )
            outputs += self._tables.copies(
                peer.namespace, kind, heads.NOBODY, heads.NOBODY, peer.instance, body
            )
        outputs += self._tasks.lose_all(peer)
        # 09-resync, "Who may have had a task" 2: LEFT comes after the LOST of its tasks. A caller
        # that forgot the worker earlier could get `not_started` for such a task.
        self._tables.worker_news.remove_worker(peer)
        return outputs

    def forget(self, peer: Peer, reason: str) -> list[Output]:
        """Forget a peer for good: remove its seats and tasks, and cancel the tasks it sent."""
        outputs = self.mark_lost(peer, reason) + self._tasks.cancel_all_of(peer.instance)
        self._tables.peers.forget(peer)
        return outputs

    def tick(self, now_s: float) -> list[Output]:
        """Probe connections, detect silence, and forget peers that stayed away too long."""
        self._ticks += 1
        # 04-liveness, "Silence" 2: a blocked program still has its tasks; running one twice would
        # be worse than waiting, so silence removes nothing.
        for instance in self._tables.liveness.newly_silent(now_s):
            self._tables.counts["silent"] += 1
            self.set_available(self._tables.peers.by_instance[instance], False)
        outputs = self._probes()
        for peer in list(self._tables.peers.absent):
            if peer.absent_at_s is not None:
                outputs += self._check_absent(peer, now_s - peer.absent_at_s)
        if self._ticks % _EVERY_TICKS == 0:
            self._tasks.forget_overdue(now_s)
        return outputs

    def _probes(self) -> list[Output]:
        """Return the PINGs of this tick."""
        # 04-liveness, "Absence" 1: a PING has no answer. Only the send matters: it fails once the
        # connection is gone, and only a worker with tasks must be found dead within a tick.
        if self._tables.reports_ends:
            return []
        # The others once a second, a tenth at each tick: all at once would hold up the loop.
        turn = self._ticks % TURNS
        busy = (peer for peer in self._workers_with_tasks() if peer.number % TURNS != turn)
        return [
            (SEND, peer.connection, _PING, b"")
            for peer in chain(self._tables.peers.turns[turn], busy)
            if peer.absent_at_s is None and not peer.gone
        ]

    def _workers_with_tasks(self) -> Iterable[Peer]:
        """Return the peers that have open tasks, by way of what there is less of."""
        ledger, peers = self._tables.ledger, self._tables.peers
        if len(ledger) > len(peers):
            return [peer for peer in peers if peer.open_count]
        return {entry.seat.peer: None for entry in ledger}

    def _check_absent(self, peer: Peer, absent_s: float) -> list[Output]:
        settings = self._tables.settings
        if absent_s >= settings.orphaned_after_s:
            return self.forget(peer, "lost")
        # What it had is gone after the first time; words still under way may bring more.
        if absent_s >= settings.lost_after_s and (peer.worker or peer.seats or peer.open_count):
            return self.mark_lost(peer, "lost")
        return []


def _acknowledgement(peer: Peer, address: bytes, refusal: str) -> Output:
    body = refusal.encode()
    return SEND, peer.connection, heads.pack(Verb.REGISTER, len(body), address=address), body
