"""Route a plain message of tasks or of replies as a whole, in one pass over its bytes. Pure.

Spec: docs/spec/03-routing.md, "Life of a TASK in the proxy" and "Replies". Most messages are plain:
one seat, nobody who listens, nothing parked. Every other one is declined here, with nothing done;
`tasks` and `task_bundles` decide about it, and they are the reference for a plain one too.
"""

from __future__ import annotations

from typing import Any

from ..kernel import enter_tasks, read_target, settle_replies
from ..wire import heads
from ..wire.heads import Verb
from .peers import Peer
from .tables import SEND, Output, Tables

_TASK = int(Verb.TASK)
_REPLY = int(Verb.REPLY)


class PlainMessages:
    """Takes plain messages past every part that has nothing to decide about them."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._ledger = tables.ledger
        self._by_caller = tables.ledger.by_caller
        self._by_instance = tables.peers.by_instance
        settings = tables.settings
        self._overdue_s = settings.overdue_s
        # 03-routing, "Bounds": within both there is room for all items that a message may have.
        self._max_of_caller = tables.ledger.max_tasks_of_caller - heads.MAX_ITEMS
        self._max_open = tables.ledger.max_tasks - heads.MAX_ITEMS
        self._max_open_bytes = tables.max_open_bytes
        # 01-wire, "Limits": a body within both limits needs no look at the number of its items.
        self._max_bytes = min(settings.max_body_bytes, heads.MAX_COALESCED_BYTES)

    def route(self, peer: Peer, head: bytes, body: Any, now_s: float) -> list[Output] | None:
        """Return the messages to send; None, and nothing done, if the message is not plain.

        Args:
            peer: Its sender.
            head: As it came.
            body: As it came.
            now_s: Monotonic clock.
        """
        target = read_target(head)
        if target is None or self._tables.tap is not None or len(body) > self._max_bytes:
            return None
        verb, named, address = target
        if verb == _REPLY:
            return self._route_replies(peer, named, head, body)
        if verb == _TASK:
            return self._route_tasks(peer, address, head, body, now_s)
        return None

    def _route_tasks(
        self, peer: Peer, address: bytes, head: bytes, body: Any, now_s: float
    ) -> list[Output] | None:
        """Give the tasks to one seat."""
        tables, namespace = self._tables, peer.namespace
        # 11-access: who may not send to every seat goes the way of the reference.
        if peer.is_limited:
            return None
        pool = namespace.routes.known(address)
        # A parked or wanted task may be the duplicate of one in here.
        if pool is None or tables.parking.by_key or tables.wanted:
            return None
        seat = pool.next()
        if seat is None or (len(pool.seats) > 1 and not heads.is_single(head)):
            return None
        worker: Peer = seat.peer
        open_bytes = worker.open_bytes + len(body)
        mine = of_caller = self._by_caller.get(peer.instance)
        if mine is None:
            mine = {}
        known = len(mine)
        if (
            known > self._max_of_caller
            or self._ledger.count > self._max_open
            or open_bytes > self._max_open_bytes
        ):
            return None
        subscribed, before = namespace.subscribed, len(seat.open)
        given = enter_tasks(
            head,
            len(body),
            peer.instance,
            seat,
            seat.address,
            mine,
            subscribed.kinds,
            subscribed.traces,
            now_s + self._overdue_s,
        )
        if given is None:
            return None
        if of_caller is None:
            self._by_caller[peer.instance] = mine
        given_count = len(mine) - known
        self._ledger.count += given_count
        worker.open_count += given_count
        worker.open_bytes = open_bytes
        for each in seat.pools:
            each.load_changed(seat, before)
        return [(SEND, worker.connection, given, body)]

    def _route_replies(
        self, peer: Peer, caller: bytes, head: bytes, body: Any
    ) -> list[Output] | None:
        """Forward the replies to the one caller of all their tasks."""
        receiver, namespace = self._by_instance.get(caller), peer.namespace
        entries = self._by_caller.get(caller)
        if (
            receiver is None
            or entries is None
            or receiver.absent_at_s is not None
            or receiver.namespace is not namespace
        ):
            return None
        subscribed = namespace.subscribed
        settled = settle_replies(
            head,
            len(body),
            peer.instance,
            peer,
            entries,
            subscribed.kinds,
            subscribed.traces,
        )
        if settled is None:
            return None
        forwarded, seat, ended, ended_bytes = settled
        if ended:
            self._ledger.count -= ended
            peer.open_count -= ended
            peer.open_bytes -= ended_bytes
            before = len(seat.open) + ended
            for pool in seat.pools:
                pool.load_changed(seat, before)
        return [(SEND, receiver.connection, forwarded, body)]
