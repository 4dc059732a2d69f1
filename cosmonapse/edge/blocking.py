"""BlockingDendrite: a Dendrite whose calls block, for code that does not use asyncio."""

from __future__ import annotations

import atexit
import contextlib
import functools
import os
import queue
import threading
from collections.abc import Callable, Coroutine, Iterable
from concurrent.futures import Future
from concurrent.futures import wait as wait_for
from types import TracebackType
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, Self, TypeVar, Unpack, cast

from ..axon import Axon
from ..dendrite import Dendrite
from ..dendrite.caller.pathway import Pathway
from ..dendrite.verbs.base import is_verb
from ..dendrite.verbs.decorators import Decorators
from ..dendrite.verbs.dispatch import WaitedTask
from ..dendrite.verbs.emit import NamedEmit
from ..dendrite.watch.handlers import Handler
from ..dendrite.watch.subscriptions import Subscriptions
from ..errors import DendriteProtocolError
from ..signals import Signal
from ..synapse import synapse_from_url
from ..synapse.connect import KeyLike
from .loop_thread import SIGNALS_S, LoopThread, check_threads_run
from .reader import SignalReader
from .serving import called_on_signal
from .text_stream import TextStream

P = ParamSpec("P")
R = TypeVar("R")
_EXIT_DRAIN_S = 0.5
_EXIT_S = 2.0
_LOOP_BOUND = frozenset({"dispatch", "dispatch_and_subscribe", "observe_pathway"})
_MADE_BEFORE_FORK = (
    "this BlockingDendrite was made before a fork, and each child that starts it would be the same "
    "client to the Synapse: make and start one in each process, after the fork (gunicorn: in "
    "post_fork; uWSGI: in a function with @postfork)"
)
_running: set[BlockingDendrite] = set()


def _blocking(
    verb: Callable[Concatenate[Dendrite, P], Coroutine[Any, Any, R]],
) -> Callable[Concatenate[BlockingDendrite, P], R]:
    """Return a verb of the Dendrite as one that blocks, with the same arguments."""

    @functools.wraps(verb)
    def call(self: BlockingDendrite, /, *args: P.args, **kwargs: P.kwargs) -> R:
        return self.thread.run(lambda: verb(self.dendrite, *args, **kwargs))

    return call


def _streaming(
    dispatch: Callable[Concatenate[Dendrite, P], Coroutine[Any, Any, Pathway]],
) -> Callable[Concatenate[BlockingDendrite, P], TextStream]:
    """Return `dispatch` as a verb that blocks and returns a TextStream."""

    def stream(self: BlockingDendrite, /, *args: P.args, **kwargs: P.kwargs) -> TextStream:
        """Send a TASK and return a stream; iterate over it for its texts as they arrive.

        Arguments and errors are those of `Dendrite.dispatch`. Leaving the loop early, or closing
        the stream, cancels the task.
        """

        async def opened() -> SignalReader:
            return SignalReader(await dispatch(self.dendrite, *args, **kwargs))

        thread = self.thread
        return TextStream(thread.run(opened), thread)

    return stream


