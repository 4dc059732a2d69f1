"""A proxy with keys, and bare sockets that are listed, not listed, or listed no more.

Pages: docs/spec/06-sockets.md, "Keys"; docs/spec/11-access.md; docs/bad-input.md, "Keys".
"""

import contextlib
import json
import os
import queue
import stat
import tempfile
import threading
import time

import pytest
import zmq

from support.keyed import NAMESPACE, BareMember, BareSocket, KeyedProxy, Users, key_pair
from support.processes import ROOT, until
from zmq_transport.access import zap
from zmq_transport.access.curve_keys import KeyPair
from zmq_transport.access.proxy_keys import ProxyKeys
from zmq_transport.access.rights import EVERYTHING, Access
from zmq_transport.proxy.proxy import Proxy
from zmq_transport.sockets import options
from zmq_transport.sockets.endpoints import IpcEndpoint
from zmq_transport.wire import heads, topics
from zmq_transport.wire.heads import Verb

KINDS = (zmq.DEALER, zmq.SUB, zmq.XPUB)
ASKING = (zmq.ZAP_DOMAIN, zmq.ZAP_ENFORCE_DOMAIN)
SUFFIXES = ("", ".listen", ".publish")
ALLOWED_KIND = 8
TOPIC = topics.kind_topic(NAMESPACE, ALLOWED_KIND)
KIND_TOPIC = topics.kind_topic(NAMESPACE, 9)


@pytest.fixture
def users():
    return Users()


@pytest.fixture
def opened():
    """Make bare sockets; they are closed at the end."""
    with zmq.Context() as context, contextlib.ExitStack() as stack:

        def make(kind, *arguments, **options):
            made = kind(context, *arguments, **options)
            stack.callback(made.close)
            return made

        yield make


class Joining:
    """A proxy with keys, and bare sockets for its users."""

    def __init__(self, opened, proxy):
        self.proxy = proxy
        self._opened = opened

    def member(self, name, keys=None, **options):
        """Return a DEALER of a user."""
        keys = keys or self.proxy.users.keys[name][-1]
        where = f"tcp://127.0.0.1:{self.proxy.ports[0]}"
        return self._opened(BareMember, where, keys, self.proxy.public, name, **options)

    def bare(self, kind, keys=None, **options):
        """Return a socket of one kind, at the port where that belongs."""
        port = self.proxy.ports[KINDS.index(kind)]
        server = None if keys is None else self.proxy.public
        where = f"tcp://127.0.0.1:{port}"
        return self._opened(BareSocket, kind, where, keys, server, **options)

    async def welcomed(self, name, keys=None):
        """Return a member that was welcomed."""
        made = self.member(name, keys)
        made.say_hello()
        await until(lambda: Verb.WELCOME in made.verbs())
        return made


@pytest.fixture
def joining(children, users, opened):
    def make(**options):
        return Joining(opened, KeyedProxy(children, users, **options))

    return make


# -- the handshake ---------------------------------------------------------------------------------


@pytest.mark.asyncio
@pytest.mark.parametrize("kind", KINDS)
async def test_a_key_that_is_not_listed_is_refused_on_each_port_and_counted(joining, users, kind):
    listed = users.allow("ada")
    at = joining()
    stranger = at.bare(kind, key_pair())
    await until(stranger.was_refused)
    await until(lambda: at.proxy.count("drop.handshake.auth") == 1)
    member = at.bare(kind, listed)
    await until(member.is_in)

    assert not stranger.is_in()


@pytest.mark.asyncio
@pytest.mark.parametrize("kind", KINDS)
async def test_who_shows_no_key_is_cut_on_each_port(joining, users, kind):
    listed = users.allow("ada")
    at = joining()
    stranger = at.bare(kind)
    await until(stranger.was_refused)
    await until(lambda: at.proxy.count("drop.handshake") >= 1)
    member = at.bare(kind, listed)
    await until(member.is_in)

    assert not stranger.is_in()
    assert at.proxy.count("drop.handshake.auth") == 0


