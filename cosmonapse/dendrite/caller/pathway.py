"""A Pathway: all Signals of one task, or of one trace, for any number of readers."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable
from types import TracebackType
from typing import Any, Literal, Self, TypeVar

from ...errors import PathwayClosedError
from ...runtime.last_door import must_pass
from ...signals import Signal, SignalType
from ..watch.call_handler import ThreadCalls, is_coroutine, record
from .signal_buffer import EVERY, Cursor, SignalBuffer, Types

F = TypeVar("F", bound=Callable[[Signal], Any])
N = TypeVar("N")
Role = Literal["caller", "observer"]
Scope = Literal["all", "terminal"]
_THOUGHTS = frozenset({SignalType.THOUGHT_DELTA})
_ESTIMATED_BYTES = 1024
_DRAIN_S = 5.0
_HOP = 256
"""How many Signals are taken from the buffer for the calls of one thread."""


def _nothing() -> None:
    pass


def _popped(waiting: deque[Signal]) -> Signal | None:
    return waiting.popleft() if waiting else None


class Pathway:
    """The Signals of a dispatched TASK, or of a trace of another Dendrite, in order.

    Read it in several ways, also at once: `async for`, `thoughts`, `wait`, `wait_for`, `on`,
    `outcome`. Each receives every Signal since the Pathway was opened; no reader takes one from
    another. Signals that have arrived can be read after the end. Up to 65,536 Signals and 64 MiB
    are stored; over that the oldest are dropped, and `dropped` counts them.

    A Pathway of a dispatch ends by itself with the Signal that settles its TASK. After a question
    (CLARIFICATION, PERMISSION, ESCALATION) it continues with the answer. It ends when all handlers
    that could answer have returned and a reader waits for more.

    Close it to leave it before its end, best with `async with`. One that the program drops while
    it is open cancels its task, with a ResourceWarning.

    Attributes:
        trace_id: The workflow.
        role: `caller` if our dispatch opened it, else `observer`.
        scope: `all`: it follows one TASK; `terminal`: the whole trace, until a FINAL or an ERROR.
        task: The TASK that opened it; None for an observer.
        counts: The failures of its handlers.
        sleepers: The waits for a next Signal; a reference to it keeps their tasks alive.
    """

    def __init__(
        self,
        trace_id: str,
        *,
        role: Role = "caller",
        scope: Scope = "all",
        task: Signal | None = None,
        cancel: Callable[[], object] = _nothing,
        ended: Callable[[], object] = _nothing,
        dropped: Callable[[], object] = _nothing,
    ) -> None:
        self.trace_id = trace_id
        self.role = role
        self.scope = scope
        self.task = task
        self.counts: Counter[str] = Counter()
        self._cancel = cancel
        self._ended = ended
        self._dropped = dropped
        self._buffer = SignalBuffer()
        self._closed = False
        self._outcome: Signal | None = None
        self._unanswered: Signal | None = None
        self.sleepers: dict[asyncio.Future[None], Cursor] = {}
        self._handlers: set[asyncio.Task[None]] = set()
        self._waiting = self._buffer.cursor(is_loop=False)
        self._waiting_for: dict[Types, Cursor] = {}

    def __repr__(self) -> str:
        """Name it as `Pathway(trace, role, scope, open or closed)`."""
        state = "closed" if self._closed else "open"
        return f"Pathway({self.trace_id}, {self.role}, {self.scope}, {state})"

    def __del__(self) -> None:
        """Cancel the task of a Pathway that is garbage before its end; runs in any thread."""
        if not self._closed:
            self._dropped()

    @property
    def closed(self) -> bool:
        """Whether no further Signal will arrive; those that have arrived can still be read."""
        return self._closed

    @property
    def dropped(self) -> int:
        """The number of oldest Signals that were dropped."""
        return self._buffer.start

    # -- reading ---------------------------------------------------------------------------------

    async def wait(self, timeout_s: float | None = None) -> Signal:
        """Return the next Signal that no `wait` has returned yet.

        Raises:
            PathwayClosedError: There is none and none will arrive.
            TimeoutError: There is none within `timeout_s` seconds.
        """
        return await self._one(self._waiting, "Signal", timeout_s)

    async def wait_for(self, type: SignalType, timeout_s: float | None = None) -> Signal:
        """Return the next Signal of a type that no `wait_for` of this type has returned yet.

        Raises:
            PathwayClosedError: There is none and none will arrive.
            TimeoutError: There is none within `timeout_s` seconds.
        """
        types = frozenset({SignalType(type)})  # type: ignore[call-arg]
        if types not in self._waiting_for:
            self._waiting_for[types] = self._buffer.cursor(types, is_loop=False)
        return await self._one(self._waiting_for[types], type, timeout_s)

    async def outcome(self, timeout_s: float | None = None) -> Signal:
        """Return the Signal that ended this Pathway: an output, an ERROR or a question.

        Raises:
            PathwayClosedError: It was closed before that.
            TimeoutError: Not within `timeout_s` seconds; the task runs on.
        """
        cursor = self._buffer.cursor(frozenset(), is_loop=False)
        try:
            await self._within(timeout_s, "outcome", cursor)
        finally:
            cursor.leave()
        if self._outcome is None:
            raise PathwayClosedError(f"{self!r} was closed before its outcome")
        return self._outcome

    def __aiter__(self) -> AsyncIterator[Signal]:
        """Yield every Signal from the first on; end with the Pathway."""
        return self._follow(EVERY)

    async def thoughts(self) -> AsyncIterator[str]:
        """Yield the texts of the THOUGHT_DELTAs without reasoning; end with the Pathway."""
        cursor = self._buffer.cursor(_THOUGHTS, is_loop=True)
        next_text = cursor.next_text
        try:
            while (text := next_text()) is not None or (
                text := await self._next_of(cursor, next_text)
            ) is not None:
                yield text
        finally:
            cursor.leave()

    def on(self, *types: SignalType) -> Callable[[F], F]:
        """Call the decorated function, `def` or `async def`, for every Signal of these types.

        The calls do not overlap and start with the first Signal; without a type it receives all.
        """
        wanted = frozenset(map(SignalType, types)) or EVERY  # type: ignore[arg-type]

        def decorate(function: F) -> F:
            name = getattr(function, "__qualname__", repr(function))
            task = asyncio.get_running_loop().create_task(
                self._serve(function, name, self._buffer.cursor(wanted, is_loop=True)),
                name=f"handler {name}",
            )
            self._handlers.add(task)
            task.add_done_callback(self._handlers.discard)
            return function

        return decorate

    async def _serve(self, function: Callable[[Signal], Any], name: str, cursor: Cursor) -> None:
        try:
            if is_coroutine(function):
                await self._serve_on_loop(function, name, cursor)
            else:
                await self._serve_in_threads(function, name, cursor)
        finally:
            cursor.leave()

    async def _serve_on_loop(
        self, function: Callable[[Signal], Any], name: str, cursor: Cursor
    ) -> None:
        while (signal := await self._next(cursor)) is not None:
            try:
                await function(signal)
            except BaseException as error:  # the last door: it goes on with the next Signal
                if must_pass(error):
                    raise
                record(error, signal, name, self.counts)

    async def _serve_in_threads(
        self, function: Callable[[Signal], Any], name: str, cursor: Cursor
    ) -> None:
        waiting: deque[Signal] = deque()
        calls = ThreadCalls(function, name, self.counts, lambda: _popped(waiting))
        while (signal := await self._next(cursor)) is not None:
            waiting.append(signal)
            while len(waiting) < _HOP and (further := cursor.next()) is not None:
                waiting.append(further)
            while waiting:
                await calls.run()

    async def _follow(self, types: Types) -> AsyncIterator[Signal]:
        cursor = self._buffer.cursor(types, is_loop=True)
        try:
            while (signal := await self._next(cursor)) is not None:
                yield signal
        finally:
            cursor.leave()

    async def _one(self, cursor: Cursor, what: str, timeout_s: float | None) -> Signal:
        signal = await self._within(timeout_s, what, cursor)
        if signal is None:
            last = "" if self._outcome is None else f"; it ended with {self._outcome.type.value}"
            raise PathwayClosedError(f"{self!r} has no {what} left{last}")
        return signal

    async def _within(self, timeout_s: float | None, what: str, cursor: Cursor) -> Signal | None:
        try:
            async with asyncio.timeout(timeout_s):
                return await self._next(cursor)
        except TimeoutError:
            raise TimeoutError(f"no {what} on {self!r} within {timeout_s:g} s") from None

    async def _next(self, cursor: Cursor) -> Signal | None:
        """Return the next Signal for a cursor, or None at the end."""
        return await self._next_of(cursor, cursor.next)

    async def _next_of(self, cursor: Cursor, read: Callable[[], N | None]) -> N | None:
        """Return what a read of a cursor finds, as soon as it finds anything; None at the end."""
        while (found := read()) is None and not self._closed:
            cursor.waits = True
            sleeper: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self.sleepers[sleeper] = cursor
            try:
                self._end_if_unanswered()
                await sleeper
            finally:
                del self.sleepers[sleeper]
                cursor.waits = self._has_sleeper(cursor)
        return found

    def _has_sleeper(self, cursor: Cursor) -> bool:
        """Return whether another reader of the same cursor still waits."""
        return any(each is cursor and not sleeper.done() for sleeper, each in self.sleepers.items())

    # -- the end ---------------------------------------------------------------------------------

    async def close(self) -> None:
        """End it, and cancel the task if it still runs. Idempotent.

        Its handlers receive the Signals that have arrived; after 5 s they are cancelled. A handler
        that closes the Pathway does not wait for the others.
        """
        if not self._closed:
            self._cancel()
            self.end(None)
        if self._handlers and asyncio.current_task() not in self._handlers:
            _, stuck = await asyncio.wait(self._handlers, timeout=_DRAIN_S)
            for handler in stuck:
                handler.cancel()

    def abort(self) -> None:
        """End it and cancel its handlers."""
        self.end(None)
        for handler in self._handlers:
            handler.cancel()

    async def __aenter__(self) -> Self:
        """Return it; it receives Signals already."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        """Close."""
        await self.close()

    # -- for a reader that looks without waiting -------------------------------------------------

    def cursor(self) -> Cursor:
        """Return a position at the first Signal: its `next` takes what has arrived, or None.

        The reader calls `leave` at its end.
        """
        return self._buffer.cursor(EVERY, is_loop=True)

    async def next_of(self, cursor: Cursor) -> Signal | None:
        """Return the next Signal for a cursor as soon as there is one; None at the end.

        A cancelled wait takes nothing.
        """
        return await self._next(cursor)

    # -- for the parts that feed it --------------------------------------------------------------

    def take(self, signal: Signal, size: int = _ESTIMATED_BYTES) -> None:
        """Add a Signal of `size` bytes."""
        if self._closed:
            return
        self._buffer.append(signal, size)
        if self._unanswered is not None and self._unanswered.id == signal.id:
            self._buffer.asked(signal)
        self._wake()

    def take_thoughts(
        self, body: bytes, texts: list[str], had: int = 0, origin: str | None = None
    ) -> None:
        """Add the thoughts of a valid body, a Signal or a run, but the first `had` of them.

        They come from the key `origin`, if that is known.
        """
        if self._closed:
            return
        self._buffer.append_thoughts(body, texts, had, origin)
        self._wake()

    def lose(self, count: int) -> None:
        """Record that so many replies are lost on their way before the next one."""
        if not self._closed and self.scope == "all":
            self._buffer.lose(count)

    def unanswered(self, question: Signal) -> None:
        """Record that only a reader may still answer a question, which may arrive later."""
        self._unanswered = question
        self._buffer.asked(question)
        self._end_if_unanswered()

    def answered(self, task: Signal) -> None:
        """Continue with the TASK that an answer led to."""
        self.task = task
        self._unanswered = None
        self._buffer.answered()

    def end(self, outcome: Signal | None) -> None:
        """End it with an outcome; accept no further Signal."""
        if self._closed:
            return
        self._closed = True
        self._outcome = outcome
        self._ended()
        self._cancel = self._ended = self._dropped = (
            _nothing  # frees the objects that they reference
        )
        self._wake()

    def _end_if_unanswered(self) -> None:
        if self._unanswered is not None and self._buffer.has_abandoned_question():
            self.end(self._unanswered)

    def _wake(self) -> None:
        for sleeper in self.sleepers:
            if not sleeper.done():
                sleeper.set_result(None)
