"""Clients that a proxy refuses for their key, on each of its ports, over real sockets.

The refusal comes at once and says which it is; whoever is refused later asks seldom, and is back by
itself once it is let in.
"""

import asyncio
import contextlib
import time

import pytest
import zmq

from support.keyed_sockets import key_pair, keyed_sockets, keys_of
from support.processes import until
from zmq_transport import AccessFault, AccessRefused, TcpEndpoint, ZmqCarrier, probe
from zmq_transport.client import resolve
from zmq_transport.client.broadcast_sockets import BroadcastSockets
from zmq_transport.client.curve import Curve
from zmq_transport.client.dialer import Dialer
from zmq_transport.client.libzmq_line import LibzmqLine
from zmq_transport.sockets import options
from zmq_transport.sockets.carriers import CARRIERS

WAIT_S = 30.0
SOON_S = 1.0
SURE_SOON_S = 2.0  # that it has another public key is known after some attempts only
TRIES = 3  # the quickest counts: a busy machine may hold up one of them
PROXY = key_pair()


@pytest.fixture
def keyed():
    with keyed_sockets(PROXY) as opened:
        yield opened


@contextlib.contextmanager
def plain(kind):
    """Bind a socket without keys; yield it and its port."""
    with zmq.Context() as context, context.socket(kind) as bound:
        bound.linger = 0
        yield bound, bound.bind_to_random_port("tcp://127.0.0.1")


class Ignoring:
    """The events of a carrier that a test does not look at."""

    def __getattr__(self, name):
        return lambda *_, **__: None


class Dialling:
    """A dialer with a key, and what it says."""

    def __init__(self, port, keys, host="127.0.0.1"):
        self.faults = []
        self.curve = Curve(keys)
        line = LibzmqLine(Ignoring(), 1024, self.curve)
        where = TcpEndpoint(host, port)
        self.dialer = Dialer(
            line, where, lambda: None, lambda _, fault: self.faults.append(fault), self.curve
        )
        self._line = line

    async def __aenter__(self):
        self.dialer.start()
        return self

    async def __aexit__(self, *_):
        self.dialer.close()

    def count_attempts(self):
        """Return a list that grows with each attempt from now on."""
        begun, dial = [], self._line.dial

        def counted(attempt):
            begun.append(attempt)
            dial(attempt)

        self._line.dial = counted
        return begun

    async def established(self):
        await until(lambda: self.dialer.is_established, WAIT_S)


async def refused(port, **given):
    """Return the refusals that a client gets, and the seconds that the quickest one took."""
    errors, took_s = [], []
    for _ in range(TRIES):
        since_s = time.monotonic()
        with pytest.raises(AccessRefused) as caught:
            await probe(TcpEndpoint("127.0.0.1", port), WAIT_S, **given)
        took_s.append(time.monotonic() - since_s)
        errors.append(caught.value)
    return errors, min(took_s)


@pytest.mark.asyncio
async def test_a_key_that_is_not_listed_is_refused_at_once(keyed):
    errors, took_s = await refused(keyed.bound(zmq.ROUTER), keys=keys_of("ada", PROXY.public))

    assert {each.fault for each in errors} == {AccessFault.UNLISTED}
    assert all("ada" in str(each) for each in errors)
    assert took_s < SOON_S
    assert keyed.tries == TRIES


@pytest.mark.asyncio
@pytest.mark.parametrize("carrier", CARRIERS)
async def test_a_client_without_a_key_is_told_at_once_that_it_needs_one(keyed, carrier):
    errors, took_s = await refused(keyed.bound(zmq.ROUTER), carrier=carrier)

    assert {each.fault for each in errors} == {AccessFault.NEEDS_KEY}
    assert took_s < SOON_S
    assert keyed.tries == 0


@pytest.mark.asyncio
async def test_a_client_with_a_key_never_speaks_plainly_to_a_proxy_without_keys():
    with plain(zmq.ROUTER) as (router, port):
        errors, took_s = await refused(port, keys=keys_of("ada", PROXY.public))

        assert {each.fault for each in errors} == {AccessFault.NO_KEYS}
        assert took_s < SOON_S
        assert not router.poll(0)


@pytest.mark.asyncio
async def test_another_public_key_of_the_proxy_is_told_soon(keyed):
    port, keys = keyed.bound(zmq.ROUTER), keys_of("ada", key_pair().public)

    errors, took_s = await refused(port, keys=keys)

    assert {each.fault for each in errors} == {AccessFault.OTHER_PROXY}
    assert took_s < SURE_SOON_S


@pytest.mark.asyncio
async def test_another_public_key_of_the_proxy_is_told_and_asked_seldom_from_then_on(
    keyed, monkeypatch
):
    monkeypatch.setattr(options.dice, "random", lambda: 0.0)  # pauses of 0.5 s, 1 s, 2 s
    keys = keys_of("ada", key_pair().public)
    async with Dialling(keyed.bound(zmq.ROUTER), keys) as dialling:
        await until(lambda: dialling.faults, WAIT_S)
        begun = dialling.count_attempts()
        await until(lambda: begun, WAIT_S)
        await asyncio.sleep(1.8)

    assert dialling.faults == [AccessFault.OTHER_PROXY]
    assert len(begun) <= 2


@pytest.mark.asyncio
async def test_during_a_rotation_either_public_key_of_the_proxy_is_good(keyed):
    keys = keys_of("ada", key_pair().public, PROXY.public)
    keyed.listed.add(keys.pair.public)

    async with Dialling(keyed.bound(zmq.ROUTER), keys) as dialling:
        await dialling.established()

    assert dialling.faults == []
    assert dialling.curve.proxy == PROXY.public


