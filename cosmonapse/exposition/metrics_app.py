"""The application at `/metrics`: that of prometheus-client, and what it does not take."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from prometheus_client import make_wsgi_app
from prometheus_client.core import Metric
from prometheus_client.exposition import choose_encoder

from .probe_server import App

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry


def metrics_app(registry: CollectorRegistry) -> App:
    """Return the application that shows a registry."""
    shown: Any = _Shown(registry)
    app = make_wsgi_app(shown)

    def answer(environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        try:
            choose_encoder(environ.get("HTTP_ACCEPT", ""))
        except Exception:  # noqa: BLE001  # it takes a header apart without a look at its form
            environ["HTTP_ACCEPT"] = ""
        found: Iterable[bytes] = app(environ, start)
        return found

    return answer


class _Shown:
    """A registry whose `name[]` finds metrics that were not told of in advance, too."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry

    def collect(self) -> Iterator[Metric]:
        return iter(self._registry.collect())

    def restricted_registry(self, names: Collection[str]) -> _Restricted:
        return _Restricted(self._registry, frozenset(names))


class _Restricted:
    def __init__(self, registry: CollectorRegistry, names: frozenset[str]) -> None:
        self._registry = registry
        self._names = names

    def collect(self) -> Iterator[Metric]:
        for metric in self._registry.collect():
            samples = [each for each in metric.samples if each.name in self._names]
            if samples:
                part = Metric(metric.name, metric.documentation, metric.type)
                part.samples = samples
                yield part
