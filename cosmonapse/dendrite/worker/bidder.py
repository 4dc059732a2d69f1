"""Bidding: answers TASK_OFFERs with the BIDs of our Axons, of their `bid_fn` or by their load.

Spec: docs/spec/07-signals.md, "Offers and bids". Without an Axon that has a capability, and could
so be offered a task, there is no subscription.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter

from ...axon import Axon
from ...errors import BadSignal, CosmonapseError
from ...ids import id_bytes
from ...runtime.last_door import must_pass
from ...signals import Signal, SignalType
from ...telemetry.current_trace import fields_of
from ..caller.bids import Offer, bid_payload, read_bid, read_offer
from ..watch.handlers import Handler
from ..watch.publisher import Publisher, publish_until_subscribed
from ..watch.subscriptions import Subscriptions
from ..watch.trace_order import RecentIds
from .inbox import Inbox
from .user_callbacks import CallbackTimeout, UserCallbacks

_LOG = logging.getLogger(__name__)
_MAX_BIDS = 256
_PUBLISH_S = 0.25
_LOAD_BID_AT = 0.5  # of the deadline
_CLOSE_S = 1.0


class Bidder:
    """Bids for the Axons of a Dendrite.

    An Axon without a `bid_fn` bids with its load at half the deadline, unless the program has bid
    for it by hand: the bids of functions come first. At most 256 bids are made at once; an offer
    that arrives over that gets no bid.

    Args:
        publisher: Publishes the bids.
        subscriptions: Receives the offers.
        inbox: Holds the Axons.
    """

    def __init__(self, publisher: Publisher, subscriptions: Subscriptions, inbox: Inbox) -> None:
        self.counts: Counter[str] = Counter()
        self._publisher = publisher
        self._subscriptions = subscriptions
        self._inbox = inbox
        self._callbacks = UserCallbacks(_MAX_BIDS)
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_subscribed = False
        self._bids_made = RecentIds()

    def update_subscription(self) -> None:
        """Handle offers if, and only if, one of our Axons has a capability or a `bid_fn`."""
        wanted = any(axon.capabilities or axon.bid_fn for axon in self._inbox.axons)
        if wanted and not self._is_subscribed:
            offer = frozenset({SignalType.TASK_OFFER})
            handler = Handler(self._on_offer, offer, direct=True, directed=True)
            self._subscriptions.add(handler)
        elif self._is_subscribed and not wanted:
            self._subscriptions.remove(self._on_offer)
        self._is_subscribed = wanted

    async def place(self, signal: Signal) -> Signal:
        """Hand over a BID that a program made.

        With an older Synapse it returns when the BID has a subscriber, or after 0.25 s.

        Raises:
            ValueError: It names no neuron, or a number in it is out of range.
            TypeError: A key is missing or unknown, or a value is not a number.
        """
        bid_payload(signal.payload)
        self._bids_made.add(f"{signal.parent_id} {read_bid(signal).neuron}")
        await publish_until_subscribed(self._publisher, signal, _PUBLISH_S)
        return signal

    async def close(self) -> None:
        """Stop bidding; cancel the `bid_fn`s that run."""
        if self._is_subscribed:
            self._is_subscribed = False
            self._subscriptions.remove(self._on_offer)
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=_CLOSE_S)

    def _on_offer(self, signal: Signal) -> None:
        try:
            offer = read_offer(signal)
            id_bytes(signal.trace_id)
        except BadSignal as error:
            self.counts["drop.bad_offer"] += 1
            _LOG.warning("an offer is dropped: %s", error)
            return
        for axon in self._inbox.axons:
            if not offer.capabilities <= set(axon.capabilities):
                continue
            if self._callbacks.full or len(self._tasks) >= _MAX_BIDS:
                self.counts["drop.offer"] += 1
                continue
            task = asyncio.get_running_loop().create_task(
                self._bid(axon, signal, offer), name=f"bid of {axon.neuron_id}"
            )
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _bid(self, axon: Axon, signal: Signal, offer: Offer) -> None:
        loop = asyncio.get_running_loop()
        until_s = loop.time() + offer.deadline_ms / 1000
        name = axon.neuron_id
        extra = fields_of(signal.trace_id, name)
        try:
            if axon.bid_fn is None:
                value = await self._load_bid(axon, signal, offer)
            else:
                value = await self._callbacks.call(
                    axon.bid_fn,
                    offer.input,
                    signal,
                    timeout_s=offer.deadline_ms / 1000,
                    name=f"bid_fn of {name}",
                )
            payload = bid_payload(value)
            if payload is not None:
                bid = signal.reply(SignalType.BID, payload=payload, directed=axon.producer)
                await publish_until_subscribed(self._publisher, bid, until_s - loop.time())
        except CallbackTimeout as error:
            self.counts["bid_late"] += 1
            text = "neuron %s makes no bid, its bid_fn is too slow: %s"
            _LOG.warning(text, name, error, extra=extra)
        except (CosmonapseError, TypeError, ValueError) as error:
            self.counts["bid_failed"] += 1
            _LOG.warning("neuron %s makes no bid: %s", name, error, extra=extra)
        except BaseException as error:
            if must_pass(error):
                raise
            self.counts["bid_failed"] += 1  # the last door: one bidder must not hurt another
            _LOG.exception("bid_fn of neuron %s raised: it makes no bid", name, extra=extra)

    async def _load_bid(self, axon: Axon, offer_signal: Signal, offer: Offer) -> float | None:
        """Return the load of an Axon as its cost; None if it is full or has bid by hand."""
        await asyncio.sleep(offer.deadline_ms / 1000 * _LOAD_BID_AT)
        if not self._bids_made.add(f"{offer_signal.id} {axon.neuron_id}"):
            return None
        running, queued = self._inbox.load(axon.neuron_id)
        return (
            None if self._inbox.is_full(axon.neuron_id) else (running + queued) / axon.concurrency
        )
