"""Calls a handler of the user; contains every exception that it raises.

A thread hop costs more than most handlers do. So one thread calls a plain `def` for every Signal
that waits for it, and returns to the loop only for what the loop has to do: an exception, a result
to await, and the turn of the loop itself.
"""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import logging
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from ...runtime.last_door import must_pass
from ...runtime.threads import in_thread
from ...signals import Signal
from ...telemetry.current_trace import fields_of

_LOG = logging.getLogger(__name__)
TURN_S = 0.002
"""How long calls follow each other before the loop, or the other threads, have their turn."""


def is_coroutine(function: Callable[[Signal], Any]) -> bool:
    """Return whether calling it gives a coroutine; fast for an `async def`."""
    code = getattr(function, "__code__", None)
    if code is not None and code.co_flags & inspect.CO_COROUTINE:
        return True
    return inspect.iscoroutinefunction(function)


def record(error: BaseException, signal: Signal, name: str, counts: Counter[str]) -> None:
    """Count and log what a handler raised: other Signals and other handlers go on."""
    counts["handler_raised"] += 1
    if isinstance(error, asyncio.CancelledError):
        return  # the handler awaited a task that was cancelled
    _LOG.error(
        "handler %s raised on a %s of trace %s",
        name,
        signal.type.value,
        signal.trace_id,
        exc_info=error,
        extra=fields_of(signal.trace_id),
    )


class ThreadCalls:
    """The calls of one plain `def`, from one thread for all Signals that wait.

    Args:
        function: The handler.
        name: Its name, for log texts.
        counts: The counters of its failures.
        take: Removes and returns the next Signal, None if there is none; is called in the thread.
    """

    def __init__(
        self,
        function: Callable[[Signal], Any],
        name: str,
        counts: Counter[str],
        take: Callable[[], Signal | None],
    ) -> None:
        self._function = function
        self._name = name
        self._counts = counts
        self._take = take

    async def run(self) -> None:
        """Call the handler for what waits: for all of it, or until the loop has something to do.

        Raises:
            CancelledError: The calling task was cancelled; the call that runs is the last one.
        """
        turn = _ThreadTurn(self._function, self._take)
        try:
            result = await in_thread(turn.run, name=f"handler {self._name}")
            if result is not None:
                await result
        except BaseException as error:  # the last door
            if must_pass(error):
                raise
            signal = turn.signal or self._take()  # the latter if no thread could be started
            if signal is not None:
                record(error, signal, self._name, self._counts)
        finally:
            turn.over = True


class _ThreadTurn:
    """What one thread does between leaving the loop and returning to it.

    Attributes:
        signal: The Signal of the last call.
        over: True once the loop no longer waits: no further call begins.
    """

    __slots__ = ("_context", "_function", "_take", "over", "signal")

    def __init__(
        self, function: Callable[[Signal], Any], take: Callable[[], Signal | None]
    ) -> None:
        self._function = function
        self._take = take
        self._context = contextvars.copy_context()
        self.signal: Signal | None = None
        self.over = False

    def run(self) -> Any:
        """Call the function for one Signal after the other; return a result to await, if any.

        Its exception ends the run too, so the loop learns of it before the next call.
        """
        function, take, context, now_s = self._function, self._take, self._context, time.monotonic
        until_s = now_s() + TURN_S
        while not self.over:
            signal = take()
            if signal is None:
                return None
            self.signal = signal
            # No call sees the context variables of another.
            result = context.copy().run(function, signal)
            if result is not None and inspect.isawaitable(result):
                return result
            # A thread that goes on and on slows the loop down, which waits up to 5 ms for the lock
            # of the interpreter after each of its system calls.
            if now_s() > until_s:
                return None
        return None
