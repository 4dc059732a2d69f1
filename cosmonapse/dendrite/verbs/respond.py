"""The verbs that answer the questions of Neurons."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...signals import Signal
from ..caller.questions import clarification_answer, escalation_answer, permission_decision
from .base import DendriteBase, verb


class RespondVerbs(DendriteBase):
    """The `respond` methods of a Dendrite.

    Every `respond_...` leads to a new TASK on the same trace, with the question as its parent, and
    returns it. The caller of the first TASK, here or in another process, then waits for the new
    one. A question has one answer: a later call returns None, and nothing runs. About a TASK of
    another Dendrite each raises AccessRefused without the rights `decide` and `watch`.
    """

    @verb
    async def respond_to_clarification(
        self, sig: Signal, answer: Any, extra: Mapping[str, Any] | None = None
    ) -> Signal | None:
        """Answer a CLARIFICATION: the neuron gets its input again, and `clarification` in it.

        Args:
            sig: The CLARIFICATION.
            answer: The answer; `clarification` is `{"question": ..., "answer": ...}`.
            extra: More keys for the input.

        Raises:
            DendriteProtocolError: `sig` is not a CLARIFICATION; its caller is gone and left no
                input; not running.
            UnencodableValue: The answer holds a value that no Signal can carry.
            SignalTooLarge: The new TASK is over the limit.
        """
        self._check_running()
        return await self._arbiter.respond(sig, clarification_answer(sig, answer, extra))

    answer_clarification = respond_to_clarification

    @verb
    async def respond_to_permission(
        self, sig: Signal, granted: bool, reason: str | None = None, ttl_ms: int | None = None
    ) -> Signal | None:
        """Decide a PERMISSION: the neuron gets its input again, and `permission` in it.

        Args:
            sig: The PERMISSION.
            granted: The decision; `permission` is `{"action": ..., "granted": ...}`, with reason
                and ttl_ms if there are any.
            reason: Why.
            ttl_ms: How long the decision holds; the neuron enforces it.

        Raises:
            DendriteProtocolError: `sig` is not a PERMISSION; its caller is gone and left no input;
                not running.
            TypeError: `granted` is not a bool.
            UnencodableValue: The decision holds a value that no Signal can carry.
            SignalTooLarge: The new TASK is over the limit.
        """
        self._check_running()
        return await self._arbiter.respond(sig, permission_decision(sig, granted, reason, ttl_ms))

    @verb
    async def grant_permission(
        self, sig: Signal, reason: str | None = None, ttl_ms: int | None = None
    ) -> Signal | None:
        """Grant a PERMISSION; see `respond_to_permission`."""
        return await self.respond_to_permission(sig, True, reason, ttl_ms)

    @verb
    async def deny_permission(self, sig: Signal, reason: str | None = None) -> Signal | None:
        """Deny a PERMISSION; see `respond_to_permission`."""
        return await self.respond_to_permission(sig, False, reason)

    @verb
    async def respond_to_escalation(
        self, sig: Signal, input: Any = None, neuron: str | None = None
    ) -> Signal | None:
        """Answer an ESCALATION: the task continues, by default at the neuron that escalated.

        Args:
            sig: The ESCALATION.
            input: The input of the new TASK; by default that of the first one.
            neuron: The neuron that continues; by default the `target` in the ESCALATION, else the
                neuron that escalated.

        Raises:
            DendriteProtocolError: `sig` is not an ESCALATION; there is neither an input nor another
                neuron; its caller is gone and left no input; not running.
            InvalidName: `neuron` is invalid.
            UnencodableValue: The input holds a value that no Signal can carry.
            SignalTooLarge: The new TASK is over the limit.
        """
        self._check_running()
        return await self._arbiter.respond(sig, escalation_answer(sig, input, neuron))

    @verb
    async def await_decision(self, sig: Signal, timeout_s: float = 300.0) -> Signal:
        """Return the CLARIFICATION_ANSWER or PERMISSION_DECISION to a question, from any Dendrite.

        Raises:
            TimeoutError: There is none within `timeout_s` seconds.
            DendriteProtocolError: Not running.
        """
        self._check_running()
        return await self._arbiter.decision(sig, timeout_s)
