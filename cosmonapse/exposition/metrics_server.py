"""The server of the metrics and probes of this process."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Self

from .collector import source_in
from .probe_server import ProbeServer, probing

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry


class MetricsServer:
    """Serves `/metrics`, `/healthz` and `/readyz`; also a context manager that closes it.

    Args:
        address: `HOST:PORT`; port 0 for any free one.
        registry: What `/metrics` shows; by default that of prometheus-client.

    Attributes:
        url: Where it listens, such as `http://127.0.0.1:9464`.
        warning: A line for people if other machines can read it, else empty.
        on_close: Is called when it is closed.

    Raises:
        MissingExtra: prometheus-client is not installed.
        ValueError: `address` is no address.
        PortInUse: It cannot listen there.
    """

    def __init__(self, address: str, registry: CollectorRegistry | None = None) -> None:
        from .metrics_app import metrics_app

        chosen, source = source_in(registry)
        app = probing(metrics_app(chosen), source.alive, source.ready)
        self._server = ProbeServer(address, app)
        self.source = source
        self.url = self._server.url
        self.warning = self._server.warning
        self.on_close: Callable[[], None] | None = None

    def close(self) -> None:
        """Listen no more, and count no more. Idempotent."""
        if self.on_close is not None:
            self.on_close()
            self.on_close = None
        self._server.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        self.close()
