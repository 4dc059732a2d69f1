"""Opens Pathways: on a TASK of ours, on its whole trace, or on a trace of another Dendrite."""

from __future__ import annotations

import asyncio
import contextlib
import weakref
from collections.abc import Callable

from ...signals import Signal, SignalType
from ..watch.handlers import Handler
from ..watch.subscriptions import Subscriptions
from ..watch.trace_order import HOLD_S
from .dispatcher import Dispatcher, checked_timeout
from .open_tasks import OpenTask
from .pathway import Pathway, Scope
from .task_errors import error_for


class Pathways:
    """The Pathways of one Dendrite.

    Args:
        dispatcher: Sends the TASKs.
        subscriptions: Delivers the Signals of a trace.
    """

    def __init__(self, dispatcher: Dispatcher, subscriptions: Subscriptions) -> None:
        self._dispatcher = dispatcher
        self._subscriptions = subscriptions
        self._all: weakref.WeakSet[Pathway] = weakref.WeakSet()

    async def dispatch(
        self, signal: Signal, timeout_s: float, scope: Scope, answer_elsewhere: bool
    ) -> Pathway:
        """Send a TASK and return its Pathway, which receives every Signal from the first on.

        Raises:
            ValueError: `scope` is invalid.
        """
        if scope not in ("all", "terminal"):
            raise ValueError(f"scope must be 'all' or 'terminal', not {scope!r}")
        checked_timeout(timeout_s)
        pathway = Pathway(
            signal.trace_id,
            scope=scope,
            task=signal,
            cancel=lambda: self._dispatcher.abandon(opened),
            ended=lambda: self._end(unsubscribe, timer),
        )
        opened = OpenTask(signal, timeout_s, None, pathway, answer_elsewhere)
        unsubscribe: Callable[[], object] = _nothing
        timer: asyncio.TimerHandle | None = None
        if scope == "terminal":
            unsubscribe = self._subscribe(pathway, _is_terminal)
            timer = asyncio.get_running_loop().call_later(
                timeout_s + HOLD_S, _expire, pathway, opened
            )
        try:
            await self._dispatcher.open(opened)
        except BaseException:
            pathway.abort()
            raise
        self._all.add(pathway)
        return pathway

    async def observe(self, trace_id: str) -> Pathway:
        """Return a Pathway on a trace of any Dendrites; a FINAL ends it."""
        pathway = Pathway(
            trace_id, role="observer", scope="terminal", ended=lambda: self._end(unsubscribe, None)
        )
        unsubscribe = self._subscribe(pathway, _is_final)
        self._all.add(pathway)
        try:
            await self._subscriptions.settle()
        except BaseException:
            pathway.abort()
            raise
        return pathway

    @staticmethod
    def _end(unsubscribe: Callable[[], object], timer: asyncio.TimerHandle | None) -> None:
        unsubscribe()
        if timer is not None:
            timer.cancel()

    def close(self) -> None:
        """End every Pathway and its handlers."""
        for pathway in list(self._all):
            pathway.abort()

    def _subscribe(
        self, pathway: Pathway, ends: Callable[[Signal, Pathway], bool]
    ) -> Callable[[], object]:
        """Feed a Pathway from its trace while it is referenced; return how to stop."""
        loop = asyncio.get_running_loop()

        def unsubscribe() -> None:
            self._subscriptions.remove(tap)

        tap = _Tap(pathway, ends, lambda: _call_soon(loop, unsubscribe))
        self._subscriptions.add(Handler(tap, trace_id=pathway.trace_id, ordered=True, direct=True))
        return unsubscribe


class _Tap:
    """Feeds a Pathway while the program or a waiting handler references it.

    Args:
        pathway: The Pathway.
        ends: Returns whether a Signal ends it.
        lost: Is called, in any thread, when it is garbage.
    """

    def __init__(
        self,
        pathway: Pathway,
        ends: Callable[[Signal, Pathway], bool],
        lost: Callable[[], None],
    ) -> None:
        self._pathway = weakref.ref(pathway, lambda _: lost())
        self._sleepers = pathway.sleepers  # asyncio has only weak references to tasks
        self._ends = ends

    def __call__(self, signal: Signal) -> None:
        """Pass a Signal of the trace on."""
        pathway = self._pathway()
        if pathway is not None:
            pathway.take(signal)
            if self._ends(signal, pathway):
                pathway.end(signal)


def _nothing() -> None:
    pass


def _is_final(signal: Signal, pathway: Pathway) -> bool:
    return signal.type is SignalType.FINAL


def _is_terminal(signal: Signal, pathway: Pathway) -> bool:
    """Return whether a Signal ends the workflow: a FINAL, or an ERROR of no child task."""
    if signal.type is not SignalType.ERROR:
        return signal.type is SignalType.FINAL
    task = pathway.task
    return signal.parent_id is None or (task is not None and signal.parent_id == task.id)


def _expire(pathway: Pathway, opened: OpenTask) -> None:
    error = error_for(opened, "EXPIRED")
    pathway.take(error)
    pathway.end(error)


def _call_soon(loop: asyncio.AbstractEventLoop, call: Callable[[], None]) -> None:
    """Call on the loop; the garbage collector may run in any thread."""
    with contextlib.suppress(RuntimeError):  # the loop is closed: nothing is left to stop
        loop.call_soon_threadsafe(call)
