"""The transport port over a subject: each call is one of a transport written in JavaScript."""

from cosmonapse.keys import public_text, secret_text
from cosmonapse.registry import DendriteRecord, NeuronRecord, SynapseState
from cosmonapse.transport import Held, Opened, Outcome
from zmq_transport import address_of
from zmq_transport.wire.heads import NOBODY

MS = 1000


def ms(timeout_s):
    return None if timeout_s is None else round(timeout_s * MS)


def _topic(topic):
    kind, trace = topic
    return {"kind": kind} if trace is None else {"trace": trace}


class JsSynapse:
    """See `cosmonapse.transport.Synapse`.

    Args:
        channel: The line to the subject that hosts its transports.
        url: Its URL.
        carrier: `zmtp` or `libzmq`.
        key: The key that its connections show; None without one.
    """

    def __init__(self, channel, url, carrier, key=None):
        self.channel, self.url, self.carrier = channel, url, carrier
        self.handle = channel.new_handle(None)
        channel.call(0, "synapse", self.handle, url, carrier, _fields_of(key))

    def __repr__(self):
        return f"JsSynapse({self.url})"

    async def connect(self, timeout_s):
        """See the port."""
        await self.channel.begin(self.handle, "connect", ms(timeout_s))

    def transport(self, namespace, dendrite_id, receiver, max_signal_bytes):
        """See the port."""
        options = {
            "namespace": namespace,
            "name": dendrite_id,
            "maxSignalBytes": max_signal_bytes,
        }
        return JsTransport(self, options, receiver)

    async def close(self):
        """See the port."""
        await self.channel.begin(self.handle, "close")

    def disturb(self, name, *arguments):
        """Do what a harness asks of its connections: `crash`, `lose`, `read`."""
        self.channel.call(self.handle, name, *arguments)


class JsTransport:
    """See `cosmonapse.transport.Transport`."""

    def __init__(self, synapse, options, receiver):
        self.synapse, self.source = synapse, None
        self.is_asked, self._user = False, ""
        self._channel = synapse.channel
        self._handle = self._channel.new_handle(_Events(self, receiver))
        self.instance = self._channel.call(0, "transport", self._handle, synapse.handle, options)

    def _call(self, name, *arguments):
        return self._channel.call(self._handle, "call", name, *arguments)

    async def _begin(self, name, *arguments):
        return await self._channel.begin(self._handle, "call", name, *arguments)

    def _get(self, name):
        return self._channel.call(self._handle, "get", name)

    @property
    def max_signal_bytes(self):
        return self._get("maxSignalBytes")

    @property
    def heartbeat_s(self):
        return self._get("heartbeatMs") / MS

    @property
    def counts(self):
        return self._get("counts")

    @property
    def away_s(self):
        away_ms = self._get("awayMs")
        return None if away_ms is None else away_ms / MS

    @property
    def user(self):
        # While the subject waits for an answer it answers nothing itself.
        if not self.is_asked:
            self._user = self._get("user")
        return self._user

    @property
    def may(self):
        return tuple(self._get("may") or ())

    def origin_of(self, instance):
        return self._call("originOf", instance)

    def resync_from(self, source):
        self.source = source
        self._channel.call(self._handle, "resync")

    async def open(self, timeout_s, topics):
        await self._begin("open", ms(timeout_s), [_topic(each) for each in topics])

    async def close(self, timeout_s):
        if self._channel.is_killed:
            return True
        return await self._channel.begin(self._handle, "close", ms(timeout_s))

    def address_of(self, neuron, capabilities):
        return address_of(neuron, capabilities)

    def send_task(self, address, task, trace, kind, body, ttl_ms, flags):
        text = address.decode()
        target = (None, text[1:].split(",")) if text.startswith("?") else (text, [])
        return Outcome[self._call("sendTask", *target, task, trace, kind, body, ttl_ms, int(flags))]

    def send_reply(self, caller, task, trace, kind, body, index, flags):
        arguments = (caller, task, trace, kind, body, index, int(flags))
        return Outcome[self._call("sendReply", *arguments)]

    def send_gap(self, opened):
        return Outcome[self._call("sendGap", _opened(opened))]

    def send_cancel(self, task, trace):
        return Outcome[self._call("sendCancel", {"task": task, "trace": trace})]

    def send_presence(self, verb, neuron_id, facts, kind, body):
        return Outcome[self._call("sendPresence", verb.name, neuron_id, facts, kind, body)]

    def is_heard(self, kind, trace):
        return self._call("isHeard", kind, trace)

    def publish(self, kind, trace, body, *, seldom=False):
        return self._call("publish", kind, trace, body, seldom)

    @property
    def takes_published(self):
        return self._get("takesPublished")

    @property
    def older_publishers(self):
        return self._get("hasOlderPublishers")

    def send_published(self, recipients, kind, trace, body, peer=NOBODY, address=b""):
        to = {"peer": peer}
        if address:
            to["capabilities"] = address.decode()[1:].split(",")
        arguments = (int(recipients), kind, trace, body, to)
        return Outcome[self._call("sendPublished", *arguments)]

    def listen(self, topic):
        self._call("listen", _topic(topic))

    def unlisten(self, topic):
        self._call("unlisten", _topic(topic))

    async def sync(self, timeout_s):
        await self._begin("sync", ms(timeout_s))

    async def barrier(self, timeout_s):
        return await self._begin("barrier", ms(timeout_s))

    async def drained(self):
        await self._begin("drained")

    async def roster(self, neuron_id, capability, timeout_s):
        asked = {"neuronId": neuron_id, "capability": capability}
        rows = await self._begin("roster", asked, ms(timeout_s))
        return [NeuronRecord(**_snake(row)) for row in rows]

    async def dendrites(self, timeout_s):
        rows = await self._begin("dendrites", ms(timeout_s))
        return [DendriteRecord(**_snake(row)) for row in rows]

    async def state(self, timeout_s):
        state = _snake(await self._begin("state", ms(timeout_s)))
        del state["namespace"]
        return SynapseState(**state)


