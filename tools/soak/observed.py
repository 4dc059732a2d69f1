"""What watches over a process of a soak: metrics, traces kept in memory, and JSON logs.

The harness names them in a variable of the environment, which holds JSON: `metrics` is where to
serve them, `traces` and `logs` are true. Without it a process has none.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import AsyncIterator

from cosmonapse import Dendrite

from .log import Log

VARIABLE = "SOAK_OBSERVED"


class Observed:
    """Turns on what this process is to have; make it before the Dendrite.

    Args:
        log: The log of the process.
    """

    def __init__(self, log: Log) -> None:
        asked = json.loads(os.environ.get(VARIABLE, "{}"))
        self._log = log
        self._metrics: str | None = asked.get("metrics")
        if asked.get("logs"):
            from cosmonapse import logs

            logs.configure(format="json")
        self._spans = None
        if asked.get("traces"):
            from .spans import provide

            self._spans = provide(log)

    @contextlib.asynccontextmanager
    async def of(self, dendrite: Dendrite) -> AsyncIterator[None]:
        """Serve the metrics of a Dendrite that runs; write down in the end how many spans were."""
        async with contextlib.AsyncExitStack() as stack:
            if self._metrics is not None:
                from cosmonapse.metrics import serve_metrics

                stack.enter_context(await serve_metrics(dendrite, self._metrics))
            yield
        self.tell()

    def tell(self) -> None:
        """Write down how many spans there were so far."""
        if self._spans is not None:
            self._log.write("spans", **self._spans.counts())
