"""The counters of a Dendrite and of an observer, with one sentence for each. Pure.

`Dendrite.counts` holds these names and those of its transport; a count that is absent is zero.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

COUNTERS: Final[Mapping[str, str]] = MappingProxyType(
    {
        # caller
        "abandoned": "Tasks of `dispatch_task` that were open when the Dendrite stopped.",
        "asked_again": "Requests for replies that are missing before one that has arrived.",
        "bounced.bad_address": "Tasks returned because their address was invalid.",
        "bounced.busy": "Tasks returned because no worker of their address had room.",
        "bounced.duplicate": "Tasks returned because a task with the same id was open.",
        "bounced.expired": "Tasks returned because no time was left for them.",
        "bounced.forbidden": "Tasks returned because the key of this Dendrite may not send them.",
        "bounced.no_route": "Tasks returned because no live Axon served their address.",
        "bounced.too_large": "Tasks returned because they were over the limit of the Synapse.",
        "bounced.unknown": "Tasks returned for a reason that this version does not know.",
        "lost.not_started": "Tasks that no worker had started and that could not be sent again.",
        "lost.reply_lost": "Tasks that ran, and whose reply is no longer stored anywhere.",
        "lost.unknown": "Tasks of which it is unknown whether they ran.",
        "lost.worker_lost": "Tasks whose worker disconnected before it replied.",
        "sent_again": "Tasks sent again because no worker had started them.",
        "timeout": "Tasks that had no outcome at their deadline; a CANCEL was sent for each.",
        "drop.early_reply": "Replies that arrived before missing ones; they are requested again.",
        "drop.late_reply": "Replies to tasks that were no longer open.",
        "drop.repeated_reply": "Replies that arrived a second time.",
        "gap.replies": "Streamed replies that are lost for good.",
        # cards
        "card_forbidden": "Cards that `cards` left out: of Neurons that our key may not call.",
        "card_missing": "Cards that `cards` left out: late, refused, or no card.",
        # sources of Axons
        "source_failed": "Sources of Axons that raised; their Axons were taken away.",
        "source_refused": "Axons of a source that could not be hosted: an id that was taken.",
        "tool_left_out": "Tools of MCP servers that are not hosted: a bad schema, an id taken.",
        "tool_server_away": "Times that an MCP server ended or could not be reached again.",
        "tool_server_noise": "Lines on the standard output of an MCP server that are no message.",
        # questions
        "drop.bad_answer": "Answers of other Dendrites that did not fit their question.",
        "drop.question": "Questions that were forgotten because over 10,000 waited for an answer.",
        "drop.second_answer": "Answers to questions that had an answer or needed none any more.",
        "question_unanswered": "Questions without an answer at the deadline of their task.",
        # auctions
        "bid_failed": "Calls of a `bid_fn` that raised or returned an invalid bid.",
        "bid_late": "Calls of a `bid_fn` that did not end before the deadline of the offer.",
        "drop.bad_bid": "Bids without a valid neuron id.",
        "drop.bad_offer": "Offers without an input, or with an invalid deadline or capability.",
        "drop.bid": "Bids over the 10,000 that one auction accepts.",
        "drop.declined": "Refusals that could not be sent to a bidder.",
        "drop.offer": "Offers without a bid of ours, because 256 other bids were being made.",
        # worker
        "bad_output": "Outputs that could not be sent; the caller received ERROR `BAD_OUTPUT`.",
        "drop.repeated_task": "Tasks that arrived a second time; they did not run again.",
        "drop.reply_busy": "Last replies, and thoughts before them, that found the outbox full.",
        "drop.reply_closed": "Last replies, and thoughts, that found the connection closed.",
        "drop.reply_too_large": "Last replies, and thoughts, over the limit of the transport.",
        "drop.bad_traceparent": "Values of a trace context in TASKs that were invalid, so absent.",
        "leaked_places": "Functions that ran on after their task had ended; each occupies a place.",
        "refused.bad_input": "Tasks whose input did not fit the type of its Axon.",
        "refused.bad_output": "Outputs that did not fit the type of their Axon.",
        "remember_failed": "Answers that a `context_fetcher` could not keep; they were sent.",
        "refused.bad_signal": "Tasks that could not be read.",
        "refused.no_such_neuron": "Tasks for an Axon that this Dendrite does not host.",
        "refused.reply_lost": "Repeated tasks whose replies were no longer stored.",
        # stops
        "drop.bad_stop": "STOPs whose trace id was invalid.",
        "drop.stopped": "STOPs that were obeyed without a STOPPED: 1,024 were in progress.",
        "rollback_failed": "Calls of a `rollback_fn` that raised, or did not end within 5 s.",
        "rollback_skipped": "Tasks not rolled back because their function was still running.",
        # handlers
        "drop.bad_signal": "Messages that are no Signal, or one of another type than sent as.",
        "drop.handler_queue_full": "Signals that a handler missed because its queue was full.",
        "drop.no_handler": "Broadcast Signals whose handler was removed before they arrived.",
        "drop.repeated_copy": "Copies of replies that were sent again and had arrived before.",
        "gap.broadcast": "Broadcast Signals that were lost before they arrived.",
        "hidden_cards": "Requests for cards, and cards, that were heard and not passed on as work.",
        "handler_raised": "Exceptions that handlers raised.",
        "handler_stuck": "Handlers that did not end within 1 s after their cancellation.",
        # gateways
        "drop.unfit_card": "Cards that are no tools of MCP: they would spoil the whole list.",
        "cut.a2a_stream": "Streams of A2A that ended with an error before the end of their task.",
        "drop.a2a_task": "Tasks of A2A that were forgotten early: over 10,000, or over 64 MiB.",
        "drop.output_schema": "Tools of MCP without their output schema, for its flaw.",
        # observers: Doppler and Prism
        "again": "Signals that an observer received by type and by trace, or twice.",
        "bad_signal": "Messages that an observer could not read as a Signal.",
        "cut.slow_request": "Connections cut: a request took over 10 s, or 30 s at a gateway.",
        "cut.too_many_connections": "Connections cut to make room: over 256, at a gateway 1,024.",
        "displaced_tabs": "Tabs of Prism that had to make room: 64 were open.",
        "refused.token": "Requests to a Prism or a gateway without its token, or with a wrong one.",
        # gateways
        "refused.bad_body": "Requests of A2A whose body was no JSON, or held what no text can be.",
        "refused.host": "Requests under a name that is not one of the gateway.",
        "refused.mcp_session": "Sessions of MCP refused because 1,000 of them were open.",
        "refused.not_ready": "Requests before the Synapse was reached, or while a gateway ended.",
        "refused.origin": "Requests of pages whose origin may not use the gateway.",
        "refused.too_large": "Requests whose body was over the limit of the gateway.",
    }
)
