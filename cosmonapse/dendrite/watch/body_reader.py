"""Reads the bodies of broadcast messages, and drops what does not belong where it came from.

Spec: docs/spec/07-signals.md, "Origin", 5. The Synapse checks the right to the type that a message
is sent as, and reads no body: so a body must not say another type.
"""

from __future__ import annotations

import logging
from collections import Counter

from ...errors import BadSignal
from ...kernel import heard_signals
from ...payloads import STREAMED
from ...signals import Signal, SignalType
from ...tasks import is_of_card

_LOG = logging.getLogger(__name__)
_NOBODY = bytes(16)

OF_TASKS = STREAMED | {
    SignalType.TASK,
    SignalType.AGENT_OUTPUT,
    SignalType.FINAL,
    SignalType.ERROR,
    SignalType.CLARIFICATION,
    SignalType.PERMISSION,
    SignalType.ESCALATION,
}
"""The types that travel on the directed plane: TASKs and their replies."""


class BodyReader:
    """Reads bodies, and counts those that it drops.

    Args:
        counts: The counters of the Dendrite's handlers.
    """

    def __init__(self, counts: Counter[str]) -> None:
        self._counts = counts

    def signals(self, body: bytes, wanted: SignalType | None = None) -> list[Signal]:
        """Return the Signals of a body, several if it is a run.

        Args:
            body: The body.
            wanted: The type that the message was sent as, if it says one.

        Returns:
            None at all if it is invalid or of another type.
        """
        try:
            signals = heard_signals(body)
        except BadSignal as error:
            self._drop(1, str(error))
            return []
        if is_of_card(signals[0]):
            self._counts["hidden_cards"] += 1
            return []
        found = signals[0].type
        if wanted is None or found is wanted:
            return signals
        self._drop(1, f"a {found.value} was sent as a {wanted.value}")
        return []

    def belongs(
        self, signal_type: SignalType | None, caller: bytes, worker: bytes, count: int
    ) -> bool:
        """Return whether a type may come under a header; count `count` messages if it may not.

        With a caller and a worker it is the copy of a TASK or of a reply: a worker gives no orders
        and no answers that way.
        """
        of_task = caller != _NOBODY and worker != _NOBODY
        return not of_task or self.is_of_task(signal_type, count)

    def is_of_task(self, signal_type: SignalType | None, count: int = 1) -> bool:
        """Return whether a type may come from a worker about a task; count it if it may not."""
        if signal_type in OF_TASKS:
            return True
        name = "Signal of an unknown type" if signal_type is None else signal_type.value
        self._drop(count, f"a {name} came as part of a task")
        return False

    def _drop(self, count: int, why: str) -> None:
        self._counts["drop.bad_signal"] += count
        _LOG.warning("a broadcast message is dropped: %s", why)