@pytest.mark.asyncio
async def test_while_the_loop_stands_still_nobody_gets_in_and_who_is_in_goes_on(joining, users):
    listed = users.allow("ada")
    at = joining(handshake_s=0.3)
    inside = await at.welcomed("ada")
    inside.events()
    inside.told.clear()
    at.proxy.child.tell("stall 1.5")
    at.proxy.child.line("stalled")
    outside = at.bare(zmq.DEALER, listed, HANDSHAKE_IVL=300)
    stalled_until_s = time.monotonic() + 1.0
    inside.say_hello()
    assert inside.verbs().count(Verb.WELCOME) == 1
    while time.monotonic() < stalled_until_s:
        assert not outside.is_in()
        outside.monitor.poll(20)
    await until(outside.is_in)
    await until(lambda: inside.verbs().count(Verb.WELCOME) == 2)

    assert inside.events() == []  # it never left


@contextlib.contextmanager
def running(keys, **options):
    """Run a proxy in a thread of this process; yield it."""
    started = queue.SimpleQueue()

    def run():
        with Proxy(keys=keys, **options) as proxy:
            started.put(proxy)
            proxy.run()

    thread = threading.Thread(target=run)
    thread.start()
    proxy = started.get(timeout=10.0)
    yield proxy
    proxy.ask_to_stop()
    thread.join()


@pytest.mark.asyncio
async def test_two_keyed_proxies_of_one_process_keep_their_lists_apart(opened):
    listed = {"ada": key_pair(), "ben": key_pair()}
    with contextlib.ExitStack() as stack:
        tried = []
        for here in listed:
            pair = KeyPair(*key_pair())
            keys = ProxyKeys(pair, Access({listed[here][0]: here}, {here: EVERYTHING}))
            proxy = stack.enter_context(running(keys))
            where = f"tcp://127.0.0.1:{proxy.ports.directed}"
            for who, own in listed.items():
                made = opened(BareSocket, zmq.DEALER, where, own, pair.public)
                tried.append(made.is_in if who == here else made.was_refused)
        for expected in tried:
            await until(expected)


@pytest.mark.asyncio
async def test_every_keyed_socket_of_a_proxy_asks_and_enforces(folder):
    keys = ProxyKeys(KeyPair(*key_pair()), Access({}, {}))
    with Proxy(keys=keys, ipc=IpcEndpoint(f"{folder}/sock")) as proxy:
        read = {
            each.get(zmq.TYPE): tuple(map(each.get, (*ASKING, zmq.CURVE_SERVER)))
            for each in proxy._sockets
        }

    assert read == dict.fromkeys((zmq.XPUB, zmq.XSUB, zmq.ROUTER), (b"proxy", 1, 1))


def test_a_proxy_without_keys_has_no_list_and_no_files_for_others(folder):
    with Proxy() as proxy, pytest.raises(ValueError, match="without keys"):
        proxy.use_access(Access({}, {}))
    with pytest.raises(ValueError, match="0o600 without keys, not 0o660"):
        Proxy(ipc=IpcEndpoint(f"{folder}/sock"), ipc_mode=0o660)
    with pytest.raises(ValueError, match="0o600 or 0o660, not 0o666"):
        Proxy(keys=ProxyKeys(KeyPair(*key_pair()), Access({}, {})), ipc_mode=0o666)


# -- revocation ------------------------------------------------------------------------------------


async def everywhere(at, name):
    """Return a member of a user, and sockets of it that only listen and only publish."""
    member = await at.welcomed(name)
    listener = at.bare(zmq.SUB, at.proxy.users.keys[name][-1])
    listener.socket.subscribe(TOPIC)
    publisher = at.bare(zmq.XPUB, at.proxy.users.keys[name][-1], XPUB_VERBOSE=1)
    await until(lambda: publisher.socket.poll(0) and publisher.socket.recv() == b"\x01" + TOPIC)
    header = heads.pack_header(member.instance, 1, member.instance, heads.NOBODY)
    heard = at.proxy.count("published")
    publisher.socket.send_multipart([TOPIC, header, b"hello"])
    await until(lambda: at.proxy.count("published") == heard + 1)
    return member, listener, publisher


