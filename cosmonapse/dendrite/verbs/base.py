"""The base of all verbs: the parts of a Dendrite, and the check whether it may act."""

from __future__ import annotations

import asyncio
import itertools
from threading import get_ident
from typing import Literal

from ...errors import DendriteProtocolError
from ...runtime import clock
from ...transport import Transport
from ..caller.answer_arbiter import AnswerArbiter
from ..caller.auction import Auctions
from ..caller.dispatcher import Dispatcher
from ..caller.pathways import Pathways
from ..caller.retries import Retries
from ..stop_receiver import StopReceiver
from ..stop_sender import StopSender
from ..watch.publisher import Publisher
from ..watch.subscriptions import Subscriptions
from ..worker.bidder import Bidder
from ..worker.inbox import Inbox

Role = Literal["orchestrator", "worker"]


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
    _bidder: Bidder
    _stop_sender: StopSender
    _stop_receiver: StopReceiver

    def __init__(self) -> None:
        self._state: Literal["new", "running", "stopped"] = "new"
        self._thoughts = itertools.count()
        self._home: asyncio.AbstractEventLoop | None = None
        self._home_thread = 0
        self._forks = 0

    def _settle_here(self) -> None:
        """Bind this Dendrite to the current process, thread and event loop.

        The running loop is looked up here only, since each lookup is a system call. While our loop
        runs, no other loop runs in our thread.
        """
        clock.notice_fork()
        self._home, self._home_thread = asyncio.get_running_loop(), get_ident()
        self._forks = clock.forks()

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
            return "this Dendrite was started before a fork: start a new one in each child process"
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
