"""The log of a run as values: tasks, faults, samples. Pure: lines in, values out.

A line is a dict with `at` (monotonic seconds), `who` and `what`; the others depend on `what`:

    invoke     task kind neuron want timeout_s retry         a caller dispatches
    start      task attempt        finish    task            a worker runs it
    outcome    task code got thoughts text                   the caller knows; code "" is a reply
    fault      number kind target sole callers workers   it begins; see `Fault`
    mended     number                                    the harness has undone it
    sample     of (a pid), name rss_kib descriptors threads, or tasks
    ended      name code took_s asked                    a process is gone that had to go
    state      worker state                              the roster shows it from now on
    complaint  name text                                 a traceback, or the like
    counts     counts                                    the counters of a Dendrite
    leaders    names                                     the Synapses that lead in the end
    features   names missing                             what was on, and what was not there
    probe      name path status took_s asked text        an answer of `/healthz` or `/readyz`
    scrape     name status took_s growing back text pid tasks asked_at_s
                                     one of `/metrics`; `back`: what went back
    prism      signals missed without_task               how much the reader of Prism saw
    prism_wrong  text code                                    what it must not see
    span       trace id parent name                      a span of a trace that is written down
    spans      started ended kept                        the spans of a process that ends
    quiet                                                no task is dispatched from now on
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import attrs

from .answers import Probe, Scrape, Span


@attrs.define
class Task:
    """One task, from all sides.

    Args:
        id: Of the harness, not of the Signal: attempts of one task share it.
        caller: Its caller; empty for a child, which a worker dispatches.
        invoked_at_s: When.
        timeout_s: How long it may take.
        kind: Of `tasks.WEIGHTS`.
        neuron: Its Neuron.
        want: Digest of the only right output.
        retry: Whether it may be run more than once.
        attempts: Id of the TASK Signal of each run.
        workers: The worker of each run.
        outcomes: How many the caller has seen.
        ended_at_s: When it saw the first.
        code: Of the outcome; empty for a reply, `TIMEOUT`, `RAISED`, or a code of ERROR.
        got: Digest of the output.
        thoughts: Numbers of the streamed thoughts, in short.
        text: The message of the outcome.
    """

    id: str
    caller: str = ""
    invoked_at_s: float = 0.0
    timeout_s: float = 0.0
    kind: str = ""
    neuron: str = ""
    want: str = ""
    retry: bool = False
    attempts: list[str] = attrs.Factory(list)
    workers: list[str] = attrs.Factory(list)
    outcomes: int = 0
    ended_at_s: float | None = None
    code: str = ""
    got: str = ""
    thoughts: str = ""
    text: str = ""

    @property
    def deadline_at_s(self) -> float:
        """When it must have an outcome."""
        return self.invoked_at_s + self.timeout_s


@attrs.define
class Fault:
    """One fault.

    Args:
        number: Which of the run.
        kind: The kind of the fault.
        target: The process that it hit, or `link` for all processes beyond the relay.
        at_s: When it began.
        sole: Neurons that no other worker serves.
        callers: Callers that it cuts off from the Synapse.
        workers: Workers that it takes away or cuts off.
        mended_at_s: When it was undone; None: never.
    """

    number: int
    kind: str
    target: str
    at_s: float
    sole: frozenset[str] = frozenset()
    callers: frozenset[str] = frozenset()
    workers: frozenset[str] = frozenset()
    mended_at_s: float | None = None

    def until_s(self, settle_s: float) -> float:
        """Return when its consequences must be over, `settle_s` seconds after its end."""
        return float("inf") if self.mended_at_s is None else self.mended_at_s + settle_s


@attrs.frozen
class Sample:
    """The use of one process at one moment; a value that was not sampled is None."""

    at_s: float
    rss_kib: int | None
    descriptors: int | None
    tasks: int | None
    threads: int | None = None


@attrs.frozen
class Ended:
    """A process that had to end.

    Args:
        name: Its name.
        code: Exit code, negative for a signal that killed it.
        took_s: How long it took from when it was asked.
    """

    name: str
    code: int
    took_s: float


@attrs.define
class History:
    """All of a run.

    Args:
        tasks: By id.
        faults: By number.
        samples: By pid.
        names: Name of the process by its pid.
        ended: Processes that had to end.
        complaints: Unexpected output of processes: name and text.
        states: Changes of the roster: instant, worker, new state.
        starts: When each worker started a task, in order.
        counts: The counters of each Dendrite, by name of its process.
        leaders: The Synapses that lead in the end; None where there is but one.
        features: What was on beside the load, and what this checkout did not have.
        probes: The answers of probes, in their order.
        scrapes: Those of `/metrics`.
        prism: How much each reader of Prism saw until its last line, by its name.
        prism_wrong: Instant, text and code of what it must not see.
        spans: Parent of each span that is written down, by trace and id.
        span_counts: Spans that started, by process.
        quiet_at_s: When the callers were ordered to dispatch no more.
        ends_at_s: Time of the last line.
    """

    tasks: dict[str, Task] = attrs.Factory(dict)
    faults: dict[int, Fault] = attrs.Factory(dict)
    samples: dict[int, list[Sample]] = attrs.Factory(dict)
    names: dict[int, str] = attrs.Factory(dict)
    ended: list[Ended] = attrs.Factory(list)
    complaints: list[tuple[str, str]] = attrs.Factory(list)
    states: list[tuple[float, str, str]] = attrs.Factory(list)
    starts: dict[str, list[float]] = attrs.Factory(dict)
    counts: dict[str, dict[str, int]] = attrs.Factory(dict)
    leaders: tuple[str, ...] | None = None
    features: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())
    probes: list[Probe] = attrs.Factory(list)
    scrapes: list[Scrape] = attrs.Factory(list)
    prism: dict[str, dict[str, int]] = attrs.Factory(dict)
    prism_wrong: list[tuple[float, str, str]] = attrs.Factory(list)
    spans: dict[tuple[str, str], Span] = attrs.Factory(dict)
    span_counts: Counter[str] = attrs.Factory(Counter)
    quiet_at_s: float = float("inf")
    ends_at_s: float = 0.0


CuttableCarrier = Mapping[str, Any]


def read(lines: Iterable[CuttableCarrier]) -> History:
    """Put the lines of all logs, in any order, into one history.

    Raises:
        KeyError: A line lacks something.
    """
    history = History()
    for line in lines:
        _TAKE[line["what"]](history, line)
        history.ends_at_s = max(history.ends_at_s, line["at"])
    for times in history.starts.values():
        times.sort()
    history.states.sort()
    for samples in history.samples.values():
        samples.sort(key=lambda sample: sample.at_s)
    return history


def parsed(text: Iterable[str]) -> Iterable[CuttableCarrier]:
    """Read lines of JSON; the last may be cut off where its writer was killed."""
    for line in text:
        if line.endswith("\n"):
            yield json.loads(line)


def _task(history: History, line: CuttableCarrier) -> Task:
    return history.tasks.setdefault(line["task"], Task(line["task"]))


def _invoke(history: History, line: CuttableCarrier) -> None:
    task = _task(history, line)
    task.caller, task.invoked_at_s = line["who"], line["at"]
    for name in ("kind", "neuron", "want", "timeout_s", "retry"):
        setattr(task, name, line[name])


def _start(history: History, line: CuttableCarrier) -> None:
    task = _task(history, line)
    task.attempts.append(line["attempt"])
    task.workers.append(line["who"])
    history.starts.setdefault(line["who"], []).append(line["at"])


def _outcome(history: History, line: CuttableCarrier) -> None:
    task = _task(history, line)
    task.outcomes += 1
    if task.ended_at_s is None:
        task.ended_at_s = line["at"]
        task.code, task.thoughts = line["code"], line["thoughts"]
        task.got, task.text = line.get("got", ""), line.get("text", "")


def _fault(history: History, line: CuttableCarrier) -> None:
    fault = _fault_of(history, line)
    fault.kind, fault.target, fault.at_s = line["kind"], line["target"], line["at"]
    fault.sole = frozenset(line["sole"])
    fault.callers, fault.workers = frozenset(line["callers"]), frozenset(line["workers"])


def _mended(history: History, line: CuttableCarrier) -> None:
    _fault_of(history, line).mended_at_s = line["at"]


def _fault_of(history: History, line: CuttableCarrier) -> Fault:
    return history.faults.setdefault(line["number"], Fault(line["number"], "", "", line["at"]))


def _sample(history: History, line: CuttableCarrier) -> None:
    names = ("rss_kib", "descriptors", "tasks", "threads")
    seen = Sample(line["at"], *(line.get(name) for name in names))
    history.samples.setdefault(line["of"], []).append(seen)
    history.names.setdefault(line["of"], line.get("name", line["who"]))


def _ended(history: History, line: CuttableCarrier) -> None:
    history.ended.append(Ended(line["name"], line["code"], line["took_s"]))


def _complaint(history: History, line: CuttableCarrier) -> None:
    history.complaints.append((line["name"], line["text"]))


def _state(history: History, line: CuttableCarrier) -> None:
    history.states.append((line["at"], line["worker"], line["state"]))


def _counts(history: History, line: CuttableCarrier) -> None:
    history.counts[line["who"]] = dict(line["counts"])


def _leaders(history: History, line: CuttableCarrier) -> None:
    history.leaders = tuple(line["names"])


def _quiet(history: History, line: CuttableCarrier) -> None:
    history.quiet_at_s = line["at"]


def _features(history: History, line: CuttableCarrier) -> None:
    history.features = tuple(line["names"]), tuple(line["missing"])


def _probe(history: History, line: CuttableCarrier) -> None:
    names = ("name", "path", "status", "took_s", "asked", "text")
    history.probes.append(Probe(line["at"], *(line[name] for name in names)))


def _scrape(history: History, line: CuttableCarrier) -> None:
    names = ("name", "status", "took_s", "growing", "text", "pid", "tasks", "asked_at_s")
    facts = {name: line[name] for name in names}
    history.scrapes.append(Scrape(at_s=line["at"], back=tuple(line["back"]), **facts))


def _prism(history: History, line: CuttableCarrier) -> None:
    known = {name: value for name, value in line.items() if isinstance(value, int)}
    history.prism[line["who"]] = known


def _prism_wrong(history: History, line: CuttableCarrier) -> None:
    history.prism_wrong.append((line["at"], line["text"], line["code"]))


def _span(history: History, line: CuttableCarrier) -> None:
    span = Span(line["at"], line["who"], line["name"], line["parent"])
    history.spans[line["trace"], line["id"]] = span


def _spans(history: History, line: CuttableCarrier) -> None:
    history.span_counts[line["who"]] += line["started"]


def _nothing(history: History, line: CuttableCarrier) -> None:
    pass


_TAKE: Mapping[str, Callable[[History, CuttableCarrier], None]] = {
    "invoke": _invoke,
    "start": _start,
    "finish": _nothing,
    "outcome": _outcome,
    "fault": _fault,
    "mended": _mended,
    "sample": _sample,
    "ended": _ended,
    "complaint": _complaint,
    "state": _state,
    "counts": _counts,
    "leaders": _leaders,
    "quiet": _quiet,
    "features": _features,
    "probe": _probe,
    "scrape": _scrape,
    "prism": _prism,
    "prism_wrong": _prism_wrong,
    "span": _span,
    "spans": _spans,
}
