"""What is told about each task, at its caller and at its worker, to whoever measures or traces it.

A Dendrite has no observer by default, and then each place on the way of a task costs one test for
None. Every method is called on the loop of the Dendrite.
"""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable, Mapping
from typing import Any, Protocol, cast

from ..signals import Signal, SignalType

_LOG = logging.getLogger(__name__)


class SentTask(Protocol):
    """A TASK at its caller; the same object goes on with the TASK that an answer leads to.

    Attributes:
        task: Task id, 16 bytes.
        trace: Trace id, 16 bytes.
        address: The address that it was sent to.
        timeout_s: The time that its caller allows.
        expires_at_s: Its deadline on the clock of the loop: `timeout_s` after its first sending.
        worker: Instance id of its worker, zeros before its first reply.
    """

    task: bytes
    trace: bytes
    address: bytes
    timeout_s: float
    expires_at_s: float
    worker: bytes

    @property
    def keep(self) -> bool:
        """Whether nobody waits for it."""

    @property
    def signal(self) -> Signal:
        """The TASK; the first look may have to decode it."""


class ArrivedTask(Protocol):
    """A TASK at its worker.

    Attributes:
        slots: The places of its Axon: `slots.axon` is the Axon.
        signal: The TASK.
        caller: Instance id of its caller.
        task: Task id, 16 bytes.
        trace: Trace id, 16 bytes.
        arrived_at_s: When it arrived, on the clock of the loop.
        deadline_at_s: The end of the caller's wait, on the same clock.
        started_at_s: When its function was called, None before.
        key: Instance id of the caller and task id: what tells it from every other one here.
        keep: Whether nobody waits for it.
    """

    slots: Any
    signal: Signal
    caller: bytes
    task: bytes
    trace: bytes
    arrived_at_s: float
    deadline_at_s: float
    started_at_s: float | None
    key: bytes
    keep: bool


class TaskObserver:
    """Is told about tasks: a base class, of which an observer overrides what it wants to know.

    An observer that raises is logged once and removed; it never changes what becomes of a task.

    Attributes:
        guards_itself: True for one that never raises; its methods are called without a guard.
    """

    guards_itself = False

    def on_removed(self) -> None:
        """Nothing more is told: it was removed, it raised, or the Dendrite has stopped."""

    # -- at the caller -----------------------------------------------------------------------------

    def before_send(self, signal: Signal, waits: bool) -> None:
        """A TASK is about to be encoded; values may be added to `signal.meta`.

        Then exactly one of `on_sent` and `on_not_sent` follows.

        Args:
            signal: The TASK.
            waits: Whether its caller waits for the end, or follows it by a Pathway.
        """

    def on_not_sent(self, signal: Signal, error: BaseException) -> None:
        """A TASK that `before_send` was told of did not leave: the caller gets this exception."""

    def on_sent(self, opened: SentTask) -> None:
        """A TASK was passed to the transport, and waits for its end."""

    def on_first_thought(self, opened: SentTask) -> None:
        """The first THOUGHT_DELTA of a TASK has arrived."""

    def on_settled(self, opened: SentTask, signal: Signal | str) -> None:
        """A TASK has ended: exactly once after each `on_sent`.

        Args:
            opened: The TASK.
            signal: What settled it: AGENT_OUTPUT, FINAL, a question, or an ERROR, which the caller
                makes itself for a task without a reply. The text `ABANDONED` if the Dendrite
                stopped and left a task to its worker.
        """

    # -- at the worker -----------------------------------------------------------------------------

    def on_arrived(self, job: ArrivedTask) -> None:
        """A TASK has arrived for an Axon; exactly one `on_end` follows."""

    def on_start(self, job: ArrivedTask) -> None:
        """The function of a Neuron is about to be called, in this asyncio task.

        A context variable that is set here is there while the function runs, in a thread as well.
        Set it back in `on_leave`: else the asyncio task is not used again, which costs time.
        """

    def on_first_said(self, job: ArrivedTask) -> None:
        """The first THOUGHT_DELTA of a TASK has left."""

    def on_tool(self, job: ArrivedTask, signal: Signal) -> None:
        """A TOOL_CALL or TOOL_RESULT of a TASK has left."""

    def on_end(self, job: ArrivedTask, signal_type: SignalType, payload: Mapping[str, Any]) -> None:
        """The last reply of a TASK was made; it may never have begun.

        The call may come from another asyncio task than that of `on_start`.

        Args:
            job: The TASK.
            signal_type: The type of the reply.
            payload: Its payload: read it only.
        """

    def on_leave(self, job: ArrivedTask) -> None:
        """The function has ended; in the asyncio task of `on_start`, and once after each.

        It does not come where the loop itself has ended.
        """


