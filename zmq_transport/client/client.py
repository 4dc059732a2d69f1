"""A client on an asyncio loop. The link decides, a carrier moves the frames; this joins the two."""

from __future__ import annotations

import asyncio
import os
import time
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from ..errors import LinkClosed, MessageTooLarge, Refused, Unreachable, WireError
from ..sockets.sent import Sent
from ..wire import heads, resync_messages
from ..wire.bundle import MAX_BODY_BYTES, Bundler, apart
from ..wire.drops import drop_counter
from ..wire.greetings import MAX_BYTES, Welcome, pack_map
from ..wire.heads import ItemFlag, Verb
from ..wire.roster_messages import SeatInfo
from .broadcast import Broadcast
from .carrier import Carrier
from .events import Outcome, Receiver
from .link import Link, LinkEvent, LinkOutput
from .outbox import Outbox
from .queries import Queries
from .resync_pages import ResyncPages, ResyncSource
from .session import Event

DEFAULT_MAX_BODY_BYTES = 16 * 1024 * 1024
_SETTLES = int(ItemFlag.SETTLES)
_SKIPS = int(ItemFlag.SKIPS)
_TASK = int(Verb.TASK)
_REPLY = int(Verb.REPLY)
_HERE = b""  # the only connection that there is
_FROM_NOBODY = heads.start_of(heads.NOBODY)
_REMIND_S = 1.0
_MAX_GATHERED = 1024


