"""OS signals for a program that serves without asyncio: a callback at the first of them."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator

_STOPPING = (signal.SIGINT, signal.SIGTERM)


@contextlib.contextmanager
def called_on_signal(callback: Callable[[], None]) -> Iterator[None]:
    """Call a function at the first SIGINT or SIGTERM; the next one acts as it did before.

    Signals arrive on the main thread only; on another one this does nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in _STOPPING}

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)

    def on_signal(number: int, frame: object) -> None:
        restore()
        callback()

    for number in _STOPPING:
        signal.signal(number, on_signal)
    try:
        yield
    finally:
        restore()
