"""Tokens per second from one generator to one caller, each token a Signal of its own."""

from __future__ import annotations

import statistics

from cosmonapse.bench.figures import Plot, Report, Table, spread

from . import fabric
from .run import Run

_LIMIT, _GOAL = "the goal", 100_000.0


def steps(run: Run) -> int:
    """Return how many steps it takes."""
    return run.options.rounds


def measure(run: Run) -> Report:
    """Stream as fast as the generator yields, into `Pathway.thoughts`."""
    samples, tokens = [], run.options.token_count
    with fabric.running() as running:
        for turn in range(run.options.rounds):
            samples.append(running.caller.ask("stream", tokens))
            run.say(f"{tokens:,} tokens, round {turn + 1}: {samples[-1].rate:,.0f} tokens/s")
    rates = [sample.rate for sample in samples]
    gap_us = statistics.median(sample.p99_s for sample in samples) * 1e6
    table = Table(
        "streaming: one stream, every token checked",
        ("tokens", "tokens/s", "p99 between two, us"),
        [(f"{tokens:,}", spread(rates), f"{gap_us:.0f}")],
    )
    series = {"cosmonapse": rates, _LIMIT: [_GOAL] * len(rates)}
    places = [str(turn) for turn in range(1, len(rates) + 1)]
    title = "One stream, round by round"
    plot = Plot("streaming", title, "round", "tokens/s", places, series, frozenset({_LIMIT}))
    facts = {"tokens_per_s": statistics.median(rates), "p99_between_us": gap_us}
    return Report((table,), facts, (plot,))
