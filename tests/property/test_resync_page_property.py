"""A page of a list or of claims means what its items mean one by one, malformed ones included."""

from unittest.mock import patch

from hypothesis import given
from hypothesis import strategies as st

from zmq_transport.proxy import worker_queries
from zmq_transport.proxy.engine import Engine
from zmq_transport.proxy.tables import SEND
from zmq_transport.wire import greetings, heads, resync_messages
from zmq_transport.wire.heads import Verb
from zmq_transport.wire.resync_messages import Claim, ResendKind

CALLER, WORKER, ABSENT = (
    heads.instance_of(name.ljust(16, b".")) for name in (b"caller", b"worker", b"absent")
)
BAD = 9
"""The number of a task whose item is malformed."""
NUMBERS = st.sampled_from([0, 1, 2, 3, BAD])
LISTS = st.lists(st.tuples(st.sampled_from(list(ResendKind)), NUMBERS), min_size=1, max_size=12)
CLAIMS = st.lists(
    st.tuples(st.sampled_from([Claim.RUNNING, Claim.ANSWERED, Claim.FORGOTTEN]), NUMBERS),
    min_size=1,
    max_size=8,
)


class Told:
    """An engine, and what it wants sent."""

    def __init__(self, given_out):
        self.engine, self.sent = Engine(epoch=b"e" * 16, now_s=0.0), []
        for name in (b"caller", b"worker"):
            secret = name.ljust(16, b".")
            hello = greetings.Hello(secret, heads.instance_of(secret), "demo", "x", b"e" * 16)
            self.say(name, heads.pack(Verb.HELLO, len(body := greetings.pack_hello(hello))), body)
        facts = greetings.pack_map({})
        items = [(int(Verb.REGISTER), 0, 0, 0, heads.NOBODY, heads.NOBODY, n) for n in (1, 0)]
        self.say(b"worker", heads.pack_items(items, address=b"echo"), facts)
        for number in given_out:
            task = task_id(number)
            self.say(b"caller", heads.pack(Verb.TASK, number=9000, task=task, address=b"echo"))
        for page in resync_messages.workers_pages([WORKER, ABSENT]):
            self.say(b"caller", *page)

    def say(self, connection, head, body=b""):
        self.sent += self.engine.on_message(connection, head, body, 5.0)

    def outcome(self):
        """Return whom it asked about which tasks and what it said of others, and what it keeps."""
        said = set()
        for code, connection, head, body in self.sent:
            assert code == SEND
            for verb, _, _, number, task, _, _ in heads.unpack_items(head)[1]:
                said.add((connection, verb, number, task, bytes(body)))
        tables = self.engine.tables
        wanted = {key: query.known for key, query in tables.wanted.items()}
        held = {(entry.caller, entry.task, entry.cancelled) for entry in tables.ledger}
        known = [(peer.instance, peer.listed) for peer in tables.peers]
        return said, wanted, held, known, +tables.counts

    def check(self):
        """Hold what must hold between two messages."""
        wanted, queries = self.engine.tables.wanted, self.engine._resync._wanted.queries.open
        asked_of_all = [
            (query.caller + task, query)
            for query in queries.values()
            if query.only is None
            for task in query.tasks
        ]
        assert len(asked_of_all) == len(wanted) == len(dict(asked_of_all))
        assert dict(asked_of_all) == wanted
        assert not wanted.keys() & {
            entry.caller + entry.task for entry in self.engine.tables.ledger
        }


def task_id(number):
    return bytes([number]) * 16


def listed(kind, number):
    """Return a listed task, or the end of a list, as a message of its own."""
    if kind == ResendKind.END:
        return resync_messages.END_OF_LIST
    body = b"bad" if number == BAD else b"\0\0\0\1"
    head = heads.pack(Verb.RESEND, len(body), kind=kind, number=9000, task=task_id(number))
    return head, body


def claimed(kind, number):
    """Return a claim as a message of its own."""
    body = b"bad" if number == BAD else CALLER + b"echo"
    return heads.pack(Verb.CLAIM, len(body), kind=kind, number=9000, task=task_id(number)), body


def together(messages):
    """Return several messages as one with all their items."""
    items = [item for head, _ in messages for item in heads.unpack_items(head)[1]]
    return heads.pack_items(items), b"".join(body for _, body in messages)


def both_ways(connection, messages, engines):
    """Say the messages to one engine as one, and to the other one by one."""
    whole, alone = engines
    whole.say(connection, *together(messages))
    for message in messages:
        alone.say(connection, *message)
    for each in engines:
        each.check()
    assert whole.outcome() == alone.outcome()


@given(given_out=st.sets(st.integers(0, 3)), rows=LISTS, claims=CLAIMS)
@patch.object(worker_queries, "MAX_OF_CALLER", 1_000)  # one query for a page, many for its items
def test_a_page_is_decided_as_its_items_are(given_out, rows, claims):
    engines = Told(given_out), Told(given_out)

    both_ways(b"caller", [listed(*row) for row in rows], engines)
    both_ways(b"worker", [claimed(*row) for row in claims], engines)
