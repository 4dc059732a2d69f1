"""An `Engine` among clients made of dicts: a shell without sockets that checks its duties."""

from collections import Counter

from support.engine_twins import EngineTwins
from zmq_transport.access.origin import Origin
from zmq_transport.proxy.settings import Settings
from zmq_transport.proxy.subscriptions import FORWARD, IGNORE
from zmq_transport.proxy.tables import SEND
from zmq_transport.wire import greetings, heads
from zmq_transport.wire.heads import ItemFlag, Verb
from zmq_transport.wire.recipients import Recipients

TO_STRANGERS = {Verb.WHO, Verb.REFUSED, Verb.BOUNCE, Verb.GOODBYE}
NAMESPACES = ("red", "blue")
EPOCH = b"e" * 16
PING = heads.pack(Verb.PING)


class Client:
    """The state of one client."""

    def __init__(self, number: int) -> None:
        self.secret = bytes([number]) * 16
        self.instance = heads.instance_of(self.secret)
        self.namespace = NAMESPACES[number % 2]
        self.connection = b""
        self.held: dict[tuple[bytes, bytes], Task] = {}


class Task:
    """The messages that are owed to the caller of one task."""

    def __init__(self, caller: Client, task: bytes, until_s: float) -> None:
        self.caller, self.task, self.until_s = caller, task, until_s
        self.workers: list[Client] = []
        self.outcomes: list[str] = []
        self.excused = False


