"""The life of a task inside the proxy: given, answered, cancelled, bounced, lost. Pure.

Spec: docs/spec/03-routing.md. `task` and `reply` are the hot path; bundles pass by `TaskBundles`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from ..errors import WireError
from ..kernel import MAX_TTL_MS, Entry
from ..wire import heads
from ..wire.drops import OTHER
from ..wire.heads import ItemFlag, Reason, Verb
from ..wire.task_flags import without_runs
from .counter_names import BOUNCED, DEFERRED, LOST, RECEIVER_BUSY, RECEIVER_GONE
from .parking import Parked
from .peers import Peer
from .routing import Pool, Seat
from .tables import SEND, Output, Tables

_KEEP = int(ItemFlag.KEEP)
_SETTLES = int(ItemFlag.SETTLES)
_ENDINGS = (Verb.BOUNCE, Verb.LOST)
_NONE: Final[Mapping[bytes, Entry]] = {}


def _load(seat: Seat) -> int:
    return len(seat.open)


class Tasks:
    """Gives tasks to seats and forwards their replies."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._ledger = tables.ledger
        self._by_caller = tables.ledger.by_caller
        self._by_instance = tables.peers.by_instance
        self._max_open_bytes = tables.max_open_bytes

    # -- the hot path ----------------------------------------------------------------------------

    def task(
        self, peer: Peer, single: heads.Single, head: bytes, body: Any, now_s: float
    ) -> list[Output]:
        """Give a task to the next seat of its address, or bounce it with the reason."""
        _, _, _, kind, _, task, trace, _, address = single
        tables, key = self._tables, peer.instance + task
        open_tasks = self._by_caller.get(peer.instance, _NONE)
        # 03-routing, "Life of a TASK" 2, and 09-resync, "What the proxy does with it" 5: at most
        # one worker has a task, so an id that is open, parked or wanted is not given again.
        if task in open_tasks or key in tables.parking.by_key or key in tables.wanted:
            tables.counts["drop.duplicate_task"] += 1
            return []
        if tables.tap is not None:
            tables.tap_message(peer.namespace, Verb.TASK, kind, trace, address, body)
        outputs = self._give(peer, single, head, body, now_s)
        if not outputs:
            tables.counts["parked"] += 1
        return outputs

    def reply(self, peer: Peer, single: heads.Single, head: bytes, body: Any) -> list[Output]:
        """Forward a reply to the caller of its task."""
        caller, _, flags, kind, _, task, trace, _, _ = single
        tables, entry = self._tables, self._by_caller.get(caller, _NONE).get(task)
        # 03-routing, "Replies" 1: only the worker that has a task may answer it.
        if entry is None or entry.seat.peer is not peer:
            tables.counts["drop.reply_unknown"] += 1
            return []
        if flags & _SETTLES:
            self._ledger.settle(entry)
        outputs: list[Output] = []
        # 03-routing, "CANCEL" 2: after a CANCEL its caller has announced the end of the task.
        if not entry.cancelled and peer.namespace.subscribed.has_subscriber(kind, trace):
            outputs = tables.copies(peer.namespace, kind, trace, caller, peer.instance, body)
        if tables.tap is not None:
            tables.tap_message(peer.namespace, Verb.REPLY, kind, trace, entry.seat.name, body)
        receiver = self.caller_of(entry)
        if receiver is None:
            tables.counts["drop.caller_gone"] += 1
        else:
            outputs.append((SEND, receiver.connection, heads.with_peer(head, peer.instance), body))
        return outputs

    def _give(
        self, peer: Peer, single: heads.Single, head: bytes, body: Any, now_s: float
    ) -> list[Output]:
        """Return the message to send and its copies; nothing while the task is parked."""
        if peer.is_limited and self._is_forbidden(peer, single):
            _, _, _, _, _, task, trace, _, _ = single
            return [self.bounce(peer, task, trace, Reason.FORBIDDEN)]
        entry, output = self._route(peer, single, head, body, now_s, may_park=True)
        if output is None:
            return []
        _, _, _, kind, _, _, trace, _, _ = single
        # Asked of the topics of this very message: every worker subscribes to some kind, so that
        # "no topic has a subscriber" would never be true.
        if not peer.namespace.subscribed.has_subscriber(kind, trace):
            return [output]
        worker = heads.NOBODY if entry is None else entry.seat.peer.instance
        copies = self._tables.copies(
            peer.namespace, kind, trace, peer.instance, worker, body, is_task=True
        )
        # 05-broadcast, "Copies" 1: the copy goes first, so that no reply overtakes its TASK.
        return [*copies, output]

    @staticmethod
    def _is_forbidden(peer: Peer, single: heads.Single) -> bool:
        """Tell whether a limited caller may send to nobody that serves the address of a task."""
        # 11-access, "What is checked" 2: by capability only the seats count that it may send to.
        *_, address = single
        try:
            pool = peer.namespace.routes.find(address)
        except WireError:
            return not peer.grant.dispatches  # else it is bounced for its address
        if not address.startswith(b"?"):
            return not peer.may_dispatch_to(address.decode())
        if pool is None or not peer.grant.dispatches:
            return not peer.grant.dispatches
        return not any(map(peer.may_dispatch_to, pool.names))

    def caller_of(self, entry: Entry) -> Peer | None:
        """Return the caller of a task if it is connected, in the namespace of the worker."""
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
        """Return the entry, if a seat got the task, and the outputs; neither if it is parked."""
        _, _, _, _, ttl_ms, task, trace, _, address = single
        if ttl_ms == 0:
            return None, self.bounce(peer, task, trace, Reason.EXPIRED)
        try:
            pool = peer.namespace.routes.find(address)
        except WireError:
            return None, self.bounce(peer, task, trace, Reason.BAD_ADDRESS)
        may = peer.may_dispatch_to if peer.is_limited else None
        seat = None
        if pool is not None:
            seat = pool.next() if may is None else pool.next_of(may)
        if pool is not None and seat is not None:
            return self._give_to(pool, seat, peer, single, head, body, now_s)
        # 04-liveness, "Silence" 2: a silent seat may still live, so its caller gets another answer
        # than when no seat serves the address.
        if pool is not None and pool.has_present_seat(may):
            return None, self.bounce(peer, task, trace, Reason.BUSY)
        # 03-routing, "Parking" 1: an epoch in HELLO shows a caller that knew an earlier proxy.
        if may_park and peer.epoch:
            parked = Parked(peer.instance, task, head, bytes(body), now_s)
            if self._tables.parking.park(parked):
                return None, None
        return None, self.bounce(peer, task, trace, Reason.NO_ROUTE)

    def _give_to(
        self,
        pool: Pool,
        seat: Seat,
        peer: Peer,
        single: heads.Single,
        head: bytes,
        body: Any,
        now_s: float,
    ) -> tuple[Entry | None, Output]:
        """Return the entry and the message for a seat; no entry and the BOUNCE over a bound."""
        _, _, flags, _, ttl_ms, task, trace, size, address = single
        # 03-routing, "Bounds" 3: another seat may have room for its bytes.
        if seat.peer.open_bytes + size > self._max_open_bytes and self._is_heavy(seat, size):
            seat = min(self._lighter(pool, peer, size), key=_load, default=seat)
            full = "full.open_bytes" if self._is_heavy(seat, size) else self._full(peer)
        else:
            full = self._full(peer)
        if full:
            self._tables.counts[full] += 1
            return None, self.bounce(peer, task, trace, Reason.BUSY)
        # 03-routing, "Bounds" 2: its worker has to know, or it would answer in vain.
        if ttl_ms > MAX_TTL_MS:
            ttl_ms = MAX_TTL_MS
            head = heads.with_number(head, ttl_ms)
        # 03-routing, "Overdue": the deadline belongs to the caller, this only bounds the ledger.
        # Added in the order of `enter_tasks` and of bundles: another one may round differently.
        expires_at_s = now_s + self._tables.settings.overdue_s + ttl_ms / 1000
        keep = bool(flags & _KEEP)
        entry = Entry(peer.instance, task, trace, address, seat, expires_at_s, keep, size, ttl_ms)
        self._ledger.enter(entry)
        head = heads.redirect(head, peer.instance, seat.address)
        return entry, (SEND, seat.peer.connection, head, body)

    def _full(self, caller: Peer) -> str:
        """Return the counter of the bound that one more task is over, or an empty text."""
        ledger = self._ledger
        if ledger.count >= ledger.max_tasks:
            return "full.tasks"
        if len(self._by_caller.get(caller.instance, _NONE)) >= ledger.max_tasks_of_caller:
            return "full.tasks_of_caller"
        return ""

    def _is_heavy(self, seat: Seat, size: int) -> bool:
        """Tell whether one more task would be too many bytes for the client of a seat."""
        # 03-routing, "Bounds" 3: one task of any size always finds room at an idle worker.
        worker: Peer = seat.peer
        return worker.open_bytes > 0 and worker.open_bytes + size > self._max_open_bytes

    def _lighter(self, pool: Pool, caller: Peer, size: int) -> list[Seat]:
        return [
            seat
            for seat in pool.seats
            if seat.available
            and not self._is_heavy(seat, size)
            and (not caller.is_limited or caller.may_dispatch_to(seat.name))
        ]

    # -- everything else -------------------------------------------------------------------------

    def cancel(self, peer: Peer, task: bytes) -> list[Output]:
        """Forward the CANCEL of a caller to the worker that has the task."""
        # 03-routing, "Bounces": a CANCEL ends the deferred notice, as its caller waits no longer.
        self._tables.notices.withdraw(peer, task)
        entry = self._ledger.find(peer.instance, task)
        if entry is None:
            self._tables.parking.withdraw(peer.instance, task)
            return []
        # 03-routing, "CANCEL" 2: it does not settle; the worker still answers.
        entry.cancelled = True
        is_same = entry.seat.peer.namespace is peer.namespace
        return self._cancel_entries([entry]) if is_same else []

    def unpark(self, now_s: float) -> list[Output]:
        """Try every parked task again; once parking is over, none stays."""
        outputs: list[Output] = []
        parking = self._tables.parking
        for parked in parking.pop_all() if len(parking) else ():
            peer = self._by_instance.get(parked.caller)
            if peer is None:
                continue
            single = heads.unpack_single(parked.head)
            if single is None:  # cannot be: only single items are parked
                continue
            caller, verb, flags, kind, ttl_ms, task, trace, size, address = single
            # 03-routing, "Parking" 2: the remaining time goes on running.
            left_ms = max(0, ttl_ms - int((now_s - parked.parked_at_s) * 1000))
            head = heads.with_number(parked.head, left_ms)
            if peer.namespace.without_runs:
                head = without_runs(head)
            single = (caller, verb, flags, kind, left_ms, task, trace, size, address)
            outputs += self._give(peer, single, head, parked.body, now_s)
        return outputs

    def unsent(self, peer: Peer, head: bytes, body: Any, busy: bool, now_s: float) -> list[Output]:
        """Find another way for a message that could not be sent to `peer`.

        Args:
            peer: The receiver.
            head: The head that was to be sent.
            body: The body that was to be sent.
            busy: True when the queue of the receiver is full, False when it is unreachable.
            now_s: Monotonic clock.
        """
        single = heads.unpack_single(head)
        if single is None:
            _, [(verb, *_), *_], _ = heads.unpack_items(head)
            self._count_unsent(verb, busy)
            return []
        _, verb, *_ = single
        if verb == Verb.TASK:
            return self._unsent_task(single, head, body, busy, now_s)
        if not (busy and self._defer(peer, single, head, body)):
            self._count_unsent(verb, busy)
        return []

    def _unsent_task(
        self, single: heads.Single, head: bytes, body: Any, busy: bool, now_s: float
    ) -> list[Output]:
        """Give a task that its worker did not get to the next seat, or bounce it."""
        instance, verb, flags, kind, ttl_ms, task, trace, size, _ = single
        entry = self._ledger.find(instance, task)
        caller = self._by_instance.get(instance)
        if entry is None or caller is None:
            return []
        self._ledger.settle(entry)
        if entry.cancelled:  # its CANCEL came while it waited to go out: it is over
            return []
        # 03-routing, "Bounces": a full queue bounces, as its length is unknown; a
        # connection that is gone certainly has not got the task, so another may have it.
        if busy:
            return [self.bounce(caller, task, trace, Reason.BUSY)]
        single = (instance, verb, flags, kind, ttl_ms, task, trace, size, entry.address)
        _, output = self._route(caller, single, head, body, now_s, may_park=False)
        return [output] if output else []

    def _count_unsent(self, verb: int, busy: bool) -> None:
        counters = RECEIVER_BUSY if busy else RECEIVER_GONE
        self._tables.counts[counters.get(verb, OTHER)] += 1

    def _defer(self, caller: Peer, single: heads.Single, head: bytes, body: Any) -> bool:
        """Defer a message that ends a task until its caller has room; False for any other."""
        worker, verb, flags, _, _, task, trace, _, _ = single
        if verb == Verb.REPLY and flags & _SETTLES:
            # 03-routing, "Bounces": the worker keeps the reply, so a short LOST stands for it here
            body = Reason.REPLY_WAITS.encode()
            head = heads.pack(Verb.LOST, len(body), peer=worker, task=task, trace=trace)
        elif verb not in _ENDINGS:
            return False
        if not self._tables.notices.defer(caller, task, head, bytes(body)):
            return False
        self._tables.counts[DEFERRED[verb]] += 1
        return True

    def lose_all(self, worker: Peer) -> list[Output]:
        """Report every task of a worker as lost to its caller."""
        lost = worker.open_tasks()
        self._ledger.settle_all(lost)
        return [output for entry in lost for output in self.report_lost(entry, Reason.WORKER_LOST)]

    def report_lost(self, entry: Entry, reason: Reason) -> list[Output]:
        """Report a task as lost to its caller, if the caller is connected."""
        caller = self.caller_of(entry)
        if caller is None:
            # 03-routing, "LOST": an absent caller lists the task on its return, and gets LOST then.
            self._tables.counts[LOST[reason]] += 1
            return []
        return [self.lost(caller, entry.seat.peer.instance, entry.task, entry.trace, reason)]

    def lost(
        self, caller: Peer, worker: bytes, task: bytes, trace: bytes, reason: Reason
    ) -> Output:
        """Return the LOST of one task for its caller."""
        self._tables.counts[LOST[reason]] += 1
        body = reason.encode()
        head = heads.pack(Verb.LOST, len(body), peer=worker, task=task, trace=trace)
        return SEND, caller.connection, head, body

    def cancel_all_of(self, caller: bytes) -> list[Output]:
        """Cancel the tasks of a caller that is gone, except those with KEEP."""
        self._tables.parking.withdraw_all(caller)
        return self.cancel_orphans(self._ledger.open_of(caller))

    def cancel_orphans(self, entries: Iterable[Entry]) -> list[Output]:
        """Cancel tasks that no caller waits for, except those with KEEP."""
        orphans = [each for each in entries if not each.keep]
        self._tables.counts["orphaned"] += len(orphans)
        return self._cancel_entries(orphans)

    def forget_overdue(self, now_s: float) -> None:
        """Forget tasks that stayed unsettled past their deadline."""
        self._tables.counts["overdue"] += len(self._ledger.settle_overdue(now_s))

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
        """Return a BOUNCE: the caller's task was not delivered, for `reason`."""
        self._tables.counts[BOUNCED[reason]] += 1
        self._tables.tap_message(peer.namespace, Verb.BOUNCE, 0, trace, reason, b"")
        # 11-access, "Words on the wire": an older client knows no `forbidden`, and would not know
        # whether the task ran.
        is_known = reason is not Reason.FORBIDDEN or peer.takes_access
        body = (reason if is_known else Reason.NO_ROUTE).encode()
        head = heads.pack(Verb.BOUNCE, len(body), task=task, trace=trace)
        return SEND, peer.connection, head, body
