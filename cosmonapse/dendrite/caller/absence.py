"""What a caller knows of an absence of the Synapse, for the outcome of a late task. Pure."""

from __future__ import annotations

from ...errors import SynapseAway, away_text
from .open_tasks import OpenTask

_REFUSED = "refused: "
"""How a transport begins to say that the Synapse is there, and does not let it in."""


class Absence:
    """Since when the Synapse is away, and which TASKs wait for it.

    Args:
        url: The URL of the Synapse.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._since_s: float | None = None
        self._refusal = ""
        self._unsent: set[bytes] = set()

    def begin(self, now_s: float, why: str = "") -> None:
        """Record that the connection is lost, or why it does not come back."""
        if self._since_s is None:
            self._since_s = now_s
        self._refusal = f" ({why})" if why.startswith(_REFUSED) else ""

    def end(self, now_s: float) -> float | None:
        """Record that the Synapse is there: the TASKs that wait for it leave now.

        Return how long it was away, in seconds; None if it was not.
        """
        away_s = None if self._since_s is None else now_s - self._since_s
        self._since_s = None
        self._refusal = ""
        self._unsent.clear()
        return away_s

    def wait(self, task: bytes) -> None:
        """Record a TASK that was sent and could not leave."""
        if self._since_s is not None:
            self._unsent.add(task)

    def judge(self, opened: OpenTask, now_s: float) -> tuple[str, str] | None:
        """Return code and reason for a task that is late; None while the Synapse is there."""
        if self._since_s is None:
            return None
        why = away_text(self._url, now_s - self._since_s) + self._refusal
        if opened.task in self._unsent:
            self._unsent.discard(opened.task)
            return "SYNAPSE_AWAY", why
        return "EXPIRED", f"{why}; the TASK had left before, so it may have run"

    def error(self, opened: OpenTask, now_s: float) -> SynapseAway:
        """Return the exception for the caller of a task that never left."""
        task = f"the TASK for {opened.target} on trace {opened.signal.trace_id}"
        since_s = now_s if self._since_s is None else self._since_s
        return SynapseAway(self._url, now_s - since_s, task, self._refusal)