class Observed(Protocol):
    """One side of a Dendrite, whose tasks can be observed."""

    observer: Observers | None


class Observers:
    """The observers of one Dendrite; calls each of them, and removes one that raises.

    Args:
        sides: The sides of the Dendrite: each has this object as its `observer` while anybody
            observes, and else None.

    Attributes:
        reads_signals: Whether one of them wants to know of a TASK before it is sent: then there
            has to be a Signal of each.
        follows_jobs: Whether one of them wants to know more of a task at its worker than its end.
    """

    before_send: Callable[[Signal, bool], None]
    on_not_sent: Callable[[Signal, BaseException], None]
    on_sent: Callable[[SentTask], None]
    on_first_thought: Callable[[SentTask], None]
    on_settled: Callable[[SentTask, Signal | str], None]
    on_arrived: Callable[[ArrivedTask], None]
    on_start: Callable[[ArrivedTask], None]
    on_first_said: Callable[[ArrivedTask], None]
    on_tool: Callable[[ArrivedTask, Signal], None]
    on_end: Callable[[ArrivedTask, SignalType, Mapping[str, Any]], None]
    on_leave: Callable[[ArrivedTask], None]

    def __init__(self, *sides: Observed) -> None:
        self._sides = sides
        self._observers: list[TaskObserver] = []
        self.reads_signals = self.follows_jobs = False
        self._update()

    def add(self, observer: TaskObserver) -> None:
        """Tell an observer about every task from now on."""
        self._observers.append(observer)
        self._update()

    def remove(self, observer: TaskObserver) -> None:
        """Tell an observer nothing more; do nothing if it is none of them."""
        if observer in self._observers:
            self._observers.remove(observer)
            self._update()
            try:
                observer.on_removed()
            except Exception:  # noqa: BLE001  # the last door, as below
                _LOG.exception("%s raised at its removal", type(observer).__name__)

    def has(self, observer: TaskObserver) -> bool:
        """Return whether an observer is told about tasks."""
        return observer in self._observers

    def close(self) -> None:
        """Remove every observer: no task goes on."""
        for observer in tuple(self._observers):
            self.remove(observer)

    def _update(self) -> None:
        """Make one function for each method; what nobody overrides costs nearly nothing."""
        for name in _METHODS:
            setattr(self, name, self._caller_of(name))
        self.reads_signals = any(_overrides(each, "before_send") for each in self._observers)
        self.follows_jobs = any(
            _overrides(each, name) for each in self._observers for name in _OF_JOBS
        )
        told = self if self._observers else None
        for side in self._sides:
            side.observer = told

    def _caller_of(self, name: str) -> Callable[..., None]:
        calls = tuple(
            (getattr(each, name), each) for each in self._observers if _overrides(each, name)
        )
        if not calls:
            # Each task comes by here: a function in C that does nothing costs a third of ours.
            return cast(Callable[..., None], id) if name in _OF_ONE else _nothing
        if len(calls) > 1:
            return lambda *given: self._call_all(calls, given)
        ((method, observer),) = calls
        if observer.guards_itself:
            return cast(Callable[..., None], method)

        def call(*given: Any) -> None:
            try:
                method(*given)
            except Exception as error:  # noqa: BLE001  # the last door: it must not cost a task
                self._drop(observer, error)

        return call

    def _call_all(
        self, calls: tuple[tuple[Callable[..., None], TaskObserver], ...], given: tuple[Any, ...]
    ) -> None:
        for method, observer in calls:
            try:
                method(*given)
            except Exception as error:  # noqa: BLE001  # the last door, as above
                self._drop(observer, error)

    def _drop(self, observer: TaskObserver, error: Exception) -> None:
        if observer in self._observers:
            self.remove(observer)
            _LOG.error(
                "%s raised, and is told nothing more about tasks",
                type(observer).__name__,
                exc_info=error,
            )


_METHODS = tuple(
    name
    for name, each in vars(TaskObserver).items()
    if inspect.isfunction(each) and name != "on_removed"
)

_OF_JOBS = ("on_arrived", "on_start", "on_leave")
_OF_ONE = frozenset({"on_sent", *_OF_JOBS})


def _overrides(observer: TaskObserver, name: str) -> bool:
    return getattr(type(observer), name) is not getattr(TaskObserver, name)


def _nothing(*_: Any) -> None:
    pass
