"""Rebuild the ledger after a connection or the proxy was lost. Spec: docs/spec/09-resync.md. Pure.

Callers list the tasks that they have open, workers claim the tasks that they hold. Tasks that only
one side lists are queried, see `WantedTasks`, or cancelled.
"""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from ..errors import WireError
from ..kernel import MAX_TTL_MS, Entry
from ..wire import heads, resync_messages
from ..wire.drops import drop_counter
from ..wire.heads import Reason, Verb
from ..wire.resync_messages import Claim, Held, Opened, ResendKind, WorkersFlag
from .caller_lists import CallerLists
from .claim_rights import StandIns, has_better_claim, may_claim, stands_in, was_for
from .peers import Peer
from .tables import SEND, Output, Tables
from .tasks import Tasks
from .wanted_tasks import SILENT_S, WantedTasks
from .worker_queries import KnownWorkers, Row


@attrs.define
class ListedRows:
    """The tasks of one page, by those who may have them.

    Args:
        by_worker: Tasks that the ledger says a worker has.
        addresses: By task id, where tasks of a list were sent, as far as their caller says so.
        of_list: By task id, tasks of a list that no worker is known to have.
        of_gaps: The same for tasks with missing replies.
    """

    by_worker: dict[Peer, list[Row]] = attrs.field(factory=dict)
    addresses: dict[bytes, bytes] = attrs.field(factory=dict)
    of_list: dict[bytes, Row] = attrs.field(factory=dict)
    of_gaps: dict[bytes, Row] = attrs.field(factory=dict)

    def holds(self, task: bytes) -> bool:
        """Tell whether a task that no worker is known to have is in here already."""
        return task in self.of_list or task in self.of_gaps