@pytest.mark.asyncio
async def test_who_is_refused_comes_back_by_itself_once_its_key_is_listed(keyed):
    keys = keys_of("ada", PROXY.public)

    async with Dialling(keyed.bound(zmq.ROUTER), keys) as dialling:
        await until(lambda: dialling.faults, WAIT_S)
        keyed.listed.add(keys.pair.public)
        await dialling.established()

    assert dialling.faults == [AccessFault.UNLISTED]


@pytest.mark.asyncio
async def test_who_is_refused_comes_back_when_a_proxy_with_keys_takes_the_place():
    keys = keys_of("ada", PROXY.public)
    with plain(zmq.ROUTER) as (_, port):
        async with Dialling(port, keys) as dialling:
            await until(lambda: dialling.faults, WAIT_S)
    with keyed_sockets(PROXY) as keyed:
        keyed.listed.add(keys.pair.public)
        keyed.bound(zmq.ROUTER, port)
        async with Dialling(port, keys) as again:
            await again.established()

    assert dialling.faults == [AccessFault.NO_KEYS]
    assert again.faults == []


@pytest.mark.asyncio
@pytest.mark.parametrize("kind", [zmq.XPUB, zmq.XSUB], ids=["listening", "publishing"])
@pytest.mark.parametrize("has_key", [True, False], ids=["not listed", "no key"])
async def test_a_refusal_on_a_broadcast_port_is_told_too(keyed, kind, has_key):
    faults = []
    curve = Curve(keys_of("ada", PROXY.public)) if has_key else None
    sockets = BroadcastSockets(Ignoring(), 1024, faults.append, curve)
    where = TcpEndpoint("127.0.0.1", keyed.bound(kind))

    sockets.join(where, where)
    sockets.subscribe(b"topic/") if kind == zmq.XPUB else sockets.open_publisher()
    await until(lambda: faults, WAIT_S)
    sockets.close()

    assert faults[0] is (AccessFault.UNLISTED if has_key else AccessFault.NEEDS_KEY)


@pytest.mark.asyncio
async def test_broadcast_sockets_rest_while_the_directed_one_is_refused_and_come_back_with_it(
    keyed,
):
    keys = keys_of("ada", PROXY.public)
    keyed.listed.add(keys.pair.public)
    sockets = BroadcastSockets(Ignoring(), 1024, Ignoring().on_refused, Curve(keys))
    where = (
        TcpEndpoint("127.0.0.1", keyed.bound(zmq.XPUB)),
        TcpEndpoint("127.0.0.1", keyed.bound(zmq.XSUB)),
    )
    sockets.join(*where)
    sockets.subscribe(b"topic/")
    sockets.open_publisher()
    await until(lambda: sockets.diagnosis() is None, WAIT_S)
    before = keyed.tries

    sockets.rest()
    is_off = sockets.diagnosis() is not None
    await asyncio.sleep(1.0)  # longer than either socket waits before its next attempt
    tries = keyed.tries
    sockets.join(*where)
    await until(lambda: sockets.diagnosis() is None, WAIT_S)
    sockets.close()

    assert is_off
    assert (before, tries, keyed.tries) == (2, 2, 4)


@pytest.mark.asyncio
async def test_a_carrier_lets_its_broadcast_sockets_rest_when_the_directed_one_is_refused(keyed):
    keys = keys_of("ada", PROXY.public)
    refused_for, events = [], Ignoring()
    events.on_access_refused = lambda error: refused_for.append(error.fault)
    carrier = ZmqCarrier(TcpEndpoint("127.0.0.1", keyed.bound(zmq.ROUTER)), 1024, keys=keys)
    port = keyed.bound(zmq.XPUB)

    await carrier.open(events)
    carrier.subscribe(b"topic/")
    carrier.join(port, port)
    await until(lambda: refused_for and not carrier._broadcasts.is_joined, WAIT_S)
    carrier.close()

    assert (refused_for, carrier.user) == ([AccessFault.UNLISTED], "ada")


@pytest.mark.asyncio
@pytest.mark.parametrize("order", [("127.0.0.1", "127.0.0.2"), ("127.0.0.2", "127.0.0.1")])
async def test_a_refusal_counts_once_every_address_of_a_name_was_tried(keyed, order, monkeypatch):
    monkeypatch.setattr(resolve, "lookup", lambda host, port: list(order))
    port = keyed.bound(zmq.ROUTER)  # nobody listens at the other address

    async with Dialling(port, keys_of("ada", PROXY.public), "two-addresses") as dialling:
        await until(lambda: dialling.faults, WAIT_S)

    assert dialling.faults == [AccessFault.UNLISTED]


@pytest.mark.asyncio
async def test_who_is_refused_at_one_address_of_a_name_may_be_let_in_at_another(keyed, monkeypatch):
    monkeypatch.setattr(resolve, "lookup", lambda host, port: ["127.0.0.1", "127.0.0.2"])
    keys = keys_of("ada", PROXY.public)
    keyed.listed.add(keys.pair.public)
    with zmq.Context() as context, context.socket(zmq.ROUTER) as plainly:
        plainly.linger = 0
        port = plainly.bind_to_random_port("tcp://127.0.0.1")
        keyed.bound(zmq.ROUTER, port, "127.0.0.2")
        async with Dialling(port, keys, "two-addresses") as dialling:
            await dialling.established()

    assert dialling.faults == []


@pytest.mark.asyncio
async def test_what_is_no_proxy_at_all_is_no_refusal():
    with plain(zmq.PUB) as (_, port):
        async with Dialling(port, keys_of("ada", PROXY.public)) as dialling:
            await until(lambda: "type PUB" in dialling.dialer.diagnosis().text, WAIT_S)

    assert dialling.faults == []
