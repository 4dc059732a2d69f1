"""How a worker process answers when the runner asks for its metrics, or how it is."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from ..dendrite import Dendrite
from ..exposition.collector import FamilyCollector, Plain, plain_metrics, source_in
from ..exposition.process_line import METRICS, AnsweringEnd
from ..metrics import register_metrics

_LOG = logging.getLogger(__name__)


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
        self._has_failed = False
        AnsweringEnd(descriptor, self._answer)

    def serve(self, dendrite: Dendrite) -> None:
        """Show a Dendrite from now on."""
        self._end = register_metrics(dendrite, self._registry)

    def _answer(self, letter: bytes) -> dict[str, Any]:
        """Answer a question; how the process is never hangs on a collector of the program."""
        alive, ready = self._source.alive(), self._source.ready()
        return {
            "alive": [alive.ok, alive.why],
            "ready": [ready.ok, ready.why] if self._end else [False, "it is not connected yet"],
            "metrics": self._metrics() if letter == METRICS else [],
        }

    def _metrics(self) -> list[Plain]:
        try:
            return plain_metrics(self._registry)
        except Exception:  # noqa: BLE001  # a collector of the program may raise anything
            if not self._has_failed:
                self._has_failed = True
                _LOG.exception("a collector fails: this process shows only metrics of Cosmonapse")
        return plain_metrics(FamilyCollector(self._source.families))