@pytest.mark.asyncio
async def test_a_revoked_user_is_cut_on_every_socket_and_others_are_not(joining, users):
    users.allow("ada")
    users.allow("ben")
    at = joining()
    theirs = await everywhere(at, "ada")
    others = await everywhere(at, "ben")
    for each in (*theirs, *others):
        each.events()
        each.told.clear()

    users.revoke("ada")
    at.proxy.use_users()
    asked_at_s = time.monotonic()
    await until(lambda: all(zmq.EVENT_DISCONNECTED in each.events() for each in theirs))
    cut_after_s = time.monotonic() - asked_at_s
    await until(lambda: all(each.was_refused() for each in theirs))

    assert cut_after_s < 1.0
    assert Verb.REFUSED in theirs[0].verbs()
    assert theirs[0].body_of(Verb.REFUSED)["code"] == "access"
    assert at.proxy.count("cut.revoked") == 3
    assert [each.events() for each in others] == [[], [], []]


@pytest.mark.asyncio
async def test_a_user_that_may_do_less_is_cut_and_comes_back_with_what_it_may(joining, users):
    users.allow("ada", may=["dispatch", "serve"])
    at = joining()
    member = await at.welcomed("ada")
    first = member.body_of(Verb.WELCOME)["may"]

    users.allow_again("ada", may=["dispatch"], serves=[])
    at.proxy.use_users()
    await until(lambda: at.proxy.count("cut.revoked") == 1)
    await until(lambda: member.events().count(zmq.EVENT_HANDSHAKE_SUCCEEDED) == 2)
    member.say_hello()
    await until(lambda: member.verbs().count(Verb.WELCOME) == 2)

    assert first == ["dispatch", "serve"]
    assert member.body_of(Verb.WELCOME)["may"] == ["dispatch"]


@pytest.mark.asyncio
async def test_of_two_keys_of_one_user_the_old_one_can_go(joining, users):
    old, new = users.allow("ada"), users.allow("ada")
    at = joining()
    with_old, with_new = await at.welcomed("ada", old), await at.welcomed("ada", new)

    users.revoke_key(old[0])
    at.proxy.use_users()
    await until(with_old.was_refused)
    await until(lambda: with_new.events().count(zmq.EVENT_HANDSHAKE_SUCCEEDED) == 2)

    assert not with_new.was_refused()


@pytest.mark.asyncio
async def test_a_connection_that_was_never_noted_ends_with_its_key(joining, users):
    old, new = users.allow("ada"), users.allow("ada")
    at = joining()
    member = at.member("ada", old)
    member.socket.send_multipart([b"of", b"three", b"frames"])
    listener = at.bare(zmq.SUB, old)
    listener.socket.set(zmq.SUBSCRIBE, b"no topic")
    publisher = at.bare(zmq.XPUB, old)
    await until(lambda: publisher.socket.poll(0))
    publisher.socket.send_multipart([heads.LIVE_TOPIC, b"of two frames"])
    stays = await at.welcomed("ada", new)
    await until(lambda: at.proxy.count("drop.frame_count") == 2)
    await until(lambda: at.proxy.count("ignored.bad_topic") == 1)

    users.revoke_key(old[0])
    at.proxy.use_users()
    await until(lambda: all(each.was_refused() for each in (member, listener, publisher)))

    assert not stays.was_refused()
    assert at.proxy.count("cut.revoked") == 3
    assert at.proxy.count("cut.rotated") == 1


@pytest.mark.asyncio
async def test_a_connection_that_has_ended_is_not_counted_as_cut(joining, users):
    users.allow("ada")
    at = joining()
    member, listener, publisher = await everywhere(at, "ada")
    closed = at.proxy.count("connection.closed")
    publisher.close()
    await until(lambda: at.proxy.count("connection.closed") > closed)

    users.revoke("ada")
    at.proxy.use_users()
    await until(lambda: member.was_refused() and listener.was_refused())

    assert at.proxy.count("cut.revoked") == 2


