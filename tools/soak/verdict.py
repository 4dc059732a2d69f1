"""The verdict on a run, as text and as JSON. Pure."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import attrs

from . import figures
from .check import violations
from .explain import Expectation
from .history import History
from .violation import Violation

_SHOWN = 20


@attrs.frozen
class Verdict:
    """The results of a run.

    Args:
        expectation: The name of the expectation.
        dispatched: Tasks of the callers.
        answered: Tasks that got a reply.
        told: The number of tasks that ended with each code.
        pending: Tasks without an outcome.
        twice: Tasks that ran twice without `retry`.
        retried: Tasks that ran twice with `retry`.
        latency: Of all replies.
        quiet: Of replies that no fault could touch.
        recoveries: The recovery from each fault.
        outages: How long callers waited after each kind of failover.
        slopes: The growth of each process.
        beside: Figures of what runs beside the load.
        violations: The violations that were found.
    """

    expectation: str
    dispatched: int
    answered: int
    told: dict[str, int]
    pending: int
    twice: int
    retried: int
    latency: figures.Latency
    quiet: figures.Latency
    recoveries: list[figures.Recovery]
    outages: list[figures.Outage]
    slopes: list[figures.Slope]
    beside: figures.Beside
    violations: list[Violation]

    @property
    def holds(self) -> bool:
        """Whether nothing happened that must not."""
        return not self.violations

    def facts(self) -> dict[str, Any]:
        """Return it as values for JSON."""
        facts = attrs.asdict(self, value_serializer=_plain)
        return {"holds": self.holds, **facts}


def judge(history: History, expectation: Expectation) -> Verdict:
    """Return the verdict on a history."""
    tasks = [task for task in history.tasks.values() if task.caller]
    several = [task for task in history.tasks.values() if len(task.attempts) > 1]
    found = violations(history, expectation)
    return Verdict(
        expectation=expectation.name,
        dispatched=len(tasks),
        answered=sum(1 for task in tasks if task.outcomes and not task.code),
        told=dict(Counter(task.code for task in tasks if task.code).most_common()),
        pending=sum(1 for task in tasks if not task.outcomes),
        twice=sum(1 for violation in found if violation.rule == "run_twice"),
        retried=sum(1 for task in several if task.retry),
        latency=figures.latency(tasks),
        quiet=figures.latency(figures.undisturbed(history)),
        recoveries=figures.recoveries(history),
        outages=figures.outages(history),
        slopes=figures.slopes(history),
        beside=figures.beside(history),
        violations=found,
    )


def shown(verdict: Verdict, began_at_s: float) -> str:
    """Return the verdict as text; times of faults count from `began_at_s`."""
    told = ", ".join(f"{count:,} {code}" for code, count in verdict.told.items()) or "none"
    counts = (
        f"dispatched {verdict.dispatched:,}   answered {verdict.answered:,}   "
        f"without outcome {verdict.pending}   run twice {verdict.twice}   "
        f"(with retry {verdict.retried})"
    )
    head = (
        f"{'at s':>7}  {'fault':<16} {'hit':<12} {'lasted s':>8} {'back s':>7} "
        f"{'told':>5} {'last told s':>11}"
    )
    lines = [
        counts,
        f"told of a failure: {told}",
        f"replies            {_times(verdict.latency)}",
        f"  beside no fault  {_times(verdict.quiet)}",
    ]
    if verdict.recoveries:
        lines += ["", head, *(_fault_line(each, began_at_s) for each in verdict.recoveries)]
    if verdict.outages:
        lines += ["", "until a call is answered again", *map(_outage_line, verdict.outages)]
    if verdict.beside.on:
        lines += ["", *_beside_lines(verdict.beside)]
    if verdict.slopes:
        head = (
            f"{'grows a minute':>16} {'lived s':>8} {'KiB':>8} {'fds':>6} {'tasks':>6} "
            f"{'threads':>7} {'MiB':>7}"
        )
        lines += ["", head, *map(_slope_line, verdict.slopes)]
    lines += ["", *_violation_lines(verdict, began_at_s)]
    return "\n".join(lines)


def _times(latency: figures.Latency) -> str:
    return (
        f"{latency.count:>8,}   p50 {latency.p50_ms:.1f} ms   p99 {latency.p99_ms:.1f} ms   "
        f"max {latency.max_ms:.0f} ms"
    )


def _fault_line(each: figures.Recovery, began_at_s: float) -> str:
    fault = each.fault
    lasted = "" if fault.mended_at_s is None else f"{fault.mended_at_s - fault.at_s:.2f}"
    return (
        f"{fault.at_s - began_at_s:7.1f}  {fault.kind:<16} {fault.target:<12} {lasted:>8} "
        f"{_seconds(each.back_s):>7} {each.told or '':>5} {_seconds(each.told_s):>11}"
    )


def _outage_line(each: figures.Outage) -> str:
    return (
        f"  {each.kind:<16} {each.count:>3} times   median {each.p50_ms:.0f} ms   "
        f"p99 {each.p99_ms:.0f} ms   max {each.max_ms:.0f} ms"
    )


def _seconds(value_s: float | None) -> str:
    if value_s is None:
        return ""
    return f"{value_s:.2f}" if math.isfinite(value_s) else "never"


def _slope_line(each: figures.Slope) -> str:
    tasks = "" if each.tasks is None else f"{each.tasks:+.1f}"
    memory = "" if each.rss_kib is None else f"{each.rss_kib:+.0f}"
    return (
        f"{each.name:>16} {each.lived_s:8.0f} {memory:>8} {each.descriptors:+6.1f} "
        f"{tasks:>6} {each.threads:+7.1f} {each.rss_last_kib / 1024:7.1f}"
    )


def _beside_lines(beside: figures.Beside) -> list[str]:
    missing = f"   MISSING: {', '.join(beside.missing)}" if beside.missing else ""
    metrics = (
        f"metrics  {beside.scrapes:,} scrapes, p50 {beside.scrape_p50_ms:.1f} ms, "
        f"p99 {beside.scrape_p99_ms:.1f} ms; {beside.probes:,} probes"
    )
    prism = (
        f"prism    {beside.shown:,} Signals shown, {beside.missed:,} missed, "
        f"{beside.without_task:,} ends without their TASK"
    )
    traces = f"traces   {beside.spans:,} spans; {beside.traces:,} traces were checked span by span"
    return [f"on: {', '.join(beside.on)}{missing}", metrics, traces, prism]


def _violation_lines(verdict: Verdict, began_at_s: float) -> list[str]:
    if verdict.holds:
        return [f"HOLDS: no violation of the expectation ({verdict.expectation})"]
    counts = Counter(violation.rule for violation in verdict.violations)
    kinds = ", ".join(f"{count} {rule}" for rule, count in counts.most_common())
    lines = [f"BROKEN: {kinds} (expected: {verdict.expectation})"]
    lines += [
        f"  at {each.at_s - began_at_s:.2f} s  {each.rule}: {each.text}"
        for each in verdict.violations[:_SHOWN]
    ]
    more = len(verdict.violations) - _SHOWN
    return [*lines, f"  and {more} more: see --json"] if more > 0 else lines


def _plain(_: Any, __: Any, value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return None  # JSON has no infinity
    return sorted(value) if isinstance(value, frozenset) else value
