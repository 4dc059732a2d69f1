"""Calls a handler of the user; contains every exception that it raises."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections import Counter
from collections.abc import Callable
from typing import Any

from ...runtime.last_door import must_pass
from ...runtime.threads import in_thread
from ...signals import Signal

_LOG = logging.getLogger(__name__)


async def call(
    function: Callable[[Signal], Any], signal: Signal, name: str, counts: Counter[str]
) -> None:
    """Await an `async def`, run a plain `def` in a thread; log and count an exception.

    Raises:
        CancelledError: The calling task was cancelled.
    """
    try:
        if _is_coroutine(function):
            await function(signal)
            return
        result = await in_thread(function, signal, name=f"handler {name}")
        if inspect.isawaitable(result):
            await result
    except BaseException as error:
        if must_pass(error):
            raise
        counts["handler_raised"] += 1  # the last door: other handlers go on
        if isinstance(error, asyncio.CancelledError):
            return  # the handler awaited a task that was cancelled
        _LOG.exception(
            "handler %s raised on a %s of trace %s", name, signal.type.value, signal.trace_id
        )


def _is_coroutine(function: Callable[[Signal], Any]) -> bool:
    """Return whether calling it gives a coroutine; fast for an `async def`."""
    code = getattr(function, "__code__", None)
    if code is not None and code.co_flags & inspect.CO_COROUTINE:
        return True
    return inspect.iscoroutinefunction(function)
