"""What a gateway tells about itself, from any thread: its Dendrite, and what it refused."""

from __future__ import annotations

from collections import Counter

from ..counters import COUNTERS
from ..dendrite import Dendrite
from ..telemetry.families import Family
from ..telemetry.liveness import LoopPulse
from .dendrite_source import DendriteSource
from .exposed import event_families

_OURS = (
    *("drop.a2a_task", "drop.output_schema", "drop.unfit_card", "cut.a2a_stream"),
    *("cut.slow_request", "cut.too_many_connections", "refused.bad_body", "refused.host"),
    *(
        "refused.mcp_session",
        "refused.not_ready",
        "refused.origin",
        "refused.token",
        "refused.too_large",
    ),
)


class GatewaySource(DendriteSource):
    """A gateway as something to expose.

    Args:
        dendrite: Its Dendrite.
        pulse: The beat of its loop.
        counts: What it refused, cut or left out.
    """

    def __init__(self, dendrite: Dendrite, pulse: LoopPulse, counts: Counter[str]) -> None:
        super().__init__(dendrite, pulse)
        self.counts = counts

    def families(self) -> list[Family]:
        """See `Exposed`."""
        meanings = {name: COUNTERS[name] for name in _OURS}
        return [*super().families(), *event_families("gateway", meanings, dict(self.counts))]
