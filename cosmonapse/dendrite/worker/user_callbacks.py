"""Functions of users beside their Neurons: a few at a time, each within its time."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from typing import Any

from ...runtime.threads import in_thread


class UserCallbacks:
    """Calls `async def` on the loop and a plain `def` in a thread of its own.

    Args:
        limit: How many run at once. A thread that is given up keeps its place until it ends.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._running = 0

    @property
    def full(self) -> bool:
        """Tell whether no more may be called now."""
        return self._running >= self._limit

    async def call(
        self, function: Callable[..., Any], *arguments: Any, timeout_s: float, name: str
    ) -> Any:
        """Return what a function returns.

        Raises:
            GivenUp: Not within `timeout_s` seconds.
            BaseException: Whatever the function raises.
        """
        try:
            async with asyncio.timeout(timeout_s) as limit:
                return await self._call(function, arguments, name)
        except TimeoutError:
            if limit.expired():
                raise GivenUp(f"it did not end within {timeout_s:g} s") from None
            raise

    async def _call(
        self, function: Callable[..., Any], arguments: tuple[Any, ...], name: str
    ) -> Any:
        if _is_async(function):
            self._running += 1
            try:
                return await function(*arguments)
            finally:
                self._running -= 1
        value = await asyncio.shield(self._in_thread(function, arguments, name))
        return await value if inspect.isawaitable(value) else value

    def _in_thread(
        self, function: Callable[..., Any], arguments: tuple[Any, ...], name: str
    ) -> asyncio.Future[Any]:
        """Begin in a daemon thread, so that one that hangs does not keep the process."""
        self._running += 1
        ended = in_thread(function, *arguments, name=name)
        ended.add_done_callback(self._one_ended)
        return ended

    def _one_ended(self, _: object) -> None:
        self._running -= 1


class GivenUp(Exception):
    """A function of a user took too long."""


def _is_async(function: Callable[..., Any]) -> bool:
    call = getattr(function, "__call__", None)  # noqa: B004  # the method, not a test
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(call)


def was_cancelled(error: BaseException) -> bool:
    """Tell whether an exception is the end of the task at hand, and not the function's own."""
    task = asyncio.current_task()
    asked = task is not None and task.cancelling() > 0
    return isinstance(error, asyncio.CancelledError) and asked
