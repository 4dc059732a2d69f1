"""For whom a Signal is meant, besides those who listen, and where an answer to it goes. Pure.

Spec: docs/spec/07-signals.md, "Offers and bids", "Stopping a trace" and "Questions".
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Final, NamedTuple

from ...names import checked_capabilities
from ...signals import Signal, SignalType
from ...transport import Recipients

_NO_PEER = bytes(16)
_MAX_ORIGINS = 10_000

ANSWERABLE: Final = frozenset(
    {
        SignalType.TASK_OFFER,
        SignalType.STOP,
        SignalType.CLARIFICATION,
        SignalType.PERMISSION,
        SignalType.ESCALATION,
        SignalType.CLARIFICATION_ANSWER,
        SignalType.PERMISSION_DECISION,
    }
)
"""The types to which another Dendrite may answer with a Signal of its own."""
_ANSWERS: Final = {
    SignalType.BID: Recipients.CALLERS,
    SignalType.CLARIFICATION_ANSWER: Recipients.CALLERS,
    SignalType.PERMISSION_DECISION: Recipients.CALLERS,
    SignalType.STOPPED: Recipients.NONE,
    SignalType.TASK_AWARDED: Recipients.NONE,
    SignalType.TASK_DECLINED: Recipients.NONE,
}
"""Answers, and who gets one if it is not known where the Signal came from that it answers."""
MEANT: Final = frozenset({SignalType.STOP, SignalType.TASK_OFFER, *_ANSWERS})
"""The types that are meant for certain Dendrites, or of little interest to others."""


class SignalRecipients(NamedTuple):
    """The recipients of one Signal.

    Attributes:
        recipients: Bits of `Recipients`.
        peer: The instance of the Dendrite, with PEER.
        capabilities: Those of an offer, with OFFERS.
    """

    recipients: int
    peer: bytes = _NO_PEER
    capabilities: tuple[str, ...] = ()


class Origins:
    """The Dendrites from which the latest Signals came that one may answer: 10,000 of them."""

    def __init__(self) -> None:
        self._origins: OrderedDict[str, bytes] = OrderedDict()

    def add(self, signal: Signal, instance: bytes) -> None:
        """Record who published a Signal, or dispatched the TASK that it settles.

        A STOP counts only if its sender waits for the STOPPEDs.
        """
        is_waited_for = signal.type is not SignalType.STOP or signal.meta.get("acks") is True
        if signal.type in ANSWERABLE and is_waited_for and instance != _NO_PEER:
            self._origins[signal.id] = instance
            if len(self._origins) > _MAX_ORIGINS:
                self._origins.popitem(last=False)

    def of(self, signal_id: str | None) -> bytes | None:
        """Return from whom a Signal came; None if that is not known."""
        return self._origins.get(signal_id or "")


def meant_for(signal: Signal, origins: Origins, own: bytes) -> SignalRecipients:
    """Return for whom a Signal of one of the types `MEANT` is meant.

    Args:
        signal: The Signal.
        origins: Where those came from that it may answer.
        own: The instance of this Dendrite, to which nothing is handed over.
    """
    if signal.type is SignalType.STOP:
        return SignalRecipients(Recipients.HOSTS | Recipients.CALLERS)
    if signal.type is SignalType.TASK_OFFER:
        capabilities = _capabilities_of(signal)
        if capabilities:
            return SignalRecipients(Recipients.OFFERS, capabilities=capabilities)
        return SignalRecipients(Recipients.HOSTS)
    origin = origins.of(signal.parent_id)
    if origin == own:
        return SignalRecipients(Recipients.NONE)
    if origin is not None:
        return SignalRecipients(Recipients.PEER, peer=origin)
    return SignalRecipients(_ANSWERS[signal.type])


def _capabilities_of(offer: Signal) -> tuple[str, ...]:
    """Return the capabilities of an offer; none if they are not a list of names."""
    try:
        return checked_capabilities(offer.payload.get("capabilities"))
    except (TypeError, ValueError):
        return ()
