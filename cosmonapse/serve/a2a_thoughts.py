"""The pieces of artifacts that the thoughts of an A2A task become, and what is missing. Pure.

Page: docs/gateways.md, "A2A". A piece holds no thoughts from both sides of a gap: the one behind it
says how many Signals of the task are missing so far. At the end every artifact has said so.
"""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from ..payloads import REASONING
from ..signals import Signal, SignalType

TEXT = "text"
"""The id of the artifact of thoughts that belong to the answer; those of a model go beside it."""


@attrs.frozen
class ThoughtPiece:
    """A piece of an artifact.

    Args:
        artifact_id: The artifact.
        text: The text; empty if only a gap is to be told.
        append: Whether the artifact has begun before.
        missed: How many Signals of the task are missing so far; 0 if the artifact has said it.
    """

    artifact_id: str
    text: str
    append: bool
    missed: int = 0


class ThoughtPieces:
    """Collects the thoughts of a task.

    Attributes:
        missed: How many Signals are missing so far.
    """

    def __init__(self) -> None:
        self.missed = 0
        self._open: dict[str, list[str]] = {}
        self._made: list[ThoughtPiece] = []
        self._said: dict[str, int] = {}
        self._streamed: list[str] = []

    @property
    def has_news(self) -> bool:
        """Whether something was taken that no piece has told."""
        return bool(self._open or self._made)

    @property
    def text(self) -> str:
        """The texts of the answer that were told."""
        return "".join(self._streamed)

    def take(self, signal: Signal, missed: int = 0) -> None:
        """Take a Signal; all but thoughts are passed over.

        Args:
            signal: The Signal.
            missed: How many Signals were dropped before it.
        """
        if missed:
            self._close()
            self.missed += missed
        if signal.type is SignalType.THOUGHT_DELTA:
            kind = REASONING if signal.payload.get("kind") == REASONING else TEXT
            self._open.setdefault(kind, []).append(str(signal.payload.get("delta", "")))

    def pop(self) -> Sequence[ThoughtPiece]:
        """Return the pieces of what was taken."""
        self._close()
        pieces, self._made = self._made, []
        return pieces

    def end(self) -> Sequence[ThoughtPiece]:
        """Return the last pieces, with an empty one for each artifact that has a gap to tell."""
        self._close()
        for artifact_id in [each for each, said in self._said.items() if said != self.missed]:
            self._make(artifact_id, "")
        return self.pop()

    def _close(self) -> None:
        for artifact_id, texts in self._open.items():
            self._make(artifact_id, "".join(texts))
        self._open.clear()

    def _make(self, artifact_id: str, text: str) -> None:
        said = self._said.get(artifact_id)
        missed = self.missed if self.missed != (said or 0) else 0
        self._made.append(ThoughtPiece(artifact_id, text, said is not None, missed))
        self._said[artifact_id] = self.missed
        if artifact_id == TEXT:
            self._streamed.append(text)
