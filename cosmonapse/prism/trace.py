"""One trace: all its Signals within bounds, and what a line about it says. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from ..doppler.observed import ObservedSignal
from ..doppler.preview import preview
from ..signals import QUESTIONS, Signal, SignalType
from ..telemetry.told_values import told_attempt
from .model_facts import ModelFacts, Prices, tells_of_a_model
from .record import finite, neuron_of
from .root_causes import Cause
from .trace_steps import Step, Thoughts
from .traced_task import TracedTask

MAX_TRACE_BYTES = 2 * 1024 * 1024
MAX_STEPS = 4_000
MAX_TASKS = 2_000
_FIRST_STEPS = 50
"""Where a trace has no room for all of its steps: that many of its beginning stay."""
_SHOWN_NEURONS = 8
_SHOWN_CHARS = 200
_ANSWERS = frozenset({SignalType.AGENT_OUTPUT, SignalType.FINAL})
_SETTLING = _ANSWERS | QUESTIONS | {SignalType.ERROR}
_MAX_QUESTIONS = 100
_TRACE_BYTES = 2_500
_TASK_BYTES = 400
_CLOCKS_AGREE_S = 0.1
_SHORT_ID_CHARS = 8
_NOBODY = bytes(16)


class Trace:
    """What is known of one trace.

    Args:
        first: Its first Signal that was seen.
        now_s: The time.

    Attributes:
        id: Its id.
        v: Its version; it grows with each change.
        size_bytes: About what it holds in memory.
        dropped: How many Signals of its middle are not kept.
        pinned: Why it outlives newer ones: `failed`, `slow` or an empty text.
        told: What a page was told of it last, as bytes, and the version of that.
    """

    __slots__ = (
        "_began_s",
        "_began_ts",
        "_beginning_gone",
        "_cause",
        "_errors",
        "_last_s",
        "_last_ts",
        "_lost",
        "_models",
        "_neurons",
        "_open_tops",
        "_outcome",
        "_prompt",
        "_questions",
        "_retries",
        "_root",
        "_signals",
        "_steps",
        "_tasks",
        "_untold_tasks",
        "dropped",
        "id",
        "pinned",
        "size_bytes",
        "told",
        "v",
    )

    def __init__(self, first: Signal, now_s: float) -> None:
        self.id = first.trace_id
        self.v = 0
        self.size_bytes = 0
        self.dropped = 0
        self.pinned = ""
        self.told: tuple[int, bytes] = (0, b"")
        self._began_ts = finite(first.ts)
        self._last_ts = self._began_ts
        self._began_s = self._last_s = now_s
        self._beginning_gone = first.parent_id is not None
        self._steps: list[Step] = []
        self._tasks: dict[str, TracedTask] = {}
        self._untold_tasks = 0
        self._neurons: dict[str, None] = {}
        self._root: TracedTask | None = None
        self._prompt: str | None = None
        self._open_tops = 0
        self._lost = False
        self._signals = 0
        self._errors = 0
        self._retries = 0
        self._outcome: SignalType | None = None
        self._cause: Cause | None = None
        self._questions: dict[str, tuple[TracedTask, Signal]] = {}  # those that nobody has answered
        self._models: ModelFacts | None = None

    def add(
        self,
        number: int,
        observed: ObservedSignal,
        now_s: float,
        v: int,
        cause: Cause | None,
        prices: Prices | None,
    ) -> int:
        """Add a Signal; return by how many bytes the trace grew.

        Args:
            number: Its number in Prism.
            observed: The Signal.
            now_s: The time.
            v: The new version.
            cause: The root cause, if it is an ERROR.
            prices: What models cost.
        """
        signal, kind = observed.signal, observed.signal.type
        before = self.size_bytes
        if not before:
            self.size_bytes = _TRACE_BYTES
        self.v = v
        self._signals += 1
        self._last_s = now_s
        if signal.ts > self._last_ts:
            self._last_ts = finite(signal.ts)
        task = None if signal.parent_id is None else self._tasks.get(signal.parent_id)
        is_thought = kind is SignalType.THOUGHT_DELTA
        if task is None and self._beginning_gone and (is_thought or kind in _SETTLING):
            task = self._unseen(observed)
        if is_thought and task is not None:
            self._think(number, observed, task, v)
            return self.size_bytes - before
        if task is not None:
            task.thoughts = None
        if kind is SignalType.TASK:
            self._begin(observed, task)
        elif kind in _SETTLING:
            self._settle(observed, task, cause, prices)
        self._append(Step(number, observed, v))
        return self.size_bytes - before

    def lose(self, task_id: str, v: int) -> bool:
        """Wait no longer for the outcome of a task; return whether that changes the trace.

        Args:
            task_id: The id of its TASK.
            v: The new version.
        """
        task = self._tasks.get(task_id)
        if task is None or task.ended is not None or task.is_lost:
            return False
        task.is_lost = True
        if task.parent is not None:
            return False
        self._open_tops -= 1
        self._lost, self.v = True, v
        return True

    @property
    def status(self) -> str:
        """`running`, `asking`, `failed`, `stopped`, `done`, `unseen` or `other` (no task).

        The tasks at the top decide: one below may end later, as cancelled.
        """
        if self._questions and self._question() is not None:
            return "asking"
        if self._open_tops > 0:
            return "running"
        if self._lost or self._outcome is None:
            return "unseen" if self._lost else "other"
        if self._outcome in QUESTIONS:
            return "asking"
        if self._outcome in _ANSWERS:
            return "done"
        return (
            "stopped" if self._cause is not None and self._cause.code == "CANCELLED" else "failed"
        )

    @property
    def took_s(self) -> float:
        """From its first Signal to its last one.

        By the clocks of their senders if they agree with ours. Ours alone includes the time that
        Signals wait for us; theirs may be wrong.
        """
        by_ours_s, by_theirs_s = self._last_s - self._began_s, self._last_ts - self._began_ts
        agree = by_theirs_s >= 0 and abs(by_theirs_s - by_ours_s) <= _CLOCKS_AGREE_S
        return by_theirs_s if agree else max(0.0, by_ours_s)

    def records(self, after: int) -> Iterator[dict[str, Any]]:
        """Yield what is new or changed since a version, the oldest first."""
        return (step.record() for step in self._steps if step.v > after)

    def view(self, name_of: Callable[[bytes], str], prices: Prices | None) -> dict[str, Any]:
        """Return a line about it; docs/prism.md has the shape."""
        root, status = self._root, self.status
        first_ts = None if root is None else root.first_ts
        names = list(self._neurons)
        return {
            "id": self.id,
            "v": self.v,
            "began_ts": self._began_ts,
            "last_ts": self._last_ts,
            "took_s": round(self.took_s, 6),
            "first_thought_s": None
            if first_ts is None or root is None
            else round(max(0.0, finite(first_ts) - finite(root.ts)), 6),
            "status": status,
            "prompt": self._prompt_text(),
            "caller": None
            if root is None or root.caller == _NOBODY
            else {"instance": root.caller.hex(), "name": name_of(root.caller)},
            "neuron": None if root is None else root.neuron,
            "neurons": names[:_SHOWN_NEURONS],
            "more_neurons": len(names) - len(names[:_SHOWN_NEURONS]),
            "tasks": len(self._tasks) + self._untold_tasks,
            "signals": self._signals,
            "errors": self._errors,
            "retries": self._retries,
            "beginning": "gone" if self._beginning_gone else "seen",
            "dropped": self.dropped,
            "pinned": self.pinned,
            "cause": self._cause_view() if status == "failed" else None,
            "ask": self._ask(name_of) if status == "asking" else None,
            "model": None if self._models is None else self._models.view(prices, self._retries),
        }

    def _cause_view(self) -> dict[str, Any] | None:
        cause = self._cause
        if cause is None:
            return None
        return {"neuron": cause.neuron, "code": cause.code, "message": cause.message}

    def _prompt_text(self) -> str:
        if self._prompt is None:
            step = self._steps[0] if self._steps else None
            self._prompt = "" if step is None else _line(step.signal)
        return self._prompt

    def _question(self) -> tuple[TracedTask, Signal] | None:
        """Return the newest question for whose answer somebody waits; None without one."""
        for task, signal in reversed(self._questions.values()):
            if task.parent is None or task.parent.ended is None:
                return task, signal
        return None

    def _ask(self, name_of: Callable[[bytes], str]) -> dict[str, Any] | None:
        found = self._question()
        if found is None:
            return None
        task, signal = found
        name = "" if task.caller == _NOBODY else f" {name_of(task.caller)}"
        # docs/keys.md: the right `decide`; without keys everybody has it.
        others = f"whoever may decide: cosmo answer --trace {self.id[:_SHORT_ID_CHARS]}"
        return {
            "kind": signal.type.value.lower(),
            "question": _line(signal),
            "neuron": task.neuron,
            "who": f"its caller{name}, or {others}",
        }

    def _unseen(self, observed: ObservedSignal) -> TracedTask | None:
        """Return a task whose TASK was before all that was seen; it counts as one at the top."""
        signal = observed.signal
        if signal.parent_id is None or len(self._tasks) >= MAX_TASKS:
            return None
        return self._add_task(signal.parent_id, TracedTask(observed, None))

    def _add_task(self, task_id: str, task: TracedTask) -> TracedTask:
        self._tasks[task_id] = task
        self.size_bytes += _TASK_BYTES
        if task.parent is None:
            self._open_tops += 1
        if self._root is None:
            self._root = task
        if task.neuron is not None:
            self._neurons.setdefault(task.neuron)
        return task

    def _begin(self, observed: ObservedSignal, parent: TracedTask | None) -> None:
        signal = observed.signal
        if signal.id in self._tasks:
            return
        if (told_attempt(signal.meta.get("attempt")) or 1) > 1:
            self._retries += 1
        asked = None if signal.parent_id is None else self._questions.pop(signal.parent_id, None)
        if len(self._tasks) >= MAX_TASKS:
            self._untold_tasks += 1
            return
        # A TASK that follows a question goes on in place of the one that asked.
        task = TracedTask(observed, parent if asked is None else asked[0].parent)
        if self._root is None:
            self._prompt = _line(signal)
        self._add_task(signal.id, task)

    def _settle(
        self,
        observed: ObservedSignal,
        task: TracedTask | None,
        cause: Cause | None,
        prices: Prices | None,
    ) -> None:
        signal = observed.signal
        if signal.type is SignalType.ERROR:
            self._errors += 1
        elif signal.type in _ANSWERS:
            self._read(signal, prices)
        if task is not None:
            self._end(observed, task, cause)

    def _end(self, observed: ObservedSignal, task: TracedTask, cause: Cause | None) -> None:
        signal = observed.signal
        if task.neuron is None:
            task.neuron = neuron_of(observed)
            if task.neuron is not None:
                self._neurons.setdefault(task.neuron)
        if task.ended is not None and task.ended not in QUESTIONS:
            return  # a late reply: its caller has had another one before
        if task.ended is None:
            self._open_tops -= task.parent is None and not task.is_lost
        else:  # its caller waited for an answer, and has given up
            self._questions = {
                n: each for n, each in self._questions.items() if each[0] is not task
            }
        task.ended = signal.type
        if task.parent is None:
            self._outcome, self._cause, self._lost = signal.type, cause, False
        if signal.type in QUESTIONS:
            self._questions[signal.id] = (task, signal)
            if len(self._questions) > _MAX_QUESTIONS:
                del self._questions[next(iter(self._questions))]

    def _read(self, signal: Signal, prices: Prices | None) -> None:
        output = signal.payload.get("result" if signal.type is SignalType.FINAL else "output")
        if tells_of_a_model(output):
            if self._models is None:
                self._models = ModelFacts()
            self._models.add(output, signal.meta.get("ran_ms"), prices)

    def _think(self, number: int, observed: ObservedSignal, task: TracedTask, v: int) -> None:
        signal, thoughts = observed.signal, task.thoughts
        if task.first_ts is None and task.seen:
            task.first_ts = signal.ts
        if thoughts is None or thoughts.is_dropped or thoughts.kind != signal.payload.get("kind"):
            task.thoughts = thoughts = Thoughts(number, observed, v)
            self._append(thoughts)
            return
        self.size_bytes += thoughts.add(number, signal, v)
        self._make_room()

    def _append(self, step: Step) -> None:
        self._steps.append(step)
        self.size_bytes += step.size_bytes
        self._make_room()

    def _make_room(self) -> None:
        """Drop a part of the middle if there is too much."""
        steps = self._steps
        if (self.size_bytes <= MAX_TRACE_BYTES and len(steps) <= MAX_STEPS) or len(
            steps
        ) <= _FIRST_STEPS + 1:
            return
        end = _FIRST_STEPS + max(1, (len(steps) - _FIRST_STEPS) // 4)
        freed = 0
        for step in steps[_FIRST_STEPS:end]:
            step.is_dropped = True
            freed += step.size_bytes
            self.dropped += step.count
        del steps[_FIRST_STEPS:end]
        self.size_bytes -= freed


def _line(signal: Signal) -> str:
    return " ".join(preview(signal)[: 2 * _SHOWN_CHARS].split())[:_SHOWN_CHARS]