class BlockingDendrite(Decorators):
    """A Dendrite on an event loop in a separate thread; every call blocks until it is done.

    Safe to use from many threads at once. A call that is interrupted from the keyboard cancels its
    task. It belongs to the process that started it: each forked child starts another one. At
    the exit of a program that did not call `stop` it is stopped, within 2 s.

    Verbs and decorators are those of `Dendrite`, with the same arguments and errors. Functions that
    are decorated with a plain `def` run in threads and may use it; an `async def` runs on its loop
    and uses `dendrite`.

    Args:
        url: The Synapse; see `synapse_from_url`.
        key: The path of a file NAME.key, or a key; see `synapse_from_url`.
        axons: Axons to host from the start.
        settings: Arguments of `Dendrite`: `namespace`, `dendrite_id`, `role`, `heartbeat_s`, ...

    Attributes:
        dendrite: The Dendrite itself, for coroutines on its loop.

    Raises:
        InvalidUrl: The URL names no endpoint.
        InvalidContext: The context cannot be used.
        InvalidKey: The key cannot be used.
        InvalidName: `namespace` or `dendrite_id` is not a valid name.
        ValueError: A setting is invalid, or two Axons share an id.
    """

    def __init__(
        self,
        url: str | None = None,
        *,
        key: KeyLike | None = None,
        axons: Iterable[Axon] = (),
        **settings: Any,
    ) -> None:
        self.dendrite = Dendrite(synapse=synapse_from_url(url, key=key), **settings)
        self._hosts = False
        for axon in axons:
            self.attach_axon(axon)
        self._subscriptions = cast(Subscriptions, _HandlersThere(self))
        self._lock = threading.Lock()
        self._pid = os.getpid()
        self._thread: LoopThread | None = None
        self._wakes: queue.SimpleQueue[None] = queue.SimpleQueue()  # each ends a wait of `serve`

    def __repr__(self) -> str:
        """Name it as `BlockingDendrite(id, namespace, state)`."""
        return f"Blocking{self.dendrite!r}"

    # -- start and stop --------------------------------------------------------------------------

    def start(self, timeout_s: float | None = 5.0) -> None:
        """Connect and announce the Axons; return when what is used is live.

        Args:
            timeout_s: How long it may take, in seconds; None waits for the Synapse without a limit.

        Raises:
            SynapseUnreachable: It did not connect within `timeout_s` seconds.
            SynapseRefused: The Synapse refuses this namespace, or is full.
            AccessRefused: The Synapse and the key do not fit, or a right is missing.
            DendriteProtocolError: It was started before, was made before a fork, or cannot run
                here; the text says which.
            OSError: The process has no descriptor left.
        """
        thread = self._new_thread()
        self._wait_for_start(thread, thread.submit(lambda: self.dendrite.start(timeout_s)))

    def serve(self) -> None:
        """Wait for SIGINT or SIGTERM, then drain and return. Starts a Dendrite that is new.

        A new one waits for its Synapse without a limit, and logs a warning every 10 s. A second
        signal ends the draining. On another thread than the main one, where no signals arrive, it
        returns after a call of `stop`.

        Raises:
            SynapseRefused: The Synapse refuses this namespace, or is full.
            DendriteProtocolError: It was stopped before, or another thread starts it.
        """
        with called_on_signal(self._wake_serve):
            if self._thread is None and not self._starts_as_server():
                return
            self._check_not_ended()
            self._wait_for_wake()
        self.stop("signal")

    def _starts_as_server(self) -> bool:
        """Start when the Synapse is there; return False if a signal or `stop` came first."""
        thread = self._new_thread()
        starting = thread.submit(lambda: self.dendrite.start(None))
        starting.add_done_callback(lambda _: self._wake_serve())
        self._wait_for_wake()
        if starting.done() and not starting.cancelled():
            self._wait_for_start(thread, starting)
            return True
        starting.cancel()
        self.stop("signal")
        return False

    def _wake_serve(self) -> None:
        self._wakes.put(None)  # reentrant: a handler of a signal may call it

    def _wait_for_wake(self) -> None:
        while True:
            with contextlib.suppress(queue.Empty):
                return self._wakes.get(timeout=SIGNALS_S)

    def _check_not_ended(self) -> None:
        if self.thread.has_ended:
            raise DendriteProtocolError(f"{self!r} is stopped: make a new one")

    def _new_thread(self) -> LoopThread:
        with self._lock:
            if self._thread is not None:
                raise DendriteProtocolError(f"{self!r} was started before: make a new one")
            if self._pid != os.getpid():
                raise DendriteProtocolError(_MADE_BEFORE_FORK)
            if self._hosts:
                check_threads_run()
            self._thread = LoopThread(f"{self.dendrite.dendrite_id} loop")
        _running.add(self)
        return self._thread

    def _wait_for_start(self, thread: LoopThread, starting: Future[None]) -> None:
        try:
            thread.wait(starting)
        except BaseException:
            self.stop(drain_s=0.0)
            raise

    def stop(self, reason: str | None = None, *, drain_s: float = 10.0) -> None:
        """Deregister, finish running tasks for at most `drain_s` seconds, close. Idempotent.

        Raises:
            DendriteProtocolError: Called on the thread of the Dendrite, for which it would wait.
        """
        thread = self._thread
        _running.discard(self)
        self._wake_serve()
        if thread is None or thread.is_forked or thread.has_ended:
            return
        if thread.is_here:
            raise DendriteProtocolError(
                "stop() on the thread of the Dendrite would wait for itself: use 'await "
                "blocking.dendrite.stop()' there"
            )
        try:
            with contextlib.suppress(DendriteProtocolError):  # another thread stops it too
                thread.run(lambda: self.dendrite.stop(reason, drain_s=drain_s))
        finally:
            thread.end()

    def __enter__(self) -> Self:
        """Start."""
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        """Stop."""
        self.stop()

    @property
    def thread(self) -> LoopThread:
        """The thread of its loop.

        Raises:
            DendriteProtocolError: It was not started.
        """
        if self._thread is None:
            raise DendriteProtocolError(
                f"{self!r} is not started: use it inside 'with dendrite:', or call start()"
            )
        return self._thread

    # -- verbs -----------------------------------------------------------------------------------

    add_axon = _blocking(Dendrite.add_axon)
    await_decision = _blocking(Dendrite.await_decision)
    call_tool = _blocking(Dendrite.call_tool)
    dendrites_snapshot = _blocking(Dendrite.dendrites_snapshot)
    open_tasks = _blocking(Dendrite.open_tasks)
    deny_permission = _blocking(Dendrite.deny_permission)
    detach_axon = _blocking(Dendrite.detach_axon)
    dispatch_and_wait = _blocking(Dendrite.dispatch_and_wait)
    dispatch_task = _blocking(Dendrite.dispatch_task)
    emit = _blocking(Dendrite.emit)
    find_neurons = _blocking(Dendrite.find_neurons)
    forget = _blocking(Dendrite.forget)
    grant_permission = _blocking(Dendrite.grant_permission)
    imprint = _blocking(Dendrite.imprint)
    recall = _blocking(Dendrite.recall)
    registry_snapshot = _blocking(Dendrite.registry_snapshot)
    respond_to_clarification = _blocking(Dendrite.respond_to_clarification)
    respond_to_escalation = _blocking(Dendrite.respond_to_escalation)
    respond_to_permission = _blocking(Dendrite.respond_to_permission)
    stream = _streaming(Dendrite.dispatch)
    synapse_state = _blocking(Dendrite.synapse_state)
    tools = _blocking(Dendrite.tools)
    wait_for_neuron = _blocking(Dendrite.wait_for_neuron)

    def ask(self, **task: Unpack[WaitedTask]) -> dict[str, Any]:
        """Send a TASK as `dispatch_and_wait` does, with the same arguments, and return its output.

        Raises:
            NeuronError: The outcome is an ERROR.
            NeedsAnswer: The outcome is a question.
            TimeoutError: There is no outcome in time.
        """
        return self.thread.run(lambda: self.dendrite.ask(**task))

    def attach_axon(self, axon: Axon) -> None:
        """Host an Axon; before `start`. See `Dendrite.attach_axon`."""
        self.dendrite.attach_axon(axon)
        self._hosts = True

    @property
    def counts(self) -> dict[str, int]:
        """Every drop, gap, bounce and refusal that this Dendrite has seen, by name."""
        return self.dendrite.counts

    def there(self, what: Callable[[], R]) -> R:
        """Call a function on the thread of the Dendrite, and return its result.

        Before the start it is called on this thread.
        """
        if self._thread is None or self._thread.is_here:
            return what()

        async def call() -> R:
            return what()

        return self._thread.run(call)

    if not TYPE_CHECKING:  # a type checker sees the verbs above

        def __getattr__(self, name: str) -> Any:
            """Return any other verb of the Dendrite as one that blocks."""
            verb = getattr(Dendrite, name, None)
            if name in _LOOP_BOUND:
                raise AttributeError(
                    f"{name} needs the event loop: use stream(), or `dendrite` on its loop"
                )
            if name.startswith("_") or not _is_verb(verb):
                raise AttributeError(f"a BlockingDendrite has no {name!r}")
            return lambda *args, **kwargs: self.thread.run(
                lambda: getattr(self.dendrite, name)(*args, **kwargs)
            )


def _is_verb(attribute: object) -> bool:
    return is_verb(attribute) or isinstance(attribute, NamedEmit)


class _HandlersThere:
    """The handlers of the Dendrite, changed by its decorators on the thread of its loop."""

    def __init__(self, blocking: BlockingDendrite) -> None:
        self._blocking = blocking

    def add_for_user(self, handler: Handler) -> None:
        self._blocking.there(lambda: self._blocking.dendrite._subscriptions.add_for_user(handler))

    def remove(self, function: Callable[[Signal], Any]) -> int:
        return self._blocking.there(lambda: self._blocking.dendrite._subscriptions.remove(function))


@atexit.register
def _stop_all() -> None:
    """Stop every Dendrite within 2 s, at the exit of a program without `stop`."""
    for each in list(_running):
        thread = each.thread
        if thread.is_forked or thread.has_ended:
            continue
        leave = functools.partial(each.dendrite.stop, "exit", drain_s=_EXIT_DRAIN_S)
        stopping = thread.submit(leave)
        wait_for([stopping], _EXIT_S)
        thread.end()
