"""Bundles of tasks or of replies, routed whole where their items allow it. Pure.

Spec: docs/spec/03-routing.md, "Bounces". Under load most tasks come in bundles. A bundle whose
items need a decision each is left to `Tasks`, which handles them one by one.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..kernel import MAX_TTL_MS, Entry
from ..wire import heads
from ..wire.heads import ItemFlag, Verb
from .peers import Peer
from .routing import Seat
from .tables import SEND, Output, Tables
from .tasks import Tasks

_TASK = int(Verb.TASK)
_REPLY = int(Verb.REPLY)
_KEEP = int(ItemFlag.KEEP)
_SETTLES = int(ItemFlag.SETTLES)
_ENDLESS = float("inf")


class TaskBundles:
    """Routes a bundle with one lookup and one output for each receiver."""

    def __init__(self, tables: Tables, tasks: Tasks) -> None:
        self._tables = tables
        self._tasks = tasks
        self._ledger = tables.ledger

    def route(
        self,
        peer: Peer,
        caller: bytes,
        items: list[heads.Item],
        address: bytes,
        head: bytes,
        body: Any,
        now_s: float,
    ) -> list[Output] | None:
        """Route a bundle as a whole; return None, and do nothing, if its items differ in outcome.

        Args:
            peer: Its sender.
            caller: The peer that the head names: of replies, the instance id of their caller.
            items: The items of the head; their sizes add up to the length of `body`.
            address: The address in the head.
            head: As it came.
            body: As it came.
            now_s: Monotonic clock.
        """
        verb = items[0][0]  # 01-wire: an item begins with its verb; unpacking 64 costs more
        if verb not in (_TASK, _REPLY) or len({item[0] for item in items}) > 1:
            return None
        if verb == _REPLY:
            return self._route_replies(peer, caller, items, head, body)
        return self._route_tasks(peer, items, address, head, body, now_s)

    def _route_replies(
        self, peer: Peer, caller: bytes, items: list[heads.Item], head: bytes, body: Any
    ) -> list[Output] | None:
        """Forward a bundle of replies unchanged: all are for the same caller."""
        find, entries = self._ledger.find, []
        settled: dict[Entry, None] = {}
        for item in items:  # hot: two fields by index cost less than seven unpacked
            entry = find(caller, item[4])
            # 03-routing, "Replies" 1: only the worker that has the task may answer it. A second
            # reply after SETTLES is unknown, and copies end with CANCEL: both need the single way.
            if entry is None or entry.seat.peer is not peer or entry.cancelled or entry in settled:
                return None
            entries.append(entry)
            if item[1] & _SETTLES:
                settled[entry] = None
        receiver = self._tasks.caller_of(entries[0])
        if receiver is None:
            return None
        self._ledger.settle_all(settled)
        outputs = self._copies(peer, caller, entries, items, body)
        outputs.append((SEND, receiver.connection, heads.with_peer(head, peer.instance), body))
        return outputs

    def _route_tasks(
        self,
        peer: Peer,
        items: list[heads.Item],
        address: bytes,
        head: bytes,
        body: Any,
        now_s: float,
    ) -> list[Output] | None:
        """Give a bundle of tasks to the seats of its address, an equal share to each."""
        caller, tables = peer.instance, self._tables
        if peer.is_limited:
            return None
        pool = peer.namespace.routes.known(address)
        seat = pool.next() if pool is not None else None
        # A parked or wanted task may be the duplicate of one in here: then look at each.
        if pool is None or seat is None or len(tables.parking) or tables.wanted:
            return None
        entries = self._entries_of(caller, items, address, seat, now_s)
        if entries is None or self._ledger.room_for(caller) < len(entries):
            return None
        # 03-routing, "Bounds" 3: then it is decided for each of them, as some may find room.
        room = tables.max_open_bytes - len(body)
        if room != _ENDLESS and any(each.peer.open_bytes > room for each in pool.seats):
            return None
        if len(pool.seats) == 1:
            self._ledger.enter_all(caller, entries, seat)
        else:
            for entry in entries.values():
                entry.seat = pool.next() or seat
                self._ledger.enter(entry)
        outputs = self._copies(peer, caller, entries.values(), items, body)
        if len(pool.seats) == 1 or all(entry.seat is seat for entry in entries.values()):
            head = heads.redirect(head, caller, seat.address, len(items))
            return [*outputs, (SEND, seat.peer.connection, head, body)]
        return outputs + _shares(caller, list(entries.values()), items, head, bytes(body))

    def _entries_of(
        self, caller: bytes, items: list[heads.Item], address: bytes, seat: Seat, now_s: float
    ) -> dict[bytes, Entry] | None:
        """Return the entries of a bundle by task; None if one is open, twice, or of no time."""
        find, overdue_at_s = self._ledger.find, now_s + self._tables.settings.overdue_s
        entries: dict[bytes, Entry] = {}
        for _, flags, _, ttl_ms, task, trace, size in items:
            if not 0 < ttl_ms <= MAX_TTL_MS or find(caller, task) is not None:
                return None
            expires_at_s = overdue_at_s + ttl_ms / 1000
            keep = bool(flags & _KEEP)
            entries[task] = Entry(
                caller, task, trace, address, seat, expires_at_s, keep, size, ttl_ms
            )
        return entries if len(entries) == len(items) else None

    def _copies(
        self,
        peer: Peer,
        caller: bytes,
        entries: Iterable[Entry],
        items: list[heads.Item],
        body: Any,
    ) -> list[Output]:
        """Return the copies of each item for subscribers; pass each item to the message tap."""
        tables, subscribed = self._tables, peer.namespace.subscribed
        # hot: one field by index costs less than seven unpacked
        if tables.tap is None and not subscribed.has_any_subscriber(
            {item[2] for item in items}, (item[5] for item in items)
        ):
            return []
        outputs: list[Output] = []
        parts = heads.split_body(items, bytes(body))
        for entry, item, part in zip(entries, items, parts, strict=True):
            verb, _, kind, _, _, trace, _ = item
            where = entry.address if verb == Verb.TASK else entry.seat.name
            tables.tap_message(peer.namespace, verb, kind, trace, where, part)
            worker = entry.seat.peer.instance
            outputs += tables.copies(
                peer.namespace, kind, trace, caller, worker, part, is_task=verb == Verb.TASK
            )
        return outputs


def _shares(
    caller: bytes,
    entries: list[Entry],
    items: list[heads.Item],
    head: bytes,
    body: bytes,
) -> list[Output]:
    """Cut a bundle into one for each seat."""
    packed, parts = heads.items_of(head, len(items)), heads.split_body(items, body)
    shares: dict[Seat, tuple[list[bytes], list[bytes]]] = {}
    for entry, item, part in zip(entries, packed, parts, strict=True):
        share = shares.get(entry.seat)
        if share is None:
            share = shares[entry.seat] = [], []
        share[0].append(item)
        share[1].append(part)
    start = heads.start_of(caller)
    return [
        (SEND, seat.peer.connection, heads.head_of(start, mine, seat.address), b"".join(bodies))
        for seat, (mine, bodies) in shares.items()
    ]