class Resync:
    """Matches the lists of callers with the claims of workers."""

    def __init__(self, tables: Tables, tasks: Tasks) -> None:
        self._tables = tables
        self._tasks = tasks
        self._ledger = tables.ledger
        self._wanted = WantedTasks(tables, tasks)
        self._lists = CallerLists(tables.counts)
        self._one_sided_since_s: dict[bytes, float] = {}
        self._stand_ins = StandIns(tables, tasks)
        self.wanted_of = self._wanted.queries.of

    @property
    def misses_workers(self) -> bool:
        """Return whether a verdict waits for a worker that is missing or does not answer."""
        return self._wanted.misses_workers

    # -- callers ---------------------------------------------------------------------------------

    def on_workers(self, peer: Peer, kind: int, body: bytes, now_s: float) -> list[Output]:
        """Handle the workers that a caller knew, or its request for news of workers.

        Raises:
            WireError: It is not a list of instance ids.
        """
        ids = resync_messages.read_workers(body)
        news = self._tables.worker_news
        if not ids and not kind:
            return [(SEND, *message) for message in news.on_request(peer, now_s)]
        # 09-resync, "Who may have had a task" 3.1: a worker that the caller knew from an earlier
        # proxy only can have had a task of this one only if it was here.
        if kind & WorkersFlag.UNCONFIRMED:
            ids = [each for each in ids if news.was_worker(each)]
        self._lists.add_workers(peer, kind, ids)
        return []

    def on_open_tasks(
        self, peer: Peer, items: Sequence[heads.Item], body: bytes, now_s: float
    ) -> list[Output]:
        """Handle a page of the tasks that a caller has open, item by item.

        Raises:
            WireError: The sizes of the items do not add up.
        """
        outputs: list[Output] = []
        rows = ListedRows()
        for item, part in zip(items, heads.split_body(items, body), strict=True):
            _, _, kind, *_ = item
            if kind == ResendKind.END:
                # 09-resync, "Messages" 1: what comes before END in the message is part of the list,
                # and it is decided by the workers of that list, which END forgets.
                outputs += self._ask_for(peer, rows, now_s) + self._on_end_of_list(peer, now_s)
                rows = ListedRows()
                continue
            # 01-wire, "Rules" 3: a bad item harms no other.
            try:
                opened = resync_messages.read_opened(item, part)
            except WireError as error:
                self._tables.counts[drop_counter(error.reason)] += 1
                continue
            # 11-access, "What is checked" 2: one that may send to nobody can have sent nothing.
            if peer.is_limited and not peer.grant.dispatches:
                forbidden = self._tasks.bounce(peer, opened.task, opened.trace, Reason.FORBIDDEN)
                outputs.append(forbidden)
                continue
            self._sort(peer, kind, opened, rows)
        return outputs + self._ask_for(peer, rows, now_s)

    def _sort(self, peer: Peer, kind: int, opened: Opened, rows: ListedRows) -> None:
        """Add a task to the rows of those who may have it."""
        if kind == ResendKind.OPEN:
            self._lists.add_task(peer, opened.task)
            if opened.address:
                rows.addresses[opened.task] = opened.address
        row = opened.task, opened.trace, opened.next_index
        # 09-resync, "What the proxy does with it": a task with a worker concerns it alone.
        worker = self._worker_of(peer, opened)
        if worker is not None:
            rows.by_worker.setdefault(worker, []).append(row)
        elif not rows.holds(opened.task) and not self._is_waiting(peer, opened.task):
            # A GAP is no part of a list: its caller does not say which workers it knew.
            (rows.of_list if kind == ResendKind.OPEN else rows.of_gaps)[opened.task] = row

    def _ask_for(self, peer: Peer, rows: ListedRows, now_s: float) -> list[Output]:
        """Ask for the tasks of a page; those of the list by the workers that its caller knew."""
        outputs = self._wanted.ask_each(peer, rows.by_worker, now_s)
        if rows.of_list:
            known = self._lists.known_by(peer)
            outputs += self._wanted.ask_all(peer, list(rows.of_list.values()), known, now_s)
            self._wanted.note_addresses(peer.instance, rows.addresses)
        gaps = list(rows.of_gaps.values())
        return outputs + self._wanted.ask_all(peer, gaps, KnownWorkers(), now_s)

    def _worker_of(self, peer: Peer, opened: Opened) -> Peer | None:
        """Return the worker that has a task; a claim from another namespace is ignored."""
        entry = self._ledger.find(peer.instance, opened.task)
        if entry is None:
            return None
        # A worker claimed it while its caller was away, and the caller came to another namespace.
        if entry.seat.peer.namespace is not peer.namespace:
            self._ledger.settle(entry)
            return None
        # 11-access, "What is checked" 4: it was claimed before its caller could say whose it is.
        if opened.address and not was_for(entry, opened.address):
            self._tables.counts["drop.claim_forbidden"] += 1
            self._ledger.settle(entry)
            return None
        entry.keep = opened.keep
        worker: Peer = entry.seat.peer
        return worker

    def _is_waiting(self, peer: Peer, task: bytes) -> bool:
        parking = self._tables.parking
        return peer.instance + task in self._tables.wanted or parking.holds(peer.instance, task)

    def _on_end_of_list(self, peer: Peer, now_s: float) -> list[Output]:
        """Cancel the tasks of a caller that it did not list, and query whether they arrived."""
        peer.listed = True
        listing = self._lists.forget(peer)
        self._one_sided_since_s.pop(peer.instance, None)
        # A list that was cut proves nothing about the tasks that are not in it.
        if listing.is_cut:
            return []
        caller, tasks = peer.instance, listing.tasks
        left = [each for each in self._ledger.open_of(caller) if each.task not in tasks]
        by_worker: dict[Peer, list[Row]] = {}
        for entry in left:
            entry.cancelled = not entry.keep
            by_worker.setdefault(entry.seat.peer, []).append((entry.task, entry.trace, 0))
        return self._tasks.cancel_orphans(left) + self._wanted.ask_each(peer, by_worker, now_s)

    def withdraw(self, caller: bytes, task: bytes) -> None:
        """Stop looking for a task that its caller cancelled."""
        self._wanted.withdraw(caller, task)

    # -- workers ---------------------------------------------------------------------------------

    def on_claims(
        self, peer: Peer, items: Sequence[heads.Item], name: bytes, body: bytes, now_s: float
    ) -> list[Output]:
        """Handle the claims of a worker: unasked, or the answer to the query of that name.

        Raises:
            WireError: The sizes of the items do not add up.
        """
        parts = heads.split_body(items, body)
        outputs: list[Output] = []
        query = self._wanted.queries.named(name, peer) if name else None
        for item, part in zip(items, parts, strict=True):
            _, _, kind, *_ = item
            # 09-resync, "What the proxy does with it" 1: END answers all queries before it, too.
            if kind == Claim.END:
                self._wanted.queries.on_answered(name, peer)
                continue
            # 01-wire, "Rules" 3: a bad item harms no other.
            try:
                held = resync_messages.read_claim(item, part)
            except WireError as error:
                self._tables.counts[drop_counter(error.reason)] += 1
                continue
            address = self._wanted.address_of(held.caller, held.task)
            if not may_claim(peer, held, self._ledger, address):
                outputs += self._refuse_claim(peer, held)
                continue
            if query is not None and query.only is peer and query.caller == held.caller:
                self._wanted.remove_task(query, held.task)
            outputs += self._on_claim(peer, held, now_s)
        return outputs

    def _refuse_claim(self, peer: Peer, held: Held) -> list[Output]:
        """Drop a claim for a seat that a worker may not serve; it stops what it runs."""
        self._tables.counts["drop.claim_forbidden"] += 1
        # An honest one may have lost the right while it ran: then `not_started` would be a lie.
        if not self._wanted.address_of(held.caller, held.task):
            self._wanted.doubt(held.caller, held.task)
        return self._cancel_unwanted(peer, held)

    def _on_claim(self, peer: Peer, held: Held, now_s: float) -> list[Output]:
        entry = self._ledger.find(held.caller, held.task)
        is_rival = entry is not None and entry.seat.peer is not peer
        if entry is not None and is_rival and has_better_claim(peer, held, entry):
            self._tables.counts["drop.claim_unseated"] += 1
            return self._take_over(peer, held, entry, now_s)
        # 03-routing, "Replies" 1: one worker has a task; the claim of a second changes nothing.
        if is_rival:
            self._tables.counts["drop.claim_taken"] += 1
            return []
        caller = self._tables.peers.by_instance.get(held.caller)
        if caller is not None and caller.namespace is not peer.namespace:
            self._tables.counts["drop.claim_foreign"] += 1
            return []
        was_wanted = self._wanted.withdraw(held.caller, held.task)
        # 03-routing, "Parking" 4: a worker has it already, so no other may get it.
        was_wanted |= self._tables.parking.withdraw(held.caller, held.task)
        if held.claim == Claim.FORGOTTEN:
            return self._on_forgotten(peer, held, caller, was_wanted)
        if entry is not None:
            # 03-routing, "CANCEL" 4: the first one may have been lost with a connection.
            must_end = entry.cancelled and held.claim == Claim.RUNNING
            return [_cancel(peer, held)] if must_end else []
        return self._on_new_claim(peer, held, caller, was_wanted, now_s)

    def _take_over(self, peer: Peer, held: Held, entry: Entry, now_s: float) -> list[Output]:
        """Give a task to the worker that has its seat, and take it from the one that has none."""
        rival: Peer = entry.seat.peer
        self._ledger.settle(entry)
        self._enter(peer, held, now_s, is_one_sided=False)
        return [_cancel(rival, held)] if rival.absent_at_s is None and not rival.gone else []

    def _on_new_claim(
        self, peer: Peer, held: Held, caller: Peer | None, was_wanted: bool, now_s: float
    ) -> list[Output]:
        """Enter a task of which the ledger knows nothing, or cancel it."""
        # 09-resync, "What the proxy does with it": an ended task is of interest to a caller that
        # wants it, a running one also to a caller that may still list it.
        if not was_wanted and (held.claim != Claim.RUNNING or (caller and caller.listed)):
            return self._cancel_unwanted(peer, held)
        if self._enter(peer, held, now_s, is_one_sided=not was_wanted) or not was_wanted:
            return []
        return self._lost(peer, held, caller, Reason.UNKNOWN)

    def _lost(self, peer: Peer, held: Held, caller: Peer | None, reason: Reason) -> list[Output]:
        if caller is None:
            return []
        return [self._tasks.lost(caller, peer.instance, held.task, held.trace, reason)]

    def _on_forgotten(
        self, peer: Peer, held: Held, caller: Peer | None, was_wanted: bool
    ) -> list[Output]:
        """Report a task that has ended, with replies that the worker keeps no longer."""
        entry = self._ledger.find(held.caller, held.task)
        if entry is not None:
            self._ledger.settle(entry)
        elif not was_wanted:
            return []
        return self._lost(peer, held, caller, Reason.REPLY_LOST)

    def _cancel_unwanted(self, peer: Peer, held: Held) -> list[Output]:
        """Cancel a running task whose caller does not wait for it, unless it has KEEP."""
        if held.claim != Claim.RUNNING or held.keep:
            return []
        self._tables.counts["orphaned"] += 1
        return [_cancel(peer, held)]

    def _enter(self, peer: Peer, held: Held, now_s: float, *, is_one_sided: bool) -> bool:
        """Enter a claimed task, one-sided until its caller lists it; False if there is no room."""
        ledger = self._ledger
        # 03-routing, "Bounds" 4: the caller of a claim may be made up, so its worker counts too.
        has_room = peer.open_count < ledger.max_tasks_of_caller and ledger.room_for(held.caller)
        # CLAIM may be read ahead of the REGISTER of its seat: a seat of no pool stands in, which
        # settles like any other and gets no new tasks. The seat takes them over when it registers.
        max_seats = self._tables.settings.max_seats
        seat = peer.seat_of_claim(held.seat, max_seats) if has_room else None
        if seat is None:
            self._tables.counts["drop.claims_full"] += 1
            return False
        if stands_in(seat):
            self._stand_ins.add(seat, now_s)
        left_ms = min(held.left_ms, MAX_TTL_MS)
        entry = Entry(
            held.caller,
            held.task,
            held.trace,
            seat.address,
            seat,
            now_s + left_ms / 1000 + self._tables.settings.overdue_s,
            held.keep,
            0,
            left_ms,
        )
        self._ledger.enter(entry)
        self._tables.counts["resync.found"] += 1
        if is_one_sided:
            self._one_sided_since_s.setdefault(held.caller, now_s)
        return True

    # -- connections -----------------------------------------------------------------------------

    def on_hello(self, instance: bytes, peer: Peer | None) -> None:
        """Forget the lists of a former connection of `instance`: it sends all of them again."""
        self._wanted.forget(instance)
        if peer is not None:
            self._lists.forget(peer)
            self._tables.notices.forget(peer)

    def on_reconnected(self, peer: Peer, now_s: float) -> list[Output]:
        """Query a worker that is back about all its tasks: any may have been lost on the way."""
        # 02-session, "Outbox": when a connection ends, both ends may have lost messages under way.
        outputs: list[Output] = []
        by_caller: dict[bytes, list[Row]] = {}
        by_instance = self._tables.peers.by_instance
        for entry in peer.open_tasks():
            if entry.caller in by_instance:
                by_caller.setdefault(entry.caller, []).append((entry.task, entry.trace, 0))
            else:
                self._ledger.settle(entry)  # if it runs, the worker claims it
        for caller_id, rows in by_caller.items():
            outputs += self._wanted.ask_each(by_instance[caller_id], {peer: rows}, now_s)
        return outputs

    def on_query_unsent(self, worker: Peer, now_s: float) -> None:
        """Record that a query found no room; it is sent again later."""
        self._wanted.queries.on_unsent(worker, now_s)

    # -- time ------------------------------------------------------------------------------------

    def tick(self, now_s: float, has_unknown: bool) -> list[Output]:
        """Cancel tasks that no caller waits for, and decide about wanted tasks.

        Args:
            now_s: Monotonic clock.
            has_unknown: True if there are connections that have not said HELLO.
        """
        outputs = self._cancel_one_sided(now_s) + self._stand_ins.tick(now_s)
        self._lists.forget_gone()
        if self._wanted.queries.is_idle:
            self._lists.forget_unused()
        return outputs + self._wanted.tick(self._lists.known, now_s, has_unknown)

    def _cancel_one_sided(self, now_s: float) -> list[Output]:
        """Cancel the claimed tasks of callers that did not come back within 10 s."""
        outputs: list[Output] = []
        overdue = [c for c, at_s in self._one_sided_since_s.items() if now_s - at_s >= SILENT_S]
        for caller_id in overdue:
            del self._one_sided_since_s[caller_id]
            if caller_id not in self._tables.peers.by_instance:
                outputs += self._tasks.cancel_all_of(caller_id)
        return outputs


def _cancel(peer: Peer, held: Held) -> Output:
    """Return the CANCEL of a task that a worker has claimed."""
    head = heads.pack(Verb.CANCEL, peer=held.caller, task=held.task, trace=held.trace)
    return SEND, peer.connection, head, b""