@pytest.mark.asyncio
async def test_a_topic_of_512_bytes_passes_with_a_key_and_a_longer_one_harms_nobody(joining, users):
    users.allow("ada")
    at = joining()
    listener = at.bare(zmq.SUB, users.keys["ada"][0])

    listener.socket.set(zmq.SUBSCRIBE, b"x" * 512)
    await until(lambda: at.proxy.count("ignored.bad_topic") == 1)
    listener.socket.set(zmq.SUBSCRIBE, b"x" * 513)
    await until(lambda: at.proxy.count("ignored.long_topic") == 1)

    assert listener.is_in()
    assert at.proxy.count("connection.closed") == 0


@pytest.mark.asyncio
async def test_a_publisher_with_a_key_hears_of_a_topic_of_512_bytes():
    server, client = KeyPair(*key_pair()), KeyPair(*key_pair())
    access = Access({client.public: "ada"}, {"ada": EVERYTHING})
    own, heard = options.own_context(), set()
    with options.zap_handler(own) as asked, options.xsub(1000, own=own) as xsub:
        options.require_keys(xsub, server.secret)
        endpoint = options.bind(xsub, "127.0.0.1", 0)
        with options.publisher() as publisher:
            options.show_key(publisher, client, server.public)
            options.connect(publisher, endpoint)
            xsub.send(b"\x01" + b"x" * 512)

            def hears():
                if asked.poll(0):
                    asked.send_multipart(zap.answer(asked.recv_multipart(), access))
                xsub.poll(0)  # only while it is looked at, libzmq tells a new publisher
                if publisher.poll(0):
                    heard.add(publisher.recv())
                return len(heard) == 2

            await until(hears)
    own.term()

    assert heard == {b"\x01" + heads.LIVE_TOPIC, b"\x01" + b"x" * 512}


async def comes_in(member):
    """Tell whether a member is let in."""
    await until(lambda: member.is_in() or member.was_refused())
    return member.is_in()


@pytest.mark.asyncio
@pytest.mark.parametrize("goes", ["key", "name and back"])
async def test_a_connection_that_said_nothing_ends_with_its_key(joining, users, goes):
    old, _ = users.allow("ada"), users.allow("ben")
    at = joining()
    silent = [at.bare(kind, old) for kind in KINDS[1:]] + [at.member("ada", old)]
    await until(lambda: all(each.is_in() for each in silent))
    if goes == "key":
        users.allow("ada")
        users.revoke_key(old[0])
    else:
        users.revoke("ada")
        at.proxy.use_users()
        users.allow("ada")
    at.proxy.use_users()
    while not await comes_in(at.member("ada")):
        pass  # until the new list is in force
    listener, publisher, member = silent
    others = at.bare(zmq.SUB, users.keys["ben"][0])
    others.socket.set(zmq.SUBSCRIBE, TOPIC)
    await until(lambda: publisher.socket.poll(0) and publisher.socket.recv() == b"\x01" + TOPIC)

    listener.socket.set(zmq.SUBSCRIBE, TOPIC)
    header = heads.pack_header(member.instance, 0, member.instance, heads.NOBODY)
    publisher.socket.send_multipart([TOPIC, header, b"hello"])
    member.say_hello()
    await until(lambda: all(each.was_refused() for each in silent))

    assert Verb.WELCOME not in member.verbs()
    assert at.proxy.count("cut.revoked") >= 3
    assert at.proxy.count("published") == 0


@pytest.mark.asyncio
async def test_a_user_that_is_new_comes_in_without_a_restart(joining, users):
    at = joining()
    keys = users.allow("ada")
    early = at.member("ada", keys)
    await until(early.was_refused)

    at.proxy.use_users()
    await until(lambda: at.member("ada", keys).is_in() or at.proxy.count("connection.greeted"))
    await at.welcomed("ada", keys)


# -- listening -------------------------------------------------------------------------------------


