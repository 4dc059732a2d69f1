"""Serving for as long as a program runs: a start that waits for its Synapse, and OS signals."""

from __future__ import annotations

import contextlib
import logging
import signal
import threading
from collections.abc import Callable, Iterator

from ..dendrite import Dendrite
from ..errors import SynapseUnreachable

_LOG = logging.getLogger(__name__)
_SAY_EVERY_S = 10.0
_STOPPING = (signal.SIGINT, signal.SIGTERM)


async def start_when_there(dendrite: Dendrite) -> None:
    """Start a Dendrite as soon as its Synapse answers; warn every 10 s until then.

    Raises:
        SynapseUnreachable: It answered and was gone at once.
        SynapseRefused: The Synapse refuses the namespace, or is full.
    """
    while True:
        try:
            await dendrite.synapse.connect(_SAY_EVERY_S)
            break
        except SynapseUnreachable as error:
            _LOG.warning("%r waits for its Synapse: %s", dendrite, error)
    await dendrite.start()


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
