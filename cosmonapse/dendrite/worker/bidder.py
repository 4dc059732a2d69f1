"""Bidding: our Axons that have a `bid_fn` answer the TASK_OFFERs of others.

Spec: docs/spec/07-signals.md. Nothing is listened to while no Axon of ours can bid.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter

from ...axon import Axon
from ...errors import BadSignal, CosmonapseError
from ...ids import id_bytes
from ...signals import Signal, SignalType
from ..caller.bids import Offer, bid_payload, read_bid, read_offer
from ..watch.handlers import Handler
from ..watch.publisher import Publisher, publish_heard
from ..watch.subscriptions import Subscriptions
from .inbox import Inbox
from .user_callbacks import GivenUp, UserCallbacks, was_cancelled

_LOG = logging.getLogger(__name__)
_AT_ONCE = 256
_HEARD_S = 0.25
_END_S = 1.0


class Bidder:
    """Bids for the Axons of a Dendrite.

    At most 256 `bid_fn` work at once; an Axon makes no bid for an offer that comes above that.

    Args:
        publisher: Who shows the bids.
        watching: Where offers are heard.
        inbox: Whose Axons bid.
    """

    def __init__(self, publisher: Publisher, subscriptions: Subscriptions, inbox: Inbox) -> None:
        self.counts: Counter[str] = Counter()
        self._publisher = publisher
        self._subscriptions = subscriptions
        self._inbox = inbox
        self._calls = UserCallbacks(_AT_ONCE)
        self._tasks: set[asyncio.Task[None]] = set()
        self._listens = False

    def attend(self) -> None:
        """Listen to offers if, and only if, one of our Axons can bid."""
        wanted = any(axon.bid_fn is not None for axon in self._inbox.axons)
        if wanted and not self._listens:
            handler = Handler(self._on_offer, frozenset({SignalType.TASK_OFFER}), direct=True)
            self._subscriptions.add(handler)
        elif self._listens and not wanted:
            self._subscriptions.remove(self._on_offer)
        self._listens = wanted

    async def place(self, signal: Signal) -> Signal:
        """Publish a BID that a program makes by hand; return when somebody listens to it.

        Raises:
            ValueError: It names no neuron, or a number in it is out of range.
            TypeError: A key is missing or unknown, or the value of one is no number.
        """
        bid_payload(signal.payload)
        read_bid(signal)
        await publish_heard(self._publisher, signal, _HEARD_S)
        return signal

    async def close(self) -> None:
        """Bid no more."""
        if self._listens:
            self._listens = False
            self._subscriptions.remove(self._on_offer)
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=_END_S)

    def _on_offer(self, signal: Signal) -> None:
        try:
            offer = read_offer(signal)
            id_bytes(signal.trace_id)
        except BadSignal as error:
            self.counts["drop.bad_offer"] += 1
            _LOG.warning("an offer is dropped: %s", error)
            return
        for axon in self._inbox.axons:
            if axon.bid_fn is None or not offer.capabilities <= set(axon.capabilities):
                continue
            if self._calls.full or len(self._tasks) >= _AT_ONCE:
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
        try:
            value = await self._calls.call(
                axon.bid_fn or _nothing,
                offer.input,
                signal,
                timeout_s=offer.deadline_ms / 1000,
                name=f"bid_fn of {name}",
            )
            payload = bid_payload(value)
            if payload is not None:
                bid = signal.reply(SignalType.BID, payload=payload, directed=axon.producer)
                await publish_heard(self._publisher, bid, until_s - loop.time())
        except GivenUp as error:
            self.counts["bid_late"] += 1
            _LOG.warning("neuron %s makes no bid, its bid_fn is too slow: %s", name, error)
        except (CosmonapseError, TypeError, ValueError) as error:
            self.counts["bid_failed"] += 1
            _LOG.warning("neuron %s makes no bid: %s", name, error)
        except (KeyboardInterrupt, GeneratorExit):
            raise
        except BaseException as error:
            if was_cancelled(error):
                raise
            self.counts["bid_failed"] += 1  # the last door: one bidder must not hurt another
            _LOG.exception("bid_fn of neuron %s raised: it makes no bid", name)


def _nothing(*_: object) -> None:
    pass
