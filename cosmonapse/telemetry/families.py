"""What is exposed, as plain values: metrics with their samples, in the words of Prometheus. Pure.

They travel between processes as they are; only where a scrape is answered prometheus-client makes
its own of them.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping
from typing import Literal

import attrs

from .histogram import Histogram

Kind = Literal["counter", "gauge", "histogram"]
Labels = tuple[tuple[str, str], ...]
Join = Callable[[float, float], float]
_ADD: Join = operator.add


@attrs.frozen
class Family:
    """One metric with all its samples.

    Args:
        name: Its name, of a counter without `_total`.
        kind: Its type.
        help: What it tells, in one sentence.
        samples: Each value by the suffix of its name and its labels.
        join: Makes one of two values of a sample, from two sources; by default their sum.
    """

    name: str
    kind: Kind
    help: str
    samples: Mapping[tuple[str, Labels], float]
    join: Join = _ADD


def counters(name: str, text: str, values: Mapping[Labels, float]) -> Family:
    """Return a counter with a value for each of its labels."""
    samples = {("_total", labels): float(value) for labels, value in values.items()}
    return Family(name, "counter", text, samples)


def gauges(name: str, text: str, values: Mapping[Labels, float], join: Join = _ADD) -> Family:
    """Return a gauge with a value for each of its labels."""
    samples = {("", labels): float(value) for labels, value in values.items()}
    return Family(name, "gauge", text, samples, join)


def gauge(name: str, text: str, value: float, join: Join = _ADD) -> Family:
    """Return a gauge without labels."""
    return gauges(name, text, {(): value}, join)


def histograms(name: str, text: str, values: Mapping[Labels, Histogram]) -> Family:
    """Return a histogram with the values of each of its labels, without those that have none."""
    samples: dict[tuple[str, Labels], float] = {}
    for labels, histogram in values.items():
        *counts, count = histogram.cumulative()
        if not count:
            continue
        for bound, up_to in zip(histogram.bounds, counts, strict=True):
            samples["_bucket", (*labels, ("le", str(float(bound))))] = up_to
        samples["_bucket", (*labels, ("le", "+Inf"))] = count
        samples["_count", labels] = count
        samples["_sum", labels] = histogram.total
    return Family(name, "histogram", text, samples)


def joined(families: Iterable[Family]) -> list[Family]:
    """Return one family for each name, in the order of the first ones; equal samples are joined."""
    found: dict[str, dict[tuple[str, Labels], float]] = {}
    first: dict[str, Family] = {}
    for family in families:
        first.setdefault(family.name, family)
        samples = found.setdefault(family.name, {})
        for key, value in family.samples.items():
            samples[key] = family.join(samples[key], value) if key in samples else value
    return [attrs.evolve(each, samples=found[name]) for name, each in first.items()]
