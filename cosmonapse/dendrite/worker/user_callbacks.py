"""Calls user functions other than Neurons, such as `bid_fn`: bounded in number and in time."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from typing import Any

from ...runtime.threads import in_thread


class UserCallbacks:
    """Calls `async def` on the loop and a plain `def` in a thread of its own.

    Args:
        limit: The number that may run at once. A thread that has timed out counts until it ends.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._running = 0

    @property
    def full(self) -> bool:
        """Whether no further function may be called now."""
        return self._running >= self._limit

    async def call(
        self, function: Callable[..., Any], *arguments: Any, timeout_s: float, name: str
    ) -> Any:
        """Call a function and return its result.

        Raises:
            CallbackTimeout: It did not end within `timeout_s` seconds.
            BaseException: Any exception that the function raises.
        """
        try:
            async with asyncio.timeout(timeout_s) as limit:
                return await self._call(function, arguments, name)
        except TimeoutError:
            if limit.expired():
                raise CallbackTimeout(f"it did not end within {timeout_s:g} s") from None
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
        """Call it in a daemon thread, which cannot keep the process from ending."""
        self._running += 1
        ended = in_thread(function, *arguments, name=name)
        ended.add_done_callback(self._thread_ended)
        return ended

    def _thread_ended(self, _: object) -> None:
        self._running -= 1


class CallbackTimeout(Exception):
    """A user function did not end in time."""


def _is_async(function: Callable[..., Any]) -> bool:
    call = getattr(function, "__call__", None)  # noqa: B004  # the method, not a test
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(call)
