"""Runs the attempts of one task until one settles it or its trace is stopped."""

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
    """Runs tasks with a retry strategy.

    During a pause there is no open task that a STOP could end. So this Dendrite subscribes to STOPs
    with its first task that has a strategy.

    Args:
        dispatcher: Sends each attempt.
        subscriptions: Receives the STOPs.
    """

    def __init__(self, dispatcher: Dispatcher, subscriptions: Subscriptions) -> None:
        self._dispatcher = dispatcher
        self._subscriptions = subscriptions
        self._stops: dict[str, set[asyncio.Event]] = {}
        self._is_subscribed = False

    async def run(
        self, signal: Signal, timeout_s: float, retry: RetryStrategy, answer_elsewhere: bool
    ) -> Signal:
        """Return the outcome of the last attempt, or ERROR `CANCELLED` if the trace is stopped.

        Args:
            signal: The TASK of the first attempt.
            timeout_s: The overall limit.
            retry: The strategy.
            answer_elsewhere: See `Dispatcher.wait`.

        Raises:
            TimeoutError: See `RetryStrategy.run`.
            DendriteProtocolError: This Dendrite is not running.
        """
        if not self._is_subscribed:
            self._is_subscribed = True
            stop = frozenset({SignalType.STOP})
            # It is in force long before the first pause. Waiting for it here would hold the first
            # attempt back while the Synapse is away.
            handler = Handler(self._on_stop, stop, direct=True, directed=True)
            self._subscriptions.add(handler, waits=False)
        stopped = asyncio.Event()
        waiting = self._stops.setdefault(signal.trace_id, set())
        waiting.add(stopped)

        async def attempt(number: int, left_s: float) -> Signal:
            if stopped.is_set():
                raise _Stopped
            task = signal if number == 1 else repeated(signal, number)
            return await self._dispatcher.wait(task, left_s, answer_elsewhere)

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
            return error_for(OpenTask.of(signal, timeout_s), "CANCELLED")
        finally:
            waiting.discard(stopped)
            if not waiting:
                self._stops.pop(signal.trace_id, None)

    def _on_stop(self, stop: Signal) -> None:
        for stopped in self._stops.get(stop.trace_id, ()):
            stopped.set()


class _Stopped(Exception):
    """The trace of the task was stopped."""
