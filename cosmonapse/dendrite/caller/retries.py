"""Attempts of one task, one after the other, until one settles it or its trace is stopped."""

from __future__ import annotations

import asyncio

from ...signals import Signal, SignalType
from ...tasks import repeated
from ..watch.handlers import Handler
from ..watch.subscriptions import Subscriptions
from .dispatcher import Dispatcher
from .open_tasks import OpenTask
from .retry import RetryStrategy
from .task_errors import error_for


class Retries:
    """Tries tasks again, for the verbs of a Dendrite.

    A pause belongs to no open task, so that a STOP would find nothing to end. From the first task
    with a strategy on this Dendrite hears every STOP.

    Args:
        dispatcher: Sends each attempt.
        watching: Where STOPs are heard.
    """

    def __init__(self, dispatcher: Dispatcher, subscriptions: Subscriptions) -> None:
        self._dispatcher = dispatcher
        self._subscriptions = subscriptions
        self._stops: dict[str, set[asyncio.Event]] = {}
        self._listens = False

    async def run(
        self, signal: Signal, timeout_s: float, retry: RetryStrategy, elsewhere: bool
    ) -> Signal:
        """Return the outcome of the last attempt; CANCELLED when the trace is stopped meanwhile.

        Args:
            signal: The TASK of the first attempt.
            timeout_s: How long all of it may take.
            retry: Whether to try again, when and how often.
            elsewhere: See `Dispatcher.wait`.

        Raises:
            TimeoutError: See `RetryStrategy.run`.
            DendriteProtocolError: This Dendrite is not running.
        """
        if not self._listens:
            self._listens = True
            stop = frozenset({SignalType.STOP})
            # Long in force at the first pause; and a task may wait here while the Synapse is away.
            self._subscriptions.add(Handler(self._on_stop, stop, direct=True), waits=False)
        stopped = asyncio.Event()
        waiting = self._stops.setdefault(signal.trace_id, set())
        waiting.add(stopped)

        async def attempt(number: int, left_s: float) -> Signal:
            if stopped.is_set():
                raise _Stopped
            task = signal if number == 1 else repeated(signal, number)
            return await self._dispatcher.wait(task, left_s, elsewhere)

        async def sleep(pause_s: float) -> None:
            try:
                async with asyncio.timeout(pause_s):
                    await stopped.wait()
            except TimeoutError:
                return
            raise _Stopped

        try:
            return await retry.run(attempt, timeout_s, sleep=sleep)
        except _Stopped:
            return error_for(OpenTask(signal, timeout_s), "CANCELLED")
        finally:
            waiting.discard(stopped)
            if not waiting:
                self._stops.pop(signal.trace_id, None)

    def _on_stop(self, stop: Signal) -> None:
        for stopped in self._stops.get(stop.trace_id, ()):
            stopped.set()


class _Stopped(Exception):
    """The trace of the task was stopped."""
