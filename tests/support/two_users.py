"""An engine between two users, and messages of each at random, the forged ones included."""

import attrs
from hypothesis import strategies as st

from zmq_transport.access.origin import Origin, instance_of_user
from zmq_transport.access.rights import EVERYTHING, Access, Grant
from zmq_transport.proxy.engine import Engine
from zmq_transport.proxy.settings import Settings
from zmq_transport.proxy.tables import PUBLISH, SEND
from zmq_transport.wire import greetings, heads, resync_messages
from zmq_transport.wire.bundle import split_bundle
from zmq_transport.wire.heads import ItemFlag, Verb

ADA, BEN = "ada", "ben"
EPOCH, OLD_EPOCH = b"e" * 16, b"o" * 16
KINDS = (1, 2, 13, 26)
NAMES = ("alpha", "alphabet", "beta")
SPACES = ("demo", "secret")
MAY_HEAR, MAY_PUBLISH = frozenset({13}), frozenset({13})
LIMITED = Grant(
    namespaces=frozenset({"demo"}),
    dispatches=("alpha",),
    serves=("alpha",),
    hears=MAY_HEAR,
    watches=False,
    publishes=MAY_PUBLISH,
    inspects=False,
)

USERS = st.sampled_from([ADA, BEN])
NUMBERS = st.integers(1, 6)
_names = st.sampled_from(NAMES)
_kinds = st.sampled_from(KINDS)
_spaces = st.sampled_from(SPACES)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("register"), USERS, _names),
        st.tuples(st.just("task"), USERS, st.sampled_from([*NAMES, "?count"]), NUMBERS, _kinds),
        st.tuples(st.just("bundle"), USERS, _names, NUMBERS),
        st.tuples(st.just("reply"), USERS, USERS, NUMBERS, _kinds),
        st.tuples(st.just("claim"), USERS, USERS, NUMBERS, _names),
        st.tuples(st.just("open"), USERS, NUMBERS),
        st.tuples(st.just("listen"), USERS, _spaces, st.sampled_from([*KINDS, None])),
        st.tuples(st.just("publish"), USERS, USERS, _spaces, st.sampled_from([*KINDS, None])),
        st.tuples(st.just("hand over"), USERS, _kinds),
        st.tuples(st.just("tick"), st.just(0.1)),
        st.one_of(
            st.tuples(st.just("join"), USERS, USERS, _spaces),
            st.tuples(st.just("leave"), USERS),
            st.tuples(st.just("cut"), USERS),
            st.tuples(st.just("tick"), st.sampled_from([1.1, 10.1])),
        ),
    ),
    min_size=20,
    max_size=60,
)
"""What users do: join (under the instance of whom), leave, register, ask, answer, claim, ..."""


def instance_of(user, has_tag=True):
    secret = user.encode().ljust(16, b".")
    return instance_of_user(secret, user) if has_tag else heads.instance_of(secret)


def read_kind(body):
    """Read the kind that a body says: its first byte after a mark."""
    return body[1] if body[:1] == b"#" else None


