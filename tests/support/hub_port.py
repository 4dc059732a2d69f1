"""The shell of a hub, for tests: it records what goes out, and has as much room as it is told."""

from zmq_transport.proxy.engine import Engine
from zmq_transport.proxy.hub import Hub
from zmq_transport.proxy.settings import Settings
from zmq_transport.sockets.sent import Sent
from zmq_transport.wire import greetings, heads
from zmq_transport.wire.bundle import split_bundle
from zmq_transport.wire.heads import Verb

PLENTY = 1_000_000
NOW_S = 100.0


class RecordingPort:
    """A `HubPort`.

    Attributes:
        room: By connection, how many messages it takes; any number by default.
        gone: Connections that are not there.
        sent: The directed messages that it took: connection, head, body.
        log: Everything else that was asked of it, in order.
    """

    def __init__(self):
        self.room = {}
        self.gone = set()
        self.sent = []
        self.log = []

    def send(self, connection, head, body):
        if connection in self.gone:
            return Sent.UNREACHABLE
        if self.room.get(connection, PLENTY) <= 0:
            return Sent.BUSY
        self.room[connection] = self.room.get(connection, PLENTY) - 1
        self.sent.append((connection, head, bytes(body)))
        self.log.append(("send", connection))
        return Sent.OK

    def publish(self, topic, header, body):
        self.log.append(("publish", topic, header, bytes(body)))

    def answer(self, connection, topic, header, body):
        self.log.append(("answer", connection, topic))

    def tell(self, joins, topic):
        self.log.append(("tell", joins, topic))

    def tell_one(self, connection, joins, topic):
        self.log.append(("tell_one", connection, joins, topic))

    def cut(self, connection, reason):
        self.log.append(("cut", connection, reason))

    def take(self, name):
        """Remove and return the entries of the log that begin with `name`, without it."""
        taken = [entry[1:] for entry in self.log if entry[0] == name]
        self.log = [entry for entry in self.log if entry[0] != name]
        return taken

    def messages_to(self, connection):
        """Return what a connection got: (verb, task, body) of each, bundles taken apart."""
        found = []
        for to, head, body in self.sent:
            if to == connection:
                for each, part in split_bundle(head, body):
                    _, items, _ = heads.unpack_items(each)
                    verb, _, _, _, task, _, _ = items[0]
                    found.append((Verb(verb), task, bytes(part)))
        return found


class HubBench:
    """A hub, its port, and clients that greet."""

    def __init__(self, *, access=None, lost_notice=None, **settings):
        extra = {} if lost_notice is None else {"lost_notice": lost_notice}
        self.engine = Engine(
            epoch=b"e" * 16, now_s=NOW_S, settings=Settings(**settings), access=access, **extra
        )
        self.port = RecordingPort()
        self.hub = Hub(self.engine, self.port)

    @property
    def counts(self):
        return self.engine.counts

    def say(self, connection, head, body=b""):
        self.hub.on_message(connection, head, body, NOW_S)

    def join(self, name, *seats):
        """Let a client greet, and register names; return its connection and instance id."""
        connection, secret = name.encode(), name.encode().ljust(16, b".")
        instance = heads.instance_of(secret)
        self.hub.opened(connection)
        hello = greetings.Hello(secret=secret, instance=instance, namespace="demo", name=name)
        body = greetings.pack_hello(hello)
        self.say(connection, heads.pack(Verb.HELLO, len(body)), body)
        facts = greetings.pack_map({"capabilities": []})
        for seat in seats:
            item = (int(Verb.REGISTER), 0, 0, 0, heads.NOBODY, heads.NOBODY)
            head = heads.pack_items([(*item, len(facts)), (*item, 0)], address=seat.encode())
            self.say(connection, head, facts)
        self.hub.flush()
        self.port.sent.clear()
        self.port.log.clear()
        return connection, instance

    def task(self, connection, number, address):
        """Send a TASK with a number for its id."""
        head = heads.pack(
            Verb.TASK, 4, number=60_000, task=task_id(number), trace=b"r" * 16, address=address
        )
        self.say(connection, head, b"work")


def task_id(number):
    """Return the id of the task of a number."""
    return number.to_bytes(16, "big")
