"""Dispatching: a TASK goes out, its outcome comes back. A thin shell around `delivery`."""

from __future__ import annotations

import asyncio
import math

from ..delivery import Delivery, OpenTask, code_of, error_for
from ..errors import BadSignal, DendriteProtocolError, SignalTooLarge
from ..ids import id_bytes
from ..signals import TYPE_OF_CODE, Directed, Signal, SignalType
from ..transport import Outcome, Transport
from .timer import Sweeper
from .watching import Watching

_SETTLES = 1
_BREATH = 64
_MAX_TIMEOUT_S = 30 * 86_400.0
Waiter = asyncio.Future[Signal] | None


class Dispatcher:
    """The caller's side of a Dendrite.

    Args:
        transport: What carries the TASKs.
        watching: Whose handlers see our own traffic.
    """

    def __init__(self, transport: Transport, watching: Watching) -> None:
        self._transport = transport
        self._watching = watching
        self._delivery = Delivery()
        self._sweeper = Sweeper(self._delivery.next_deadline_at_s, self._expire)
        self.counts = self._delivery.counts
        self._sent = 0

    async def send(self, signal: Signal, timeout_s: float) -> None:
        """Send a TASK that runs on when we go; its outcome shows in the handlers."""
        opened, body = self._prepared(signal, timeout_s, None)
        await self._watching.settle()
        self._launch(opened, body)
        self._sent += 1
        if self._sent % _BREATH == 0:
            await asyncio.sleep(0)  # a loop of dispatches must not stop the others

    async def wait(self, signal: Signal, timeout_s: float) -> Signal:
        """Send a TASK and return the Signal that settles it.

        Raises:
            TimeoutError: Nothing settled it in time; a CANCEL is on its way.
        """
        waiter: asyncio.Future[Signal] = asyncio.get_running_loop().create_future()
        opened, body = self._prepared(signal, timeout_s, waiter)
        if self._watching.out_of_date:
            await self._watching.settle()
        self._launch(opened, body)
        try:
            return await waiter
        except asyncio.CancelledError:
            if self._delivery.close(opened.task) is not None:
                self._transport.send_cancel(opened.task, opened.trace)
                self._give_up(opened, "CANCELLED")
            raise

    def _prepared(self, signal: Signal, timeout_s: float, waiter: Waiter) -> tuple[OpenTask, bytes]:
        """Return a TASK ready to go, and its bytes; what is wrong shows before it leaves."""
        timeout_s = checked_timeout(timeout_s)
        body = signal.encode()
        if len(body) > self._transport.max_signal_bytes:
            raise SignalTooLarge(len(body), self._transport.max_signal_bytes)
        task, trace = id_bytes(signal.id), id_bytes(signal.trace_id)
        return OpenTask(task, trace, signal, timeout_s, waiter), body

    def _launch(self, opened: OpenTask, body: bytes) -> None:
        signal = opened.signal
        directed = signal.directed or Directed()
        outcome = self._transport.send_task(
            directed.id,
            directed.capabilities,
            opened.task,
            opened.trace,
            SignalType.TASK.code,
            body,
            ttl_ms=max(1, int(opened.timeout_s * 1000)),
            keep=opened.waiter is None,
        )
        if outcome is Outcome.CLOSED:
            raise DendriteProtocolError(
                "this Dendrite is not running: dispatch inside 'async with dendrite:'"
            )
        if outcome is Outcome.TOO_LARGE:
            raise SignalTooLarge(len(body), self._transport.max_signal_bytes)
        now_s = asyncio.get_running_loop().time()
        self._delivery.open(opened, now_s)
        self._sweeper.arm(now_s + opened.timeout_s)
        if self._watching.may_want(SignalType.TASK, signal.trace_id):
            self._watching.feed(signal)
        if outcome is Outcome.BUSY:
            self._fail(opened.task, "OVERLOADED")

    def close(self) -> None:
        """End every open task; whoever waits is told that this Dendrite stopped."""
        self._sweeper.close()
        for opened in self._delivery.close_all():
            if opened.waiter is None:
                self.counts["abandoned"] += 1
                continue
            self._transport.send_cancel(opened.task, opened.trace)
            if not opened.waiter.done():
                opened.waiter.set_exception(
                    DendriteProtocolError(f"this Dendrite stopped while {opened.target} worked")
                )
            self._give_up(opened, "CANCELLED")

    # -- what comes back -------------------------------------------------------------------------

    def on_reply(
        self,
        worker: bytes,
        task: bytes,
        trace: bytes,
        kind: int,
        index: int,
        flags: int,
        body: bytes,
    ) -> None:
        """Take a reply: for the handlers, and for who waits if it settles the task."""
        settles = bool(flags & _SETTLES)
        opened = self._delivery.replied(task, worker, index, settles)
        if opened is None:
            return
        trace_id = opened.signal.trace_id
        if not settles and not self._watching.may_want(TYPE_OF_CODE.get(kind), trace_id):
            return
        try:
            signal = Signal.decode(body)
        except BadSignal as error:
            self.counts["drop.bad_signal"] += 1
            if settles:
                self._end(opened, _unreadable(opened, error))
            return
        if settles:
            self._end(opened, signal)
        else:
            self._watching.feed(signal)

    def on_bounce(self, task: bytes, reason: str) -> None:
        """Turn a task that was not delivered into an ERROR."""
        self._fail_for(task, reason, "bounced")

    def on_lost(self, task: bytes, reason: str) -> None:
        """Turn a task that got lost into an ERROR."""
        self._fail_for(task, reason, "lost")

    def _fail_for(self, task: bytes, reason: str, how: str) -> None:
        self.counts[f"{how}.{reason}"] += 1
        opened = self._delivery.close(task)
        if opened is not None:
            self._give_up(opened, code_of(reason, opened))

    def _fail(self, task: bytes, code: str) -> None:
        opened = self._delivery.close(task)
        if opened is not None:
            self._give_up(opened, code)

    def _give_up(self, opened: OpenTask, code: str) -> Signal:
        """Make the ERROR of a task that got no reply, and let everyone see it who looks.

        It names no worker: one that is told to cancel hears of it as everybody else does.
        """
        error = error_for(opened, code)
        own = self._transport.instance
        if self._transport.is_heard(SignalType.ERROR.code, opened.trace):
            self._transport.publish(
                SignalType.ERROR.code, opened.trace, own, bytes(16), error.encode()
            )
        self._end(opened, error)
        return error

    def _end(self, opened: OpenTask, signal: Signal) -> None:
        if self._watching.may_want(signal.type, signal.trace_id):
            self._watching.feed(signal)
        if opened.waiter is None or opened.waiter.done():
            return
        if signal.type is SignalType.ERROR and signal.payload.get("code") == "EXPIRED":
            opened.waiter.set_exception(_timeout_of(opened))  # whoever noticed it first
        else:
            opened.waiter.set_result(signal)

    def _expire(self, now_s: float) -> None:
        for opened in self._delivery.expire(now_s):
            self.counts["timeout"] += 1
            self._transport.send_cancel(opened.task, opened.trace)
            self._give_up(opened, "EXPIRED")


def checked_timeout(timeout_s: float) -> float:
    """Return `timeout_s` if it is a length of time.

    Raises:
        ValueError: It is not over 0 and at most 30 days.
    """
    if not isinstance(timeout_s, (int, float)) or not math.isfinite(timeout_s):
        raise ValueError(f"timeout_s must be a number of seconds, not {timeout_s!r}")
    if not 0 < timeout_s <= _MAX_TIMEOUT_S:
        raise ValueError(f"timeout_s must be over 0 and at most 30 days, not {timeout_s:g}")
    return float(timeout_s)


def _timeout_of(opened: OpenTask) -> TimeoutError:
    return TimeoutError(
        f"no reply from {opened.target} on trace {opened.signal.trace_id} "
        f"within {opened.timeout_s:g} s"
    )


def _unreadable(opened: OpenTask, error: BadSignal) -> Signal:
    return opened.signal.reply(
        SignalType.ERROR,
        payload={
            "code": "BAD_OUTPUT",
            "message": f"the reply could not be read: {error}",
            "recoverable": False,
        },
        directed=opened.signal.directed,
    )
