"""Opening Pathways: on a TASK of ours, on a whole trace, on somebody else's trace."""

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
        dispatcher: Who sends the TASKs.
        watching: Where a trace is followed.
    """

    def __init__(self, dispatcher: Dispatcher, subscriptions: Subscriptions) -> None:
        self._dispatcher = dispatcher
        self._subscriptions = subscriptions
        self._all: weakref.WeakSet[Pathway] = weakref.WeakSet()

    async def dispatch(
        self, signal: Signal, timeout_s: float, scope: Scope, elsewhere: bool
    ) -> Pathway:
        """Send a TASK and return the Pathway that listens since before.

        Raises:
            ValueError: `scope` is none.
        """
        if scope not in ("all", "terminal"):
            raise ValueError(f"scope must be 'all' or 'terminal', not {scope!r}")
        checked_timeout(timeout_s)
        pathway = Pathway(
            signal.trace_id,
            scope=scope,
            task=signal,
            cancel=lambda: self._dispatcher.abandon(opened),
            ended=lambda: self._end(untap, timer),
        )
        opened = OpenTask(signal, timeout_s, None, pathway, elsewhere)
        untap: Callable[[], object] = _nothing
        timer: asyncio.TimerHandle | None = None
        if scope == "terminal":
            untap = self._tap(pathway, _is_terminal)
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
        """Return a Pathway on a trace, whoever works on it; a FINAL ends it."""
        pathway = Pathway(
            trace_id, role="observer", scope="terminal", ended=lambda: self._end(untap, None)
        )
        untap = self._tap(pathway, _is_final)
        self._all.add(pathway)
        try:
            await self._subscriptions.settle()
        except BaseException:
            pathway.abort()
            raise
        return pathway

    @staticmethod
    def _end(untap: Callable[[], object], timer: asyncio.TimerHandle | None) -> None:
        untap()
        if timer is not None:
            timer.cancel()

    def close(self) -> None:
        """End every Pathway and its handlers."""
        for pathway in list(self._all):
            pathway.abort()

    def _tap(
        self, pathway: Pathway, ends: Callable[[Signal, Pathway], bool]
    ) -> Callable[[], object]:
        """Feed a Pathway from its trace until nobody holds it; return how to stop."""
        loop = asyncio.get_running_loop()

        def untap() -> None:
            self._subscriptions.remove(tap)

        tap = _Tap(pathway, ends, lambda: _soon(loop, untap))
        self._subscriptions.add(Handler(tap, trace_id=pathway.trace_id, ordered=True, direct=True))
        return untap


class _Tap:
    """Feeds a Pathway for as long as somebody holds it, or a handler of its own waits in it.

    Args:
        pathway: What it feeds.
        ends: Whether a Signal ends it.
        lost: Is called, in any thread, when nobody holds it any more.
    """

    def __init__(
        self,
        pathway: Pathway,
        ends: Callable[[Signal, Pathway], bool],
        lost: Callable[[], None],
    ) -> None:
        self._held = weakref.ref(pathway, lambda _: lost())
        self._sleepers = pathway.sleepers  # asyncio holds no task that waits
        self._ends = ends

    def __call__(self, signal: Signal) -> None:
        """Take a Signal of the trace."""
        pathway = self._held()
        if pathway is not None:
            pathway.take(signal)
            if self._ends(signal, pathway):
                pathway.end(signal)


def _nothing() -> None:
    pass


def _is_final(signal: Signal, pathway: Pathway) -> bool:
    return signal.type is SignalType.FINAL


def _is_terminal(signal: Signal, pathway: Pathway) -> bool:
    """Tell whether a Signal ends the workflow: a FINAL, or an ERROR that is no child task's."""
    if signal.type is not SignalType.ERROR:
        return signal.type is SignalType.FINAL
    task = pathway.task
    return signal.parent_id is None or (task is not None and signal.parent_id == task.id)


def _expire(pathway: Pathway, opened: OpenTask) -> None:
    error = error_for(opened, "EXPIRED")
    pathway.take(error)
    pathway.end(error)


def _soon(loop: asyncio.AbstractEventLoop, call: Callable[[], None]) -> None:
    """Call on the loop; whoever was collected may have been so in any thread."""
    with contextlib.suppress(RuntimeError):  # the loop is closed, and all is over
        loop.call_soon_threadsafe(call)
