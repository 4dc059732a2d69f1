"""The life of a task inside the proxy: given, answered, cancelled, bounced, lost. Pure.

Spec: docs/spec/03-routing.md. `give` and `reply` are the hot path.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..errors import WireError
from ..wire import heads
from ..wire.heads import ItemFlag, Reason, Verb
from .ledger import Entry
from .parking import Parked
from .peers import Peer
from .tables import SEND, Output, Tables

_TASK = int(Verb.TASK)
_REPLY = int(Verb.REPLY)
_KEEP = int(ItemFlag.KEEP)
_SETTLES = int(ItemFlag.SETTLES)
_ENDINGS = (Verb.BOUNCE, Verb.LOST)


class Tasks:
    """Gives tasks to seats and brings their replies home."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._ledger = tables.ledger
        self._by_instance = tables.peers.by_instance

    # -- the hot path ----------------------------------------------------------------------------

    def task(
        self, peer: Peer, single: heads.Single, head: bytes, body: Any, now_s: float
    ) -> list[Output]:
        """Give a task to the next seat of its address, or say at once why not."""
        _, _, _, kind, _, task, trace, size, address = single
        tables = self._tables
        if (
            self._ledger.find(peer.instance, task) is not None
            or (len(tables.parking) and tables.parking.holds(peer.instance, task))
            or (tables.wanted and peer.instance + task in tables.wanted)
        ):
            tables.counts["drop.duplicate_task"] += 1
            return []
        tables.see(peer.namespace, Verb.TASK, kind, trace, address, size)
        outputs = self._give(peer, single, head, body, now_s)
        if not outputs:
            tables.counts["parked"] += 1
        return outputs

    def reply(self, peer: Peer, single: heads.Single, head: bytes, body: Any) -> list[Output]:
        """Bring a reply to the caller of its task."""
        caller, _, flags, kind, _, task, trace, size, _ = single
        tables = self._tables
        entry = self._ledger.find(caller, task)
        if entry is None or entry.seat.peer is not peer:
            tables.counts["drop.reply_unknown"] += 1
            return []
        if flags & _SETTLES:
            self._ledger.settle(entry)
        outputs: list[Output] = []
        if not entry.taken_back:  # else its caller has told everyone how it ended
            outputs = tables.copies(peer.namespace, kind, trace, caller, peer.instance, body)
        tables.see(peer.namespace, Verb.REPLY, kind, trace, entry.seat.name, size)
        receiver = self._caller_of(entry)
        if receiver is None:
            tables.counts["drop.caller_gone"] += 1
        else:
            outputs.append((SEND, receiver.connection, heads.with_peer(head, peer.instance), body))
        return outputs

    def several(
        self,
        peer: Peer,
        caller: bytes,
        items: list[heads.Item],
        address: bytes,
        head: bytes,
        body: Any,
        now_s: float,
    ) -> list[Output] | None:
        """Take a bundle as a whole; None, and nothing done, when its items need a look each."""
        verb = items[0][0]
        if verb not in (_TASK, _REPLY) or len({item[0] for item in items}) > 1:
            return None
        if verb == _REPLY:
            return self._replies(peer, caller, items, head, body)
        return self._several_tasks(peer, items, address, head, body, now_s)

    def _replies(
        self, peer: Peer, caller: bytes, items: list[heads.Item], head: bytes, body: Any
    ) -> list[Output] | None:
        """Bring a bundle of replies home as it is: they are all for the same caller."""
        known, entries = self._ledger.known, []
        settled: dict[Entry, None] = {}
        for item in items:
            entry = known(caller + item[4])
            if entry is None or entry.seat.peer is not peer or entry.taken_back or entry in settled:
                return None
            entries.append(entry)
            if item[1] & _SETTLES:
                settled[entry] = None
        receiver = self._caller_of(entries[0])
        if receiver is None:
            return None
        self._ledger.settle_all(settled)
        outputs = self._shown(peer, caller, entries, items, body)
        outputs.append((SEND, receiver.connection, heads.with_peer(head, peer.instance), body))
        return outputs

    def _several_tasks(
        self,
        peer: Peer,
        items: list[heads.Item],
        address: bytes,
        head: bytes,
        body: Any,
        now_s: float,
    ) -> list[Output] | None:
        """Give a bundle of tasks to the seats of its address, a fair share to each."""
        caller, tables, known = peer.instance, self._tables, self._ledger.known
        pool = peer.namespace.routes.known(address)
        seat = pool.next() if pool is not None else None
        if pool is None or seat is None or len(tables.parking) or tables.wanted:
            return None
        overdue_at_s = now_s + tables.settings.overdue_s
        entries: dict[bytes, Entry] = {}
        for _, flags, _, ttl_ms, task, trace, _ in items:
            key = caller + task
            if ttl_ms == 0 or known(key) is not None:
                return None
            expires_at_s = overdue_at_s + ttl_ms / 1000
            keep = bool(flags & _KEEP)
            entries[key] = Entry(caller, task, trace, address, seat, expires_at_s, keep)
        if len(entries) < len(items):
            return None
        is_alone = len(pool.seats) == 1
        if is_alone:
            self._ledger.enter_all(entries, seat)
        else:
            for entry in entries.values():
                entry.seat = pool.next() or seat
                self._ledger.enter(entry)
        outputs = self._shown(peer, caller, entries.values(), items, body)
        if is_alone or all(entry.seat is seat for entry in entries.values()):
            head = heads.redirect(head, caller, seat.address, len(items))
            return [*outputs, (SEND, seat.peer.connection, head, body)]
        return outputs + _shares(caller, list(entries.values()), items, head, bytes(body))

    def _shown(
        self,
        peer: Peer,
        caller: bytes,
        entries: Iterable[Entry],
        items: list[heads.Item],
        body: Any,
    ) -> list[Output]:
        """Report each item to the log tap; return the copies for subscribers."""
        tables, subscribed = self._tables, peer.namespace.subscribed
        if tables.tap is None and not (
            subscribed
            and subscribed.has_any_subscriber(
                {item[2] for item in items}, (item[5] for item in items)
            )
        ):
            return []
        outputs: list[Output] = []
        parts = heads.split_body(items, bytes(body))
        for entry, item, part in zip(entries, items, parts, strict=True):
            verb, _, kind, _, _, trace, size = item
            where = entry.address if verb == Verb.TASK else entry.seat.name
            tables.see(peer.namespace, verb, kind, trace, where, size)
            worker = entry.seat.peer.instance
            outputs += tables.copies(peer.namespace, kind, trace, caller, worker, part)
        return outputs

    def _give(
        self, peer: Peer, single: heads.Single, head: bytes, body: Any, now_s: float
    ) -> list[Output]:
        """Return what to send and its copies, which name the worker; nothing while it is parked."""
        entry, output = self._route(peer, single, head, body, now_s, may_park=True)
        if output is None:
            return []
        if not peer.namespace.subscribed:
            return [output]
        _, _, _, kind, _, _, trace, _, _ = single
        worker = heads.NOBODY if entry is None else entry.seat.peer.instance
        copies = self._tables.copies(peer.namespace, kind, trace, peer.instance, worker, body)
        return [*copies, output]

    def _caller_of(self, entry: Entry) -> Peer | None:
        """Return the caller if it is there; one that came back to another namespace is not."""
        caller = self._by_instance.get(entry.caller)
        if caller is None or caller.absent_at_s is not None:
            return None
        return caller if caller.namespace is entry.seat.peer.namespace else None

    def _route(
        self,
        peer: Peer,
        single: heads.Single,
        head: bytes,
        body: Any,
        now_s: float,
        *,
        may_park: bool,
    ) -> tuple[Entry | None, Output | None]:
        """Return the entry, if a seat got the task, and what to send; neither if it is parked."""
        _, _, flags, _, ttl_ms, task, trace, _, address = single
        if ttl_ms == 0:
            return None, self.bounce(peer, task, trace, Reason.EXPIRED)
        try:
            pool = peer.namespace.routes.find(address)
        except WireError:
            return None, self.bounce(peer, task, trace, Reason.BAD_ADDRESS)
        seat = pool.next() if pool is not None else None
        if seat is not None:
            expires_at_s = now_s + ttl_ms / 1000 + self._tables.settings.overdue_s
            keep = bool(flags & _KEEP)
            entry = Entry(peer.instance, task, trace, address, seat, expires_at_s, keep)
            self._ledger.enter(entry)
            head = heads.redirect(head, peer.instance, seat.address)
            return entry, (SEND, seat.peer.connection, head, body)
        if pool is not None and pool.has_present_seat():
            return None, self.bounce(peer, task, trace, Reason.BUSY)
        if may_park and peer.epoch:
            parked = Parked(peer.instance, task, head, bytes(body), now_s)
            if self._tables.parking.park(parked):
                return None, None
        return None, self.bounce(peer, task, trace, Reason.NO_ROUTE)

    # -- everything else -------------------------------------------------------------------------

    def cancel(self, peer: Peer, task: bytes) -> list[Output]:
        """Pass a caller's CANCEL on to whoever has the task."""
        self._tables.notices.withdraw(peer, task)
        entry = self._ledger.find(peer.instance, task)
        if entry is not None:
            entry.taken_back = True
            return (
                self._cancel_entries([entry]) if entry.seat.peer.namespace is peer.namespace else []
            )
        self._tables.parking.withdraw(peer.instance, task)
        return []

    def unpark(self, now_s: float) -> list[Output]:
        """Try every parked task again; once the time of parking is over, nothing stays."""
        outputs: list[Output] = []
        parking = self._tables.parking
        for parked in parking.take_all() if len(parking) else ():
            peer = self._by_instance.get(parked.caller)
            if peer is None:
                continue
            single = heads.unpack_single(parked.head)
            if single is None:  # cannot be: only single items are parked
                continue
            waited_ms = int((now_s - parked.parked_at_s) * 1000)
            left_ms = max(0, single[4] - waited_ms)
            head = heads.with_number(parked.head, left_ms)
            single = (*single[:4], left_ms, *single[5:])
            outputs += self._give(peer, single, head, parked.body, now_s)
        return outputs

    def unsent(self, peer: Peer, head: bytes, body: Any, busy: bool, now_s: float) -> list[Output]:
        """Find another way for a message that could not be sent to `peer`.

        Args:
            peer: Who should have had it.
            head: What was to be sent.
            body: What was to be sent.
            busy: True when its queue is full, False when it is unreachable.
            now_s: Monotonic clock.
        """
        single = heads.unpack_single(head)
        if single is None:
            self._unsent(heads.unpack_items(head)[1][0][0], busy)
            return []
        instance, verb, flags, _, _, task, trace, _, _ = single
        if verb == Verb.TASK:
            entry = self._ledger.find(instance, task)
            caller = self._by_instance.get(instance)
            if entry is None or caller is None:
                return []
            self._ledger.settle(entry)
            if busy:
                return [self.bounce(caller, task, trace, Reason.BUSY)]
            single = (*single[:8], entry.address)
            _, output = self._route(caller, single, head, body, now_s, may_park=False)
            return [output] if output else []
        if busy and self._keep(peer, verb, flags, instance, task, trace, head, body):
            self._tables.counts[f"later.{Verb(verb).name.lower()}"] += 1
            return []
        self._unsent(verb, busy)
        return []

    def _unsent(self, verb: int, busy: bool) -> None:
        why = "busy" if busy else "gone"
        self._tables.counts[f"drop.{Verb(verb).name.lower()}_receiver_{why}"] += 1

    def _keep(
        self,
        caller: Peer,
        verb: int,
        flags: int,
        worker: bytes,
        task: bytes,
        trace: bytes,
        head: bytes,
        body: Any,
    ) -> bool:
        """Keep what ends a task until its caller has room; of a reply only that there is one."""
        if verb == Verb.REPLY and flags & _SETTLES:
            body = Reason.REPLY_WAITS.encode()
            head = heads.pack(Verb.LOST, len(body), peer=worker, task=task, trace=trace)
        elif verb not in _ENDINGS:
            return False
        return self._tables.notices.keep(caller, task, head, bytes(body))

    def lose(self, peer: Peer) -> list[Output]:
        """Tell the callers of every task in the hands of `peer` that it is lost."""
        if not len(self._ledger):
            return []
        lost = self._ledger.settle_where(lambda e: e.seat.peer is peer)
        return [output for entry in lost for output in self.report(entry, Reason.WORKER_LOST)]

    def report(self, entry: Entry, reason: Reason) -> list[Output]:
        """Tell the caller of a task that it is lost, if the caller is there."""
        caller = self._caller_of(entry)
        if caller is None:
            self._tables.counts[f"lost.{reason}"] += 1
            return []
        return [self.lost(caller, entry.seat.peer.instance, entry.task, entry.trace, reason)]

    def lost(
        self, caller: Peer, worker: bytes, task: bytes, trace: bytes, reason: Reason
    ) -> Output:
        """Return what tells `caller` that its task is lost, and why."""
        self._tables.counts[f"lost.{reason}"] += 1
        body = reason.encode()
        head = heads.pack(Verb.LOST, len(body), peer=worker, task=task, trace=trace)
        return SEND, caller.connection, head, body

    def orphan(self, caller: bytes) -> list[Output]:
        """Cancel what a caller that is gone had asked for, unless it was to be kept."""
        self._tables.parking.withdraw_all(caller)
        return self.orphan_all(e for e in self._ledger if e.caller == caller)

    def orphan_all(self, entries: Iterable[Entry]) -> list[Output]:
        """Cancel tasks that nobody waits for, but for those that were to be kept."""
        orphans = [each for each in entries if not each.keep]
        self._tables.counts["orphaned"] += len(orphans)
        return self._cancel_entries(orphans)

    def reap(self, now_s: float) -> None:
        """Forget tasks whose deadline is long over."""
        overdue = self._ledger.settle_where(lambda e: e.expires_at_s <= now_s)
        self._tables.counts["overdue"] += len(overdue)

    def _cancel_entries(self, entries: Iterable[Entry]) -> list[Output]:
        outputs: list[Output] = []
        for entry in entries:
            worker: Peer = entry.seat.peer
            if not worker.gone and worker.absent_at_s is None:
                head = heads.pack(
                    Verb.CANCEL, peer=entry.caller, task=entry.task, trace=entry.trace
                )
                outputs.append((SEND, worker.connection, head, b""))
        return outputs

    def bounce(self, peer: Peer, task: bytes, trace: bytes, reason: Reason) -> Output:
        """Tell a caller that its task goes nowhere."""
        self._tables.counts[f"bounce.{reason}"] += 1
        self._tables.see(peer.namespace, Verb.BOUNCE, 0, trace, reason, 0)
        body = reason.encode()
        head = heads.pack(Verb.BOUNCE, len(body), task=task, trace=trace)
        return SEND, peer.connection, head, body


def _shares(
    caller: bytes,
    entries: list[Entry],
    items: list[heads.Item],
    head: bytes,
    body: bytes,
) -> list[Output]:
    """Cut a bundle into one for each seat."""
    packed, parts = heads.items_of(head, len(items)), heads.split_body(items, body)
    start, outputs = heads.start_of(caller), []
    for seat in dict.fromkeys(entry.seat for entry in entries):
        mine = [at for at, entry in enumerate(entries) if entry.seat is seat]
        share = heads.head_of(start, [packed[at] for at in mine], seat.address)
        mine_body = b"".join([parts[at] for at in mine])
        outputs.append((SEND, seat.peer.connection, share, mine_body))
    return outputs
