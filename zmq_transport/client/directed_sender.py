"""Send directed messages: at once, with the others of a turn of the loop, or once there is room.

Spec: docs/spec/01-wire.md, Bundles; docs/spec/02-session.md, Outbox.
"""

from __future__ import annotations

import asyncio
import time
from typing import Final

from ..kernel import Outgoing, pack_single
from ..sockets.sent import Sent
from ..wire.bundle import MAX_BODY_BYTES, split_bundle
from .carrier import Carrier
from .events import Outcome
from .link import Link
from .outbox import Outbox, deadline_of

_MAX_GATHERED: Final = 1024
_QUIET_S: Final = 0.001
# As plain names: an attribute of an enum class costs a lookup in its metaclass.
_SENT = Outcome.SENT
_OK = Sent.OK


class DirectedSender:
    """The way of each directed message to the carrier of a client.

    Args:
        carrier: Takes the messages.
        link: Knows whether the client is welcome.
        max_body_bytes: Size limit of a body.

    Attributes:
        outbox: The messages that wait for room or for a connection.
        is_open: Whether anything may be sent.
        arrived: Whether something arrived since a message last went at once; the client sets it.
        max_body_bytes: Size limit of a body.
    """

    def __init__(self, carrier: Carrier, link: Link, max_body_bytes: int) -> None:
        self.outbox = Outbox()
        self.is_open = False
        self.arrived = False
        self.max_body_bytes = max_body_bytes
        self._carrier = carrier
        self._link = link
        self._outgoing = Outgoing()
        self._loop: asyncio.AbstractEventLoop
        self._ending: asyncio.Handle | None = None  # set while messages are gathered
        self._is_calm = True
        self._quiet_at_s = 0.0
        self._drained: asyncio.Future[None] | None = None

    def send_item(
        self,
        verb: int,
        flags: int,
        kind: int,
        number: int,
        task: bytes,
        trace: bytes,
        peer: bytes,
        address: bytes,
        body: bytes,
    ) -> Outcome:
        """Send a message that may be bundled with the others of this turn; see `Outgoing.add`."""
        size = len(body)
        if (
            size > MAX_BODY_BYTES
            or size > self.max_body_bytes
            or not self._link.ready
            or self.outbox.bytes
        ):
            head = pack_single(verb, flags, kind, number, task, trace, peer, address, size)
            return self.send(head, body)
        if self._ending is None:
            if self._is_calm:
                # 01, Bundles: in calm times the first message goes at once, because its sender may
                # block the loop, and because it is all there is.
                now_s = time.monotonic()
                if self.arrived or now_s >= self._quiet_at_s:
                    self.arrived = False
                    self._quiet_at_s = now_s + _QUIET_S
                    head = pack_single(verb, flags, kind, number, task, trace, peer, address, size)
                    return self._hand_over(head, body)
            self._ending = self._loop.call_soon(self._end_of_turn)
            self._carrier.poll_soon()  # after `_end_of_turn`, so one turn sends and receives
        self._outgoing.add(verb, flags, kind, number, task, trace, peer, address, body)
        if self._outgoing.count >= _MAX_GATHERED:
            self.flush()
        return _SENT

    def expect_several(self) -> None:
        """Gather until the end of the next turn: several messages have arrived together.

        What they wake up runs in that turn. So its answers need no turn more to be sent.
        """
        if self._outgoing.count:
            return  # they go out at the end of a turn already
        if self._ending is not None:
            self._ending.cancel()
        self._ending = self._loop.call_soon(self._end_of_turn)

    def send(self, head: bytes, body: bytes) -> Outcome:
        """Send a message that is not bundled, after all that is gathered."""
        if not self.is_open:
            return Outcome.CLOSED
        if len(body) > self.max_body_bytes:
            return Outcome.TOO_LARGE
        if self._outgoing.count:
            self.flush()  # 01, Bundles 5: nothing overtakes an earlier message
        return self._hand_over(head, body) if self._may_leave() else self._store(head, body)

    def flush(self) -> None:
        """Send the gathered messages; those that the carrier refuses go to the outbox, in order."""
        for message in self._outgoing.take():
            if not self._may_leave() or self._carrier.send(*message) is not _OK:
                # 01, Bundles 6: each message of a refused bundle is treated as if sent alone.
                for head, body in split_bundle(*message):
                    self.outbox.push_accepted(head, body, deadline_of(head, time.monotonic()))

    def send_waiting(self) -> None:
        """Send the messages of the outbox, as many as the carrier accepts."""
        if not self._link.ready:
            return
        while (waiting := self.outbox.first(time.monotonic())) is not None:
            if self._carrier.send(*waiting) is not _OK:
                return
            self.outbox.sent()
        self._report_drained()

    def open(self) -> None:
        """Allow to send, on the running loop."""
        self._loop = asyncio.get_running_loop()
        self.is_open = True

    def close(self) -> None:
        """Send nothing more, and end every wait."""
        self.is_open = False
        self._report_drained()

    async def drained(self) -> None:
        """Return when the outbox is empty or the client is closed."""
        if self.is_open and len(self.outbox):
            if self._drained is None:
                self._drained = asyncio.get_running_loop().create_future()
            await asyncio.shield(self._drained)

    def _report_drained(self) -> None:
        if self._drained is not None:
            if not self._drained.done():
                self._drained.set_result(None)
            self._drained = None

    def _may_leave(self) -> bool:
        # 02, Greeting 2 and Outbox: nothing before WELCOME, nothing ahead of waiting messages.
        return self._link.ready and not self.outbox.bytes

    def _hand_over(self, head: bytes, body: bytes) -> Outcome:
        if self._carrier.send(head, body) is _OK:
            return _SENT
        return self._store(head, body)

    def _store(self, head: bytes, body: bytes) -> Outcome:
        has_room = self.outbox.push(head, body, deadline_of(head, time.monotonic()))
        return Outcome.WAITING if has_room else Outcome.BUSY

    def _end_of_turn(self) -> None:
        self._ending = None
        gathered = self._outgoing.count
        self._is_calm = gathered <= 1
        if gathered and self.is_open:
            self.flush()
