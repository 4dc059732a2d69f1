"""Figures of a run: latencies, the time until all are served again, slopes. Pure."""

from __future__ import annotations

import statistics
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import attrs

from cosmonapse.bench.figures import percentiles

from .explain import FAILOVERS, RESTARTS, SETTLE_S
from .history import Fault, History, Sample, Task

_RECOVERS_S = 4.0
_WARM_UP_PERCENT = 20
_LEAST_SAMPLES = 5
REMEMBERS = ("worker", "extra", "reloaded")
"""Processes that keep the ids of their tasks for ten minutes."""
FILLS_S = 630.0
"""After how long these keep no more of them than before, and their replies."""
_LEAST_FULL_S = 300.0


@attrs.frozen
class Latency:
    """How long replies took, in milliseconds: those of `count` tasks."""

    count: int
    p50_ms: float
    p99_ms: float
    max_ms: float


@attrs.frozen
class Recovery:
    """The recovery from one fault.

    Args:
        fault: The fault.
        back_s: From when it was mended until the last process that it hit was served again; None
            if it hit none, infinite if one never was.
        disturbed: Whether another fault, or the end, came too soon to expect that.
        told_s: From its beginning until the caller of the last lost task got its ERROR.
        told: The number of these ERRORs.
    """

    fault: Fault
    back_s: float | None
    disturbed: bool
    told_s: float | None
    told: int


@attrs.frozen
class Slope:
    """How fast a process grew while it lived, its first fifth left out.

    Args:
        name: Which process.
        pid: Its id.
        lived_s: For how long it was looked at.
        rss_kib: Memory, in KiB a minute; None if what it remembers was not full for long enough.
        descriptors: The same of its descriptors.
        tasks: The same of its asyncio tasks; None if it cannot tell.
        rss_last_kib: Memory at the end, in KiB.
        threads: The same of its threads.
    """

    name: str
    pid: int
    lived_s: float
    rss_kib: float | None
    descriptors: float
    tasks: float | None
    rss_last_kib: int
    threads: float = 0.0


@attrs.frozen
class Beside:
    """Figures of what runs beside the load.

    Args:
        on: What was on.
        missing: What this checkout did not have.
        scrapes: Answers of `/metrics`.
        scrape_p50_ms: How long one took, in milliseconds, the median.
        scrape_p99_ms: The same, the 99th percentile.
        probes: Answers of probes.
        spans: Spans that were started, as far as their processes could tell in the end.
        traces: Traces of which every span is written down.
        shown: Signals that Prism showed.
        missed: Signals that it said it had missed.
        without_task: Ends of tasks that it showed without their TASK.
    """

    on: tuple[str, ...]
    missing: tuple[str, ...]
    scrapes: int
    scrape_p50_ms: float
    scrape_p99_ms: float
    probes: int
    spans: int
    traces: int
    shown: int
    missed: int
    without_task: int


def beside(history: History) -> Beside:
    """Return the figures of what runs beside the load."""
    took_ms = [each.took_s * 1000 for each in history.scrapes if not each.text]
    p50_ms, p99_ms = percentiles(took_ms, 50, 99) if took_ms else [0.0, 0.0]
    seen: Counter[str] = Counter()
    for each in history.prism.values():
        seen.update(each)
    return Beside(
        *history.features,
        len(history.scrapes),
        p50_ms,
        p99_ms,
        len(history.probes),
        sum(history.span_counts.values()),
        len({trace for trace, _ in history.spans}),
        seen["signals"],
        seen["missed"],
        seen["without_task"],
    )


def latency(tasks: Iterable[Task]) -> Latency:
    """Return how long the replies among the outcomes took."""
    took_ms = [
        (task.ended_at_s - task.invoked_at_s) * 1000
        for task in tasks
        if task.ended_at_s is not None and not task.code
    ]
    if not took_ms:
        return Latency(0, 0.0, 0.0, 0.0)
    return Latency(len(took_ms), *percentiles(took_ms, 50, 99), max(took_ms))


@attrs.frozen
class Outage:
    """How long callers had to wait for an answer again after one kind of failover.

    Args:
        kind: The kind of the fault.
        count: How many of them there were.
        p50_ms: From the beginning of the fault until a caller had the answer of a task that it
            dispatched since, in milliseconds: the median over all callers.
        p99_ms: The same, the 99th percentile.
        max_ms: The longest.
    """

    kind: str
    count: int
    p50_ms: float
    p99_ms: float
    max_ms: float


def outages(history: History) -> list[Outage]:
    """Return how long callers waited, for each kind of failover that there was."""
    replied: dict[str, list[Task]] = {}
    for task in history.tasks.values():
        if task.caller and task.outcomes and not task.code:
            replied.setdefault(task.caller, []).append(task)
    found = []
    for kind in sorted(FAILOVERS):
        faults = [each for each in history.faults.values() if each.kind == kind]
        waits_ms = [
            1000 * (min(later) - fault.at_s)
            for fault in faults
            for tasks in replied.values()
            if (later := [e.ended_at_s or 0.0 for e in tasks if e.invoked_at_s >= fault.at_s])
        ]
        if waits_ms:
            quantiles = percentiles(waits_ms, 50, 99)
            found.append(Outage(kind, len(faults), *quantiles, max(waits_ms)))
    return found


