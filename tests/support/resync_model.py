"""An `Engine` and whole clients, joined by pipes that break: callers, workers, or both.

Each client is the real `Link`, `Outbox`, `ResyncPages` and `ReplyCache`; the shell is replaced.
"""

from collections import deque

from cosmonapse.dendrite.worker.reply_cache import ReplyCache, ReplyStream
from zmq_transport.client.link import Link
from zmq_transport.client.outbox import Outbox
from zmq_transport.client.resync_pages import ResyncPages
from zmq_transport.proxy.engine import Engine
from zmq_transport.wire import greetings, heads, resync_messages
from zmq_transport.wire.heads import ItemFlag, Verb
from zmq_transport.wire.resync_messages import Claim, Held, Opened

SEAT = "work"
LONG_MS = 3_600_000
FULL_TURNS = 20
TO_CALLERS = (Verb.REPLY, Verb.BOUNCE, Verb.LOST)


def _merged(first, second):
    """Return two RESENDs as one message; None for any others, and for too many items."""
    if not first[0] or not second[0]:
        return None
    items = [*heads.unpack_items(first[0])[1], *heads.unpack_items(second[0])[1]]
    if {verb for verb, *_ in items} != {int(Verb.RESEND)} or len(items) > heads.MAX_ITEMS:
        return None
    return heads.pack_items(items), first[1] + second[1]


class Task:
    """The state of one task at its caller, and its true state."""

    def __init__(self, task):
        self.task = task
        self.next_index = 0
        self.outcomes = []
        self.runs = 0
        self.is_excused = False


