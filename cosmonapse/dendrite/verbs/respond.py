"""The verbs that answer what a Neuron asks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...signals import Signal
from ..caller.questions import clarification_answer, escalation_answer, permission_decision
from .base import DendriteBase


class RespondVerbs(DendriteBase):
    """What a Dendrite inherits to answer with.

    Every `respond_...` leads to a new TASK on the same trace, with the question as its parent, and
    returns it. Whoever waits for the TASK that was asked about waits for that one from then on,
    here or in another process. A question is answered once: for a later answer the result is None
    and nothing runs.
    """

    async def respond_to_clarification(
        self, sig: Signal, answer: Any, extra: Mapping[str, Any] | None = None
    ) -> Signal | None:
        """Answer a CLARIFICATION: the neuron gets its input again, and `clarification` in it.

        Args:
            sig: The CLARIFICATION.
            answer: The answer; `clarification` is `{"question": ..., "answer": ...}`.
            extra: More keys for the input.

        Raises:
            DendriteProtocolError: `sig` is no CLARIFICATION; its caller is gone and left no input;
                not running.
            UnencodableValue: The answer holds what no Signal can carry.
            SignalTooLarge: The new TASK is over the limit.
        """
        self._check_running()
        return await self._arbiter.respond(sig, clarification_answer(sig, answer, extra))

    answer_clarification = respond_to_clarification

    async def respond_to_permission(
        self, sig: Signal, granted: bool, reason: str | None = None, ttl_ms: int | None = None
    ) -> Signal | None:
        """Decide a PERMISSION: the neuron gets its input again, and `permission` in it.

        Args:
            sig: The PERMISSION.
            granted: The decision; `permission` is `{"action": ..., "granted": ...}`, with reason
                and ttl_ms if there are any.
            reason: Why.
            ttl_ms: How long the decision holds, for the neuron to mind.

        Raises:
            DendriteProtocolError: `sig` is no PERMISSION; its caller is gone and left no input;
                not running.
            TypeError: `granted` is no bool.
            UnencodableValue: The decision holds what no Signal can carry.
            SignalTooLarge: The new TASK is over the limit.
        """
        self._check_running()
        return await self._arbiter.respond(sig, permission_decision(sig, granted, reason, ttl_ms))

    async def grant_permission(
        self, sig: Signal, reason: str | None = None, ttl_ms: int | None = None
    ) -> Signal | None:
        """Grant a PERMISSION; see `respond_to_permission`."""
        return await self.respond_to_permission(sig, True, reason, ttl_ms)

    async def deny_permission(self, sig: Signal, reason: str | None = None) -> Signal | None:
        """Deny a PERMISSION; see `respond_to_permission`."""
        return await self.respond_to_permission(sig, False, reason)

    async def respond_to_escalation(
        self, sig: Signal, input: Any = None, neuron: str | None = None
    ) -> Signal | None:
        """Let the work go on after an ESCALATION.

        Args:
            sig: The ESCALATION.
            input: What the neuron gets; by default what the one that escalated had got.
            neuron: Who shall go on; by default the `target` that the ESCALATION names, else the
                neuron that escalated.

        Raises:
            DendriteProtocolError: `sig` is no ESCALATION; there is neither an input nor another
                neuron; its caller is gone and left no input; not running.
            InvalidName: `neuron` is no name.
            UnencodableValue: The input holds what no Signal can carry.
            SignalTooLarge: The new TASK is over the limit.
        """
        self._check_running()
        return await self._arbiter.respond(sig, escalation_answer(sig, input, neuron))

    async def await_decision(self, sig: Signal, timeout_s: float = 300.0) -> Signal:
        """Return the CLARIFICATION_ANSWER or PERMISSION_DECISION to a question, whoever gives it.

        Raises:
            TimeoutError: There is none within `timeout_s` seconds.
            DendriteProtocolError: Not running.
        """
        self._check_running()
        return await self._arbiter.decision(sig, timeout_s)
