"""The base of all verbs: the parts of a Dendrite, and the check whether it may act."""

from __future__ import annotations

import asyncio
import functools
import inspect
import itertools
import os
from collections.abc import Callable, Coroutine
from threading import get_ident
from typing import Any, Concatenate, Literal, ParamSpec, TypeAlias, TypeVar

from ...errors import DendriteProtocolError
from ...runtime import clock
from ...runtime.running_loop import running_loop
from ...transport import Transport
from ..caller.answer_arbiter import AnswerArbiter
from ..caller.auction import Auctions
from ..caller.card_cache import CardCache
from ..caller.dispatcher import Dispatcher
from ..caller.pathways import Pathways
from ..caller.retries import Retries
from ..stop_receiver import StopReceiver
from ..stop_sender import StopSender
from ..watch.publisher import Publisher
from ..watch.subscriptions import Subscriptions
from ..worker.bidder import Bidder
from ..worker.inbox import Inbox
from ..worker.sources import Sources

Role = Literal["orchestrator", "worker"]


P = ParamSpec("P")
T = TypeVar("T")
M = TypeVar("M", bound=Callable[..., Coroutine[Any, Any, Any]])
D = TypeVar("D", bound="DendriteBase")
Verb: TypeAlias = Callable[Concatenate[D, P], Coroutine[Any, Any, T]]
_FORKED = "this Dendrite was started before a fork: start a new one in each child process"


def verb(method: Verb[D, P, T]) -> Verb[D, P, T]:
    """Check the process when a verb is called, and not only when its coroutine runs.

    In a forked child the loop of the Dendrite does not run, so no coroutine given to it ever does.
    """

    @functools.wraps(method)
    def called(self: D, /, *given: P.args, **named: P.kwargs) -> Coroutine[Any, Any, T]:
        if self._forks != clock.forks() or self._home_thread != get_ident():
            self._check_process()
        return method(self, *given, **named)

    return gives_coroutine(called)


_giving: set[object] = set()


def gives_coroutine(method: M) -> M:
    """Mark a plain method that gives a coroutine, for those who ask `is_verb`."""
    _giving.add(method)
    return method


def is_verb(method: object) -> bool:
    """Return whether a method of a Dendrite gives a coroutine."""
    return method in _giving or inspect.iscoroutinefunction(method)


def check_settings(synapse: object, role: str, heartbeat_s: float) -> None:
    """Refuse what no Dendrite can be made of.

    Raises:
        TypeError: `synapse` is no Synapse, such as a coroutine that was not awaited.
        ValueError: `role` is invalid, or `heartbeat_s` is not over 0.
    """
    if inspect.iscoroutine(synapse):
        synapse.close()  # else Python warns of it, too
        raise TypeError(
            "synapse is a coroutine: write 'await connect_synapse(...)'; code without asyncio "
            "uses BlockingDendrite(url)"
        )
    if not hasattr(synapse, "transport"):
        raise TypeError(
            "synapse must be what 'await connect_synapse(url)' gives, or a MemorySynapse, not "
            f"{type(synapse).__name__}"
        )
    if role not in ("orchestrator", "worker"):
        raise ValueError(f"role must be 'orchestrator' or 'worker', not {role!r}")
    if heartbeat_s <= 0:
        raise ValueError(f"heartbeat_s must be over 0, not {heartbeat_s:g}")


class DendriteBase:
    """The parts of a Dendrite, and the check before each verb."""

    role: Role
    dendrite_id: str
    _transport: Transport
    _subscriptions: Subscriptions
    _inbox: Inbox
    _dispatcher: Dispatcher
    _retries: Retries
    _pathways: Pathways
    _arbiter: AnswerArbiter
    _publisher: Publisher
    _auctions: Auctions
    _card_cache: CardCache
    _bidder: Bidder
    _stop_sender: StopSender
    _stop_receiver: StopReceiver
    _sources: Sources

    def __init__(self) -> None:
        self._state: Literal["new", "running", "stopped"] = "new"
        self._thoughts = itertools.count()
        self._home: asyncio.AbstractEventLoop | None = None
        self._home_thread = 0
        self._forks = 0
        self._home_pid = 0
        self._starting: asyncio.Task[None] | None = None
        self._stopping: asyncio.Task[None] | None = None

    def _settle_here(self) -> None:
        """Bind this Dendrite to the current process, thread and event loop.

        The running loop is looked up here only, since each lookup is a system call. While our loop
        runs, no other loop runs in our thread.
        """
        clock.notice_fork()
        self._home, self._home_thread = running_loop(), get_ident()
        self._forks = clock.forks()
        self._home_pid = os.getpid()

    def _check_process(self) -> None:
        """Refuse a call in another process than that of the loop.

        uWSGI forks without Python, which counts no fork then; so the process id decides.
        """
        if self._home is not None and self._home_pid != os.getpid():
            raise DendriteProtocolError(_FORKED)

    def _check_running(self) -> None:
        if (
            self._state != "running"
            or self._forks != clock.forks()
            or self._home_thread != get_ident()
            or self._home is None
            or not self._home.is_running()
        ):
            raise DendriteProtocolError(self._why_not())

    def _why_not(self) -> str:
        """Return why this Dendrite may not act, and what to do."""
        if self._state != "running":
            return f"this Dendrite is {self._state}: use it inside 'async with dendrite:'"
        if self._forks != clock.forks():
            return _FORKED
        return (
            "this Dendrite belongs to another event loop: from other threads use "
            "asyncio.run_coroutine_threadsafe(..., its_loop)"
        )

    def _check_may_dispatch(self) -> None:
        self._check_running()
        if self.role == "worker":
            raise DendriteProtocolError(
                "a Dendrite with role='worker' does not dispatch: use role='orchestrator'"
            )
