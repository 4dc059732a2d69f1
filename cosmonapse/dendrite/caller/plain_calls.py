"""Plain calls at their caller: a neuron, an input, one reply, and nobody who looks on.

Spec: docs/spec/03-routing.md, "At the caller". What is not plain is left to the `Dispatcher`, whose
way is the reference: both give the same bytes, outcomes, order and counters.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable

from ... import kernel
from ...errors import BadSignal
from ...runtime import clock
from ...runtime.deadline_timer import DeadlineTimer
from ...runtime.loop_clock import LoopClock
from ...signals import SignalType
from ...tasks import named
from ...telemetry.task_observer import Observers
from ...transport import Outcome, ReplyFlag, ReplyItem, TaskFlag, Transport
from ..watch.subscriptions import Subscriptions
from .open_tasks import OpenTask, OpenTasks, checked_timeout

_LOG = logging.getLogger(__name__)
_TASK = SignalType.TASK
_TASK_CODE = SignalType.TASK.code
_OUTPUTS = frozenset({SignalType.AGENT_OUTPUT, SignalType.FINAL})
# A plain int: an operation on an IntFlag costs more than all the rest.
_SETTLES = int(ReplyFlag.SETTLES)
_READS_RUNS = int(TaskFlag.RUN)

Destination = tuple[bytes, bytes]
"""The `directed` of a TASK as bytes, and its address."""


class PlainCalls:
    """Sends a TASK without a Signal of it, and passes the reply straight to the waiting caller.

    Args:
        transport: Carries the TASKs.
        subscriptions: The handlers that receive copies of our own traffic.
        open_tasks: Receives every task that is sent.
        timer: Ends them at their deadlines.
        not_sent: Handles every outcome of a send but SENT.
        on_reply: Handles a reply that is not plain.

    Attributes:
        enabled: False to leave everything to the reference; for tests of both ways.
        observer: Is told about every task.
    """

    def __init__(
        self,
        transport: Transport,
        subscriptions: Subscriptions,
        open_tasks: OpenTasks,
        timer: DeadlineTimer,
        not_sent: Callable[[OpenTask, Outcome], None],
        on_reply: Callable[..., None],
    ) -> None:
        self._transport = transport
        self._subscriptions = subscriptions
        self._open_tasks = open_tasks
        self._timer = timer
        self._not_sent = not_sent
        self._on_reply = on_reply
        self._clock = LoopClock()
        self.destination = functools.lru_cache(maxsize=1024)(self._destination)
        self.enabled = True
        self.observer: Observers | None = None

    def _destination(self, neuron: str) -> Destination:
        """Return the destination of a neuron, for `start`.

        Raises:
            InvalidName: `neuron` is not a valid name.
        """
        directed = named(neuron)
        address = self._transport.address_of(directed.id, directed.capabilities)
        return kernel.encode_directed(directed), address

    def start(
        self, destination: Destination, given: object, timeout_s: float, answer_elsewhere: bool
    ) -> OpenTask | None:
        """Send a TASK that begins a trace; its `waiter` receives the Signal that settles it.

        Args:
            destination: From `destination`.
            given: The input.
            timeout_s: The longest time that it may take.
            answer_elsewhere: See `Dispatcher.wait`.

        Returns:
            The open task. None, and nothing is done, if it is not plain.

        Raises:
            ValueError: `timeout_s` is invalid.
            DendriteProtocolError: This Dendrite is not running.
            SignalTooLarge: The Synapse has a lower limit.
        """
        timeout_s = checked_timeout(timeout_s)
        subscriptions, transport, observer = self._subscriptions, self._transport, self.observer
        # Nobody can watch the new trace; `settle` waits for subscriptions that are on their way.
        if (
            not self.enabled
            or subscriptions.out_of_date
            or (observer is not None and observer.reads_signals)
            or (subscriptions.watches_tasks and subscriptions.may_want(_TASK, ""))
        ):
            return None
        directed, address = destination
        made = kernel.encode_task(directed, given, clock.now_ts())
        if made is None:
            return None
        task, body = made
        waiter = self._clock.loop().create_future()
        opened = OpenTask(
            task, task, None, body, timeout_s, waiter, None, answer_elsewhere, address
        )
        ttl_ms = max(1, int(timeout_s * 1000))
        outcome = transport.send_task(address, task, task, _TASK_CODE, body, ttl_ms, _READS_RUNS)
        if outcome is not Outcome.SENT:
            if len(body) > transport.max_signal_bytes:
                return None  # 08-port, P28: nothing of it left
            self._not_sent(opened, outcome)
        self._open_tasks.open(opened, self._clock.now_s())
        if opened.expires_at_s < self._timer.armed_at_s:
            self._timer.arm(opened.expires_at_s)
        if observer is not None:
            observer.on_sent(opened)
        return opened

    def on_replies(self, worker: bytes, items: list[ReplyItem]) -> None:
        """Handle the replies of one message."""
        settles_plainly, on_reply = self._settles_plainly, self._on_reply
        for item in items:
            try:
                if not settles_plainly(worker, item):
                    on_reply(worker, *item)
            except Exception:  # noqa: BLE001  # the last door: one reply must not cost the others
                _LOG.exception("a reply could not be handled and is dropped")

    def _settles_plainly(self, worker: bytes, item: ReplyItem) -> bool:
        """Pass an output to its waiting caller; return False if it is anything else."""
        task, _, _, index, flags, body = item
        opened = self._open_tasks.get(task)
        if (
            opened is None
            or flags != _SETTLES
            or index
            or opened.next_index
            or (waiter := opened.waiter) is None
            or opened.pathway is not None
            or not self.enabled
            or not opened.is_observed
        ):
            return False
        try:
            signal = kernel.decode_signal(body)
        except BadSignal:
            return False  # the reference says what happens then
        if signal.type not in _OUTPUTS:
            return False
        self._open_tasks.settled(opened, worker)
        subscriptions = self._subscriptions
        if subscriptions.senders.have_names:
            subscriptions.senders.mark(signal, worker)
        if subscriptions.watches_tasks and subscriptions.may_want(signal.type, signal.trace_id):
            subscriptions.feed(signal)
        if self.observer is not None:
            self.observer.on_settled(opened, signal)
        if not waiter.done():
            waiter.set_result(signal)
        return True