@pytest.mark.asyncio
async def test_a_bare_listener_hears_what_its_user_may_and_nothing_else(joining, users):
    users.allow("ada", hears=[ALLOWED_KIND], watches=False)
    users.allow("ben")
    at = joining()
    member = await at.welcomed("ben")
    sync = topics.sync_topic(NAMESPACE, member.instance, 1)
    published = (topics.trace_topic(NAMESPACE, member.instance), KIND_TOPIC)
    forbidden = (sync, *published)
    listeners = {name: at.bare(zmq.SUB, users.keys[name][0]) for name in ("ada", "ben")}
    for each in listeners.values():
        for topic in (TOPIC, *forbidden):  # KIND_TOPIC comes last, also where libzmq sorts them
            each.socket.subscribe(topic)
    publisher = at.bare(zmq.XPUB, users.keys["ben"][0], XPUB_VERBOSE=1)
    await until(lambda: at.proxy.count("ignored.forbidden") == len(forbidden))
    wanted = set()
    while wanted != {b"\x01" + each for each in (TOPIC, *published)}:
        await until(lambda: publisher.socket.poll(0))
        told = publisher.socket.recv()
        wanted |= {told} - {b"\x01" + topics.LIVE_TOPIC}
    header = heads.pack_header(member.instance, 1, member.instance, heads.NOBODY)
    for topic in (*published, TOPIC):
        publisher.socket.send_multipart([topic, header, b"hello"])
    heard = {name: [] for name in listeners}
    for name, each in listeners.items():
        while TOPIC not in heard[name]:
            await until(lambda each=each: each.socket.poll(0))
            heard[name].append(each.socket.recv_multipart()[0])

    assert heard["ada"] == [TOPIC]
    assert sorted(heard["ben"]) == sorted((*forbidden, TOPIC))
    assert at.proxy.count("ignored.forbidden") == len(forbidden)


# -- this machine ----------------------------------------------------------------------------------


@pytest.fixture
def folder():
    """A folder whose name is short enough for a Unix socket, and which others may enter."""
    with tempfile.TemporaryDirectory(prefix="keys-") as made:
        os.chmod(made, 0o755)
        yield made


@pytest.mark.asyncio
async def test_the_user_that_runs_the_proxy_needs_no_key_on_this_machine(joining, folder, opened):
    joining(ipc=f"{folder}/sock")
    member = opened(BareMember, f"ipc://{folder}/sock")
    member.say_hello()
    await until(lambda: Verb.WELCOME in member.verbs())

    assert member.body_of(Verb.WELCOME)["user"] == f"uid:{os.getuid()}"
    modes = {stat.S_IMODE(os.stat(f"{folder}/sock{each}").st_mode) for each in SUFFIXES}
    assert modes == {0o600}


OTHER_UID = 65_533
AS_ANOTHER = """
import os, sys, zmq
from support.keyed import BareMember
os.setgid(0); os.setuid(int(sys.argv[1]))
with zmq.Context() as context:
    member = BareMember(context, "ipc://" + sys.argv[2])
    member.say_hello()
    member.socket.poll(3000)
    verbs = member.verbs()
    print("heard", [int(each) for each in verbs], flush=True)
    member.close()
"""


@pytest.mark.asyncio
@pytest.mark.skipif(os.getuid() != 0, reason="only root can be another user")
@pytest.mark.parametrize(
    ("mode", "is_listed", "verb"),
    [(0o600, True, None), (0o660, True, Verb.WELCOME), (0o660, False, Verb.REFUSED)],
)
async def test_another_user_of_this_machine_comes_in_by_mode_and_grant(
    children, joining, users, folder, mode, is_listed, verb
):
    if is_listed:
        users.allow_uid(OTHER_UID)
    joining(ipc=f"{folder}/sock", ipc_mode=mode)
    env = {"PYTHONPATH": str(ROOT / "tests")}
    child = children.start("-c", AS_ANOTHER, OTHER_UID, f"{folder}/sock", env=env)
    heard = json.loads(child.line("heard").text)

    assert heard[-1:] == ([] if verb is None else [int(verb)])
