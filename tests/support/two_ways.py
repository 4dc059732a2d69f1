"""A caller and a worker over a transport that a script plays, without Synapse, socket and time.

The same script runs with the short ways of the hot path and without them. What it gives is written
down with ids in the order of their first appearance, so that two runs can be compared.
"""

import asyncio
import re

from cosmonapse import Axon
from cosmonapse.dendrite.caller.dispatcher import Dispatcher
from cosmonapse.dendrite.caller.pathways import Pathways
from cosmonapse.dendrite.caller.retries import Retries
from cosmonapse.dendrite.verbs.dispatch import DispatchVerbs
from cosmonapse.dendrite.watch.handlers import Handler
from cosmonapse.dendrite.watch.subscriptions import Subscriptions
from cosmonapse.dendrite.worker.inbox import Inbox
from cosmonapse.ids import id_bytes
from cosmonapse.signals import Signal, SignalType
from cosmonapse.transport import Outcome

OWN, FAR = b"o" * 16, b"f" * 16
TURNS = 6
_AN_ID = re.compile(r"(?:evt|trc)_[0-9a-v]{26}")


class Played:
    """A transport that records what is sent, with the outcomes that the script sets."""

    instance = OWN
    away_s = None

    def __init__(self):
        self.sent = []
        self.tasks = []
        self.max_signal_bytes = 1 << 20
        self.outcome = Outcome.SENT

    def address_of(self, neuron, capabilities):
        return repr((neuron, capabilities)).encode()

    def send_task(self, address, task, trace, kind, body, ttl_ms, flags):
        if len(body) > self.max_signal_bytes:
            return self.outcome if self.outcome is Outcome.CLOSED else Outcome.TOO_LARGE
        self.sent.append(("task", address, task, trace, kind, Signal.decode(body), ttl_ms, flags))
        assert Signal.decode(body).encode() == body
        self.tasks.append((task, trace, Signal.decode(body)))
        return self.outcome

    def send_reply(self, caller, task, trace, kind, body, index, flags):
        if len(body) > self.max_signal_bytes:
            return self.outcome if self.outcome is Outcome.CLOSED else Outcome.TOO_LARGE
        self.sent.append(("reply", caller, task, trace, kind, Signal.decode(body), index, flags))
        assert Signal.decode(body).encode() == body
        return self.outcome

    def send_cancel(self, task, trace):
        self.sent.append(("cancel", task, trace))

    def send_gap(self, opened):
        self.sent.append(("gap", *opened))

    def is_heard(self, kind, trace):
        return True

    def publish(self, kind, trace, body, **how):
        self.sent.append(("publish", kind, trace, Signal.decode(body), how))
        return 1

    def listen(self, topic):
        self.sent.append(("listen", topic))

    unlisten = listen

    async def sync(self, timeout_s):
        return

    async def barrier(self, timeout_s):
        return True

    async def drained(self):
        self.outcome = Outcome.SENT  # now there is room


class Ends(DispatchVerbs):
    """A caller and a worker with one Axon, `here`, on one transport."""

    role = "orchestrator"

    def __init__(self, neuron_fn, *, short):
        super().__init__()
        self.time_s = 1000.0
        asyncio.get_running_loop().time = lambda: self.time_s
        self.transport = Played()
        self.subscriptions = self._subscriptions = Subscriptions(self.transport)
        self.subscriptions.topics()  # from now on a handler subscribes by itself
        self.dispatcher = self._dispatcher = Dispatcher(self.transport, self.subscriptions)
        self._retries = Retries(self._dispatcher, self.subscriptions)
        self._pathways = Pathways(self._dispatcher, self.subscriptions)
        self.inbox = Inbox(self.transport, self.subscriptions, self._dispatcher.wait, "both")
        self.inbox.add(Axon(neuron_id="here", neuron_fn=neuron_fn, concurrency=2, max_queued=2))
        self.dispatcher.plain_calls.enabled = self.inbox._replies.enabled = short
        self.seen = []
        self._watchers = []
        self._settle_here()
        self._state = "running"

    def watch(self, signal_type=None, trace_id=None):
        types = frozenset() if signal_type is None else frozenset({signal_type})
        handler = Handler(self.seen.append, types, trace_id=trace_id, direct=True)
        self._watchers.append(handler)
        self.subscriptions.add(handler)

    def unwatch(self):
        self.subscriptions.remove_all(self._watchers)
        self._watchers.clear()

    async def turns(self):
        for _ in range(TURNS):
            await asyncio.sleep(0)

    async def close(self):
        self.dispatcher.close()
        await self.inbox.drain(0.0)
        await self.turns()
        await self.subscriptions.close()


def outcome_of(call):
    """Return what a call gave: a Signal, an exception, or nothing yet."""
    if not call.done():
        return "waits"
    if call.cancelled():
        return "cancelled"
    return call.exception() or call.result()


class Named:
    """Writes values down with `#n` for the n-th id that occurs in them, and without clock times."""

    def __init__(self):
        self._texts = {}

    def text(self, value):
        """Return a value as text."""
        if isinstance(value, Signal):
            return self._signal(value)
        if isinstance(value, dict):
            value = [*value.items()]
        if isinstance(value, (list, tuple)):
            return "[" + ", ".join(map(self.text, value)) + "]"
        if isinstance(value, bytes) and len(value) == 16:
            return self._name_of(value)
        if isinstance(value, BaseException):
            value = f"{type(value)} {value}"
        return _AN_ID.sub(self._found, value if isinstance(value, str) else repr(value))

    def _found(self, match):
        return self._name_of(id_bytes(match[0]))

    def _name_of(self, key):
        return self._texts.setdefault(key, f"#{len(self._texts)}")

    def _signal(self, value):
        ids = (value.trace_id, value.id, value.parent_id)
        head = " ".join(self._name_of(id_bytes(each)) if each else "-" for each in ids)
        directed = value.directed
        rest = self.text([value.payload, value.meta])
        return f"<{value.type.value} {head} {type(value.ts).__name__} {directed} {rest}>"


def reply_to(signal, shape, value):
    """Return type code and bytes of a reply to a TASK, of one of some shapes."""
    kinds = {
        "output": (SignalType.AGENT_OUTPUT, {"output": {"value": value}}),
        "final": (SignalType.FINAL, {"result": {"value": value}}),
        "error": (SignalType.ERROR, {"code": "BROKEN", "message": "why", "recoverable": False}),
        "expired": (SignalType.ERROR, {"code": "EXPIRED", "message": "why", "recoverable": True}),
        "question": (SignalType.CLARIFICATION, {"question": "which?"}),
        "thought": (SignalType.THOUGHT_DELTA, {"delta": "hm", "seq": 0}),
    }
    if shape in kinds:
        kind, payload = kinds[shape]
        return kind.code, signal.reply(kind, payload=payload).encode()
    kind, payload = kinds["output"]
    body = signal.reply(kind, payload=payload).encode()
    return kind.code, {"cut": body[:-1], "empty": b"", "more": b"\x9a" + body[1:] + b"\xc0"}[shape]
