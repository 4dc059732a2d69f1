"""One BlockingDendrite for each process, started by the first request that needs it."""

from __future__ import annotations

import concurrent.futures
import os
from collections.abc import Callable
from typing import Any

from ..ids import new_trace_id
from ..runtime import clock
from ..trace_export import trace_as_asked
from .blocking import BlockingDendrite
from .outcomes import mark
from .text_stream import TextStream

LOOK_EVERY_S = 0.3
Started = concurrent.futures.Future[BlockingDendrite]


class PerProcess:
    """Starts a BlockingDendrite when it is first needed, and another one in a forked child.

    A server that loads the app before it forks is safe that way. While one request starts it the
    others wait; if the start fails all of these get the error, and the next request tries again.

    Args:
        make: Returns one that is not started.
    """

    def __init__(self, make: Callable[[], BlockingDendrite]) -> None:
        self._make = make
        self._started: dict[int, Started] = {}  # by process id; a lock could be held at a fork

    def get(self) -> BlockingDendrite:
        """Return the one of this process, running.

        Raises:
            SynapseUnreachable: No Synapse answers at its URL.
            SynapseRefused: The Synapse refuses this namespace, or is full.
        """
        pid, mine = os.getpid(), Started()
        started = self._started.setdefault(pid, mine)
        if started is mine:
            try:
                made = self._make()
                trace_as_asked(made.dendrite)
                made.start()
                mine.set_result(made)
            except BaseException as error:
                del self._started[pid]
                mine.set_exception(error)
                raise
        return started.result()

    def stop(self) -> None:
        """Stop the one of this process, if there is one; the next `get` starts another."""
        started = self._started.pop(os.getpid(), None)
        if started is not None:
            started.result().stop()

    def ask(self, gone: Callable[[], bool], task: dict[str, Any]) -> dict[str, Any]:
        """Send a TASK and return its output; cancel it when its HTTP client is gone.

        Args:
            gone: Returns whether the client is gone; called every 0.3 s.
            task: Arguments of `Dendrite.ask`.
        """
        task = with_trace(task)
        try:
            blocking = self.get()
            return blocking.thread.run(
                lambda: blocking.dendrite.ask(**task), look_every_s=LOOK_EVERY_S, gone=gone
            )
        except Exception as error:
            mark(error, task["trace_id"])
            raise

    def stream(self, task: dict[str, Any]) -> TextStream:
        """Send a TASK and return its stream; see `BlockingDendrite.stream`."""
        task = with_trace(task)
        try:
            return self.get().stream(**task)
        except Exception as error:
            mark(error, task["trace_id"])
            raise


def with_trace(task: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments of a task with a trace id, a new one unless they have it."""
    clock.notice_fork()  # or two workers of uWSGI would give the same ids
    return {"trace_id": new_trace_id(), **task}