class _Events:
    """The events and questions of a transport, under the names of the receiver and the source."""

    def __init__(self, transport, receiver):
        self._transport = transport
        self._receiver = receiver

    def __getattr__(self, name):
        return getattr(self._receiver, _EVENTS[name])

    def onTask(self, caller, address, *item):
        self._receiver.on_tasks(caller, address, [item])

    def onReply(self, worker, *item):
        self._receiver.on_replies(worker, [item])

    def onHeard(self, kind, trace, caller, worker, body):
        self._receiver.on_heard(kind, trace, caller, worker, [body])

    def openTasks(self):
        self._transport.is_asked = True
        try:
            return [_opened(each) for each in self._transport.source.open_tasks()]
        finally:
            self._transport.is_asked = False

    def heldTasks(self):
        return [_held(each) for each in self._transport.source.held_tasks()]

    def claimOf(self, caller, task):
        held = self._transport.source.claim_of(caller, task)
        return None if held is None else _held(held)

    def sendAgain(self, caller, task, index):
        self._transport.source.send_again(caller, task, index)


_EVENTS = {
    "onCancel": "on_cancel",
    "onBounce": "on_bounce",
    "onLost": "on_lost",
    "onMissed": "on_missed",
    "onPublished": "on_published",
    "onRegistered": "on_registered",
    "onWelcomed": "on_welcomed",
    "onAway": "on_away",
}


def _fields_of(key):
    """Return the fields of a key, as its file has them."""
    if key is None:
        return None
    return {
        "name": key.name,
        "public": public_text(key.public),
        "secret": secret_text(key.secret),
        "synapse": [public_text(each) for each in key.synapse],
    }


def _camel(name):
    first, *rest = name.split("_")
    return first + "".join(each.capitalize() for each in rest)


def _in_camel(fields):
    return {_camel(name): value for name, value in fields._asdict().items()}


def _opened(opened):
    row = Opened(*opened)
    return {**_in_camel(row), "address": row.address.decode()}


def _held(held):
    return {**_in_camel(Held(*held)), "claim": int(held.claim)}


def _snake(row):
    """Return the fields of a row under the names of this package; times are in seconds there."""
    named = {}
    for name, value in row.items():
        snake = "".join(f"_{each.lower()}" if each.isupper() else each for each in name)
        if snake in _IN_SECONDS:
            named[_IN_SECONDS[snake]] = None if value is None else value / MS
        else:
            named[snake] = tuple(value) if isinstance(value, list) else value
    return named


_IN_SECONDS = {"age_ms": "age_s", "uptime_ms": "uptime_s", "recent_ms": "recent_s", "ts_ms": "ts"}
