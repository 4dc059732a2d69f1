"""The verb that lets Axons bid for a task."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ...ids import id_bytes, new_trace_id
from ...signals import Directed, Signal, SignalType
from ...tasks import destination
from ..caller.bids import DEFAULT_DEADLINE_MS, Select, checked_select, offer_payload
from ..caller.open_tasks import checked_timeout
from .base import DendriteBase, verb


class OfferVerbs(DendriteBase):
    """The `dispatch_offer` method of a Dendrite."""

    @verb
    async def dispatch_offer(
        self,
        *,
        input: Any,
        capabilities: Iterable[str],
        deadline_ms: float = DEFAULT_DEADLINE_MS,
        select: Select = "first_bid",
        timeout_s: float = 30.0,
        trace_id: str | None = None,
        parent_id: str | None = None,
        meta: dict[str, Any] | None = None,
    ) -> Signal:
        """Offer a task, send it to the best bidder, return the Signal that settles it.

        Axons that offer all the capabilities bid by themselves, with their `bid_fn` or, at half the
        deadline, by their load; a program may bid by hand with `emit_bid`. The winner gets
        TASK_AWARDED and then the TASK, every other bidder TASK_DECLINED. The TASK is settled as for
        `dispatch_and_wait`, questions included.
        If the trace is stopped during the bidding, the result is ERROR `CANCELLED`.

        Args:
            input: The input of the TASK, which the bidders see too.
            capabilities: The capabilities that a bidder must offer, all of them.
            deadline_ms: How long bids are accepted, over 0 and at most an hour.
            select: `first_bid` wins at once; `lowest_cost` and `highest_confidence` win at the
                deadline. Of equals the first wins; a bid that lacks the value comes last.
            timeout_s: The overall limit, the bidding included; more than `deadline_ms`.
            trace_id: The workflow; a new one by default.
            parent_id: The Signal that the offer follows.
            meta: Further values beside the payload of the offer and of the TASK.

        Raises:
            TimeoutError: No bid arrives within `deadline_ms`; or nothing settles the TASK in time.
            ValueError: There are no capabilities, or one of them is invalid; `deadline_ms`,
                `select` or `timeout_s` is invalid; `trace_id` or `parent_id` is not an id.
            TypeError: `capabilities` is not a list of names, or `meta` not a dict.
            UnencodableValue: The input holds a value that no Signal can carry.
            SignalTooLarge: The offer or the TASK is over the limit.
            SynapseUnreachable: The Synapse does not answer within 5 s.
            AccessRefused: The key of this Dendrite may not offer TASKs, or not send them to the
                winner.
            DendriteProtocolError: Not running, or in the role of a worker.
        """
        self._check_may_dispatch()
        wanted = destination(None, capabilities).capabilities
        payload = offer_payload(input, wanted, deadline_ms)
        if deadline_ms / 1000 >= checked_timeout(timeout_s):
            raise ValueError(
                f"timeout_s ({timeout_s:g} s) must leave time for the task after the bids, which "
                f"are accepted for {deadline_ms:g} ms"
            )
        trace_id = new_trace_id() if trace_id is None else trace_id
        for each in (trace_id, parent_id):
            if each is not None:
                id_bytes(each)
        offer = Signal(
            type=SignalType.TASK_OFFER,
            payload=payload,
            directed=Directed(self.dendrite_id, "dendrite", wanted),
            trace_id=trace_id,
            parent_id=parent_id,
            meta={} if meta is None else meta,
        )
        return await self._auctions.hold(offer, checked_select(select), timeout_s)
