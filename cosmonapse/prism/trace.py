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

MAX_TRACE_BYTES = 2 * 1024 * 1024
MAX_STEPS = 4_000
MAX_TASKS = 2_000
_FIRST_STEPS = 50
"""Where a trace has no room for all of its steps: that many of its beginning stay."""
_SHOWN_NEURONS = 8
_SHOWN_CHARS = 200
_ANSWERS = frozenset({SignalType.AGENT_OUTPUT, SignalType.FINAL})
_SETTLING = _ANSWERS | QUESTIONS | {SignalType.ERROR}
_WHO = {
    SignalType.CLARIFICATION: "the caller, or whoever may answer (cosmo reply)",
    SignalType.PERMISSION: "the caller, or whoever may decide (cosmo reply)",
}


class _Task:
    """A TASK of the trace."""

    __slots__ = ("caller", "ended", "first_ts", "neuron", "number", "thoughts", "ts", "worker")

    def __init__(self, observed: ObservedSignal) -> None:
        self.ts = observed.signal.ts
        self.caller = observed.caller
        self.worker = observed.worker
        self.neuron = neuron_of(observed)
        self.first_ts: float | None = None
        self.ended = False
        self.thoughts: Thoughts | None = None


class Trace:
    """What is known of one trace.

    Args:
        first: Its first Signal that was seen.

    Attributes:
        id: Its id.
        v: Its version; it grows with each change.
        size_bytes: About what it holds in memory.
        dropped: How many Signals of its middle are not kept.
        pinned: Why it outlives newer ones: `failed`, `slow` or an empty text.
        told: What a page was told of it last, as bytes, and the version of that.
    """

    __slots__ = (
        "_ask",
        "_began_ts",
        "_beginning_gone",
        "_cause",
        "_errors",
        "_last_ts",
        "_models",
        "_neurons",
        "_open",
        "_outcome",
        "_outcome_id",
        "_prompt",
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

    def __init__(self, first: Signal) -> None:
        self.id = first.trace_id
        self.v = 0
        self.size_bytes = 0
        self.dropped = 0
        self.pinned = ""
        self.told: tuple[int, bytes] = (0, b"")
        self._began_ts = finite(first.ts)
        self._last_ts = self._began_ts
        self._beginning_gone = first.parent_id is not None
        self._steps: list[Step] = []
        self._tasks: dict[str, _Task] = {}
        self._untold_tasks = 0
        self._neurons: dict[str, None] = {}
        self._root: _Task | None = None
        self._prompt: str | None = None
        self._open = 0
        self._signals = 0
        self._errors = 0
        self._retries = 0
        self._outcome: SignalType | None = None
        self._outcome_id = ""
        self._cause: Cause | None = None
        self._ask: dict[str, Any] | None = None
        self._models: ModelFacts | None = None

    def add(
        self,
        number: int,
        observed: ObservedSignal,
        v: int,
        cause: Cause | None,
        prices: Prices | None,
    ) -> int:
        """Add a Signal; return by how many bytes the trace grew.

        Args:
            number: Its number in Prism.
            observed: The Signal.
            v: The new version.
            cause: The root cause, if it is an ERROR.
            prices: What models cost.
        """
        signal = observed.signal
        self.v = v
        self._signals += 1
        if signal.ts > self._last_ts:
            self._last_ts = finite(signal.ts)
        task = None if signal.parent_id is None else self._tasks.get(signal.parent_id)
        if signal.type is SignalType.THOUGHT_DELTA and task is not None:
            return self._think(number, observed, task, v)
        if task is not None:
            task.thoughts = None
        if signal.type is SignalType.TASK:
            self._begin(observed)
        elif signal.type in _SETTLING:
            self._settle(signal, observed, task, cause, prices)
        return self._append(Step(number, observed, v))

    @property
    def status(self) -> str:
        """`running`, `asking`, `failed`, `stopped`, `done` or `other` (no task)."""
        if self._open > 0:
            return "running"
        if self._outcome is None:
            return "other"
        if self._outcome in QUESTIONS:
            return "asking"
        if self._outcome in _ANSWERS:
            return "done"
        return (
            "stopped" if self._cause is not None and self._cause.code == "CANCELLED" else "failed"
        )

    @property
    def took_s(self) -> float:
        """From its first Signal to its last one, by the clocks of their senders."""
        return max(0.0, self._last_ts - self._began_ts)

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
            if root is None
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
            "ask": self._ask if status == "asking" else None,
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

    def _begin(self, observed: ObservedSignal) -> None:
        signal = observed.signal
        if signal.id in self._tasks:
            return
        attempt = told_attempt(signal.meta.get("attempt")) or 1
        if attempt > 1:
            self._retries += 1
        if len(self._tasks) >= MAX_TASKS:
            self._untold_tasks += 1
            return
        task = self._tasks[signal.id] = _Task(observed)
        self._open += 1
        if self._root is None:
            self._root, self._prompt = task, _line(signal)
        if task.neuron is not None and len(self._neurons) < MAX_TASKS:
            self._neurons[task.neuron] = None
        # A TASK that follows a question goes on where that stopped; so does another attempt.
        if signal.parent_id == self._outcome_id or attempt > 1:
            self._outcome, self._outcome_id, self._cause = None, "", None

    def _settle(
        self,
        signal: Signal,
        observed: ObservedSignal,
        task: _Task | None,
        cause: Cause | None,
        prices: Prices | None,
    ) -> None:
        if task is not None and not task.ended:
            task.ended = True
            self._open -= 1
        neuron = neuron_of(observed)
        if neuron is not None and observed.signal.type is not SignalType.ERROR:
            self._neurons.setdefault(neuron)
        self._outcome, self._outcome_id, self._cause, self._ask = signal.type, signal.id, None, None
        if signal.type is SignalType.ERROR:
            self._errors += 1
            self._cause = cause
        elif signal.type in QUESTIONS:
            target = signal.payload.get("target")
            who = _WHO.get(signal.type) or f"{target or 'whoever may decide'} (cosmo reply)"
            self._ask = {
                "kind": signal.type.value.lower(),
                "question": _line(signal),
                "neuron": neuron,
                "who": who[:_SHOWN_CHARS],
            }
        else:
            key = "result" if signal.type is SignalType.FINAL else "output"
            output = signal.payload.get(key)
            if tells_of_a_model(output):
                if self._models is None:
                    self._models = ModelFacts()
                self._models.add(output, prices)

    def _think(self, number: int, observed: ObservedSignal, task: _Task, v: int) -> int:
        signal, thoughts = observed.signal, task.thoughts
        if task.first_ts is None:
            task.first_ts = signal.ts
        if thoughts is None or thoughts.is_dropped or thoughts.kind != signal.payload.get("kind"):
            task.thoughts = thoughts = Thoughts(number, observed, v)
            return self._append(thoughts)
        grew = thoughts.add(number, signal, v)
        self.size_bytes += grew
        return grew + self._make_room()

    def _append(self, step: Step) -> int:
        self._steps.append(step)
        self.size_bytes += step.size_bytes
        return step.size_bytes + self._make_room()

    def _make_room(self) -> int:
        """Drop a part of the middle if there is too much; return by how much it grew: 0 or less."""
        steps = self._steps
        if (self.size_bytes <= MAX_TRACE_BYTES and len(steps) <= MAX_STEPS) or len(
            steps
        ) <= _FIRST_STEPS + 1:
            return 0
        end = _FIRST_STEPS + max(1, (len(steps) - _FIRST_STEPS) // 4)
        freed = 0
        for step in steps[_FIRST_STEPS:end]:
            step.is_dropped = True
            freed += step.size_bytes
            self.dropped += step.count
        del steps[_FIRST_STEPS:end]
        self.size_bytes -= freed
        return -freed


def _line(signal: Signal) -> str:
    return " ".join(preview(signal)[: 2 * _SHOWN_CHARS].split())[:_SHOWN_CHARS]
