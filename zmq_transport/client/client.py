"""A client on an asyncio loop: the link decides, a carrier moves the frames, this joins the two.

Spec: docs/spec/02-session.md, 01-wire.md (bundles).
"""

from __future__ import annotations

import asyncio
import os
import time
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from ..errors import AccessRefused, LinkClosed, MessageTooLarge, Refused, Unreachable, WireError
from ..kernel import split_items
from ..sockets.sent import Sent
from ..wire import heads, resync_messages
from ..wire.drops import drop_counter
from ..wire.greetings import MAX_BYTES, Welcome, pack_map
from ..wire.heads import ItemFlag, Verb
from ..wire.roster_messages import SeatInfo
from ..wire.task_flags import without_runs
from .broadcast import Broadcast
from .carrier import Carrier
from .client_publisher import ClientPublisher
from .directed_sender import DirectedSender
from .events import Outcome, Receiver, ReplyItem, TaskItem
from .handshake import Handshake, OnWaiting, waiting
from .link import Link, LinkEvent, LinkOutput
from .outbox import deadline_of
from .queries import Queries
from .refusals import RefusalNews
from .resync_pages import ResyncPages, ResyncSource
from .session import Event
from .users import Users

DEFAULT_MAX_BODY_BYTES = 16 * 1024 * 1024
# As plain ints: an operator of an enum costs more than the whole packing of a head.
_TASK = int(Verb.TASK)
_REPLY = int(Verb.REPLY)
_KEEP = int(ItemFlag.KEEP)
_KEEP_AND_RUN = _KEEP | int(ItemFlag.RUN)


def _ignore(_: Welcome) -> None:
    """Do nothing with a WELCOME."""


