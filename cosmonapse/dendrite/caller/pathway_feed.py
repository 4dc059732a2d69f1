"""Feeds a Pathway without keeping it alive, so that one which the program dropped can end."""

from __future__ import annotations

import weakref

from ...signals import Signal
from .pathway import Pathway, Scope


class PathwayFeed:
    """Passes Signals to a Pathway while the program or a waiting reader references it.

    Args:
        pathway: The Pathway.

    Attributes:
        scope: That of the Pathway.
        trace_id: That of the Pathway.
    """

    __slots__ = ("_pathway", "_sleepers", "scope", "trace_id")

    def __init__(self, pathway: Pathway) -> None:
        self._pathway = weakref.ref(pathway)
        self._sleepers = pathway.sleepers  # asyncio has only weak references to tasks
        self.scope: Scope = pathway.scope
        self.trace_id = pathway.trace_id

    @property
    def closed(self) -> bool:
        """Whether it accepts no further Signal."""
        pathway = self._pathway()
        return pathway is None or pathway.closed

    @property
    def task(self) -> Signal | None:
        """The TASK that it follows now."""
        pathway = self._pathway()
        return None if pathway is None else pathway.task

    def take(self, signal: Signal, *size: int) -> None:
        """Add a Signal, of `size` bytes if that is known."""
        pathway = self._pathway()
        if pathway is not None:
            pathway.take(signal, *size)

    def take_thoughts(
        self, body: bytes, texts: list[str], had: int = 0, origin: str | None = None
    ) -> None:
        """Add the thoughts of a body, but the first `had` of them; `origin` as of a Signal."""
        pathway = self._pathway()
        if pathway is not None:
            pathway.take_thoughts(body, texts, had, origin)

    def lose(self, count: int) -> None:
        """Record that so many replies are lost on their way before the next one."""
        pathway = self._pathway()
        if pathway is not None:
            pathway.lose(count)

    def unanswered(self, question: Signal) -> None:
        """Record that only a reader may still answer a question."""
        pathway = self._pathway()
        if pathway is not None:
            pathway.unanswered(question)

    def answered(self, task: Signal) -> None:
        """Continue with the TASK that an answer led to."""
        pathway = self._pathway()
        if pathway is not None:
            pathway.answered(task)

    def end(self, outcome: Signal | None) -> None:
        """End it with an outcome."""
        pathway = self._pathway()
        if pathway is not None:
            pathway.end(outcome)
