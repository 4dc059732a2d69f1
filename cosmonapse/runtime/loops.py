"""Runs a coroutine on uvloop where it is installed, else on the loop of asyncio."""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run `main` to its end, as `asyncio.run` does; on uvloop with the extra `[speed]`.

    Where gevent or eventlet has replaced threads it runs on the loop of asyncio.

    Args:
        main: A coroutine; its result is returned, its exception raised.
    """
    try:
        with asyncio.Runner(loop_factory=_factory()) as runner:
            return runner.run(main)
    finally:
        main.close()  # without a loop it was never awaited, and Python would say only that


def threads_are_patched() -> bool:
    """Return whether a library such as gevent has replaced threads with greenlets."""
    return not inspect.isbuiltin(threading.get_ident)


def _factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    if threads_are_patched():
        # All greenlets share one thread of the system. uvloop would wait in it for ever; the
        # selector of asyncio is patched too, and lets the other greenlets run.
        return asyncio.SelectorEventLoop
    try:
        import uvloop
    except ImportError:
        return None
    factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return factory
