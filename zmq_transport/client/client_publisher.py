"""Publish for a client: handed over to the proxy at first, then by a socket of its own.

Spec: docs/spec/05-broadcast.md, "Handed over" and "A socket of one's own". A thin shell around
`publisher_route`.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable

from ..wire import heads
from ..wire.heads import Verb
from ..wire.recipients import Recipients
from .broadcast import Broadcast
from .carrier import Carrier
from .directed_sender import DirectedSender
from .events import Outcome
from .link import Link
from .publisher_route import Publication, PublisherRoute, PublisherState

_LIVE = PublisherState.LIVE
_NO_RECIPIENT = int(Recipients.NONE)
_OFFERS = int(Recipients.OFFERS)
_LEFT = (Outcome.SENT, Outcome.WAITING)
_ANSWER_S = 1.0
_AGAIN_S = 0.1


class ClientPublisher:
    """The publications of one client.

    Args:
        broadcast: Publishes by the socket, to the topics that have subscribers.
        carrier: Opens the socket.
        link: Tells whether there is a connection.
        sender: Sends to the proxy.
        barrier: Returns once the proxy has read all that was sent; False if that is not known.
        become_caller: Makes the client known as a caller, if it is not.

    Attributes:
        hands_over: True while the proxy takes what is handed over.
        has_older: True while others may publish by their sockets alone.
    """

    def __init__(
        self,
        broadcast: Broadcast,
        carrier: Carrier,
        link: Link,
        sender: DirectedSender,
        barrier: Callable[[float], Awaitable[bool]],
        become_caller: Callable[[], None],
    ) -> None:
        self.counts: Counter[str] = Counter()
        self.hands_over = self.has_older = False
        self._broadcast = broadcast
        self._carrier = carrier
        self._link = link
        self._sender = sender
        self._barrier = barrier
        self._become_caller = become_caller
        self._route = PublisherRoute()
        self._has_opened = asyncio.Event()
        self._asking: asyncio.Task[None] | None = None
        broadcast.on_sentinel = self._on_sentinel

    def is_heard(self, kind: int, trace: bytes) -> bool:
        """Return whether it would be sent; True while the subscribers are not known."""
        if self._route.state is _LIVE:
            return self._broadcast.subscribed.has_subscriber(kind, trace)
        return True

    def publish(self, kind: int, trace: bytes, body: bytes, *, seldom: bool = False) -> int:
        """Publish to the subscribers; return the number of messages: 0, 1 or 2.

        A body over the limit takes none.

        Args:
            kind: Type code of the application.
            trace: Trace id, 16 bytes.
            body: Opaque.
            seldom: True if it opens no socket, unless there are many of them.
        """
        if len(body) > self._sender.max_body_bytes:
            self.counts["drop.too_large"] += 1
            return 0
        if self._route.state is _LIVE:
            return self._broadcast.publish(kind, trace, self._link.instance, heads.NOBODY, body)
        if not seldom or self._route.is_often(asyncio.get_running_loop().time()):
            self._open()
        publication = kind, trace, body
        if self._route.state is PublisherState.ASKING:
            if self._route.hold(publication):
                return 1
            self._hand_over_all(self._route.overflow())
        return self._hand_over_all([publication])

    def send_published(
        self,
        recipients: int,
        kind: int,
        trace: bytes,
        body: bytes,
        peer: bytes = heads.NOBODY,
        address: bytes = b"",
    ) -> Outcome:
        """Hand a publication over: for the subscribers, and for certain clients.

        Args:
            recipients: Bits of `Recipients`.
            kind: Type code of the application.
            trace: Trace id, 16 bytes.
            body: Opaque.
            peer: The instance id of the recipient, with PEER.
            address: A set of capabilities, with OFFERS.

        Returns:
            CLOSED also for an older proxy; BUSY also without a connection, if there is no
            recipient.
        """
        if not self.hands_over:
            if not recipients:
                self.counts["drop.unpublished"] += 1
            return Outcome.CLOSED
        if recipients & _OFFERS:
            self._become_caller()  # 07, "Offers and bids": a STOP reaches callers
        if not recipients and not self._link.ready:
            self.counts["drop.unpublished"] += 1
            return Outcome.BUSY
        head = heads.pack(
            Verb.PUBLISH,
            len(body),
            peer=peer,
            kind=kind,
            number=recipients,
            trace=trace,
            address=address,
        )
        return self._sender.send(head, body)

    def on_welcomed(self, hands_over: bool, has_older: bool) -> None:
        """Record what the proxy takes; with an older one the socket is there from the start."""
        self.hands_over = hands_over
        self.has_older = has_older or not hands_over
        if not hands_over:
            self._open()

    async def wait_until_open(self) -> None:
        """Return once an older proxy has told which topics have subscribers."""
        if not self.hands_over:
            await self._has_opened.wait()

    def finish(self) -> None:
        """Hand over what is held: the client leaves."""
        self._hand_over_all(self._route.give_up())

    def close(self) -> None:
        """Stop; nothing is published any more."""
        self.hands_over = False
        self._route = PublisherRoute()
        if self._asking is not None:
            self._asking.cancel()

    def _open(self) -> None:
        if self._route.open():
            self._carrier.open_publisher()

    def _hand_over_all(self, publications: Iterable[Publication]) -> int:
        outcomes = [self.send_published(_NO_RECIPIENT, *each) for each in publications]
        return sum(outcome in _LEFT for outcome in outcomes)

    def _on_sentinel(self, joins: bool) -> None:
        self._hand_over_all(self._route.on_sentinel(joins, self.hands_over))
        if not joins:
            return
        self._has_opened.set()
        if self._asking is None and self._route.ask():
            loop = asyncio.get_running_loop()
            self._asking = loop.create_task(self._ask(), name="first publications")

    async def _ask(self) -> None:
        """Ask until all that was handed over is out, and go on with the socket then."""
        while self._route.ask():
            turn = self._route.turn
            if await self._barrier(_ANSWER_S):
                for kind, trace, body in self._route.on_answer(turn):
                    self._broadcast.publish(kind, trace, self._link.instance, heads.NOBODY, body)
            elif self._route.turn == turn:
                self._hand_over_all(self._route.give_up())
                await asyncio.sleep(_AGAIN_S)
        self._asking = None
