"""Failures by their root cause, the most urgent first. Pure.

A Neuron that lets the failure of a child task pass fails with the same code and message. So one
failure below is one ERROR at each level above; it counts once, under the name of the lowest.
"""

from __future__ import annotations

import re
from collections import OrderedDict, deque
from typing import Any

import attrs

from ..doppler.observed import ObservedSignal
from ..signals import Signal, SignalType
from ..telemetry.told_values import told_attempt
from .record import finite, neuron_of

MAX_GROUPS = 500
MAX_OPEN = 20_000
MAX_LEVELS = 64
WINDOW_S = 600.0
_SLICE_S = 10.0
_LAST_S = 60.0
_SHOWN_CALLERS = 5
_MAX_TEXT_CHARS = 500
_CHANGING = re.compile(r"(?:evt|trc)_[0-9a-v]{26}|[0-9a-f]{16,}|\d+(?:\.\d+)?")
_OVERDUE = frozenset({"EXPIRED", "CANCELLED"})
"""How a task ends whose caller does not wait any longer."""
_OUTCOMES = frozenset({SignalType.AGENT_OUTPUT, SignalType.FINAL})
_QUESTIONS = frozenset({SignalType.CLARIFICATION, SignalType.PERMISSION, SignalType.ESCALATION})


@attrs.frozen
class Cause:
    """Why a task failed.

    Args:
        neuron: The Neuron that failed, or that was asked for in vain; None if nobody named one.
        code: The code of its ERROR.
        message: The message of it.
        is_root: Whether the task that failed is this one, and not one above it.
    """

    neuron: str | None
    code: str
    message: str
    is_root: bool = True


@attrs.define
class _Open:
    """A task without an outcome."""

    parent: str | None
    name: str | None
    caller: bytes
    below: Cause | None = None
    """Why the last of its child tasks failed."""
    blamed: Cause | None = None
    """The cause that was counted for it before its own ERROR came."""
    retried: _Group | None = None
    """The failure that it is another attempt after."""


