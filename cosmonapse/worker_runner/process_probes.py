"""How a worker process answers when the runner asks for its metrics, or how it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..dendrite import Dendrite
from ..exposition.collector import plain_metrics, source_in
from ..exposition.process_line import METRICS, AnsweringEnd
from ..metrics import register_metrics


class ProcessProbes:
    """Answers for this process; before `serve` it is alive and not ready.

    Args:
        descriptor: The descriptor of the line to the runner.

    Raises:
        MissingExtra: prometheus-client is not installed.
    """

    def __init__(self, descriptor: int) -> None:
        self._registry, self._source = source_in(None)
        self._end: Callable[[], None] | None = None
        AnsweringEnd(descriptor, self._answer)

    def serve(self, dendrite: Dendrite) -> None:
        """Show a Dendrite from now on."""
        self._end = register_metrics(dendrite, self._registry)

    def _answer(self, letter: bytes) -> dict[str, Any]:
        alive, ready = self._source.alive(), self._source.ready()
        return {
            "alive": [alive.ok, alive.why],
            "ready": [ready.ok, ready.why] if self._end else [False, "it is not connected yet"],
            "metrics": plain_metrics(self._registry) if letter == METRICS else [],
        }
