"""What the proxy decides: a message comes in, the messages to send go out.

Spec: docs/spec/03-routing.md. Pure: no socket, no clock; the shell passes `now_s` and carries out
what is returned. This is the entrance; the decisions are in `admission`, `presence`, `tasks`,
`resync` and `listeners`, which share `tables`. Only plain tuples cross it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..errors import VersionMismatch, WireError
from ..wire import heads, roster_messages, state_messages
from ..wire.drops import drop_counter
from ..wire.heads import Reason, Verb
from .admission import Admission
from .parking import Parking
from .peers import Peer
from .presence import Presence
from .resync import Resync
from .roster import roster_page
from .settings import Settings
from .subscriptions import Subscriptions
from .tables import SEND, LostNotice, MessageTap, Output, Tables, empty_lost_notice
from .task_bundles import TaskBundles
from .tasks import Tasks

_TASK = int(Verb.TASK)
_REPLY = int(Verb.REPLY)
_PRESENCE = (Verb.REGISTER, Verb.HEARTBEAT, Verb.DEREGISTER)
_RESYNC = (Verb.RESEND, Verb.CLAIM)
_PING = heads.pack(Verb.PING)

Handler = Callable[[Peer, heads.Single, bytes, float], list[Output]]


class Engine:
    """The brain of a proxy.

    Args:
        epoch: 16 bytes, new at every start.
        now_s: When it starts, on the monotonic clock.
        settings: How it behaves.
        obituary: Makes what is published in the name of a seat that vanished.
        witness: Is told of each message, for a log.
    """

    def __init__(
        self,
        *,
        epoch: bytes,
        now_s: float,
        settings: Settings | None = None,
        lost_notice: LostNotice = empty_lost_notice,
        tap: MessageTap | None = None,
    ) -> None:
        settings = settings or Settings()
        parking = Parking(until_s=now_s + settings.parking_s)
        self.tables = Tables(epoch, now_s, settings, parking, lost_notice, tap)
        self.counts = self.tables.counts
        self.subscriptions = Subscriptions(self.tables)
        self.draining = False
        self._tasks = Tasks(self.tables)
        self._bundles = TaskBundles(self.tables, self._tasks)
        self._presence = Presence(self.tables, self._tasks)
        self._resync = Resync(self.tables, self._tasks)
        self._admission = Admission(self.tables, self._presence, self._resync)
        self._by_connection = self.tables.peers.by_connection
        self._others: Mapping[int, Handler] = {
            Verb.HELLO: lambda peer, _, body, __: self._admission.hello_again(peer, body),
            Verb.PING: lambda *_: [],
            Verb.CANCEL: lambda peer, single, *_: self._cancel(peer, single[5]),
            Verb.WORKERS: lambda peer, single, body, _: self._resync.workers(peer, single[3], body),
            Verb.RESEND: self._resynced,
            Verb.CLAIM: self._resynced,
            Verb.GOODBYE: lambda peer, *_: self._goodbye(peer),
            Verb.ROSTER: lambda peer, single, body, now_s: [
                self._roster(peer, single, body, now_s)
            ],
        }

    def use_ports(self, listen_port: int, publish_port: int) -> None:
        """Set the broadcast ports that a WELCOME names."""
        self._admission.listen_port = listen_port
        self._admission.publish_port = publish_port

    def on_message(self, connection: bytes, head: bytes, body: Any, now_s: float) -> list[Output]:
        """Decide about one message.

        Args:
            connection: What ROUTER calls the sender.
            head: First frame; empty is the probe of a new connection.
            body: Second frame: bytes, or anything with a length that `bytes()` takes.
            now_s: Monotonic clock.
        """
        try:
            peer = self._by_connection.get(connection)
            if peer is None:
                if self.draining:  # whoever comes now finds the next proxy
                    self.counts["drop.going_away"] += 1
                    return []
                return self._admission.stranger(connection, head, body, now_s)
            single = heads.unpack_single(head) if head else _PROBE
            if single is None:
                return self._several(peer, head, body, now_s)
            return self._one(peer, single, head, body, now_s)
        except VersionMismatch as error:
            self.counts["drop.version"] += 1
            return [self._admission.refused(connection, str(error))]
        except WireError as error:
            self.on_dropped(error.reason)
            return []

    def on_unsent(
        self, connection: bytes, head: bytes, body: Any, busy: bool, now_s: float
    ) -> list[Output]:
        """Decide what becomes of a message that the socket did not take.

        Args:
            connection: Where it should have gone.
            head: What was to be sent.
            body: What was to be sent.
            busy: True when the queue there is full, False when the connection is gone.
            now_s: Monotonic clock.
        """
        peer = self._by_connection.get(connection)
        if peer is None:
            if not busy:
                self._admission.vanished(connection)
            return []
        if not busy:
            self._presence.unreachable(peer, now_s)
        elif (verb := heads.unpack_items(head)[1][0][0]) == Verb.RESEND:
            self._resync.unsent(peer, now_s)
        elif verb == Verb.WORKERS:
            self.tables.worker_news.unsent(peer, now_s)
        return self._tasks.unsent(peer, head, body, busy, now_s)

    def on_misframed(self, connection: bytes, head: bytes) -> list[Output]:
        """Count a message of too few or too many frames; a client hears of the tasks in it."""
        self.on_dropped("frame_count")
        peer = self._by_connection.get(connection)
        if peer is None or len(head) > heads.MAX_HEAD_BYTES:
            return []
        try:
            items = heads.unpack_items(head)[1]
        except (VersionMismatch, WireError):
            return []
        tasks = (item for item in items if item[0] == _TASK)
        return [self._tasks.bounce(peer, each[4], each[5], Reason.UNKNOWN) for each in tasks]

    def on_dropped(self, reason: str) -> None:
        """Count a message that never was one, such as five frames."""
        self.counts[drop_counter(reason)] += 1

    def tick(self, now_s: float) -> list[Output]:
        """Do what time asks for; call it every 100 ms."""
        self.tables.budget.refill(now_s)
        outputs = self._presence.tick(now_s) + self._tasks.unpark(now_s)
        strangers = self._admission.strangers(now_s)
        outputs += self._resync.tick(now_s, bool(strangers))
        if self._resync.misses_workers:  # one may be among those who have not said who they are
            outputs += [(SEND, each, _PING, b"") for each in strangers]
        messages = self.tables.worker_news.tick(now_s) + self.tables.notices.tick()
        return outputs + [(SEND, *letter) for letter in messages]

    def go_away(self) -> list[Output]:
        """Begin to drain: tell everyone; `drained` turns true when all said GOODBYE."""
        self.draining = True
        head = heads.pack(Verb.GOING_AWAY)
        return [(SEND, peer.connection, head, b"") for peer in self.tables.peers]

    @property
    def drained(self) -> bool:
        """Tell whether nobody is left who could say GOODBYE."""
        return self.draining and all(p.absent_at_s is not None for p in self.tables.peers)

    def _one(
        self, peer: Peer, single: heads.Single, head: bytes, body: Any, now_s: float
    ) -> list[Output]:
        verb, size = single[1], single[7]
        if size != len(body):
            raise WireError("body_length", f"the head claims {size} bytes, not {len(body)}")
        if size > self.tables.settings.max_body_bytes:
            raise WireError("too_large", f"{size:,} bytes")
        if self.draining and self._is_for_the_next(single):
            return [self.tables.returned(peer.connection, head, body, Reason.GOING_AWAY)]
        if verb == _TASK:
            return self._tasks.task(peer, single, head, body, now_s)
        if verb == _REPLY:
            return self._tasks.reply(peer, single, head, body)
        handler = self._others.get(verb)
        if handler is None:
            raise WireError("verb", f"verb {verb} does not go to a proxy alone")
        return handler(peer, single, bytes(body), now_s)

    def _is_for_the_next(self, single: heads.Single) -> bool:
        """Tell what a proxy that goes away leaves to the next: tasks, replies to who has left."""
        caller, verb = single[0], single[1]
        return verb == _TASK or (verb == _REPLY and caller not in self.tables.peers.by_instance)

    def _several(self, peer: Peer, head: bytes, body: Any, now_s: float) -> list[Output]:
        """Take a message with several items apart; each item has its own outcome."""
        caller, items, address = heads.unpack_items(head)
        if items[0][0] in _PRESENCE:
            return self._presence.said(peer, head, bytes(body), now_s)
        if items[0][0] in _RESYNC:
            return self._resynced_all(peer, items, address, bytes(body), now_s)
        if len(body) > heads.MAX_COALESCED_BYTES:
            raise WireError("coalesced_size", f"{len(body):,} bytes in {len(items)} items")
        if not self.draining and sum(item[6] for item in items) == len(body):
            whole = self._bundles.route(peer, caller, items, address, head, body, now_s)
            if whole is not None:
                return whole
        outputs: list[Output] = []
        parts = heads.split_body(items, bytes(body))
        for item, alone, part in zip(items, heads.unbundle(head), parts, strict=True):
            single = (caller, *item, address)
            try:
                outputs += self._one(peer, single, alone, part, now_s)
            except WireError as error:
                self.on_dropped(error.reason)
        return outputs

    def _resynced(
        self, peer: Peer, single: heads.Single, body: bytes, now_s: float
    ) -> list[Output]:
        return self._resynced_all(peer, [single[1:8]], single[8], body, now_s)

    def _resynced_all(
        self, peer: Peer, items: list[heads.Item], address: bytes, body: bytes, now_s: float
    ) -> list[Output]:
        """Take a page of a list, or of claims."""
        verb = items[0][0]
        if any(item[0] != verb for item in items):
            raise WireError("mixed_page", "a page has items of one verb")
        if verb == Verb.RESEND:
            return self._resync.listed(peer, items, body, now_s)
        return self._resync.claimed(peer, items, address, body, now_s)

    def _cancel(self, peer: Peer, task: bytes) -> list[Output]:
        self._resync.withdraw(peer.instance, task)
        return self._tasks.cancel(peer, task)

    def _roster(self, peer: Peer, single: heads.Single, body: bytes, now_s: float) -> Output:
        if body == state_messages.QUESTION:
            page = state_messages.pack(self._state(now_s))
        else:
            page = roster_page(roster_messages.unpack_question(body), peer.namespace.routes)
        return SEND, peer.connection, heads.pack(Verb.ROSTER, len(page), task=single[5]), page

    def _state(self, now_s: float) -> state_messages.ProxyState:
        tables = self.tables
        return state_messages.ProxyState(
            uptime_s=now_s - tables.now_s,
            draining=self.draining,
            clients=len(tables.peers),
            away=sum(peer.absent_at_s is not None for peer in tables.peers),
            seats=sum(len(peer.seats) for peer in tables.peers),
            open=len(tables.ledger),
            parked=len(tables.parking),
            topics=len(self.subscriptions),
            counts=dict(tables.counts),
        )

    def _goodbye(self, peer: Peer) -> list[Output]:
        connection = peer.connection
        if self.draining:  # its seats and tasks come back to the next proxy: nobody is told
            self.tables.liveness.forget(peer.instance)
            self.tables.peers.forget(peer)
            return [(SEND, connection, heads.pack(Verb.GOODBYE), b"")]
        outputs = self._presence.depart(peer, "left")
        return [*outputs, (SEND, connection, heads.pack(Verb.GOODBYE), b"")]


_PROBE: heads.Single = (heads.NOBODY, int(Verb.PING), 0, 0, 0, heads.NOBODY, heads.NOBODY, 0, b"")
"""What the probe of a connection that is known already amounts to."""