class Twin:
    """One client process."""

    def __init__(self, model, number, serves):
        secret = number.to_bytes(16, "big")
        self.model, self.serves = model, serves
        self.link = Link(secret, "space", f"twin-{number}")
        self.instance = self.link.instance
        self.outbox, self.resync = Outbox(), ResyncPages()
        self.resync.source = self
        self.answers = ReplyCache()
        self.connection, self.up, self.down = b"", deque(), deque()
        self.untold, self.was_welcomed, self.calls, self.is_full = 0, False, False, False
        self.tasks, self.held, self.streams = {}, {}, {}
        self.link.start()
        self.connect()

    # -- its connection --------------------------------------------------------------------------

    def connect(self):
        self.disconnect()
        self.connection = self.model.serial()
        self.model.by_connection[self.connection] = self
        self.up.append((b"", b""))

    def disconnect(self):
        if self.connection:
            self.model.by_connection.pop(self.connection)
            self.untold += 1
        self.connection, self.is_full = b"", False
        self.up, self.down = deque(), deque()

    def learn_of_disconnection(self):
        if self.untold:
            self.untold -= 1
            self.perform(self.link.on_disconnected())

    def read(self, count):
        for _ in range(min(count, len(self.down))):
            self.perform(self.link.on_message(*self.down.popleft()))

    def transmit(self, head, body):
        """Hand a message to the socket: gone for good if the connection is."""
        if self.connection:
            self.up.append((head, body))

    def send(self, head, body=b""):
        if self.link.ready and not len(self.outbox):
            self.transmit(head, body)
        else:
            self.outbox.push_accepted(head, body, None)

    def flush(self):
        while self.link.ready and (message := self.outbox.first(self.model.now_s)) is not None:
            self.transmit(*message)
            self.outbox.sent()

    def merge_pages(self):
        """Let pages that follow one another go as one message, as 01-wire allows."""
        merged = deque()
        for head, body in self.up:
            last = merged[-1] if merged else (b"", b"")
            merged_one = _merged(last, (head, body))
            if merged_one is None:
                merged.append((head, body))
            else:
                merged[-1] = merged_one
        self.up = merged

    # -- events of its link ----------------------------------------------------------------------

    def perform(self, occurrences):
        for happening, *arguments in occurrences:
            getattr(self, f"on_{happening.name.lower()}", lambda *_: None)(*arguments)

    def on_write(self, head, body):
        self.transmit(head, body)

    def on_returned(self, head, body):
        for alone, part in heads.split(head, body):
            self.outbox.put_back(alone, part, None)

    def on_welcomed(self, welcome, fresh):
        if self.was_welcomed:
            unsent, now_s = self.outbox.tasks(), self.model.now_s
            self.outbox.put_first(self.resync.listing(unsent, now_s, is_new_proxy=fresh))
        self.was_welcomed = True
        self.answers.resume(self.model.now_s)
        if self.serves:
            facts = greetings.pack_map({})
            items = [
                (int(Verb.REGISTER), 0, 0, 0, heads.NOBODY, heads.NOBODY, n)
                for n in (len(facts), 0)
            ]
            self.send(heads.pack_items(items, address=SEAT.encode()), facts)
        for head, body in self.resync.claims():
            self.outbox.push_accepted(head, body, None)
        self.flush()

    def on_away(self, why):
        self.answers.pause()

    def on_workers(self, kind, instances):
        self.resync.on_workers(kind, instances, self.model.now_s)

    def on_asked(self, head):
        messages, again = self.resync.answer(head)
        for message in messages:
            self.send(*message)
        for each in again:
            self.resync.send_again(*each)

    # -- as a caller -----------------------------------------------------------------------------

    def begin_to_call(self):
        self.calls = True
        self.link.mark_as_caller()
        self.send(*resync_messages.WORKERS_REQUEST)

    def dispatch(self):
        if not self.calls:
            self.begin_to_call()
        task = self.model.serial()
        self.tasks[task] = self.model.tasks[self.instance, task] = Task(task)
        if not self.was_welcomed or (self.link.ready and not self.resync._is_complete):
            self.tasks[task].is_excused = True  # it does not know the workers yet
        self.post(task)

    def post(self, task):
        address = SEAT.encode()
        self.send(heads.pack(Verb.TASK, number=LONG_MS, task=task, trace=task, address=address))

    def on_replies(self, worker, items):
        for item in items:
            self.on_reply(worker, *item)

    def on_reply(self, worker, task, trace, kind, index, flags, body):
        known = self.tasks[task]
        assert body == self.instance + task, "a reply to the task of another"
        if known.outcomes or index < known.next_index:
            return
        if index > known.next_index and not flags & ItemFlag.SKIPS:
            gap = Opened(task, task, known.next_index, LONG_MS, keep=False)
            self.send(*resync_messages.gap_message(gap))
            return
        assert index == known.next_index, "a reply is missing"
        known.next_index += 1
        if flags & ItemFlag.SETTLES:
            known.outcomes.append("reply")

    def on_bounce(self, task, reason):
        known = self.tasks[task]
        if not known.outcomes:
            known.outcomes.append(f"bounce {reason}")

    def on_lost(self, task, reason):
        known = self.tasks[task]
        if known.outcomes:
            return
        if reason == "not_started" and not known.next_index:
            self.post(task)
        elif reason == "reply_waits":
            self.send(
                *resync_messages.gap_message(
                    Opened(task, task, known.next_index, LONG_MS, keep=False)
                )
            )
        else:
            known.outcomes.append(f"lost {reason}")

    def cancel(self, task):
        self.tasks[task].outcomes.append("cancelled")
        self.send(heads.pack(Verb.CANCEL, task=task))

    # -- as a worker -----------------------------------------------------------------------------

    def on_tasks(self, caller, address, items):
        for item in items:
            self.on_task(caller, address, *item)

    def on_task(self, caller, address, task, trace, kind, ttl_ms, flags, body):
        assert address == SEAT
        if (caller, task) in self.held:
            return
        if caller + task in self.answers.ended:
            self.send_again(caller, task, 0)
            return
        known = self.model.tasks[caller, task]
        known.runs += 1
        resync = self.model.twin_of(caller).resync
        if self.instance not in resync._known | set(resync._former):
            known.is_excused = True  # its caller has not heard of us yet
        assert known.runs == 1 or known.is_excused, "a task ran twice"
        self.held[caller, task] = 0
        self.streams[caller, task] = ReplyStream()

    def on_cancel(self, caller, task):
        if (caller, task) in self.held:
            self.say((caller, task), settles=True)

    def say(self, key, settles):
        index, (caller, task) = self.held[key], key
        reply = index, 1, caller + task
        self.streams[key].add(reply)
        self.held[key] += 1
        if settles:
            replies = tuple(self.streams.pop(key).replies)
            del self.held[key]
            self.answers.settle(caller + task, replies, 32, self.model.now_s)
        self.reply(caller, task, reply, settles)

    def reply(self, caller, task, reply, settles, skips=False):
        index, kind, body = reply
        flags = ItemFlag.SETTLES * settles | ItemFlag.SKIPS * skips
        head = heads.pack(
            Verb.REPLY,
            len(body),
            peer=caller,
            flags=flags,
            kind=kind,
            number=index,
            task=task,
            trace=task,
        )
        self.send(head, body)

    # -- as a resync source ----------------------------------------------------------------------

    def open_tasks(self):
        open_ones = [each for each in self.tasks.values() if not each.outcomes]
        return [Opened(each.task, each.task, each.next_index, LONG_MS, False) for each in open_ones]

    def held_tasks(self):
        return [self.claim_of(*key) for key in self.held]

    def claim_of(self, caller, task):
        if (caller, task) in self.held:
            return Held(caller, task, task, SEAT, Claim.RUNNING, LONG_MS, keep=False)
        if caller + task not in self.answers.ended:
            return None
        kept = self.answers.ended[caller + task] is not None
        claim = Claim.ANSWERED if kept else Claim.FORGOTTEN
        return Held(caller, task, task, SEAT, claim, 0, keep=False)

    def send_again(self, caller, task, index):
        if (caller, task) in self.held:
            replies, settles = list(self.streams[caller, task].replies), False
        else:
            replies, settles = list(self.answers.get(caller + task)), True
        for each in replies:
            if each[0] >= index:
                self.reply(caller, task, each, settles and each is replies[-1])


