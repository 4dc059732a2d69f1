"""Auctions: publishes an offer, collects bids, sends the TASK to the best bidder.

Spec: docs/spec/07-signals.md, "Offers and bids". Offers and bids are handed over.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Iterable
from typing import Any

from ...errors import BadSignal, CosmonapseError
from ...payloads import error_payload
from ...signals import Signal, SignalType
from ...tasks import task_for
from ...telemetry.current_trace import fields_of
from ..watch.handlers import Handler
from ..watch.publisher import FIRST_PAUSE_S, LONGEST_PAUSE_S, Publisher
from ..watch.subscriptions import Subscriptions
from .bids import Bid, Select, choose, read_bid
from .dispatcher import Dispatcher

_LOG = logging.getLogger(__name__)
_MAX_BIDS = 10_000
_RECEIVED = frozenset({SignalType.BID, SignalType.STOP})


class Auctions:
    """Offers tasks to bidders.

    Args:
        publisher: Publishes offers, awards and refusals.
        subscriptions: Receives the bids.
        dispatcher: Sends the TASK to the winner.
    """

    def __init__(
        self, publisher: Publisher, subscriptions: Subscriptions, dispatcher: Dispatcher
    ) -> None:
        self.counts: Counter[str] = Counter()
        self._publisher = publisher
        self._subscriptions = subscriptions
        self._dispatcher = dispatcher

    async def hold(self, offer: Signal, select: Select, timeout_s: float) -> Signal:
        """Publish an offer, award it, and return the Signal that settles its TASK.

        Args:
            offer: A TASK_OFFER with input, capabilities and deadline_ms.
            select: The rule that picks the best bid.
            timeout_s: The time for bids and TASK together, over the time for bids.

        Raises:
            TimeoutError: No bid arrived, or nothing settled the TASK in time.
            UnencodableValue: The offer holds a value that no Signal can carry.
            SignalTooLarge: The offer or the TASK is over the limit.
            SynapseUnreachable: It does not answer within 5 s.
        """
        self._dispatcher.encoded(offer)
        loop = asyncio.get_running_loop()
        auction = _Auction(offer, select, self)
        self._subscriptions.add(
            Handler(
                auction.on_signal, _RECEIVED, trace_id=offer.trace_id, direct=True, directed=True
            )
        )
        closes_at_s = until_s = loop.time()
        try:
            await self._subscriptions.settle()
            closes_at_s = loop.time() + offer.payload["deadline_ms"] / 1000
            until_s = loop.time() + timeout_s
            await self._collect(auction, closes_at_s)
            if auction.stopped:
                return self._cancelled(auction)
            task = self._award(auction)
            return await self._dispatcher.wait(task, max(0.001, until_s - loop.time()))
        finally:
            auction.end("the offer was withdrawn")
            # Rule 4: every bid within the deadline gets its answer, also after the award.
            loop.call_at(closes_at_s, self._subscriptions.remove, auction.on_signal)

    async def _collect(self, auction: _Auction, closes_at_s: float) -> None:
        """Return at the deadline, or once decided; publish again until there is a subscriber."""
        offer, clock = auction.offer, asyncio.get_running_loop().time
        body = offer.encode()
        published, pause_s = self._publisher.publish(offer), FIRST_PAUSE_S
        while not auction.decided.done() and (left_s := closes_at_s - clock()) > 0:
            await asyncio.wait(
                [auction.decided], timeout=left_s if published else min(left_s, pause_s)
            )
            if not published and not auction.decided.done():
                published = self._publisher.publish_again(offer, body)
                pause_s = min(2 * pause_s, LONGEST_PAUSE_S)

    def _cancelled(self, auction: _Auction) -> Signal:
        """Publish and return the ERROR of an auction that was stopped before its TASK was sent."""
        auction.end("the trace was stopped")
        payload = error_payload("CANCELLED", "the trace was stopped before the task was awarded")
        error = auction.offer.reply(
            SignalType.ERROR, payload=payload, directed=auction.offer.directed
        )
        self._publisher.publish(error, seldom=True)
        return error

    def _award(self, auction: _Auction) -> Signal:
        """Publish the award; return the TASK for the winner."""
        offer = auction.offer
        winner = auction.choose()
        awarded = winner.signal.reply(
            SignalType.TASK_AWARDED,
            payload={"input": offer.payload["input"], "winning_bid": winner.signal.id},
            directed=winner.signal.directed,
        )
        task = task_for(
            winner.neuron, None, offer.payload["input"], offer.trace_id, awarded.id, offer.meta
        )
        self._dispatcher.encoded(task)
        self._publisher.publish(awarded)
        auction.end("another bid was better")
        return task

    def decline(self, bid: Bid, reason: str) -> None:
        """Decline a bid."""
        declined = bid.signal.reply(
            SignalType.TASK_DECLINED, payload={"reason": reason}, directed=bid.signal.directed
        )
        try:
            self._publisher.publish(declined)
        except CosmonapseError as error:
            self.counts["drop.declined"] += 1
            extra = fields_of(bid.signal.trace_id, bid.neuron)
            text = "neuron %s gets no TASK_DECLINED for its bid: %s"
            _LOG.warning(text, bid.neuron, error, extra=extra)


class _Auction:
    """One offer and its bids."""

    def __init__(self, offer: Signal, select: Select, auctions: Auctions) -> None:
        self.offer = offer
        self.decided: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._auctions = auctions
        self._select = select
        self._bids: list[Bid] = []
        self._end_reason = ""
        self.stopped = False

    def on_signal(self, signal: Signal) -> None:
        """Handle a bid, in time or not, or a STOP of the trace."""
        if signal.type is SignalType.STOP and not self.decided.done():
            self.stopped = True
            self.decided.set_result(None)
        if signal.type is not SignalType.BID or signal.parent_id != self.offer.id:
            return
        counts = self._auctions.counts
        try:
            bid = read_bid(signal)
        except BadSignal as error:
            counts["drop.bad_bid"] += 1
            trace_id, extra = self.offer.trace_id, fields_of(self.offer.trace_id)
            _LOG.warning("a bid on trace %s is dropped: %s", trace_id, error, extra=extra)
            return
        if self._end_reason:
            self._auctions.decline(bid, self._end_reason)
        elif len(self._bids) >= _MAX_BIDS:
            counts["drop.bid"] += 1
        else:
            self._bids.append(bid)
            if self._select == "first_bid" and not self.decided.done():
                self.decided.set_result(None)

    def choose(self) -> Bid:
        """Remove and return the winning bid.

        Raises:
            TimeoutError: There is no bid.
        """
        if not self._bids:
            payload = self.offer.payload
            raise TimeoutError(
                f"no neuron that offers {_named(payload['capabilities'])} made a bid on trace "
                f"{self.offer.trace_id} within {payload['deadline_ms']:g} ms: start an Axon with "
                "these capabilities or make deadline_ms longer"
            )
        winner = choose(self._bids, self._select)
        self._bids = [bid for bid in self._bids if bid is not winner]
        return winner

    def end(self, reason: str) -> None:
        """Decline every bid, and those that arrive later."""
        bids, self._bids = self._bids, []
        self._end_reason = self._end_reason or reason
        for bid in bids:
            self._auctions.decline(bid, self._end_reason)


def _named(capabilities: Iterable[Any]) -> str:
    return ", ".join(map(str, capabilities))
