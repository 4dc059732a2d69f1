"""Figures and how they are shown. Pure."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

import attrs


@attrs.frozen
class Table:
    """A caption, a head and rows of text."""

    caption: str
    head: tuple[str, ...]
    rows: list[tuple[str, ...]]

    def __str__(self) -> str:
        """Return it in Markdown, columns aligned: the first to the left, figures to the right."""
        lines = [self.head, *self.rows]
        widths = [max(len(line[column]) for line in lines) for column in range(len(self.head))]
        rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
        shown = [_line(self.head, widths), _line(rule, widths)]
        shown += [_line(row, widths) for row in self.rows]
        return "\n".join([f"**{self.caption}**", "", *shown])


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    first = cells[0].ljust(widths[0])
    others = [cell.rjust(width) for cell, width in zip(cells[1:], widths[1:], strict=True)]
    return f"| {' | '.join([first, *others])} |"


@attrs.frozen
class Plot:
    """What a plot shows: a value of each series at each place along the x axis.

    Args:
        name: Of its file, without the ending.
        title: What is shown.
        x_title: What the places are.
        y_title: What the values are, with their unit.
        places: The names along the x axis.
        series: The values of each line, None for a missing one.
        limits: Which series are limits of the machine, drawn as such.
    """

    name: str
    title: str
    x_title: str
    y_title: str
    places: Sequence[str]
    series: Mapping[str, Sequence[float | None]]
    limits: frozenset[str] = frozenset()


@attrs.frozen
class Report:
    """The results of one kind: tables and plots to read, facts for programs."""

    tables: tuple[Table, ...]
    facts: dict[str, Any]
    plots: tuple[Plot, ...] = ()


def percentiles(values: Sequence[float], *percents: int) -> list[float]:
    """Return these percentiles, each of 1 to 99, of one or more values in any order.

    They lie between the least and the greatest value, interpolated where no value is that rank.

    Raises:
        ValueError: There are no values.
    """
    if len(values) == 1:
        return [values[0]] * len(percents)
    cuts = statistics.quantiles(values, n=100, method="inclusive")
    return [cuts[percent - 1] for percent in percents]


def spread(values: Sequence[float], digits: int = 0) -> str:
    """Show the median, and between which values it lies; of one value just that."""
    if len(values) == 1:
        return f"{values[0]:,.{digits}f}"
    median, low, high = (
        f"{value:,.{digits}f}" for value in (statistics.median(values), min(values), max(values))
    )
    return f"{median} ({low} to {high})"


def durations(name: str, caption: str, took_s: Sequence[float]) -> Report:
    """Return the report of some durations; the caption of the table begins with the name."""
    p50_s, p99_s = percentiles(took_s, 50, 99)
    facts = {
        "count": len(took_s),
        "p50_ms": p50_s * 1000,
        "p99_ms": p99_s * 1000,
        "max_ms": max(took_s) * 1000,
    }
    shown = [f"{facts[name]:.2f}" for name in ("p50_ms", "p99_ms", "max_ms")]
    table = Table(
        f"{name}: {caption}", ("count", "p50 ms", "p99 ms", "max ms"), [(str(len(took_s)), *shown)]
    )
    times = ("p50", "p99", "max")
    series = {"cosmonapse": [facts[f"{time}_ms"] for time in times]}
    return Report((table,), facts, (Plot(name, caption, "", "ms", times, series),))