class ResyncModel:
    """The engine, its clients, and the time."""

    def __init__(self):
        self.now_s, self._serial = 100.0, 0
        self.by_connection, self.tasks, self.twins = {}, {}, []
        self.everyone = {}
        self.start_engine()

    def serial(self):
        self._serial += 1
        return self._serial.to_bytes(16, "big")

    def start_engine(self):
        self.engine = Engine(epoch=self.serial(), now_s=self.now_s)

    def restart(self):
        for twin in self.twins:
            twin.disconnect()
        self.start_engine()

    def join(self, serves):
        self._serial += 1
        twin = Twin(self, self._serial, serves)
        self.twins.append(twin)
        self.everyone[twin.instance] = twin
        return twin

    def twin_of(self, instance):
        return self.everyone[instance]

    def kill(self, twin):
        """End a process; its tasks are gone with it, those that it sent are no longer awaited."""
        twin.disconnect()
        self.twins.remove(twin)
        for task in twin.tasks.values():
            task.outcomes = task.outcomes or ["caller killed"]

    def leave(self, twin):
        """End a process that says GOODBYE and whose last words are read."""
        twin.transmit(heads.pack(Verb.GOODBYE), b"")
        self.proxy_reads(twin, len(twin.up))
        self.kill(twin)

    def proxy_reads(self, twin, count):
        for _ in range(count):
            if not twin.up:
                return
            head, body = twin.up.popleft()
            self.perform(self.engine.on_message(twin.connection, head, body, self.now_s))

    def perform(self, outputs):
        waiting, turns = deque(outputs), 0
        while waiting:
            turns += 1
            assert turns < 100_000, "the shell would never come to an end"
            _, connection, head, body = waiting.popleft()
            twin = self.by_connection.get(connection)
            if twin is None:
                waiting += self.engine.on_unsent(connection, head, body, False, self.now_s)
            elif twin.is_full and heads.unpack_items(head)[1][0][0] in TO_CALLERS:
                waiting += self.engine.on_unsent(connection, head, body, True, self.now_s)
            else:
                twin.down.append((head, body))

    def time_passes(self, step_s):
        self.now_s += step_s
        self.perform(self.engine.tick(self.now_s))

    # -- the end ---------------------------------------------------------------------------------

    def let_everything_arrive(self):
        while any(twin.up or twin.down or twin.untold for twin in self.twins):
            for twin in self.twins:
                while twin.untold:
                    twin.learn_of_disconnection()
                self.proxy_reads(twin, 1000)
                twin.read(1000)

    def be_quiet(self):
        for twin in self.twins:
            if not twin.connection:
                twin.connect()
        for turn in range(130):
            self.let_everything_arrive()
            if turn == FULL_TURNS:
                for twin in self.twins:
                    twin.is_full = False
            if turn % 10 == 1:
                for twin in self.twins:
                    twin.perform(twin.link.hello_again())
                    for key in list(twin.held):
                        twin.say(key, settles=True)
            self.time_passes(0.1)

    def check_end(self):
        for (caller, _), task in self.tasks.items():
            if self.everyone[caller] in self.twins:
                assert len(task.outcomes) == 1, task.outcomes
        resync, tables = self.engine._resync, self.engine.tables
        assert not tables.wanted
        assert resync._wanted.queries.is_idle
        assert not resync._wanted.queries._progress
        assert not resync._wanted.queries._of_caller
        assert not resync._one_sided_since_s
        assert not len(tables.ledger)
        assert not len(tables.notices)
        self.check_news()

    def check_loads(self):
        tables = self.engine.tables
        entries = list(tables.ledger)
        seats = {entry.seat for entry in entries} | {
            seat for peer in tables.peers for seat in peer.seats.values()
        }
        for seat in seats:
            assert seat.open == {each: None for each in entries if each.seat is seat}
        keys = {entry.caller + entry.task for entry in entries}
        assert not tables.parking.by_key.keys() & keys
        assert not tables.wanted.keys() & keys

    def check_news(self):
        """Hold every caller to know the workers that are here, and no other."""
        for peer in self.engine.tables.peers:
            assert (peer in peer.namespace.callers) == self.everyone[peer.instance].calls
            if peer in peer.namespace.callers:
                workers = {each.instance for each in peer.namespace.peers if each.worker}
                assert self.everyone[peer.instance].resync._known == workers

    def check_empty(self):
        for twin in self.twins:
            twin.disconnect()
        for _ in range(30):
            self.now_s += 0.1
            self.perform(self.engine.tick(self.now_s))
        resync, tables = self.engine._resync, self.engine.tables
        assert not len(tables.peers)
        assert not tables.peers.namespaces
        assert not resync._lists._of
        assert not resync._lists._size
        assert not resync._lists.known
