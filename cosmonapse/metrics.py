"""Metrics for Prometheus, and probes: of a Dendrite in a service, and of whole processes.

Page: docs/metrics.md. Needs the extra [metrics]; nothing else imports this module.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from .dendrite import Dendrite
from .exposition.collector import source_in
from .exposition.dendrite_source import DendriteSource
from .exposition.metrics_server import MetricsServer
from .exposition.synapse_source import SynapseSource
from .synapse.server import SynapseServer
from .telemetry.liveness import LoopPulse

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

    from .edge.blocking import BlockingDendrite

__all__ = ["MetricsServer", "register_metrics", "serve_metrics"]
_LOG = logging.getLogger(__name__)


async def serve_metrics(
    dendrite: Dendrite,
    address: str = "127.0.0.1:9464",
    *,
    registry: CollectorRegistry | None = None,
) -> MetricsServer:
    """Serve `/metrics`, `/healthz` and `/readyz` of a Dendrite until it is closed.

    Args:
        dendrite: The Dendrite; call this on its loop, before or after its start.
        address: `HOST:PORT`; port 0 for any free one.
        registry: What `/metrics` shows; by default that of prometheus-client, where metrics of the
            program are too. Those of the Dendrite are added to it.

    Raises:
        MissingExtra: prometheus-client is not installed.
        ValueError: `address` is no address, or the registry has the metrics of the Dendrite.
        PortInUse: It cannot listen there.
    """
    end = register_metrics(dendrite, registry)
    try:
        server = MetricsServer(address, registry)
    except BaseException:
        end()
        raise
    server.on_close = end
    if server.warning:
        _LOG.warning("%s", server.warning)
    return server


def register_metrics(
    dendrite: Dendrite | BlockingDendrite | SynapseServer,
    registry: CollectorRegistry | None = None,
) -> Callable[[], None]:
    """Add the metrics of a Dendrite to a registry, for a service with a `/metrics` of its own.

    Args:
        dendrite: The Dendrite, or one of a program without asyncio; before or after its start. Or
            a Synapse in this process, which runs.
        registry: The registry; by default that of prometheus-client.

    Returns:
        What takes them out again.

    Raises:
        MissingExtra: prometheus-client is not installed.
        DendriteProtocolError: The Synapse is not running.
        ValueError: The registry has the metrics of the Dendrite: each task would count twice.
    """
    if isinstance(dendrite, SynapseServer):
        return source_in(registry)[1].add(SynapseSource(dendrite._running()))
    ours = dendrite if isinstance(dendrite, Dendrite) else dendrite.dendrite
    _, source = source_in(registry)
    if ours._observers.has(source.statistics):
        raise ValueError(
            f"the metrics of {ours!r} are in this registry already, by serve_metrics or "
            "register_metrics: call one of them once"
        )
    pulse = LoopPulse()
    ours._on_loop(pulse.start)
    ours._observers.add(source.statistics)
    remove = source.add(DendriteSource(ours, pulse))

    def end() -> None:
        remove()
        ours._observers.remove(source.statistics)
        ours._on_loop(pulse.stop)

    return end
