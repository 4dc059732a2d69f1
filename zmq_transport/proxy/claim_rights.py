"""Decide which worker may claim a task after a restart. Spec: docs/spec/11-access.md. Pure.

A worker may claim what is for its seat, and a seat that it has goes ahead of one that it has not
registered yet.
"""

from __future__ import annotations

from typing import Final

from ..kernel import Entry
from ..wire import heads
from ..wire.heads import Reason
from ..wire.resync_messages import Claim, Held
from .ledger import Ledger
from .peers import Peer
from .routing import Seat
from .tables import Output, Tables
from .tasks import Tasks
from .wanted_tasks import SILENT_S

NO_SEAT: Final = "-"
"""The seat in a claim of a worker that does not know it any more (09-resync, Messages 5)."""


def stands_in(seat: Seat) -> bool:
    """Tell whether a seat holds claimed tasks until the one of its name registers."""
    peer: Peer = seat.peer
    return peer.find_stand_in(seat.name) is seat


def may_claim(peer: Peer, held: Held, ledger: Ledger, address: bytes) -> bool:
    """Tell whether a worker may have such a task. Spec: 11-access, "What is checked" 4.

    Args:
        peer: The worker.
        held: Its claim.
        ledger: The tasks that are known to be in somebody's hands.
        address: Where the caller says that it sent the task; empty if it did not.
    """
    grant = peer.grant
    if grant.serves is None:
        return True
    entry = ledger.find(held.caller, held.task)
    if entry is not None and entry.seat.peer is peer:  # it was given to it, for a known seat
        return True
    return _serves(peer, held.seat, address) if address else grant.may_serve(held.seat)


def was_for(entry: Entry, address: bytes) -> bool:
    """Tell whether a task in somebody's hands was for them, now that its caller says for whom."""
    worker: Peer = entry.seat.peer
    if worker.grant.serves is None or entry.address == address:
        return True
    return _serves(worker, entry.seat.name, address)


def _serves(worker: Peer, seat_name: str, address: bytes) -> bool:
    """Tell whether a worker may serve an address with a seat, or with any for `NO_SEAT`."""
    name, wanted = heads.read_address(address)
    if name is not None:
        return worker.grant.may_serve(name) and seat_name in (name, NO_SEAT)
    mine = worker.seats.values() if seat_name == NO_SEAT else [worker.seats.get(seat_name)]
    return any(seat is not None and wanted <= seat.capabilities for seat in mine)


def has_better_claim(peer: Peer, held: Held, entry: Entry) -> bool:
    """Tell whether a worker has the seat of a task that another claimed without having one."""
    rival: Peer = entry.seat.peer
    if not stands_in(entry.seat) or rival.namespace is not peer.namespace:
        return False
    if held.claim == Claim.FORGOTTEN or (entry.seat.name == NO_SEAT and rival.seats):
        return False
    return held.seat in peer.seats or (held.seat == NO_SEAT and bool(peer.seats))


class StandIns:
    """The seats that were claimed and are still to register: they have 10 s for it."""

    def __init__(self, tables: Tables, tasks: Tasks) -> None:
        self._tables = tables
        self._tasks = tasks
        self._since_s: dict[Seat, float] = {}

    def add(self, seat: Seat, now_s: float) -> None:
        """Wait for a seat that a claim named."""
        self._since_s.setdefault(seat, now_s)

    def tick(self, now_s: float) -> list[Output]:
        """Give up the tasks of those that did not register in time."""
        outputs: list[Output] = []
        for seat, since_s in list(self._since_s.items()):
            peer: Peer = seat.peer
            # A worker that does not know the seat any more names none: any seat of it will do.
            is_seated = not seat.open or (seat.name == NO_SEAT and bool(peer.seats))
            if peer.gone or is_seated:
                del self._since_s[seat]
            elif now_s - since_s >= SILENT_S:
                del self._since_s[seat]
                outputs += self._give_up(seat)
        return outputs

    def _give_up(self, seat: Seat) -> list[Output]:
        entries = list(seat.open)
        self._tables.counts["drop.claim_unseated"] += len(entries)
        self._tables.ledger.settle_all(entries)
        return [out for each in entries for out in self._tasks.report_lost(each, Reason.UNKNOWN)]
