"""Bodies for tests of the transport alone: a proxy as a process, and a client that keeps events."""

import json
from itertools import count
from pathlib import Path

from zmq_transport import (
    DEFAULT_CARRIER,
    Client,
    ItemFlag,
    Outcome,
    TcpEndpoint,
    Verb,
    ZmqCarrier,
    address_of,
)

PROXY = Path(__file__).with_name("proxy.py")
KIND_HERE, KIND_TASK, KIND_CHATTER, KIND_ANSWER = 1, 7, 8, 9
MAX_BODY_BYTES = 16 * 1024 * 1024
_numbers = count(1)


class RunningProxy:
    """A proxy in a process of its own.

    Args:
        children: The processes that are ended with the test.
        port: Its first port; 0 lets the system choose all of them.
        on: The arguments of `program` that come before the script.
        program: What starts Python, on another host; Python itself by default.
        options: See `proxy.py`.
    """

    def __init__(self, children, port=0, *, on=(), program=None, **options):
        self.host = options.get("host", "127.0.0.1")
        self.child = children.start(*on, PROXY, port, json.dumps(options), program=program)
        self.ports = [int(each) for each in self.child.line("listening").text.split()]

    @property
    def counts(self):
        """Its counters at this moment."""
        question = f"q{next(_numbers)}"
        self.child.tell(question)
        return json.loads(self.child.line(f"counts {question} ").text)


class Party:
    """A client that records its events: `happened` holds (name, arguments), one a task or reply.

    Args:
        running: The proxy that it is a client of.
        answers: If true it echoes each task at once, after as many other
            replies as `chatter` says.
        carrier: `zmtp` or `libzmq`.
    """

    def __init__(
        self, running, *, answers=False, chatter=0, namespace="test", carrier=DEFAULT_CARRIER
    ):
        self.happened = []
        self._answers = answers
        self._chatter = chatter
        self._seat = None
        where = TcpEndpoint(getattr(running, "host", "127.0.0.1"), running.ports[0])
        self.carrier = ZmqCarrier(where, MAX_BODY_BYTES, carrier)
        name = f"party-{next(_numbers)}"
        self.client = Client(self.carrier, namespace=namespace, name=name, receiver=self)

    async def __aenter__(self):
        await self.client.open(5.0)
        return self

    async def __aexit__(self, *_):
        await self.client.close()

    def of(self, what):
        """Return the arguments of each event of that kind."""
        return [arguments for each, *arguments in self.happened if each == what]

    def take_seat(self, name):
        """Serve a name, from now on and after each welcome."""
        self._seat = name
        self.client.send_presence(Verb.REGISTER, name, {"capabilities": []}, KIND_HERE, b"here")

    def send(self, name, number, *, ttl_ms=10_000, trace=None):
        """Send a task with a number for a body."""
        body = str(number).encode()
        task = number.to_bytes(16, "big")
        outcome = self.client.send_task(
            address_of(name), task, trace or task, KIND_TASK, body, ttl_ms
        )
        assert outcome in (Outcome.SENT, Outcome.WAITING)
        return task

    def on_welcomed(self, fresh):
        self.happened.append(("on_welcomed", fresh))
        if self._seat is not None:
            self.take_seat(self._seat)

    def on_tasks(self, caller, address, items):
        for task, trace, _, _, _, body in items:
            self.happened.append(("on_tasks", caller, task, body))
            for index in range(self._chatter):
                self.client.send_reply(caller, task, trace, KIND_CHATTER, body, index)
            if self._answers:
                self.client.send_reply(
                    caller, task, trace, KIND_ANSWER, body, self._chatter, ItemFlag.SETTLES
                )

    def on_replies(self, worker, items):
        self.happened += [("on_replies", worker, *item) for item in items]

    def on_heard(self, kind, trace, caller, worker, bodies):
        self.happened += [("on_heard", kind, trace, caller, worker, body) for body in bodies]

    def __getattr__(self, name):
        if not name.startswith("on_"):
            raise AttributeError(name)
        return lambda *arguments: self.happened.append((name, *arguments))
