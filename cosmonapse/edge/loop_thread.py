"""One event loop in a separate thread, for code that does not use asyncio."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import os
import sys
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from ..errors import DendriteProtocolError, NeuronError
from ..runtime.loops import run

R = TypeVar("R")
_JOIN_S = 2.0
_BEGIN_S = 10.0
SIGNALS_S = 0.5
"""How often a wait of the main thread ends for a moment. A signal that comes just before the system
call of the wait, or on another thread, does not end that call, and Python handles it after it."""
_FORKED = (
    "this BlockingDendrite was started before a fork, and its thread is not in the child: start "
    "one in each process, after the fork (gunicorn: in post_fork; or use cosmonapse.edge.flask or "
    ".wsgi, which start one when a process first needs it)"
)
_SECOND_LOOP = (
    "another event loop runs in this thread of the system: where gevent has replaced threads, a "
    "process can have one BlockingDendrite at a time; share it, or use gunicorn with -k gthread"
)
_NOT_BEGUN = (
    f"the thread of this BlockingDendrite did not begin within {_BEGIN_S:g} s: the server runs no "
    "threads of Python (uWSGI: start it with --enable-threads)"
)
_NO_THREADS = (
    "uWSGI runs no thread of Python between two requests, so the Axons of this process would fall "
    "silent: start it with --enable-threads"
)
_UWSGI_THREADS = frozenset({"enable-threads", "threads", "gevent"})


class LoopThread:
    """An event loop in a daemon thread; any other thread may submit coroutines to it.

    Args:
        name: The name of the thread.

    Raises:
        DendriteProtocolError: Another event loop runs in the same thread of the system, or the
            thread does not begin within 10 s.
        OSError: The process has no descriptor left for the loop.
        RuntimeError: The system starts no further thread.
    """

    def __init__(self, name: str) -> None:
        self._pid = os.getpid()
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ended: asyncio.Event
        self._posted: set[asyncio.Task[object]] = set()
        self._thread = threading.Thread(target=self._main, name=name, daemon=True)
        self._begun: concurrent.futures.Future[None] = concurrent.futures.Future()
        self._thread.start()
        try:
            self._begun.result(_BEGIN_S)
        except TimeoutError:
            raise DendriteProtocolError(_NOT_BEGUN) from None

    @property
    def is_here(self) -> bool:
        """Whether the caller runs on this thread."""
        return threading.current_thread() is self._thread

    @property
    def has_ended(self) -> bool:
        """Whether the loop has ended."""
        return self._loop is None

    @property
    def is_forked(self) -> bool:
        """Whether this process is a child of the one that the thread runs in."""
        return os.getpid() != self._pid

    def submit(self, make: Callable[[], Coroutine[Any, Any, R]]) -> concurrent.futures.Future[R]:
        """Run a coroutine; cancelling the future cancels it.

        Raises:
            DendriteProtocolError: The thread has ended, or this process is a forked child.
        """
        if self.is_forked:
            raise DendriteProtocolError(_FORKED)
        with self._lock:
            if self._loop is None:
                raise DendriteProtocolError("this BlockingDendrite is stopped: make a new one")
            return asyncio.run_coroutine_threadsafe(make(), self._loop)

    def run(
        self,
        make: Callable[[], Coroutine[Any, Any, R]],
        *,
        look_every_s: float | None = None,
        gone: Callable[[], bool] = lambda: False,
    ) -> R:
        """Run a coroutine and return its result.

        An interrupt of the caller (KeyboardInterrupt) cancels it, within 0.5 s of the signal.

        Args:
            make: Returns the coroutine.
            look_every_s: How often to look whether the result is still wanted; None for never.
            gone: Returns True when it is not; then the coroutine is cancelled.

        Raises:
            NeuronError: The result is not wanted any more.
            DendriteProtocolError: The thread has ended, this is the thread itself, or this
                process is a forked child.
        """
        if self.is_here:
            raise DendriteProtocolError(
                "a blocking call on the thread of the Dendrite would wait for itself: in an "
                "'async def' handler use 'await blocking.dendrite...', or make the handler a 'def'"
            )
        return self.wait(self.submit(make), look_every_s=look_every_s, gone=gone)

    def wait(
        self,
        future: concurrent.futures.Future[R],
        *,
        look_every_s: float | None = None,
        gone: Callable[[], bool] = lambda: False,
    ) -> R:
        """Return the result of a future of `submit`; arguments and errors as for `run`."""
        if look_every_s is None and threading.current_thread() is threading.main_thread():
            look_every_s = SIGNALS_S
        try:
            while not concurrent.futures.wait([future], look_every_s).done:
                if gone():
                    future.cancel()
            return future.result()
        except concurrent.futures.CancelledError:
            if not self.has_ended:
                raise NeuronError(
                    "CANCELLED", "the client disconnected before the answer"
                ) from None
            raise DendriteProtocolError(
                "this BlockingDendrite was stopped during the call"
            ) from None
        except BaseException:  # such as KeyboardInterrupt
            future.cancel()
            raise

    def post(self, make: Callable[[], Coroutine[Any, Any, object]]) -> None:
        """Run a coroutine without waiting for it; do nothing when the thread has ended.

        It acquires no lock: a finalizer may call it at any place, on any thread.
        """
        loop = self._loop
        if loop is None or self.is_forked:
            return
        try:
            loop.call_soon_threadsafe(self._spawn, make)
        except RuntimeError:  # the loop was closed just now, with all its tasks
            return

    def end(self) -> None:
        """End the thread and cancel its coroutines. Idempotent."""
        if self.is_forked:
            return
        with self._lock:
            loop, self._loop = self._loop, None
        if loop is not None:
            with contextlib.suppress(RuntimeError):  # it ended by itself just now
                loop.call_soon_threadsafe(self._ended.set)
        if not self.is_here:
            self._thread.join(_JOIN_S)  # a function in another thread may delay it

    def _spawn(self, make: Callable[[], Coroutine[Any, Any, object]]) -> None:
        task = asyncio.create_task(make(), name="posted")
        self._posted.add(task)  # the loop has only a weak reference
        task.add_done_callback(self._posted.discard)

    def _main(self) -> None:
        try:
            _check_no_other_loop()
            run(self._live())
        except BaseException as error:
            if self._begun.done():
                raise
            self._begun.set_exception(error)  # to the constructor, which waits for it
        finally:
            self._loop = None

    async def _live(self) -> None:
        self._ended = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._begun.set_result(None)
        await self._ended.wait()


def check_threads_run() -> None:
    """Check that this process runs threads also while it serves no request.

    Raises:
        DendriteProtocolError: It belongs to a uWSGI without threads.
    """
    options = getattr(sys.modules.get("uwsgi"), "opt", None)
    if isinstance(options, dict) and not _UWSGI_THREADS.intersection(options):
        raise DendriteProtocolError(_NO_THREADS)


def _check_no_other_loop() -> None:
    if asyncio._get_running_loop() is not None:
        raise DendriteProtocolError(_SECOND_LOOP)
