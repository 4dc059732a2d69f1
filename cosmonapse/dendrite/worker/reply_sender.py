"""The replies of the tasks of a Dendrite: encodes, sends and stores them.

Spec: docs/spec/03-routing.md, "Replies"; docs/spec/07-signals.md, "At the worker". An output that
nobody watches here is sent without a Signal of it; the way by a Signal is the reference, and both
give the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from ... import kernel
from ...axon import Axon
from ...cards import CARD_MARK
from ...codec import packed
from ...errors import UnencodableValue
from ...ids import id_text
from ...payloads import error_payload
from ...raised import described, safely
from ...runtime import clock
from ...runtime.loop_clock import LoopClock
from ...signals import QUESTIONS, Signal, SignalType
from ...telemetry.task_observer import Observers
from ...telemetry.trace_context import passed_on
from ...transport import Outcome, ReplyFlag, Transport
from ..watch.subscriptions import Subscriptions
from .job import Job
from .open_run import OpenRun
from .reply_cache import Answered, ReplyCache, ReplyStream
from .reply_times import ReplyTimes

_SETTLES = int(ReplyFlag.SETTLES)
_RUN = int(ReplyFlag.RUN)
_THOUGHT = SignalType.THOUGHT_DELTA.code
_TOOLS = frozenset({SignalType.TOOL_CALL, SignalType.TOOL_RESULT})
_KEY_OF_OUTPUT: Mapping[SignalType, str] = MappingProxyType(
    {SignalType.AGENT_OUTPUT: "output", SignalType.FINAL: "result"}
)
_UNSENT: Mapping[Outcome, str] = MappingProxyType(
    {
        Outcome.BUSY: "drop.reply_busy",
        Outcome.TOO_LARGE: "drop.reply_too_large",
        Outcome.CLOSED: "drop.reply_closed",
    }
)
_REFUSED: Mapping[str, str] = MappingProxyType(
    {
        "NO_SUCH_NEURON": "refused.no_such_neuron",
        "BAD_SIGNAL": "refused.bad_signal",
        "REPLY_LOST": "refused.reply_lost",
    }
)


class ReplySender:
    """Sends the replies of jobs.

    Args:
        transport: Carries them.
        subscriptions: The handlers that receive copies of our own traffic.
        counts: The counters of the worker's side.
        dendrite_id: The id of this Dendrite, for the meta of a reply.

    Attributes:
        reply_cache: The replies of the tasks that have ended here.
        enabled: False to make a Signal of every output; for tests of both ways.
        observer: Is told about every task.
    """

    def __init__(
        self,
        transport: Transport,
        subscriptions: Subscriptions,
        counts: Counter[str],
        dendrite_id: str,
    ) -> None:
        self.reply_cache = ReplyCache()
        self._transport = transport
        self._subscriptions = subscriptions
        self._counts = counts
        self._clock = LoopClock()
        self._meta: dict[str, Any] = {"dendrite": dendrite_id}
        self._times = ReplyTimes(self._meta)
        self._key_bytes = {signal_type: packed(key) for signal_type, key in _KEY_OF_OUTPUT.items()}
        self.enabled = True
        self.observer: Observers | None = None

    def send(self, job: Job, signal: Signal, body: bytes, settles: bool) -> Outcome:
        """Send one reply of a job, and pass it to our own handlers."""
        code, flags = signal.type.code, _SETTLES if settles else 0
        outcome = self._transport.send_reply(
            job.caller, job.task, job.trace, code, body, job.index, flags
        )
        self._sent(job, code, body, settles, outcome)
        if self.observer is not None and not settles and outcome is not Outcome.BUSY:
            _tell(self.observer, job, signal)
        # 03-routing, "CANCEL", 2: the caller has published how a cancelled task ended.
        if self._subscriptions.watches_tasks and not (job.caller_cancelled and settles):
            self.show(job, signal)
        return outcome

    def may_run(self, task: Signal) -> bool:
        """Return whether the thoughts about a TASK may travel as runs."""
        has_room = self._transport.max_signal_bytes >= kernel.MAX_RUN_BYTES
        return has_room and task.id.isascii() and task.trace_id.isascii()

    def is_watched(self, job: Job) -> bool:
        """Return whether a handler of ours wants the thoughts of a job."""
        subscriptions = self._subscriptions
        return subscriptions.watches_tasks and subscriptions.may_want(
            SignalType.THOUGHT_DELTA, job.signal.trace_id
        )

    def send_run(self, job: Job, run: OpenRun, is_last: bool) -> Outcome:
        """Send the thoughts of one turn as one item.

        If they are the last and find no room, they are kept: the caller sees the gap before the
        reply that ends the task, and asks for them.
        """
        index, task, texts = job.index, job.signal, run.texts
        body = kernel.encode_thoughts(
            run.first_id, task.trace_id, task.id, job.slots.producer, run.ts, run.seq, texts
        )
        outcome = self._transport.send_reply(
            job.caller, job.task, job.trace, _THOUGHT, body, index, _RUN if len(texts) > 1 else 0
        )
        is_busy = outcome is Outcome.BUSY
        is_kept = is_last and is_busy
        if outcome in _UNSENT and (is_last or not is_busy):  # a busy one is sent again
            self._counts[_UNSENT[outcome]] += len(texts)
        if is_kept or outcome is Outcome.SENT or outcome is Outcome.WAITING:
            job.index = index + len(texts)
            job.stream = job.stream or ReplyStream()
            job.stream.add((index, len(texts), _THOUGHT, body))
            if run.seq == 0 and self.observer is not None:
                self.observer.on_first_said(job)
        return outcome

    def show(self, job: Job, signal: Signal) -> None:
        """Pass a Signal of a job to our own handlers, unless this Dendrite is its caller too."""
        subscriptions = self._subscriptions
        if job.caller != self._transport.instance and subscriptions.may_want(
            signal.type, signal.trace_id
        ):
            if signal is not job.signal and subscriptions.senders.have_names:
                subscriptions.senders.mark_own(signal)
            subscriptions.feed(signal)

    def settle(self, job: Job, signal_type: SignalType, payload: dict[str, Any]) -> None:
        """Send the last reply of a job."""
        if job.runs is not None:
            job.runs.end()
            job.runs = None  # it has the job, and a circle is left to the garbage collector
        if signal_type is SignalType.AGENT_OUTPUT and job.signal.payload.get("finalize") is True:
            signal_type, payload = SignalType.FINAL, {"result": payload["output"]}
        if self._settle_plainly(job, signal_type, payload):
            if self.observer is not None:
                self.observer.on_end(job, signal_type, payload)
            return
        meta = self._times.of(job.arrived_at_s, job.started_at_s, self._clock.now_s())
        signal, body = self._encoded(job, signal_type, payload, meta)
        job.settled = True
        self.send(job, signal, body, True)
        if self.observer is not None:
            self.observer.on_end(job, signal.type, signal.payload)

    def _settle_plainly(self, job: Job, signal_type: SignalType, payload: dict[str, Any]) -> bool:
        """Send an output without a Signal of it; return False if it needs one."""
        key, task, subscriptions = self._key_bytes.get(signal_type), job.signal, self._subscriptions
        if (
            key is None
            or not self.enabled
            or job.started_at_s is None
            or (subscriptions.watches_tasks and subscriptions.may_want(signal_type, task.trace_id))
        ):
            return False
        code, now_s = signal_type.code, self._clock.now_s()
        (value,) = payload.values()
        body = kernel.encode_reply(
            code,
            task.trace_id,
            task.id,
            job.slots.producer,
            key,
            value,
            self._times.packed(job.arrived_at_s, job.started_at_s, now_s),
            clock.now_ts(),
        )
        if body is None:
            return False
        outcome = self._transport.send_reply(
            job.caller, job.task, job.trace, code, body, job.index, _SETTLES
        )
        if outcome is not Outcome.SENT and len(body) > self._transport.max_signal_bytes:
            return False  # 08-port, P28: nothing of it left
        job.settled = True
        if outcome is Outcome.SENT and job.index == 0 and job.stream is None:
            job.index = 1
            self.reply_cache.settle(job.key, body, len(body), now_s)
        else:
            self._sent(job, code, body, True, outcome)
        return True

    def _sent(self, job: Job, code: int, body: bytes, settles: bool, outcome: Outcome) -> None:
        """Store a reply that was passed to the transport, in case it gets lost."""
        index = job.index
        if settles:
            self._store(job, index, code, body)
        if outcome is Outcome.SENT or outcome is Outcome.WAITING:
            job.index = index + 1
            if not settles:
                job.stream = job.stream or ReplyStream()
                job.stream.add((index, 1, code, body))
        elif settles:
            self._counts[_UNSENT[outcome]] += 1

    def _store(self, job: Job, index: int, code: int, body: bytes) -> None:
        answered: Answered = body
        size = len(body)
        if index or job.stream is not None:
            stream = job.stream.replies if job.stream is not None else ()
            answered = (*stream, (index, 1, code, body))
            size = sum(len(each) for *_, each in answered)
        self.reply_cache.settle(job.key, answered, size, self._clock.now_s())

    def _encoded(
        self, job: Job, signal_type: SignalType, payload: dict[str, Any], meta: dict[str, Any]
    ) -> tuple[Signal, bytes]:
        """Return the last reply of a job, or ERROR `BAD_OUTPUT` if its output cannot be sent."""
        producer = job.slots.axon.producer
        limit = self._transport.max_signal_bytes
        # 07-signals, "Questions", 1 and 6: another Dendrite can continue the task with it when the
        # caller is gone.
        metas = [meta]
        if signal_type in QUESTIONS:
            trace = passed_on(job.signal.meta)  # "Trace context", 5
            metas.insert(0, {**meta, **trace, "task": job.signal.payload})
        try:
            for each in metas:
                signal = job.signal.reply(
                    signal_type, payload=payload, directed=producer, meta=each
                )
                body = signal.encode()
                if len(body) <= limit:
                    return signal, body
            fault = f"the output has {len(body):,} bytes, the limit is {limit:,}"
        except UnencodableValue as error:
            fault = str(error)
        except BaseException as error:  # noqa: BLE001  # a class of the user's that breaks its base
            fault = f"the output cannot be read: {safely(described, error, otherwise='it raised')}"
        self._counts["bad_output"] += 1
        signal = job.signal.reply(
            SignalType.ERROR,
            payload=error_payload("BAD_OUTPUT", fault),
            directed=producer,
            meta=meta,
        )
        return signal, signal.encode()

    def send_card(self, caller: bytes, task: bytes, trace: bytes, axon: Axon) -> None:
        """Answer a TASK that asks for the card of an Axon; it is no task of the function."""
        signal = Signal(
            type=SignalType.AGENT_OUTPUT,
            payload={"output": axon.card.as_dict()},
            trace_id=id_text("trc_", trace),
            parent_id=id_text("evt_", task),
            directed=axon.producer,
            meta={**self._meta, CARD_MARK: True},
        )
        code_byte = SignalType.AGENT_OUTPUT.code
        self._transport.send_reply(caller, task, trace, code_byte, signal.encode(), 0, _SETTLES)

    def refuse(self, caller: bytes, task: bytes, trace: bytes, code: str, message: str) -> None:
        """Answer a TASK that cannot be read or that no Axon here serves."""
        self._counts[_REFUSED[code]] += 1
        signal = Signal(
            type=SignalType.ERROR,
            payload=error_payload(code, message),
            trace_id=id_text("trc_", trace),
            parent_id=id_text("evt_", task),
            meta=self._meta,
        )
        code_byte = SignalType.ERROR.code
        self._transport.send_reply(caller, task, trace, code_byte, signal.encode(), 0, _SETTLES)


def _tell(observer: Observers, job: Job, signal: Signal) -> None:
    """Tell an observer of a Signal before the last reply, if it is one that it is told of."""
    if signal.type in _TOOLS:
        observer.on_tool(job, signal)
    elif signal.type is SignalType.THOUGHT_DELTA and signal.payload.get("seq") == 0:
        observer.on_first_said(job)