def undisturbed(history: History) -> list[Task]:
    """Return the tasks during which no fault could be felt."""
    windows = sorted((fault.at_s, fault.until_s(SETTLE_S)) for fault in history.faults.values())
    apart: list[list[float]] = []
    for begin_s, end_s in windows:
        if apart and begin_s <= apart[-1][1]:
            apart[-1][1] = max(apart[-1][1], end_s)
        else:
            apart.append([begin_s, end_s])
    begins = [begin_s for begin_s, _ in apart]

    def is_quiet(task: Task) -> bool:
        ended_at_s = task.ended_at_s if task.ended_at_s is not None else float("inf")
        before = bisect_left(begins, ended_at_s) - 1
        return before < 0 or apart[before][1] < task.invoked_at_s

    return [task for task in history.tasks.values() if task.caller and is_quiet(task)]


def recoveries(history: History) -> list[Recovery]:
    """Return the recovery from each fault, in their order."""
    faults = sorted(history.faults.values(), key=lambda fault: fault.at_s)
    served: dict[str, list[float]] = {}
    told_s: dict[int, list[float]] = {}
    for task in history.tasks.values():
        if task.ended_at_s is None or not task.caller:
            continue
        if not task.code:
            served.setdefault(task.caller, []).append(task.ended_at_s)
        elif task.code == "WORKER_LOST" and (loss := _loss_of(task, faults)) is not None:
            told_s.setdefault(loss.number, []).append(task.ended_at_s - loss.at_s)
    for times in served.values():
        times.sort()
    return [
        _recovery(fault, faults, served, told_s.get(fault.number, []), history) for fault in faults
    ]


def _loss_of(task: Task, faults: Sequence[Fault]) -> Fault | None:
    """Return the last fault, before a task ended, that took a worker which had it."""
    ended_at_s = task.ended_at_s or 0.0
    for fault in reversed(faults):
        felt = fault.at_s <= ended_at_s <= fault.until_s(SETTLE_S)
        if felt and not fault.workers.isdisjoint(task.workers):
            return fault
    return None


def _recovery(
    fault: Fault,
    faults: Sequence[Fault],
    served: Mapping[str, list[float]],
    told_s: Sequence[float],
    history: History,
) -> Recovery:
    mended_at_s = fault.mended_at_s if fault.mended_at_s is not None else float("inf")
    back = [
        *(_first_after(served.get(name, []), mended_at_s) for name in fault.callers),
        *(_first_after(history.starts.get(name, []), mended_at_s) for name in fault.workers),
    ]
    disturbed = history.quiet_at_s < mended_at_s + _RECOVERS_S or any(
        _disturbs(each, fault, mended_at_s) for each in faults if each is not fault
    )
    return Recovery(
        fault, max(back, default=None), disturbed, max(told_s, default=None), len(told_s)
    )


def _disturbs(other: Fault, fault: Fault, mended_at_s: float) -> bool:
    """Return whether another fault hit the same processes before the time of recovery was over."""
    overlaps = other.at_s < mended_at_s + _RECOVERS_S and other.until_s(SETTLE_S) > mended_at_s
    shares = other.callers & fault.callers or other.workers & fault.workers
    return overlaps and bool(shares or other.kind in RESTARTS)


def _first_after(times: Sequence[float], at_s: float) -> float:
    """Return how long after `at_s` the first of the times is; infinite if there is none."""
    index = bisect_left(times, at_s)
    return times[index] - at_s if index < len(times) else float("inf")


def slopes(history: History) -> list[Slope]:
    """Return how the longest-lived process of each name grew."""
    longest: dict[str, tuple[float, int]] = {}
    for pid, samples in history.samples.items():
        lived_s = samples[-1].at_s - samples[0].at_s
        name = history.names[pid]
        longest[name] = max(longest.get(name, (0.0, 0)), (lived_s, pid))
    found = (_slope(history, name, pid) for name, (_, pid) in sorted(longest.items()) if pid)
    return [slope for slope in found if slope is not None]


def _slope(history: History, name: str, pid: int) -> Slope | None:
    samples = history.samples[pid]
    first_s, last_s = samples[0].at_s, samples[-1].at_s
    from_s = first_s + (last_s - first_s) * _WARM_UP_PERCENT / 100
    warm = [sample for sample in samples if sample.at_s >= from_s]
    seen = _points(samples, "rss_kib")
    if len(_points(warm, "rss_kib")) < _LEAST_SAMPLES:
        return None
    full_s = max(from_s, first_s + FILLS_S if name.startswith(REMEMBERS) else from_s)
    memory = [point for point in seen if point[0] >= full_s]
    fits = last_s - full_s >= _LEAST_FULL_S or full_s == from_s
    tasks = _points(warm, "tasks")
    return Slope(
        name,
        pid,
        last_s - first_s,
        growth(memory) * 60 if fits else None,
        growth(_points(warm, "descriptors")) * 60,
        growth(tasks) * 60 if len(tasks) >= _LEAST_SAMPLES else None,
        int(seen[-1][1]),
        growth(_points(warm, "threads")) * 60,
    )


def _points(samples: Iterable[Sample], what: str) -> list[tuple[float, float]]:
    seen = ((sample.at_s, getattr(sample, what)) for sample in samples)
    return [(at_s, float(value)) for at_s, value in seen if value is not None]


def growth(points: Sequence[tuple[float, float]]) -> float:
    """Return the slope of the line that fits points best; 0 for fewer than two moments."""
    moments = [at_s for at_s, _ in points]
    if len(set(moments)) < 2:
        return 0.0
    return statistics.linear_regression(moments, [value for _, value in points]).slope