class TwoUsers:
    """An engine, and what came out of it: `sent` by whom it was caused, and `published`.

    Args:
        grants: By user; None for an engine without keys.
    """

    def __init__(self, grants, *, has_tag=True, fast=True):
        access = None if grants is None else Access(users={}, grants=grants)
        rules = Settings(published_kinds=frozenset({26}), read_kind=read_kind)
        self.now_s = 100.0
        self.engine = Engine(
            epoch=EPOCH, now_s=self.now_s, settings=rules, access=access, fast=fast
        )
        self._has_tag, self._is_keyed = has_tag, grants is not None
        self._connections = {}
        self._count = 0
        self.said = []
        for ear in (ADA, BEN, "uid:1", "uid:2"):
            self.engine.subscriptions.opened(ear)

    def begin(self, ada=ADA, ben=BEN):
        """Let both join and serve what they may, and ben hear some kinds; return this."""
        for user in (ada, ben):
            self.do("join", user, user, "demo")
        for name in NAMES:
            self.do("register", ben, name)
        self.do("register", ada, "alpha")
        for kind in (13, 26, None):
            self.do("listen", ben, "demo", kind)
        return self

    def origin(self, user):
        return (
            Origin(user, "host", self._connections.get(user, b"")) if self._is_keyed else Origin()
        )

    def instance(self, user):
        return instance_of(user, self._has_tag)

    def do(self, verb, *given):
        """Do one step, and keep what came of it."""
        method = getattr(self, f"_{verb.replace(' ', '_')}")
        outcome = method(*given)
        outputs = outcome if isinstance(outcome, list) else []
        said = []
        for code, first, second, body in outputs:
            if code == SEND:
                parts = split_bundle(second, bytes(body))
                said += [(code, first, head, part) for head, part in parts]
            else:
                said.append((code, first, second, bytes(body) if code == PUBLISH else body))
        self.said.append((verb, given, said, outcome if outputs is not outcome else None))
        return said

    def _say(self, user, head, body=b""):
        connection = self._connections.get(user)
        if connection is None:
            return []
        return self.engine.on_message(connection, head, body, self.now_s, self.origin(user))

    def _join(self, user, whose, namespace):
        self._count += 1
        self._connections[user] = b"%s-%d" % (user.encode(), self._count)
        secret = whose.encode().ljust(16, b".")
        hello = greetings.Hello(
            secret, self.instance(whose), namespace, user, OLD_EPOCH, publish=True
        )
        body = greetings.pack_hello(hello)
        return self._say(user, heads.pack(Verb.HELLO, len(body)), body)

    def _leave(self, user):
        return self._say(user, heads.pack(Verb.GOODBYE))

    def _register(self, user, name):
        facts = greetings.pack_map({"capabilities": ["count"]})
        item = (int(Verb.REGISTER), 0, 0, 0, heads.NOBODY, heads.NOBODY, len(facts))
        second = (int(Verb.REGISTER), 0, 18, 0, heads.NOBODY, heads.NOBODY, 0)
        return self._say(user, heads.pack_items([item, second], address=name.encode()), facts)

    def _task(self, user, address, number, kind):
        head = heads.pack(
            Verb.TASK,
            2,
            kind=kind,
            number=5000,
            task=bytes([number]) * 16,
            trace=bytes([number]) * 16,
            address=address.encode(),
        )
        return self._say(user, head, b"#%c" % kind)

    def _bundle(self, user, address, number):
        items = [
            (int(Verb.TASK), 0, 2, 5000, bytes([number, each]) * 8, heads.NOBODY, 1)
            for each in range(3)
        ]
        return self._say(user, heads.pack_items(items, address=address.encode()), b"abc")

    def _reply(self, user, caller, number, kind):
        head = heads.pack(
            Verb.REPLY,
            2,
            peer=self.instance(caller),
            flags=int(ItemFlag.SETTLES),
            kind=kind,
            task=bytes([number]) * 16,
            trace=bytes([number]) * 16,
        )
        return self._say(user, head, b"#%c" % KINDS[number % len(KINDS)])

    def _claim(self, user, caller, number, name):
        task = bytes([number]) * 16
        held = resync_messages.Held(self.instance(caller), task, task, name, 0, 5000, keep=False)
        [page] = resync_messages.claim_pages([held])
        return self._say(user, *page)

    def _open(self, user, number):
        task = bytes([number]) * 16
        opened = resync_messages.Opened(task, task, 0, 5000, keep=False)
        [page] = resync_messages.opened_pages([opened])
        return self._say(user, *page)

    def _topic(self, namespace, kind):
        if kind is None:
            return heads.trace_topic(namespace, bytes([1]) * 16)
        return heads.kind_topic(namespace, kind)

    def _listen(self, user, namespace, kind):
        topic = self._topic(namespace, kind)
        origin = attrs.evolve(self.origin(user), host="host", line=user)
        return self.engine.subscriptions.subscribe(topic, origin)

    def _publish(self, user, whose, namespace, kind):
        publisher = self.instance(whose)
        header = heads.pack_header(publisher, 0, publisher, heads.NOBODY)
        said = b"#%c" % (26 if kind is None else kind)
        frames = [self._topic(namespace, kind), header, said]
        return self.engine.on_publication(frames, self.now_s, self.origin(user))

    def _hand_over(self, user, kind):
        head = heads.pack(Verb.PUBLISH, 2, kind=kind, number=1, trace=bytes([1]) * 16)
        return self._say(user, head, b"#%c" % kind)

    def _cut(self, user):
        connection = self._connections.get(user)
        return self.engine.on_disconnected(connection, self.now_s) if connection else []

    def _tick(self, after_s):
        self.now_s += after_s
        return self.engine.tick(self.now_s)


GRANTS = {ADA: LIMITED, BEN: EVERYTHING}