class Client:
    """One client of a proxy.

    Args:
        carrier: What moves its frames.
        namespace: Where the client belongs.
        name: For people.
        receiver: Is told of everything.
        max_body_bytes: Size limit of a body, checked before it leaves.
    """

    def __init__(
        self,
        carrier: Carrier,
        *,
        namespace: str,
        name: str,
        receiver: Receiver,
        max_body_bytes: int = DEFAULT_MAX_BODY_BYTES,
    ) -> None:
        self.link = Link(os.urandom(16), namespace, name)
        self.instance = self.link.instance
        self.outbox = Outbox()
        self.resync = ResyncPages()
        self.max_body_bytes = max_body_bytes
        self.heartbeat_s = 2.0
        self.broadcast = Broadcast(
            self.instance, namespace, carrier, receiver.on_heard, receiver.on_missed
        )
        self.on_publication = self.broadcast.on_publication
        self.on_subscription = self.broadcast.on_subscription
        self._carrier = carrier
        self._receiver = receiver
        self._counts: Counter[str] = Counter()
        self._calls = True
        self._open = False
        self._aborted = False
        self._welcomed: asyncio.Future[None]
        self._left: asyncio.Future[None]
        self._drained: asyncio.Future[None] | None = None
        self._reminder: asyncio.TimerHandle | None = None
        self.queries = Queries(self._send, carrier.endpoint)
        self._bundler = Bundler()
        self._gathering = False
        self._is_calm = True
        self._loop: asyncio.AbstractEventLoop
        self._does: dict[LinkEvent, Callable[..., None]] = {}

    def resync_from(self, source: ResyncSource) -> None:
        """List after each reconnect what `keeper` knows; before `open`."""
        self.resync.source = source
        self._calls = False

    @property
    def counts(self) -> Counter[str]:
        """Every drop, return and gap so far, by name."""
        parts = (self.link, self.outbox, self.broadcast, self.resync)
        return sum((part.counts for part in parts), self._counts)

    # -- opening and closing ---------------------------------------------------------------------

    async def open(
        self, timeout_s: float, topics: Iterable[tuple[int | None, bytes | None]] = ()
    ) -> None:
        """Connect; return when both planes are live and `topics` are listened to.

        Args:
            timeout_s: How long it may take.
            topics: (kind, None) or (None, trace), as for `broadcast.listen`.

        Raises:
            Unreachable: Not within `timeout_s` seconds; the reason says what was seen.
            Refused: The proxy said no.
        """
        loop = self._loop = asyncio.get_running_loop()
        self._does = self._wired()
        until_s = loop.time() + timeout_s
        self._welcomed, self._left = loop.create_future(), loop.create_future()
        await self._opened(until_s - loop.time())
        self._open = True
        for kind, trace in topics:
            self.broadcast.listen(kind, trace)
        self.link.start()
        self._remind_later()
        try:
            await self._greeted(until_s - loop.time())
            await self.broadcast.wait_until_live(max(0.0, until_s - loop.time()))
        except BaseException:
            self.abort()
            raise

    async def _opened(self, timeout_s: float) -> None:
        try:
            async with asyncio.timeout(max(0.0, timeout_s)):
                await self._carrier.open(self)
        except TimeoutError as error:
            raise Unreachable(
                self._carrier.endpoint, "its name does not resolve in time"
            ) from error
        if self._aborted:
            self._carrier.close()
            raise LinkClosed("the link was closed while it opened")

    async def _greeted(self, timeout_s: float) -> None:
        try:
            async with asyncio.timeout(max(0.0, timeout_s)):
                await asyncio.shield(self._welcomed)
        except TimeoutError as error:
            raise Unreachable(self._carrier.endpoint, self._carrier.diagnosis()) from error

    async def close(self, timeout_s: float = 1.0) -> bool:
        """Send what waits, say goodbye, wait until it was read, close.

        Returns:
            True if the far end has read everything; False if `timeout_s` seconds were not enough.
        """
        if not self._open:
            return True
        if self.link.session.expects(Event.LEAVE):
            self._flush_bundles()
            self.broadcast.flush()
            self.on_writable()
            self._perform(self.link.leave())
        try:
            async with asyncio.timeout(timeout_s):
                await asyncio.shield(self._left)
        except TimeoutError:
            return False
        finally:
            self.abort()
        return not len(self.outbox)

    def abort(self) -> None:
        """Close now and drop what waits."""
        self._aborted = True
        if not self._open:
            return
        self._open = False
        self.link.close()
        self.broadcast.close()
        self._carrier.close()
        if self._reminder is not None:
            self._reminder.cancel()
        if not self._welcomed.done():
            self._welcomed.set_exception(LinkClosed("the link was closed while it opened"))
            self._welcomed.exception()  # whoever waited may be gone
        self._left.cancel()
        self._nothing_waits()
        self.queries.close()

    def _remind_later(self) -> None:
        """Say HELLO again every second until we are welcome."""
        loop = asyncio.get_running_loop()
        self._reminder = loop.call_later(_REMIND_S, self._remind)

    def _remind(self) -> None:
        self._perform(self.link.remind())
        self._remind_later()

    def _wired(self) -> dict[LinkEvent, Callable[..., None]]:
        receiver = self._receiver
        return {
            LinkEvent.WRITE: self._write,
            LinkEvent.TASK: receiver.on_task,
            LinkEvent.REPLY: receiver.on_reply,
            LinkEvent.CANCEL: receiver.on_cancel,
            LinkEvent.BOUNCE: receiver.on_bounce,
            LinkEvent.LOST: receiver.on_lost,
            LinkEvent.RETURNED: self._put_back,
            LinkEvent.WELCOMED: self._on_welcomed,
            LinkEvent.REFUSED: self._on_refused,
            LinkEvent.REGISTERED: receiver.on_registered,
            LinkEvent.AWAY: self._on_away,
            LinkEvent.LEFT: self._on_left,
            LinkEvent.ROSTER: self.queries.on_roster,
            LinkEvent.WORKERS: self._on_workers,
            LinkEvent.ASKED: self._on_asked,
        }

    # -- sending: each call returns at once ------------------------------------------------------

    def send_task(
        self,
        address: bytes,
        task: bytes,
        trace: bytes,
        kind: int,
        body: bytes,
        *,
        ttl_ms: int,
        keep: bool = False,
    ) -> Outcome:
        """Send a task to an address (see `wire.address_of`).

        Args:
            address: A name, or a set of capabilities.
            task: Task id, 16 bytes; new for each attempt.
            trace: Trace id, 16 bytes.
            kind: The application's own type code.
            body: Opaque.
            ttl_ms: Remaining time; it goes on running while the task waits.
            keep: Let it run when we go away.
        """
        if not self._calls:
            self._begin_to_call()
        flags, number = int(ItemFlag.KEEP) if keep else 0, min(ttl_ms, heads.MAX_NUMBER)
        item = heads.pack_item(_TASK, flags, kind, number, task, trace, len(body))
        return self._send_item(_FROM_NOBODY, item, address, body)

    def send_reply(
        self,
        caller: bytes,
        task: bytes,
        trace: bytes,
        kind: int,
        body: bytes,
        *,
        index: int,
        settles: bool,
        skips: bool = False,
    ) -> Outcome:
        """Send a reply.

        Args:
            caller: Instance id of who waits.
            task: Task id.
            trace: Trace id.
            kind: The application's own type code.
            body: Opaque.
            index: Counts the replies of a task from 0.
            settles: True for the last one.
            skips: True if those before it, as far as they are missing, are kept no longer.
        """
        flags = (_SETTLES if settles else 0) | (_SKIPS if skips else 0)
        item = heads.pack_item(_REPLY, flags, kind, index, task, trace, len(body))
        return self._send_item(heads.start_of(caller), item, b"", body)

    def publish(self, kind: int, trace: bytes, caller: bytes, worker: bytes, body: bytes) -> int:
        """Publish to whoever listens; return how many messages that took, 0 if it is too large."""
        if len(body) > self.max_body_bytes:
            self._counts["drop.too_large"] += 1
            return 0
        return self.broadcast.publish(kind, trace, caller, worker, body)

    def send_cancel(self, task: bytes, trace: bytes) -> Outcome:
        """Take back a task of ours."""
        return self._send(heads.pack(Verb.CANCEL, task=task, trace=trace), b"")

    def send_gap(self, opened: resync_messages.Opened) -> Outcome:
        """Ask for the replies of a task of ours from its next index on."""
        return self._send(*resync_messages.gap_message(opened))

    def send_presence(
        self, verb: Verb, name: str, facts: dict[str, Any], kind: int, body: bytes
    ) -> Outcome:
        """Send a REGISTER, HEARTBEAT or DEREGISTER of one seat.

        Args:
            verb: Which of the three.
            name: The seat.
            facts: For the proxy's tables; `capabilities` is a list of names.
            kind: The application's own type code.
            body: What the proxy passes on to whoever listens to that kind.

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
            return Outcome.WAITING  # on_welcomed is the moment to say it again
        return self._send(head, packed + body)

    def _send_item(self, start: bytes, item: bytes, address: bytes, body: bytes) -> Outcome:
        """Send what may be bundled: it travels with what else is sent in this turn of the loop.

        In calm times the first message of a turn goes at once: whoever sends it may block the loop.
        """
        size = len(body)
        if not self._may_leave() or size > MAX_BODY_BYTES or size > self.max_body_bytes:
            return self._send(heads.head_of(start, [item], address), body)
        if not self._gathering:
            self._gathering = True
            self._loop.call_soon(self._end_of_turn)
            self._carrier.poll_soon()  # behind `_end_of_turn`: one turn for both
            if self._is_calm:
                return self._send(heads.head_of(start, [item], address), body)
        self._bundler.add_item(_HERE, start, item, address, body)
        if self._bundler.count >= _MAX_GATHERED:
            self._flush_bundles()
        return Outcome.SENT

    def _send(self, head: bytes, body: bytes) -> Outcome:
        if not self._open:
            return Outcome.CLOSED
        if len(body) > self.max_body_bytes:
            return Outcome.TOO_LARGE
        self._flush_bundles()  # what was sent before goes, or waits, in front
        if self._may_leave() and self._carrier.send(head, body) is Sent.OK:
            return Outcome.SENT
        kept = self.outbox.push(head, body, self._deadline_of(head))
        return Outcome.WAITING if kept else Outcome.BUSY

    def _may_leave(self) -> bool:
        return self.link.ready and not self.outbox.bytes

    def _end_of_turn(self) -> None:
        self._gathering = False
        self._is_calm = self._bundler.count <= 1
        if self._open:
            self._flush_bundles()

    def _flush_bundles(self) -> None:
        """Send what was gathered; what the carrier does not take goes to the outbox, in order."""
        for message in self._bundler.take(_HERE):
            if not self._may_leave() or self._carrier.send(*message) is not Sent.OK:
                for head, body in apart(*message):
                    self.outbox.keep(head, body, self._deadline_of(head))

    async def drained(self) -> None:
        """Return when nothing waits in the outbox, or the client is closed."""
        if self._open and len(self.outbox):
            if self._drained is None:
                self._drained = asyncio.get_running_loop().create_future()
            await asyncio.shield(self._drained)

    async def roster(
        self, name: str = "", capability: str = "", *, timeout_s: float = 5.0
    ) -> list[SeatInfo]:
        """Return who is here, as the proxy's tables say.

        Args:
            name: Only seats of this name, or empty for any.
            capability: Only seats that offer it, or empty for any.
            timeout_s: How long the whole answer may take.

        Raises:
            Unreachable: Not within `timeout_s` seconds.
            WireError: The answer cannot be read.
        """
        return await self.queries.roster(name, capability, timeout_s)

    async def barrier(self, timeout_s: float) -> bool:
        """Return when everything that the proxy sent us before has arrived.

        Returns:
            False if the proxy is away, or gave no sign within `timeout_s` seconds.
        """
        return self.link.ready and await self.queries.barrier(timeout_s)

    def _begin_to_call(self) -> None:
        """Ask to be told of workers: after a restart we must know who may have our tasks."""
        self._calls = True
        self.link.calls()
        if self.link.ready:
            self._send(*resync_messages.TELL_ME)

    def _on_workers(self, kind: int, instances: list[bytes]) -> None:
        self.resync.on_workers(kind, instances, time.monotonic())

    def _on_asked(self, head: bytes) -> None:
        try:
            messages, again = self.resync.answer(head)
        except WireError as error:
            self.on_dropped(error.reason)
            return
        for message in messages:
            self._send(*message)
        for each in again:
            self.resync.send_again(*each)

    # -- what the carrier reports ----------------------------------------------------------------

    def on_message(self, head: bytes, body: bytes) -> None:
        """Take a directed message."""
        self._perform(self.link.on_message(head, body))

    def on_disconnected(self) -> None:
        """Wait for the next connection; the carrier makes it."""
        self._perform(self.link.on_disconnected())

    def on_dropped(self, reason: str) -> None:
        """Count something that never was a message."""
        self._counts[drop_counter(reason)] += 1

    def on_writable(self) -> None:
        """Send what waits, as far as the carrier takes it."""
        if not self.link.ready:
            return
        while (waiting := self.outbox.first(time.monotonic())) is not None:
            if self._carrier.send(*waiting) is not Sent.OK:
                return
            self.outbox.sent()
        self._nothing_waits()

    def _nothing_waits(self) -> None:
        if self._drained is not None:
            if not self._drained.done():
                self._drained.set_result(None)
            self._drained = None

    def _perform(self, occurrences: list[LinkOutput]) -> None:
        does = self._does
        for occurrence in occurrences:
            does[occurrence[0]](*occurrence[1:])

    def _write(self, head: bytes, body: bytes) -> None:
        if self._carrier.send(head, body) is not Sent.OK:
            self._counts["drop.greeting"] += 1

    def _put_back(self, head: bytes, body: bytes) -> None:
        try:
            singles = heads.split(head, body)
        except WireError as error:
            self.on_dropped(error.reason)
            return
        for alone, part in singles:
            self.outbox.put_back(alone, part, self._deadline_of(alone))

    @staticmethod
    def _deadline_of(head: bytes) -> float | None:
        """Return when the time of a TASK is over; None for everything else."""
        single = heads.unpack_single(head)
        if single is None or single[1] != Verb.TASK:
            return None
        return time.monotonic() + single[4] / 1000

    def _on_welcomed(self, welcome: Welcome, fresh: bool) -> None:
        self.heartbeat_s = welcome.heartbeat_ms / 1000
        self.max_body_bytes = min(self.max_body_bytes, welcome.max_body_bytes)
        self.broadcast.join(welcome.listen_port, welcome.publish_port)
        self._flush_bundles()
        if self._welcomed.done():
            unsent, now_s = self.outbox.tasks(), time.monotonic()
            self.outbox.put_first(self.resync.listing(unsent, now_s, is_new_proxy=fresh))
        else:
            self._welcomed.set_result(None)
        self._receiver.on_welcomed(fresh)
        for head, body in self.resync.claims():
            self.outbox.keep(head, body, None)
        self.on_writable()

    def _on_away(self, why: str) -> None:
        self._flush_bundles()
        self._receiver.on_away(why)

    def _on_refused(self, reason: str) -> None:
        if not self._welcomed.done():
            self._welcomed.set_exception(Refused(self._carrier.endpoint, reason))
        else:
            self._receiver.on_away(f"refused: {reason}")

    def _on_left(self) -> None:
        if not self._left.done():
            self._left.set_result(None)
