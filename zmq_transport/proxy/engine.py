"""The pure core of the proxy: receive a message, return the messages to send. Pure.

Spec: docs/spec/03-routing.md. No socket and no clock: the shell passes `now_s` and carries out the
outputs. This is the entrance; `admission`, `presence`, `tasks`, `task_bundles`, `resync` and
`subscriptions` decide, and share `tables`. `plain_messages` goes ahead of them, for speed, and
`fabric_role` where there are other proxies. Only plain tuples cross it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..access.origin import UNKNOWN, Origin
from ..access.rights import Access
from ..errors import VersionMismatch, WireError
from ..wire import heads
from ..wire.drops import drop_counter
from ..wire.heads import Reason, Verb
from ..wire.task_flags import without_runs
from .fabric_role import FabricRole
from .peers import Peer
from .settings import Settings
from .tables import SEND, LostNotice, MessageTap, Output, empty_lost_notice
from .term import Term, Terms

_TASK = int(Verb.TASK)
_REPLY = int(Verb.REPLY)
_PRESENCE = frozenset((int(Verb.REGISTER), int(Verb.HEARTBEAT), int(Verb.DEREGISTER)))
_RESYNC = (Verb.RESEND, Verb.CLAIM)
_PING = heads.pack(Verb.PING)
_LEFT_S = 10.0

Handler = Callable[[Peer, heads.Single, bytes, float], list[Output]]
"""(sender, unpacked head, body, monotonic clock) -> the messages to send."""


class Engine:
    """Every decision of a proxy.

    Args:
        epoch: 16 bytes, new at every start.
        now_s: Monotonic clock, at the start.
        settings: Timeouts and limits.
        lost_notice: Makes the broadcast that announces a lost seat.
        tap: Receives the facts of each message, for a log.
        reports_ends: True when `on_disconnected` is called at the end of every connection.
        access: Who may do what, for a proxy with keys; None for everybody everything.
        fast: False decides about plain messages as about all others, to compare the two.
    """

    def __init__(
        self,
        *,
        epoch: bytes,
        now_s: float,
        settings: Settings | None = None,
        lost_notice: LostNotice = empty_lost_notice,
        tap: MessageTap | None = None,
        reports_ends: bool = False,
        access: Access | None = None,
        fast: bool = True,
    ) -> None:
        self.fabric: FabricRole | None = None  # none for a proxy that was told of no other
        shell = lost_notice, tap, reports_ends, access
        self._terms = Terms(settings or Settings(), shell, now_s, fast=fast)
        self.counts = self._terms.counts
        self._use(self._terms.begin(epoch, now_s))
        # TASK and REPLY are not in here: they are the hot path, see `_one`.
        self._handlers: Mapping[int, Handler] = {
            Verb.HELLO: lambda peer, _, body, now_s: self.admission.on_second_hello(
                peer, body, now_s
            ),
            Verb.PING: lambda *_: [],
            Verb.CANCEL: self._on_cancel,
            Verb.WORKERS: self._on_workers,
            Verb.RESEND: self._on_resync,
            Verb.CLAIM: self._on_resync,
            Verb.GOODBYE: self._on_goodbye,
            Verb.ROSTER: self._on_roster,
            Verb.PUBLISH: lambda peer, single, body, _: self._publications.publish(
                peer, single, body
            ),
        }

    def _use(self, term: Term) -> None:
        # As plain names: every message goes through some of them.
        self._term, self.tables, self.subscriptions = term, term.tables, term.subscriptions
        self._tasks, self._bundles, self._plain = term.tasks, term.bundles, term.plain
        self._presence, self._publications = term.presence, term.publications
        self._resync, self._revocation = term.resync, term.revocation
        self.admission, self.questions = term.admission, term.questions
        self._by_connection = term.tables.peers.by_connection
        self._forget_left_at_s = term.tables.now_s + _LEFT_S
        self.draining = False

    def begin_term(self, epoch: bytes, now_s: float) -> list[bytes]:
        """Begin anew under a new epoch; return the topics that publishers were asked for.

        The shell ends every connection of clients.
        """
        before = self._term
        self._use(self._terms.begin(epoch, now_s, before))
        self.join(self.fabric)
        return before.subscriptions.topics()

    def join(self, fabric: FabricRole | None) -> None:
        """Be one of several proxies from now on."""
        self.fabric = fabric
        self.questions.fabric = None if fabric is None else fabric.state

    def use_ports(self, listen_port: int, publish_port: int) -> None:
        """Set the broadcast ports that a WELCOME names."""
        self.admission.listen_port = listen_port
        self.admission.publish_port = publish_port

    def use_access(self, access: Access) -> None:
        """Put another list of users in force at the next tick; safe from another thread.

        A user that loses something is told so, and every line of it is cut.

        Raises:
            ValueError: This proxy has no keys.
        """
        self._revocation.use(access)

    def on_message(
        self, connection: bytes, head: bytes, body: Any, now_s: float, origin: Origin = UNKNOWN
    ) -> list[Output]:
        """Handle one message and return the messages to send.

        Args:
            connection: The connection id of the sender, as ROUTER assigned it.
            head: First frame; empty is the probe of a new connection.
            body: Second frame: bytes, or anything with a length that `bytes()` accepts.
            now_s: Monotonic clock.
            origin: Where it comes from; read only while `is_admitted` is false of the connection.
        """
        try:
            peer = self._by_connection.get(connection)
            if peer is None:
                return self._from_stranger(connection, head, body, now_s, origin)
            if peer.namespace.without_runs:
                head = without_runs(head)  # 03-routing, "Runs" 5: an older client may watch
            if self._plain is not None and not self.draining:
                whole = self._plain.route(peer, head, body, now_s)
                if whole is not None:
                    return whole
            single = heads.unpack_single(head) if head else _PROBE
            if single is None:
                return self._several(peer, head, body, now_s)
            return self._one(peer, single, head, body, now_s)
        except VersionMismatch as error:
            self.counts["drop.version"] += 1
            return [self.admission.refused(connection, str(error))]
        except WireError as error:
            self.on_dropped(error.reason)
            return []

    def on_unsent(
        self, connection: bytes, head: bytes, body: Any, busy: bool, now_s: float
    ) -> list[Output]:
        """Handle a message that the socket did not accept; return the messages to send instead.

        Args:
            connection: The connection of the receiver.
            head: The head that was to be sent.
            body: The body that was to be sent.
            busy: True when the queue of the receiver is full, False when its connection is gone.
            now_s: Monotonic clock.
        """
        peer = self._by_connection.get(connection)
        if peer is None:
            return [] if busy else self._forget(connection, now_s)
        _, [(verb, *_), *_], _ = heads.unpack_items(head)
        if not busy:
            # 04-liveness, "Absence" 1: a send that fails so is how a dead process shows.
            self._presence.mark_absent(peer, now_s)
        elif verb == Verb.RESEND:
            self._resync.on_query_unsent(peer, now_s)
        elif verb == Verb.WORKERS:
            self.tables.worker_news.on_unsent(peer, now_s)
        return self._tasks.unsent(peer, head, body, busy, now_s)

    def on_writable(self, connection: bytes, now_s: float) -> list[Output]:
        """Return some deferred messages for a client that has room again; call it until none is.

        None is there either when one of those that it returned came back by `on_unsent`.
        """
        peer = self._by_connection.get(connection)
        messages = [] if peer is None else self.tables.notices.on_writable(peer)
        return [(SEND, *message) for message in messages]

    def on_disconnected(self, connection: bytes, now_s: float) -> list[Output]:
        """Handle the end of a connection, after its last message."""
        peer = self._by_connection.get(connection)
        if peer is None:
            return self._forget(connection, now_s)
        self._presence.mark_absent(peer, now_s)
        return []

    def _forget(self, connection: bytes, now_s: float) -> list[Output]:
        """Forget a connection that is gone and has not said HELLO."""
        self.admission.forget(connection)
        return [] if self.fabric is None else self.fabric.forget(connection, now_s)

    def is_admitted(self, connection: bytes) -> bool:
        """Return whether a client, and no newer one of it, or another proxy has a connection."""
        if connection in self._by_connection:
            return True
        return self.fabric is not None and self.fabric.reports(connection)

    def on_misframed(self, connection: bytes, head: bytes) -> list[Output]:
        """Count a message of too few or too many frames; bounce the tasks in it to a client."""
        self.on_dropped("frame_count")
        peer = self._by_connection.get(connection)
        if peer is None or len(head) > heads.MAX_HEAD_BYTES:
            return []
        try:
            _, items, _ = heads.unpack_items(head)
        except (VersionMismatch, WireError):
            return []
        return [
            self._tasks.bounce(peer, task, trace, Reason.UNKNOWN)
            for verb, _, _, _, task, trace, _ in items
            if verb == _TASK
        ]

    def on_publication(self, frames: list[Any], now_s: float, origin: Origin = UNKNOWN) -> bool:
        """Return whether the broadcast message of a client may be passed on; count it if not.

        Args:
            frames: As they came.
            now_s: Monotonic clock.
            origin: Where it comes from.
        """
        try:
            namespace = self._publications.check(frames, origin, now_s)
        except WireError as error:
            self.on_dropped(error.reason)
            return False
        self.counts["published"] += 1
        _, _, body = frames
        return self.tables.may_publish(namespace, len(body))

    def on_dropped(self, reason: str) -> None:
        """Count a dropped message under its reason, such as `frame_count`."""
        self.counts[drop_counter(reason)] += 1

    def tick(self, now_s: float) -> list[Output]:
        """Do the work that depends on time; call it every 100 ms."""
        self.tables.budget.refill(now_s)
        self.questions.tick(now_s)
        if now_s >= self._forget_left_at_s:
            self._forget_left_at_s = now_s + _LEFT_S
            self.tables.peers.forget_left()
        outputs = [] if self.fabric is None else self.fabric.tick(now_s)
        outputs += self._revocation.tick(now_s) + self.admission.tick(now_s)
        outputs += self._presence.tick(now_s) + self._tasks.unpark(now_s)
        unknown = self.admission.unknown_connections(now_s)
        outputs += self._resync.tick(now_s, bool(unknown))
        # 09-resync, "Verdicts": a missing worker may have a connection without a HELLO.
        # A PING asks its socket, so that a dead one does not delay the verdict.
        if self._resync.misses_workers:
            outputs += [(SEND, each, _PING, b"") for each in unknown]
        messages = self.tables.worker_news.tick(now_s) + self.tables.notices.tick()
        return outputs + [(SEND, *message) for message in messages]

    def go_away(self) -> list[Output]:
        """Begin to drain: announce it to every client; `drained` is true after their GOODBYEs."""
        self.draining = True
        head = heads.pack(Verb.GOING_AWAY)
        return [(SEND, peer.connection, head, b"") for peer in self.tables.peers]

    @property
    def drained(self) -> bool:
        """Return whether no client is left that could say GOODBYE."""
        return self.draining and all(p.absent_at_s is not None for p in self.tables.peers)

    # -- one message -----------------------------------------------------------------------------

    def _from_stranger(
        self, connection: bytes, head: bytes, body: Any, now_s: float, origin: Origin
    ) -> list[Output]:
        """Handle a message of a connection that has not said HELLO."""
        if self.fabric is not None:
            outputs = self.fabric.on_message(connection, head, body, now_s, origin)
            if outputs is not None:
                return outputs
        # 02-session, "Leaving" 4: a new connection finds the next proxy.
        if self.draining:
            self.counts["drop.going_away"] += 1
            return []
        return self.admission.on_message(connection, head, body, now_s, origin)

    def _one(
        self, peer: Peer, single: heads.Single, head: bytes, body: Any, now_s: float
    ) -> list[Output]:
        """Handle a message with one item: the hot path."""
        _, verb, _, _, _, _, _, size, _ = single
        if size != len(body):
            raise WireError("body_length", f"the head claims {size} bytes, not {len(body)}")
        if size > self.tables.settings.max_body_bytes:
            raise WireError("too_large", f"{size:,} bytes")
        if self.draining and self._is_for_next_proxy(single):
            return [self.tables.returned(peer.connection, head, body, Reason.GOING_AWAY)]
        if verb == _TASK:
            return self._tasks.task(peer, single, head, body, now_s)
        if verb == _REPLY:
            return self._tasks.reply(peer, single, head, body)
        handler = self._handlers.get(verb)
        if handler is None:
            raise WireError("verb", f"verb {verb} does not go to a proxy as a single item")
        return handler(peer, single, bytes(body), now_s)

    def _is_for_next_proxy(self, single: heads.Single) -> bool:
        """Return whether a message is for the next proxy, while this one drains."""
        # 02-session, "Leaving" 4: every TASK, and a REPLY whose caller is not here any more.
        caller, verb, *_ = single
        return verb == _TASK or (verb == _REPLY and caller not in self.tables.peers.by_instance)

    def _several(self, peer: Peer, head: bytes, body: Any, now_s: float) -> list[Output]:
        """Handle a message with several items; each item has its own outcome."""
        caller, items, address = heads.unpack_items(head)
        verb = items[0][0]  # hot for bundles: one field by index costs less than seven unpacked
        if verb in _PRESENCE:
            return self._presence.on_message(peer, items, address, bytes(body), now_s)
        if verb in _RESYNC:
            return self._on_page(peer, items, address, bytes(body), now_s)
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
            # 03-routing, "Bounces": each is handled by itself, a malformed one harms no other.
            try:
                outputs += self._one(peer, single, alone, part, now_s)
            except WireError as error:
                self.on_dropped(error.reason)
        return outputs

    # -- by verb ---------------------------------------------------------------------------------

    def _on_cancel(
        self, peer: Peer, single: heads.Single, body: bytes, now_s: float
    ) -> list[Output]:
        _, _, _, _, _, task, _, _, _ = single
        self._resync.withdraw(peer.instance, task)
        return self._tasks.cancel(peer, task)

    def _on_workers(
        self, peer: Peer, single: heads.Single, body: bytes, now_s: float
    ) -> list[Output]:
        _, _, _, kind, *_ = single
        return self._resync.on_workers(peer, kind, body, now_s)

    def _on_resync(
        self, peer: Peer, single: heads.Single, body: bytes, now_s: float
    ) -> list[Output]:
        _, verb, flags, kind, number, task, trace, size, address = single
        items = [(verb, flags, kind, number, task, trace, size)]
        return self._on_page(peer, items, address, body, now_s)

    def _on_page(
        self, peer: Peer, items: list[heads.Item], address: bytes, body: bytes, now_s: float
    ) -> list[Output]:
        """Handle a page of a list of tasks, or of claims."""
        verbs = {verb for verb, *_ in items}
        if len(verbs) > 1:
            raise WireError("mixed_page", "all items of a page must have the same verb")
        if verbs == {Verb.RESEND}:
            return self._resync.on_open_tasks(peer, items, body, now_s)
        return self._resync.on_claims(peer, items, address, body, now_s)

    def _on_roster(
        self, peer: Peer, single: heads.Single, body: bytes, now_s: float
    ) -> list[Output]:
        _, _, _, _, _, question, _, _, _ = single
        return self.questions.answer(peer, question, body, self.draining, now_s)

    def _on_goodbye(
        self, peer: Peer, single: heads.Single, body: bytes, now_s: float
    ) -> list[Output]:
        goodbye = SEND, peer.connection, heads.pack(Verb.GOODBYE), b""
        # 02-session, "Leaving" 4: the seats and tasks of this client come back to the next proxy,
        # so while this one drains a GOODBYE causes no LOST, no CANCEL and no lost notice.
        if self.draining:
            self.tables.liveness.forget(peer.instance)
            self.tables.peers.forget(peer)
            return [goodbye]
        return [*self._presence.forget(peer, "left"), goodbye]


_PROBE: heads.Single = (heads.NOBODY, int(Verb.PING), 0, 0, 0, heads.NOBODY, heads.NOBODY, 0, b"")
"""The probe of a connection that is known already has the effect of a PING."""