class Model:
    """Carries out the decisions of the engine and records the messages of each client."""

    def __init__(self, clients: int = 6, **settings: object) -> None:
        self.now_s = 100.0
        self.engine = EngineTwins(epoch=EPOCH, now_s=self.now_s, settings=Settings(**settings))
        self.clients = [Client(number) for number in range(clients)]
        self.tasks: dict[tuple[bytes, bytes], Task] = {}
        self.by_connection: dict[bytes, Client] = {}
        self.dead: set[bytes] = set()
        self.busy: set[bytes] = set()
        self.ears: dict[int, set[bytes]] = {}
        self.deaf: Counter[bytes] = Counter()
        self.sequences: dict[bytes, int] = {}
        self.published: list[bytes] = []
        self.got: list[tuple[bytes, int]] = []
        self.speaker = b""
        self._serial = 0

    def serial(self) -> bytes:
        """Return 16 bytes that were never returned before."""
        self._serial += 1
        return self._serial.to_bytes(16, "big")

    def knows(self, client: Client) -> bool:
        return client.connection in self.engine.tables.peers.by_connection

    def is_up(self, client: Client) -> bool:
        return self.knows(client) and client.connection not in self.dead

    def receive(self, connection: bytes, head: bytes, body: bytes = b"") -> None:
        """Pass a message to the engine; `got` and `published` hold its output."""
        self.got, self.published, self.speaker = [], [], connection
        self.perform(self.engine.on_message(connection, head, body, self.now_s))

    def could_serve(self, namespace: str, address: bytes) -> bool:
        """Return whether a live seat fits the address, and none that fits is stalled."""
        namespace = self.engine.tables.peers.namespaces.get(namespace)
        wanted = set(address.decode(errors="replace").lstrip("?").split(","))
        by_name = not address.startswith(b"?")
        fitting = [
            seat
            for seat in (namespace.routes if namespace else ())
            if (seat.address == address if by_name else wanted <= seat.capabilities)
        ]
        up = [seat for seat in fitting if seat.available and seat.peer.connection not in self.dead]
        return bool(up) and not any(seat.peer.connection in self.busy for seat in fitting)

    def strike_next(self, namespace: str, address: bytes) -> None:
        """Cut the connection of the next seat for `address`; the engine does not know it yet."""
        is_known = namespace in self.engine.tables.peers.namespaces
        pool = self.engine.find_pool(namespace, address) if is_known and address.isascii() else None
        seat = pool.next() if pool else None
        if seat is not None:
            self.excuse(self.by_connection[seat.peer.connection])
            self.dead.add(seat.peer.connection)

    def tick(self) -> None:
        """Let a tick pass; it probes every worker that had a task and is not known to be away."""
        had_tasks = list(self.engine.tables.ledger)
        outputs = self.engine.tick(self.now_s)
        probed = {each[1] for each in outputs if each[0] == SEND and each[2] == PING}
        for entry in had_tasks:
            peer, is_open = entry.seat.peer, entry in self.engine.tables.ledger
            assert peer.connection in probed or peer.absent_at_s is not None or not is_open
        self.perform(outputs)

    def perform(self, outputs: list) -> None:
        waiting, turns = list(outputs), 0
        while waiting:
            turns += 1
            assert turns < 10_000, "the shell would never come to an end"
            code, first, second, body = waiting.pop(0)
            if code != SEND:
                self.note_copy(first, second)
                continue
            verb = heads.unpack_items(second)[1][0][0]
            is_known = first in self.engine.tables.peers.by_connection
            assert is_known or first == self.speaker or verb in TO_STRANGERS
            if first in self.dead or first in self.busy:
                busy = first not in self.dead
                waiting += self.engine.on_unsent(first, second, body, busy, self.now_s)
            else:
                self.got.append((first, verb))
                self.deliver(self.by_connection.get(first), second, body)

    # -- who listens ------------------------------------------------------------------------------

    @property
    def topics(self) -> Counter[bytes]:
        """Every topic, and how many hold it: those included that nobody has noticed to be gone."""
        return self.deaf + Counter(topic for held in self.ears.values() for topic in held)

    def host_of(self, ear: int) -> str:
        return "odd" if ear % 2 else "even"

    def listen(self, topic: bytes, ear: int) -> None:
        """Let an ear subscribe; one that was cut off comes back over a connection of its name."""
        subscriptions, before = self.engine.subscriptions, self.topics[topic]
        if ear not in self.ears:
            self.ears[ear] = set()
            subscriptions.opened(ear)
        decision = subscriptions.subscribe(topic, Origin("", self.host_of(ear), ear))
        if decision != IGNORE:
            assert (decision == FORWARD) == (not before)
            self.ears[ear].add(topic)

    def listen_no_more(self, topic: bytes, ear: int) -> None:
        before = self.topics[topic]
        last = self.engine.subscriptions.unsubscribe(topic, ear)
        held = self.ears.get(ear, set())
        assert last == (before == 1 and topic in held)
        held.discard(topic)
        if last:
            self.sequences.pop(topic, None)

    def cut_ear(self, ear: int) -> None:
        self.engine.subscriptions.closed(ear)
        self.deaf.update(self.ears.pop(ear, ()))

    def release(self, limit: int) -> None:
        """Take back what ended; who is left and who was the last must agree."""
        before, left = self.topics, self.engine.subscriptions.release(limit)
        waiting = self.engine.subscriptions._released
        still_deaf = Counter(topic for held in waiting for topic in held)
        assert still_deaf.total() == max(0, self.deaf.total() - limit)
        self.deaf = still_deaf
        assert set(left) == before.keys() - self.topics.keys()
        for topic in left:
            self.sequences.pop(topic, None)

    def check_subscriptions(self) -> None:
        """Hold the charge of each host to what its ears hold, and copies to who may hear them."""
        subscriptions, held = self.engine.subscriptions, Counter()
        for ear, topics in self.ears.items():
            held[self.host_of(ear)] += len(topics)
        assert +held == subscriptions._by_host
        assert len(subscriptions) == held.total()
        counted = {
            heads.kind_topic(name, kind): state.subscriptions
            for name, space in self.engine.tables.peers.namespaces.items()
            for kind, state in space.subscribed.kinds.items()
        }
        assert counted == dict(self.topics)

    def note_copy(self, topic: bytes, header: bytes) -> None:
        assert self.topics[topic], "nobody listens to this"
        assert heads.unpack_header(header)[1] == self.sequences.get(topic, 0)
        self.sequences[topic] = self.sequences.get(topic, 0) + 1
        self.published.append(topic)

    def deliver(self, client: Client | None, head: bytes, body: bytes) -> None:
        single = heads.unpack_single(head)
        if client is None or single is None:
            return
        peer, verb, flags, _, _, task_id, _, _, _ = single
        if verb == Verb.TASK:
            self.deliver_task(client, self.tasks[peer, task_id])
        elif verb == Verb.CANCEL:
            assert client in self.tasks[peer, task_id].workers
        elif verb in (Verb.REPLY, Verb.BOUNCE, Verb.LOST):
            task = self.tasks[client.instance, task_id]
            assert task.caller.namespace == client.namespace
            if verb != Verb.REPLY or flags & ItemFlag.SETTLES:
                task.outcomes.append(Verb(verb).name)

    def deliver_task(self, client: Client, task: Task) -> None:
        assert client.namespace == task.caller.namespace
        assert not task.workers, "a task runs at one worker"
        task.workers.append(client)
        client.held[task.caller.instance, task.task] = task

    # -- acts of clients -------------------------------------------------------------------------

    def connect(self, client: Client, epoch: bytes = b"") -> None:
        if client.connection:
            self.dead.add(client.connection)
        client.connection = self.serial()
        self.by_connection[client.connection] = client
        self.receive(client.connection, b"")
        assert self.got == [(client.connection, Verb.WHO)]
        hello = greetings.Hello(
            client.secret, client.instance, client.namespace, "client", epoch, publish=True
        )
        body = greetings.pack_hello(hello)
        self.receive(client.connection, heads.pack(Verb.HELLO, len(body)), body)
        assert self.got[0] == (client.connection, Verb.WELCOME)
        assert all(each == (client.connection, Verb.RESEND) for each in self.got[1:])

    def say(
        self, client: Client, verb: Verb, name: str, capabilities: tuple[str, ...] = ()
    ) -> None:
        facts = greetings.pack_map({"capabilities": list(capabilities)} if capabilities else {})
        items = [
            (int(verb), 0, 0, 0, heads.NOBODY, heads.NOBODY, len(facts)),
            (int(verb), 0, 18, 0, heads.NOBODY, heads.NOBODY, 0),
        ]
        self.receive(client.connection, heads.pack_items(items, address=name.encode()), facts)

    def recipients(
        self, sender: Client, bits: int, to: Client, wanted: tuple[str, ...]
    ) -> set[bytes]:
        """Return the connections of those for whom a PUBLISH is meant, by a look at everybody."""
        here = self.engine.tables.peers.by_connection.get(sender.connection)
        meant = {
            peer.connection
            for peer in self.engine.tables.peers
            if (bits & Recipients.HOSTS and peer.seats)
            or (bits & Recipients.PEER and peer.instance == to.instance)
            or (bits & Recipients.CALLERS and peer in peer.namespace.callers)
            or (
                bits & Recipients.OFFERS
                and any(set(wanted) <= seat.capabilities for seat in peer.seats.values())
            )
            if here and peer is not here and peer.namespace is here.namespace
            if peer.absent_at_s is None
        }
        return meant - self.dead - self.busy

    def dispatch(self, client: Client, address: bytes, kind: int, ttl_ms: int, flags: int) -> Task:
        task_id = self.serial()
        task = Task(client, task_id, self.now_s + ttl_ms / 1000)
        self.tasks[client.instance, task_id] = task
        head = heads.pack(
            Verb.TASK, 4, flags=flags, kind=kind, number=ttl_ms, task=task_id, address=address
        )
        self.receive(client.connection, head, b"body")
        return task

    def reply(self, worker: Client, task: Task, *, settles: bool) -> None:
        flags = ItemFlag.SETTLES if settles else 0
        head = heads.pack(
            Verb.REPLY, 5, peer=task.caller.instance, flags=flags, kind=2, task=task.task
        )
        self.receive(worker.connection, head, b"reply")

    def excuse(self, client: Client) -> None:
        """Allow that messages to `client` are lost on the way from now on."""
        for task in self.tasks.values():
            task.excused = task.excused or task.caller is client

    # -- checks ---------------------------------------------------------------------------------

    def check_tasks(self) -> None:
        ledger, parking = self.engine.tables.ledger, self.engine.tables.parking
        for (caller, task_id), task in self.tasks.items():
            is_open = ledger.find(caller, task_id) is not None or parking.holds(caller, task_id)
            assert len(task.outcomes) <= 1
            if not task.excused and self.now_s < task.until_s:
                assert is_open == (not task.outcomes)

    def check_loads(self) -> None:
        tables = self.engine.tables
        seats = {
            seat for namespace in tables.peers.namespaces.values() for seat in namespace.routes
        }
        seats |= {entry.seat for entry in tables.ledger}
        held: dict[object, dict] = {seat: {} for seat in seats}
        loads: Counter[object] = Counter()
        sizes: Counter[object] = Counter()
        for entry in tables.ledger:
            held[entry.seat][entry] = None
            loads[entry.seat.peer] += 1
            sizes[entry.seat.peer] += entry.body_bytes
        assert all(seat.open == held[seat] for seat in seats)
        assert tables.ledger.count == len(list(tables.ledger)) == sum(loads.values())
        for peer in {*tables.peers, *loads}:
            assert (peer.open_count, peer.open_bytes) == (loads[peer], sizes[peer])

    def check_empty(self) -> None:
        tables = self.engine.tables
        assert not len(tables.peers)
        assert not tables.peers.by_connection
        assert not tables.peers.namespaces
        assert not len(tables.ledger)
        assert not tables.ledger.by_caller
        assert not len(tables.liveness)
        assert not len(tables.parking)
        assert not len(self.engine.subscriptions)
