"""Opens Pathways: on a TASK of ours, on its whole trace, or on a trace of another Dendrite."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import warnings
import weakref
from collections.abc import Callable

from ...signals import Signal, SignalType
from ..watch.handlers import Handler
from ..watch.subscriptions import Subscriptions
from ..watch.trace_order import HOLD_S
from .dispatcher import Dispatcher
from .open_tasks import OpenTask, checked_timeout
from .pathway import Pathway, Scope
from .pathway_feed import PathwayFeed
from .task_errors import error_for

_LOG = logging.getLogger(__name__)


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
            AccessRefused: Our key may not send it there, or not follow a trace.
        """
        if scope not in ("all", "terminal"):
            raise ValueError(f"scope must be 'all' or 'terminal', not {scope!r}")
        checked_timeout(timeout_s)
        if scope == "terminal":
            self._check_rights(signal.trace_id)
        opened = OpenTask.of(signal, timeout_s, None, None, answer_elsewhere)
        loop = asyncio.get_running_loop()
        unsubscribe: Callable[[], object] = _nothing
        timer: asyncio.TimerHandle | None = None

        def drop() -> None:
            self._end(unsubscribe, timer)
            self._dispatcher.abandon(opened)

        pathway = Pathway(
            signal.trace_id,
            scope=scope,
            task=signal,
            cancel=lambda: self._dispatcher.abandon(opened),
            ended=lambda: self._end(unsubscribe, timer),
            dropped=lambda: _drop(loop, opened.signal, drop),
        )
        feed = opened.pathway = PathwayFeed(pathway)
        if scope == "terminal":
            unsubscribe = self._subscribe(feed, _is_terminal)
            timer = loop.call_later(timeout_s + HOLD_S, _expire, feed, opened)
        try:
            await self._dispatcher.open(opened)
        except BaseException:
            pathway.abort()
            raise
        self._all.add(pathway)
        return pathway

    async def observe(self, trace_id: str) -> Pathway:
        """Return a Pathway on a trace of any Dendrites; a FINAL ends it.

        Raises:
            AccessRefused: Our key may not follow a trace.
        """
        self._check_rights(trace_id)
        loop = asyncio.get_running_loop()
        unsubscribe: Callable[[], object] = _nothing
        pathway = Pathway(
            trace_id,
            role="observer",
            scope="terminal",
            ended=lambda: self._end(unsubscribe, None),
            dropped=lambda: _call_soon(loop, unsubscribe),
        )
        unsubscribe = self._subscribe(PathwayFeed(pathway), _is_final)
        self._all.add(pathway)
        try:
            await self._subscriptions.settle()
        except BaseException:
            pathway.abort()
            raise
        return pathway

    def _check_rights(self, trace_id: str) -> None:
        # Ahead of everything else: a Pathway that nobody gets would count as dropped.
        self._subscriptions.own_rights.check_hear((), trace_id, "this Pathway")

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
        self, feed: PathwayFeed, ends: Callable[[Signal, PathwayFeed], bool]
    ) -> Callable[[], object]:
        """Feed a Pathway from its trace while it is referenced; return how to stop."""

        def unsubscribe() -> None:
            self._subscriptions.remove(tap)

        tap = _Tap(feed, ends)
        self._subscriptions.add(Handler(tap, trace_id=feed.trace_id, ordered=True, direct=True))
        return unsubscribe


class _Tap:
    """Feeds a Pathway with the Signals of its trace.

    Args:
        feed: Leads to the Pathway.
        ends: Returns whether a Signal ends it.
    """

    def __init__(self, feed: PathwayFeed, ends: Callable[[Signal, PathwayFeed], bool]) -> None:
        self._feed = feed
        self._ends = ends

    def __call__(self, signal: Signal) -> None:
        """Pass a Signal of the trace on."""
        self._feed.take(signal)
        if self._ends(signal, self._feed):
            self._feed.end(signal)


def _nothing() -> None:
    pass


def _is_final(signal: Signal, _: PathwayFeed) -> bool:
    return signal.type is SignalType.FINAL


def _is_terminal(signal: Signal, feed: PathwayFeed) -> bool:
    """Return whether a Signal ends the workflow: a FINAL, or an ERROR of no child task."""
    if signal.type is not SignalType.ERROR:
        return signal.type is SignalType.FINAL
    task = feed.task
    return signal.parent_id is None or (task is not None and signal.parent_id == task.id)


def _expire(feed: PathwayFeed, opened: OpenTask) -> None:
    error = error_for(opened, "EXPIRED")
    feed.take(error)
    feed.end(error)


def _drop(loop: asyncio.AbstractEventLoop, task: Signal, drop: Callable[[], None]) -> None:
    """Cancel the TASK of a Pathway that the program dropped while it was open."""
    target = (task.directed and task.directed.id) or "by capabilities"
    text = (
        f"the Pathway of a TASK for {target} on trace {task.trace_id} was dropped before its end: "
        "the TASK is cancelled; read it to its end inside 'async with pathway:', or use "
        "dispatch_task for a TASK that runs on"
    )
    _LOG.warning(text)
    _call_soon(loop, drop)
    warnings.warn(text, ResourceWarning, stacklevel=2)


def _call_soon(loop: asyncio.AbstractEventLoop, call: Callable[[], object]) -> None:
    """Call on the loop; the garbage collector may run in any thread."""
    with contextlib.suppress(RuntimeError):  # the loop is closed: nothing is left to stop
        loop.call_soon_threadsafe(call)
