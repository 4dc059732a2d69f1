"""The conclusions that a user may draw from a run, one line each. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from .systems.found import SYSTEMS

Facts = Mapping[str, Any]
_LEAST_RATIO, _MOST_RATIO = 0.95, 1.05  # between them two systems count as equal


def lines(kinds: Facts) -> list[str]:
    """Return a line of Markdown for each conclusion; a kind that was not measured has none.

    Args:
        kinds: The facts of each kind, as `cosmonapse.bench.output.found` arranges them.
    """
    return [f"- {line}" for kind, say in _SAID if kinds.get(kind) for line in say(kinds[kind])]


def compared(ratio: float) -> str:
    """Return what another system needs, in words: "1.3 times the CPU time", "as much"."""
    if _LEAST_RATIO <= ratio <= _MOST_RATIO:
        return "about the same CPU time"
    return f"{ratio:.2g} times the CPU time"


def _calls(levels: Facts) -> Iterator[str]:
    one, many = levels["1"], levels["256"]
    ours, rate = one["fabric"], many["fabric"]["calls_per_s"]
    yield (
        f"One call at a time takes {ours['p50_ms']:.2f} ms (p50), {ours['p99_ms']:.2f} ms (p99). "
        f"With 256 outstanding, one caller gets {rate:,.0f} answers a second."
    )
    for name, label in ((each.name, each.label) for each in SYSTEMS if not each.is_limit):
        if name in one["ratio"] and name in many["ratio"]:
            yield (
                f"For a call {label} needs {compared(one['ratio'][name])} of ours with 1 "
                f"outstanding, {compared(many['ratio'][name])} with 256."
            )


def _streaming(facts: Facts) -> Iterator[str]:
    yield f"One stream brings {facts['tokens_per_s']:,.0f} tokens a second to its caller."


def _nobody(facts: Facts) -> Iterator[str]:
    yield f"A task for a Neuron without a worker fails after {facts['p50_ms']:.1f} ms (p50)."


def _start(facts: Facts) -> Iterator[str]:
    caller, worker = (facts[name]["p50_ms"] for name in ("caller", "worker"))
    yield f"A caller starts in {caller:.1f} ms, a worker in {worker:.1f} ms (p50)."


def _idle(facts: Facts) -> Iterator[str]:
    if "0" in facts:
        alone_mib = facts["0"]["synapse_kib"] / 1024
        yield f"A Synapse without clients takes {alone_mib:.0f} MiB of memory."


def _javascript(facts: Facts) -> Iterator[str]:
    ratios = [facts[level].get("ratio", {}).get("nats.js") for level in ("1", "16", "256")]
    if None not in ratios:
        one, some, many = ratios
        yield (
            f"From Node to Node, nats.js needs {one:.2g}, {some:.2g} and {many:.2g} times the CPU "
            "time of ours for a call, with 1, 16 and 256 outstanding."
        )


_SAID: tuple[tuple[str, Callable[[Facts], Iterator[str]]], ...] = (
    ("calls", _calls),
    ("streaming", _streaming),
    ("nobody", _nobody),
    ("start", _start),
    ("idle", _idle),
    ("javascript", _javascript),
)