class Client:
    """One client of a proxy.

    Args:
        carrier: Moves its frames.
        namespace: The namespace of the client.
        name: A display name.
        receiver: Receives every event.
        max_body_bytes: Size limit of a body, checked before it leaves.
        user: The name of the key that the carrier shows; empty without one.
        on_welcome: Is called with each WELCOME, ahead of the receiver.
        fast: False reads messages of tasks and of replies like all others, to compare the two.

    Attributes:
        user: The name that the proxy has verified; empty at one without keys.
        may: What this client may do, in the words of the application; empty without keys.
        users: Who may be in the namespace, for the origin of a message.
    """

    def __init__(
        self,
        carrier: Carrier,
        *,
        namespace: str,
        name: str,
        receiver: Receiver,
        max_body_bytes: int = DEFAULT_MAX_BODY_BYTES,
        user: str = "",
        on_welcome: Callable[[Welcome], None] = _ignore,
        fast: bool = True,
    ) -> None:
        self.link = Link(os.urandom(16), namespace, name, user, lambda: carrier.is_alone)
        self.user = ""
        self.may: tuple[str, ...] = ()
        self.users = Users()
        self.instance = self.link.instance
        self._sender = DirectedSender(carrier, self.link, max_body_bytes)
        self.max_body_bytes = max_body_bytes
        self.outbox = self._sender.outbox
        self.resync = ResyncPages()
        self.heartbeat_s = 2.0
        self.broadcast = Broadcast(
            self.instance, namespace, carrier, receiver.on_heard, receiver.on_missed
        )
        self.publisher = ClientPublisher(
            self.broadcast, carrier, self.link, self._sender, self.barrier, self._become_caller
        )
        self.on_publication = self.broadcast.on_publication
        self.on_subscription = self.broadcast.on_subscription
        self._carrier = carrier
        self._receiver = receiver
        self._counts: Counter[str] = Counter()
        self._is_known_as_caller = True
        self._task_flags = _KEEP
        self._on_welcome = on_welcome
        self._is_open = False
        self._aborted = False
        self._refusal_news = RefusalNews()
        self._handshake: Handshake
        self._send = self._sender.send
        self._split_items = split_items if fast else _decline
        self.queries = Queries(self._send, carrier.endpoint)
        self._handlers: dict[LinkEvent, Callable[..., None]] = {}

    def resync_from(self, source: ResyncSource) -> None:
        """After each reconnect list the tasks that `source` knows. Call it before `open`."""
        self.resync.source = source
        self._is_known_as_caller = False

    @property
    def counts(self) -> Counter[str]:
        """Every drop, return and gap so far, by name."""
        parts = (self.link, self.outbox, self.broadcast, self.publisher, self.resync)
        return sum((part.counts for part in parts), self._counts)

    @property
    def away_s(self) -> float | None:
        """For how long the proxy has been away, in seconds; None while it is there."""
        return self._handshake.away_s if self._is_open else None

    # -- opening and closing ---------------------------------------------------------------------

    async def open(
        self,
        timeout_s: float | None,
        topics: Iterable[tuple[int | None, bytes | None]] = (),
        on_waiting: OnWaiting | None = None,
    ) -> None:
        """Connect; return when the proxy has accepted it and `topics` are subscribed to.

        Args:
            timeout_s: Maximum duration in seconds; None waits for ever.
            topics: (kind, None) or (None, trace), as for `broadcast.listen`.
            on_waiting: Is called every 10 s of a wait without a limit.

        Raises:
            Unreachable: Not within `timeout_s` seconds; the reason describes the attempt.
            Refused: The proxy refused the client; `AccessRefused` if it is for its key.
        """
        limit_s = None if timeout_s is None else max(0.0, timeout_s)
        try:
            async with asyncio.timeout(limit_s), waiting(limit_s, on_waiting, self._unreachable):
                await self._open(topics)
        except TimeoutError as error:
            unreachable = self._unreachable()
            self.abort()
            raise unreachable from error
        except BaseException:
            self.abort()
            raise

    async def _open(self, topics: Iterable[tuple[int | None, bytes | None]]) -> None:
        await self._carrier.open(self)
        if self._aborted:
            self._carrier.close()
            raise LinkClosed("the link was closed while it opened")
        self._handshake = Handshake(self._repeat_hello)
        self._handlers = self._event_handlers()
        self._is_open = True
        self._sender.open()
        for kind, trace in topics:
            self.broadcast.listen(kind, trace)
        self.link.start()
        await self._handshake.wait_until_welcomed()
        # 05, When what is used is live 4: WELCOME, and the answer to a sync of one that listens.
        await self.publisher.wait_until_open()
        await self.broadcast.wait_until_live()

    def _unreachable(self) -> Unreachable:
        if not self._is_open:
            return Unreachable(self._carrier.endpoint, "no connection was begun in time")
        found = self._carrier.diagnosis()
        return Unreachable(self._carrier.endpoint, found.text, found.cause)

    async def close(self, timeout_s: float = 1.0) -> bool:
        """Send every waiting message and GOODBYE, wait for its answer, close.

        Returns:
            True if the far end has read everything; False if `timeout_s` seconds were not enough.
        """
        if not self._is_open:
            return True
        if self.link.session.expects(Event.LEAVE):
            # 02, Leaving 1: messages are ordered, so the answer proves that all before was read.
            self._sender.flush()
            self.publisher.finish()
            self.broadcast.flush()
            self.on_writable()
            self._perform(self.link.leave())
        try:
            has_left = await self._handshake.wait_until_left(timeout_s)
        finally:
            self.abort()
        return has_left and not len(self.outbox)

    def abort(self) -> None:
        """Close now and drop every waiting message."""
        self._aborted = True
        if not self._is_open:
            return
        self._is_open = False
        self.link.close()
        self.publisher.close()
        self.broadcast.close()
        self._carrier.close()
        self._handshake.close()
        self._sender.close()
        self.queries.close()

    def _repeat_hello(self) -> None:
        self._perform(self.link.hello_again())

    def _event_handlers(self) -> dict[LinkEvent, Callable[..., None]]:
        receiver = self._receiver
        return {
            LinkEvent.WRITE: self._write,
            LinkEvent.TASKS: self._on_tasks,
            LinkEvent.REPLIES: self._on_replies,
            LinkEvent.CANCEL: receiver.on_cancel,
            LinkEvent.BOUNCE: receiver.on_bounce,
            LinkEvent.LOST: receiver.on_lost,
            LinkEvent.RETURNED: self._put_back,
            LinkEvent.WELCOMED: self._on_welcomed,
            LinkEvent.REFUSED: self._on_refused,
            LinkEvent.REGISTERED: receiver.on_registered,
            LinkEvent.AWAY: self._on_away,
            LinkEvent.LEFT: self._handshake.on_left,
            LinkEvent.ROSTER: self.queries.on_roster,
            LinkEvent.WORKERS: self._on_workers,
            LinkEvent.ASKED: self._on_asked,
            LinkEvent.PUBLISHED: receiver.on_published,
            LinkEvent.USERS: self.users.add,
            LinkEvent.STANDBY: self._carrier.pass_over,
        }

    # -- sending: each call returns at once ------------------------------------------------------

    def send_task(
        self,
        address: bytes,
        task: bytes,
        trace: bytes,
        kind: int,
        body: bytes,
        ttl_ms: int,
        flags: int = 0,
    ) -> Outcome:
        """Send a task to an address (see `heads.address_of`).

        Args:
            address: A name, or a set of capabilities.
            task: Task id, 16 bytes; new for each attempt.
            trace: Trace id, 16 bytes.
            kind: Type code of the application.
            body: Opaque.
            ttl_ms: Remaining time in milliseconds; it runs on while the task waits.
            flags: Bits of `ItemFlag`, such as KEEP.
        """
        if not self._is_known_as_caller:
            self._become_caller()
        number = ttl_ms if ttl_ms < heads.MAX_NUMBER else heads.MAX_NUMBER
        flags &= self._task_flags
        return self._sender.send_item(
            _TASK, flags, kind, number, task, trace, heads.NOBODY, address, body
        )

    def send_reply(
        self,
        caller: bytes,
        task: bytes,
        trace: bytes,
        kind: int,
        body: bytes,
        index: int,
        flags: int = 0,
    ) -> Outcome:
        """Send a reply.

        Args:
            caller: Instance id of the caller, 16 bytes.
            task: Task id, 16 bytes.
            trace: Trace id, 16 bytes.
            kind: Type code of the application.
            body: Opaque.
            index: Number of the reply, counted from 0 for each task.
            flags: Bits of `ItemFlag`: SETTLES for the last one, SKIPS if missing replies before it
                are stored no longer.
        """
        return self._sender.send_item(_REPLY, flags, kind, index, task, trace, caller, b"", body)

    def send_cancel(self, task: bytes, trace: bytes) -> Outcome:
        """Cancel a task of this client."""
        return self._send(heads.pack(Verb.CANCEL, task=task, trace=trace), b"")

    def send_gap(self, opened: resync_messages.Opened) -> Outcome:
        """Request the replies of a task of this client from its next index on."""
        return self._send(*resync_messages.gap_message(opened))

    def send_presence(
        self, verb: Verb, name: str, facts: dict[str, Any], kind: int, body: bytes
    ) -> Outcome:
        """Send a REGISTER, HEARTBEAT or DEREGISTER of one seat.

        Args:
            verb: One of the three.
            name: The seat.
            facts: For the proxy's tables; `capabilities` is a list of names.
            kind: Type code of the application.
            body: The message for the subscribers of that kind, which the proxy forwards.

        Raises:
            MessageTooLarge: The facts have over 8,192 bytes.
        """
        packed = pack_map(facts)
        if len(packed) > MAX_BYTES:
            raise MessageTooLarge(len(packed), MAX_BYTES)
        items = [
            (int(verb), 0, 0, 0, heads.NOBODY, heads.NOBODY, len(packed)),
            (int(verb), 0, kind, 0, heads.NOBODY, heads.NOBODY, len(body)),
        ]
        head = heads.pack_items(items, address=heads.address_of(name))
        if not self.link.ready:
            return Outcome.WAITING  # 02, Outbox 4: presence is not stored, on_welcomed renews it
        return self._send(head, packed + body)

    async def drained(self) -> None:
        """Return when the outbox is empty or the client is closed."""
        await self._sender.drained()

    async def roster(
        self, name: str = "", capability: str = "", *, timeout_s: float = 5.0
    ) -> list[SeatInfo]:
        """Return the seats in the proxy's tables.

        Args:
            name: Only seats of this name; empty for any.
            capability: Only seats that offer it; empty for any.
            timeout_s: Maximum duration of the whole answer in seconds.

        Raises:
            Unreachable: Not within `timeout_s` seconds.
            WireError: The answer is invalid.
        """
        return await self.queries.roster(name, capability, timeout_s)

    async def barrier(self, timeout_s: float) -> bool:
        """Return when everything that the proxy has sent so far was received.

        Returns:
            False if the proxy is away, or did not answer within `timeout_s` seconds.
        """
        return self.link.ready and await self.queries.barrier(timeout_s)

    def _become_caller(self) -> None:
        if self._is_known_as_caller:
            return
        # 09, Who may have had a task 1: after a restart of the proxy only the caller names them.
        self._is_known_as_caller = True
        self.link.mark_as_caller()
        # Without a connection, too: a HELLO that does not say it yet may be on its way.
        if self._is_open and self._send(*resync_messages.WORKERS_REQUEST) is Outcome.BUSY:
            self.outbox.push_accepted(*resync_messages.WORKERS_REQUEST, None)

    def _on_workers(self, kind: int, instances: list[bytes]) -> None:
        self.resync.on_workers(kind, instances, time.monotonic())

    def _on_asked(self, head: bytes) -> None:
        try:
            messages, resends = self.resync.answer(head)
        except WireError as error:
            self.on_dropped(error.reason)
            return
        # 09, What the proxy does with it 1: the replies follow the CLAIM that announces them.
        for message in messages:
            self._send(*message)
        for resend in resends:
            self.resync.send_again(*resend)

    # -- events of the carrier -------------------------------------------------------------------

    def on_message(self, head: bytes, body: bytes) -> None:
        """Handle a directed message."""
        self._sender.arrived = True
        whole = self._split_items(head, body)
        if whole is None:
            self._perform(self.link.on_message(head, body))
            return
        verb, peer, address, items = whole
        if verb == _REPLY:
            self._on_replies(peer, items)
        else:
            self._on_tasks(peer, address.decode(errors="replace"), items)

    def on_disconnected(self) -> None:
        """Wait for the next connection; the carrier makes it."""
        self._perform(self.link.on_disconnected())

    def on_access_refused(self, error: AccessRefused) -> None:
        """Give up while it opens; later, wait until the carrier is let in."""
        self._refuse(error)

    def on_broadcast_refused(self, error: AccessRefused) -> None:
        """Let nobody wait for what the far end refuses."""
        self.broadcast.refuse(error)

    def on_dropped(self, reason: str) -> None:
        """Count a frame that was not a message, or a broadcast that was not sent."""
        self._counts[drop_counter(reason)] += 1

    def on_writable(self) -> None:
        """Send waiting messages, as many as the carrier accepts."""
        self._sender.send_waiting()

    # -- events of the link ----------------------------------------------------------------------

    def _on_tasks(self, caller: bytes, address: str, items: list[TaskItem]) -> None:
        self._receiver.on_tasks(caller, address, items)
        if len(items) > 1:
            self._sender.expect_several()

    def _on_replies(self, worker: bytes, items: list[ReplyItem]) -> None:
        self._receiver.on_replies(worker, items)
        if len(items) > 1:
            self._sender.expect_several()

    def _perform(self, events: list[LinkOutput]) -> None:
        handlers = self._handlers
        for event in events:
            handlers[event[0]](*event[1:])

    def _write(self, head: bytes, body: bytes) -> None:
        if self._carrier.send(head, body) is not Sent.OK:
            self._counts["drop.greeting"] += 1

    def _put_back(self, head: bytes, body: bytes) -> None:
        try:
            singles = heads.split(head, body)
        except WireError as error:
            self.on_dropped(error.reason)
            return
        # 02, Outbox 3: the time of a TASK that came back starts again from its head.
        now_s = time.monotonic()
        for single, part in singles:
            self.outbox.put_back(single, part, deadline_of(single, now_s))

    def _on_welcomed(self, welcome: Welcome, fresh: bool) -> None:
        self.user, self.may = welcome.user, welcome.may
        self.users.on_welcomed()
        self._refusal_news.clear()
        self.heartbeat_s = welcome.heartbeat_ms / 1000
        self.max_body_bytes = min(self.max_body_bytes, welcome.max_body_bytes)
        self._sender.max_body_bytes = self.max_body_bytes
        # 03, Runs 1: only where the proxy passes them on.
        self._task_flags = _KEEP_AND_RUN if welcome.runs else _KEEP
        self.broadcast.join(welcome.listen_port, welcome.publish_port)
        self.publisher.on_welcomed(welcome.publish, welcome.older)
        self._sender.flush()
        if not welcome.runs:
            self.outbox.change_heads(without_runs)  # these were for a proxy that had
        # 09, After WELCOME: the list goes ahead of the outbox, the CLAIMs after it and after the
        # REGISTERs, which the receiver sends in `on_welcomed`.
        if not self._handshake.on_welcomed():
            unsent, now_s = self.outbox.tasks(), time.monotonic()
            self.outbox.put_first(self.resync.listing(unsent, now_s, is_new_proxy=fresh))
        self._on_welcome(welcome)
        self._receiver.on_welcomed(fresh)
        for head, body in self.resync.claims():
            self.outbox.push_accepted(head, body, None)
        self.on_writable()
        self.queries.ask_again()

    def _on_away(self, why: str) -> None:
        self._handshake.on_away()
        self._sender.flush()
        self._receiver.on_away(why)

    def _on_refused(self, reason: str, fix: str | None) -> None:
        where = self._carrier.address  # of several proxies, the one that refuses
        self._refuse(Refused(where, reason) if fix is None else AccessRefused(where, reason, fix))

    def _refuse(self, error: Refused) -> None:
        # 02, Refusals: one refused while it opens gives up, one welcomed before goes on asking.
        if self._handshake.on_refused(error):
            return
        if self._refusal_news.is_new(error):  # asked again each second, it says so again
            self._on_away(f"refused: {error.reason}")


def _decline(head: bytes, body: bytes) -> None:
    """Leave every message to the general way."""
