"""The door to prometheus-client: our families as its metrics, and back as plain values."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from ..runtime.extras import missing_extra
from ..telemetry.families import Family
from .process_source import ProcessSource

try:
    import prometheus_client
    from prometheus_client.core import Metric
    from prometheus_client.registry import Collector, CollectorRegistry
except ImportError as error:
    raise missing_extra("prometheus-client", "metrics", error) from None

Plain = tuple[str, str, str, list[tuple[str, dict[str, str], float]]]
"""A metric as JSON can carry it: name, type, help, and name, labels and value of each sample."""


class FamilyCollector(Collector):
    """Gives families to a registry, made anew at each scrape.

    Args:
        families: Returns them.
    """

    def __init__(self, families: Callable[[], Iterable[Family]]) -> None:
        self._families = families

    def describe(self) -> Iterable[Metric]:
        """Return nothing: a registry that knows names in advance would have to collect first."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """See prometheus-client."""
        for family in self._families():
            if family.samples:
                yield metric_of(family)


def metric_of(family: Family) -> Metric:
    """Return a family as prometheus-client has it."""
    metric = Metric(family.name, family.help, family.kind)
    for (suffix, labels), value in family.samples.items():
        metric.add_sample(family.name + suffix, _writable(labels), value)
    return metric


def plain_metrics(collector: CollectorRegistry | Collector) -> list[Plain]:
    """Return all that a registry or a collector has, as plain values."""
    return [
        (
            metric.name,
            metric.type,
            metric.documentation,
            [
                (each.name, _writable(each.labels.items()), float(each.value))
                for each in metric.samples
            ],
        )
        for metric in collector.collect()
    ]


def merged(parts: Iterable[tuple[str, list[Plain]]], label: str) -> list[Metric]:
    """Return the metrics of several processes as one each, with a label that tells which."""
    found: dict[str, Metric] = {}
    for of, metrics in parts:
        for name, kind, text, samples in metrics:
            metric = found.get(name)
            if metric is None:
                metric = found[name] = Metric(name, text, kind)
            for sample, labels, value in samples:
                if label in labels:
                    labels = {**labels, f"exported_{label}": labels[label]}
                metric.add_sample(sample, {**labels, label: of}, value)
    return list(found.values())


def _writable(labels: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return labels with values that UTF-8 takes: half a character would end every scrape."""
    return {
        name: value if value.isascii() else value.encode("utf-8", "backslashreplace").decode()
        for name, value in labels
    }


_sources: weakref.WeakKeyDictionary[Any, ProcessSource] = weakref.WeakKeyDictionary()


def source_in(registry: CollectorRegistry | None) -> tuple[CollectorRegistry, ProcessSource]:
    """Return a registry, by default that of prometheus-client itself, and what it shows of ours."""
    chosen = prometheus_client.REGISTRY if registry is None else registry
    source = _sources.get(chosen)
    if source is None:
        source = _sources[chosen] = ProcessSource()
        chosen.register(FamilyCollector(source.families))
    return chosen, source
