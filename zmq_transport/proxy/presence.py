"""Who serves what, and who left, fell silent or vanished. Spec: docs/spec/04-liveness.md. Pure."""

from __future__ import annotations

from typing import Any

from ..errors import WireError
from ..wire import greetings, heads
from ..wire.heads import Verb
from .peers import Peer
from .routing import Seat
from .tables import SEND, Output, Tables
from .tasks import Tasks

_PING = heads.pack(Verb.PING)
_EVERY_TICKS = 10
"""Peers that hold no task are probed at every tenth tick, the others at each."""


class Presence:
    """Keeps the seats true to what their owners say, or no longer say."""

    def __init__(self, tables: Tables, tasks: Tasks) -> None:
        self._tables = tables
        self._tasks = tasks
        self._ticks = 0

    def said(self, peer: Peer, head: bytes, body: bytes, now_s: float) -> list[Output]:
        """Take a REGISTER, HEARTBEAT or DEREGISTER: facts for the tables, a body for listeners.

        Raises:
            WireError: It is malformed, or about a seat that is not this client's.
        """
        _, items, address = heads.unpack_items(head)
        slices = heads.split_body(items, body)
        verb, name = items[0][0], heads.read_address(address)[0]
        if len(items) != 2 or name is None:
            raise WireError("bad_presence", "presence has two items and the address of one name")
        facts = greetings.unpack_map(slices[0])
        seat = peer.seats.get(name)
        if verb == Verb.REGISTER:
            refusal = self._register(peer, name, facts)
            if refusal:
                self._tables.counts["refused.seat"] += 1
                return [_acknowledged(peer, address, refusal)]
        elif seat is None:
            raise WireError("foreign_seat", f"{name} is no seat of this client")
        elif verb == Verb.DEREGISTER:
            self.unseat(seat)
        else:
            seat.vitals = facts
        self.alive(peer, now_s)
        _, _, kind, _, _, trace, size = items[1]
        self._tables.tap_message(peer.namespace, verb, kind, trace, name, size)
        outputs = self._tables.copies(
            peer.namespace, kind, trace, heads.NOBODY, peer.instance, slices[1]
        )
        if verb == Verb.REGISTER:
            came = self._tables.worker_news.came(peer, now_s)
            outputs[:0] = [(SEND, *letter) for letter in came]
            outputs.append(_acknowledged(peer, address, ""))
            outputs += self._tasks.unpark(now_s)
        return outputs

    def _register(self, peer: Peer, name: str, facts: dict[str, Any]) -> str:
        """Take a seat in; return why not, or nothing."""
        try:
            capabilities = greetings.unpack_capabilities(facts)
        except WireError as error:
            return str(error)
        known = peer.seats.get(name)
        if known is not None and known.capabilities == capabilities:
            known.facts = facts
            return ""
        if known is not None:
            self.unseat(known)
        elif len(peer.seats) >= self._tables.settings.max_seats:
            return f"one client has at most {self._tables.settings.max_seats} seats"
        peer.seats[name] = seat = Seat(peer, name, capabilities, facts)
        seat.available = peer.absent_at_s is None
        peer.namespace.routes.add(seat)
        return ""

    def unseat(self, seat: Seat) -> None:
        """Give no new tasks to a seat; those it has may still be settled."""
        peer: Peer = seat.peer
        del peer.seats[seat.name]
        peer.namespace.routes.remove(seat)
        if not peer.seats:
            self._tables.liveness.forget(peer.instance)

    def alive(self, peer: Peer, now_s: float) -> None:
        """Note a sign of life; what is still read from a connection that is gone is none."""
        if not peer.seats:
            return
        was_silent = self._tables.liveness.heard(peer.instance, now_s)
        if was_silent and peer.absent_at_s is None:
            self.set_available(peer, True)

    def returned(self, peer: Peer, now_s: float) -> None:
        """Note that `peer` goes on over a new connection."""
        self.set_available(peer, True)
        self.alive(peer, now_s)

    @staticmethod
    def set_available(peer: Peer, available: bool) -> None:
        """Offer new tasks to the seats of `peer`, or stop offering them."""
        for seat in peer.seats.values():
            peer.namespace.routes.set_available(seat, available)

    def unreachable(self, peer: Peer, now_s: float) -> None:
        """Note that the connection of `peer` is gone; it has a moment to come back."""
        if peer.absent_at_s is None:
            peer.absent_at_s = now_s
            self._tables.counts["unreachable"] += 1
            self.set_available(peer, False)

    def give_up(self, peer: Peer, reason: str) -> list[Output]:
        """Take the seats and tasks from a peer that does not come back, and say so."""
        outputs: list[Output] = []
        for seat in list(peer.seats.values()):
            self.unseat(seat)
            kind, body = self._tables.lost_notice(
                seat.name, seat.capabilities, peer.instance, reason
            )
            self._tables.tap_message(
                peer.namespace, Verb.DEREGISTER, kind, heads.NOBODY, seat.name, len(body)
            )
            outputs += self._tables.copies(
                peer.namespace, kind, heads.NOBODY, heads.NOBODY, peer.instance, body
            )
        outputs += self._tasks.lose_all(peer)
        self._tables.worker_news.left(peer)
        return outputs

    def depart(self, peer: Peer, reason: str) -> list[Output]:
        """Forget a peer for good and tell everyone whom it concerns."""
        outputs = self.give_up(peer, reason) + self._tasks.cancel_all_of(peer.instance)
        self._tables.peers.forget(peer)
        return outputs

    def tick(self, now_s: float) -> list[Output]:
        """Probe connections, notice silence, and let go of who stayed away too long."""
        self._ticks += 1
        settings = self._tables.settings
        outputs: list[Output] = []
        for instance in self._tables.liveness.fallen_silent(now_s):
            self._tables.counts["silent"] += 1
            self.set_available(self._tables.peers.by_instance[instance], False)
        for peer in list(self._tables.peers):
            if peer.absent_at_s is None:
                holds = any(seat.open for seat in peer.seats.values())
                if holds or self._ticks % _EVERY_TICKS == 0:
                    outputs.append((SEND, peer.connection, _PING, b""))
                continue
            away_s = now_s - peer.absent_at_s
            if away_s >= settings.orphaned_after_s:
                outputs += self.depart(peer, "lost")
            elif away_s >= settings.lost_after_s:
                outputs += self.give_up(peer, "lost")
        if self._ticks % _EVERY_TICKS == 0:
            self._tasks.forget_overdue(now_s)
        return outputs


def _acknowledged(peer: Peer, address: bytes, refusal: str) -> Output:
    body = refusal.encode()
    return SEND, peer.connection, heads.pack(Verb.REGISTER, len(body), address=address), body