@attrs.define(eq=False)
class _Group:
    neuron: str | None
    code: str
    message: str
    first_ts: float
    last_ts: float = 0.0
    trace_id: str = ""
    recovered: int = 0
    slices: deque[list[int]] = attrs.field(factory=deque)
    """Of each 10 s: which ones, how many roots, how many above."""
    callers: OrderedDict[bytes, None] = attrs.field(factory=OrderedDict)

    def add(self, now_s: float, roots: int, above: int) -> None:
        number = int(now_s // _SLICE_S)
        if not self.slices or self.slices[-1][0] != number:
            self.slices.append([number, 0, 0])
        self.slices[-1][1] += roots
        self.slices[-1][2] += above

    def forget_before(self, now_s: float) -> None:
        while self.slices and self.slices[0][0] < (now_s - WINDOW_S) // _SLICE_S:
            self.slices.popleft()

    def recent(self, now_s: float) -> int:
        """Return how many there were in the last minute."""
        since = (now_s - _LAST_S) // _SLICE_S
        return sum(each[1] for each in self.slices if each[0] > since)


class RootCauses:
    """Groups failures by Neuron, code and message of their root cause, over the last 10 minutes.

    Numbers and ids in a message do not form another group. A task that was cancelled did not fail.

    Args:
        most: Most groups; beyond that the one without a failure for the longest time is dropped.
    """

    def __init__(self, most: int = MAX_GROUPS) -> None:
        self._groups: OrderedDict[tuple[str | None, str, str], _Group] = OrderedDict()
        self._open: OrderedDict[str, _Open] = OrderedDict()
        self._children: dict[str, list[str]] = {}
        self._failed: OrderedDict[tuple[str, str | None, str | None], _Group] = OrderedDict()
        self._most = most

    def observe(self, observed: ObservedSignal, now_s: float) -> Cause | None:
        """Record a Signal; return the root cause if it is an ERROR of a task."""
        signal = observed.signal
        if signal.type is SignalType.TASK:
            self._begin(observed)
        elif signal.type is SignalType.ERROR:
            return self._fail(observed, now_s)
        elif signal.type in _OUTCOMES or signal.type in _QUESTIONS:
            ended = self._end(signal.parent_id)
            if ended is not None and ended.retried is not None and signal.type in _OUTCOMES:
                ended.retried.recovered += 1
        return None

    def view(self, most: int, now_s: float, name_of: Any = bytes.hex) -> list[dict[str, Any]]:
        """Return the groups for a page, those that are failing now first.

        Args:
            most: Most groups.
            now_s: The time.
            name_of: Returns the name of a Dendrite by its instance id.
        """
        for key, group in list(self._groups.items()):
            group.forget_before(now_s)
            if not group.slices:
                del self._groups[key]
        rows = [_row(key, group, now_s, name_of) for key, group in self._groups.items()]
        rows.sort(key=lambda row: (row["per_minute"], row["last_ts"]), reverse=True)
        return rows[:most]

    def missing(self) -> set[str]:
        """Return the Neurons that were asked for in vain."""
        return {
            group.neuron
            for group in self._groups.values()
            if group.code == "NO_SUCH_NEURON" and group.neuron is not None
        }

    def _begin(self, observed: ObservedSignal) -> None:
        signal = observed.signal
        if signal.id in self._open:
            return
        name = neuron_of(observed)
        opened = _Open(signal.parent_id, name or _capabilities(signal), observed.caller)
        if (told_attempt(signal.meta.get("attempt")) or 1) > 1:
            opened.retried = self._failed.pop((signal.trace_id, signal.parent_id, name), None)
        self._open[signal.id] = opened
        if signal.parent_id is not None:
            self._children.setdefault(signal.parent_id, []).append(signal.id)
        if len(self._open) > MAX_OPEN:
            self._end(next(iter(self._open)))

    def _end(self, task: str | None) -> _Open | None:
        ended = None if task is None else self._open.pop(task, None)
        if ended is not None and ended.parent is not None:
            siblings = self._children.get(ended.parent)
            if siblings is not None:
                siblings.remove(task or "")
                if not siblings:
                    del self._children[ended.parent]
        return ended

    def _fail(self, observed: ObservedSignal, now_s: float) -> Cause | None:
        signal = observed.signal
        if signal.parent_id is None:
            return None
        task = self._open.get(signal.parent_id)
        code, message = _text(signal.payload.get("code")), _text(signal.payload.get("message"))
        name = neuron_of(observed) if task is None else task.name
        own = Cause(name, code, message)
        cause = self._cause(signal, task, own, now_s)
        self._end(signal.parent_id)
        if task is not None:
            above = None if task.parent is None else self._open.get(task.parent)
            if above is not None:
                above.below = attrs.evolve(cause, is_root=True)
        return cause

    def _cause(self, signal: Signal, task: _Open | None, own: Cause, now_s: float) -> Cause:
        if task is not None and task.blamed is not None and own.code in _OVERDUE:
            return task.blamed
        if own.code == "CANCELLED":
            return own
        caller = None if task is None else self._first_caller(task)
        below = None if task is None else task.below
        if below is not None and _passes_on(own, below):
            self._count(below, signal, caller, now_s, roots=0, above=1)
            return attrs.evolve(below, is_root=False)
        late = self._latest_open_below(signal.parent_id or "") if own.code == "EXPIRED" else []
        if late:
            lowest = self._open[late[-1]]
            root = Cause(lowest.name, own.code, f"did not end within the time of {own.neuron}")
            for each in late:
                self._open[each].blamed = attrs.evolve(root, is_root=each == late[-1])
            self._count(root, signal, caller, now_s, roots=1, above=len(late))
            return attrs.evolve(root, is_root=False)
        group = self._count(own, signal, caller, now_s, roots=1, above=0)
        self._remember(signal, task, group)
        return own

    def _remember(self, signal: Signal, task: _Open | None, group: _Group) -> None:
        if task is None:
            return
        self._failed[signal.trace_id, task.parent, task.name] = group
        if len(self._failed) > MAX_OPEN:
            self._failed.popitem(last=False)

    def _first_caller(self, task: _Open) -> bytes:
        """Return who asked for the task at the top."""
        for _ in range(MAX_LEVELS):
            above = None if task.parent is None else self._open.get(task.parent)
            if above is None:
                break
            task = above
        return task.caller

    def _latest_open_below(self, task: str) -> list[str]:
        """Return the open child task, its open child and so on; of several the one begun last."""
        chain: list[str] = []
        while (children := self._children.get(task)) and len(chain) < MAX_LEVELS:
            task = children[-1]
            chain.append(task)
        return chain

    def _count(
        self,
        cause: Cause,
        signal: Signal,
        caller: bytes | None,
        now_s: float,
        roots: int,
        above: int,
    ) -> _Group:
        key = (cause.neuron, cause.code, _CHANGING.sub("#", cause.message))
        group = self._groups.get(key)
        if group is None:
            group = _Group(cause.neuron, cause.code, cause.message, finite(signal.ts))
            self._groups[key] = group
            if len(self._groups) > self._most:
                self._groups.popitem(last=False)
        self._groups.move_to_end(key)
        group.add(now_s, roots, above)
        if roots:
            group.message, group.last_ts = cause.message, finite(signal.ts)
            group.trace_id = signal.trace_id
        if caller is not None and len(group.callers) < _SHOWN_CALLERS:
            group.callers.setdefault(caller)
        return group


def _passes_on(own: Cause, below: Cause) -> bool:
    """Return whether a task failed with what its child task failed with.

    The text of an EXPIRED names the task and its own time.
    """
    return own.code == below.code and (own.code == "EXPIRED" or own.message == below.message)


def _row(key: tuple[Any, ...], group: _Group, now_s: float, name_of: Any) -> dict[str, Any]:
    return {
        "key": "|".join(map(str, key)),
        "neuron": group.neuron,
        "code": group.code,
        "message": group.message,
        "count": sum(each[1] for each in group.slices),
        "above": sum(each[2] for each in group.slices),
        "per_minute": group.recent(now_s),
        "first_ts": group.first_ts,
        "last_ts": group.last_ts,
        "trace_id": group.trace_id,
        "callers": list(dict.fromkeys(map(name_of, group.callers))),
        "recovered": group.recovered,
    }


def _capabilities(signal: Signal) -> str | None:
    directed = signal.directed
    names = () if directed is None else directed.capabilities
    return ", ".join(names)[:256] or None


def _text(value: Any) -> str:
    """Return the value as text, truncated; for a non-string return its type name."""
    if isinstance(value, str):
        return value[:_MAX_TEXT_CHARS]
    return "" if value is None else f"({type(value).__name__})"
