"""Dendrites that are given two Synapses go on when one of them ends, is stopped or hangs."""

import asyncio
import contextlib
import json
import logging
import signal
from collections import Counter

import pytest

from cosmonapse import (
    AccessRefused,
    Axon,
    Dendrite,
    key_ring,
    synapse_from_url,
)
from cosmonapse.key_ring import Member
from cosmonapse.keys import Key
from cosmonapse.rights import Rights
from cosmonapse.synapse.access import new_pair
from support.processes import free_ports, until
from support.transport import PROXY, RunningProxy
from zmq_transport.sockets.carriers import CARRIERS

pytestmark = pytest.mark.asyncio
HERE = "127.0.0.1"
WAIT_S = 20.0


class Pair:
    """Two proxies that stand by for each other, as processes.

    Attributes:
        url: Names both.
        running: By port, those that run.
    """

    def __init__(self, children):
        self._children = children
        self.ports = self._two_ports()
        self.url = "cosmo://" + ",".join(f"{HERE}:{port}" for port in self.ports)
        self.running = {port: self._begun(port) for port in self.ports}
        for child in self.running.values():
            child.line("listening")

    @staticmethod
    def _two_ports():
        first, second = free_ports(), free_ports()
        return (first, second) if abs(first - second) > 4 else Pair._two_ports()

    def _begun(self, port):
        options = {"peers": [(HERE, self.other(port))]}
        return self._children.start(PROXY, port, json.dumps(options))

    def start(self, port):
        self.running[port] = self._begun(port)
        self.running[port].line("listening")

    def at(self, dendrite):
        """Return the port of the proxy where a Dendrite is."""
        address = dendrite._transport._client._carrier.address
        return int(address.rpartition(":")[2])

    def other(self, port):
        return next(each for each in self.ports if each != port)

    def send(self, port, number):
        self.running[port].send(number)


@pytest.fixture
def pair(children):
    return Pair(children)


@pytest.fixture
def runs():
    return Counter()


@contextlib.asynccontextmanager
async def opened(url, *names, carrier=None, **settings):
    """Start a Dendrite for each name; stop them at the end."""
    made = [
        Dendrite(synapse=synapse_from_url(url, carrier=carrier), dendrite_id=each, **settings)
        for each in names
    ]
    try:
        for each in made:
            await each.start(WAIT_S)
        yield made
    finally:
        for each in reversed(made):
            await each.stop(drain_s=0.0)


@contextlib.asynccontextmanager
async def working(url, runs, carrier=None):
    """Let a worker run that counts what it runs, by its number."""

    async def count(input, context):
        runs[input["n"]] += 1
        return input

    worker = Dendrite(synapse=synapse_from_url(url, carrier=carrier), dendrite_id="worker")
    worker.attach_axon(Axon(neuron_id="counts", neuron_fn=count))
    await worker.start(WAIT_S)
    try:
        yield worker
    finally:
        await worker.stop(drain_s=0.0)


async def call(dendrite, number):
    reply = await dendrite.ask(neuron="counts", input={"n": number}, timeout_s=WAIT_S)
    assert reply == {"n": number}


async def calls_while(dendrite, event):
    """Call every 5 ms until a call that began after `event` is answered; return how many."""
    calls, after = [], None
    while after is None or not after.done():
        calls.append(asyncio.ensure_future(call(dendrite, len(calls))))
        if len(calls) == 20:
            event()
        if len(calls) == 22:
            after = calls[-1]
        await asyncio.sleep(0.005)
    await asyncio.gather(*calls)
    return len(calls)


@pytest.mark.parametrize("carrier", CARRIERS)
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM], ids=["killed", "stopped"])
async def test_each_call_is_answered_and_runs_once_while_the_leader_ends(
    pair, runs, carrier, number
):
    async with working(pair.url, runs, carrier), opened(pair.url, "me", carrier=carrier) as (me,):
        led = pair.at(me)
        made = await calls_while(me, lambda: pair.send(led, number))

        assert runs == dict.fromkeys(range(made), 1)
        assert pair.at(me) == pair.other(led)
        assert me.synapse.url == pair.url
        assert (await me.synapse_state()).url == f"cosmo://{HERE}:{pair.other(led)}"


async def emitted_until_heard(speaker, text, heard):
    """Publish a PLAN again and again until it is heard: none waits for a listener that is away."""
    async with asyncio.timeout(WAIT_S):
        while [text] not in heard:  # what is waited for is the effect of the loop
            await speaker.emit_plan(steps=[text])
            await asyncio.sleep(0.05)


async def test_the_broadcasts_of_a_fabric_go_on_at_the_next_leader(pair):
    heard = []
    async with opened(pair.url, "watcher", "speaker") as (watcher, speaker):
        watcher.on_plan(lambda sig: heard.append(sig.payload["steps"]))
        await emitted_until_heard(speaker, "before", heard)

        pair.send(pair.at(watcher), signal.SIGKILL)
        await until(lambda: watcher._transport.away_s is not None)

        await emitted_until_heard(speaker, "after", heard)


async def test_who_comes_by_the_standby_finds_the_leader_and_a_leader_that_returns_stands_by(
    pair, runs
):
    async with working(pair.url, runs) as worker:
        led = pair.at(worker)
        standby = f"cosmo://{HERE}:{pair.other(led)}"
        async with opened(standby, "strayed") as (strayed,):
            await call(strayed, 1)
            pair.running[led].kill()
            await call(strayed, 2)
            pair.start(led)
            async with opened(f"cosmo://{HERE}:{led}", "late") as (late,):
                await call(late, 3)

                assert {pair.at(each) for each in (late, strayed)} == {pair.other(led)}
    assert runs == {1: 1, 2: 1, 3: 1}


async def until_heard(dendrite, role):
    """Return when the Synapse of a Dendrite hears the other one in that role."""
    async with asyncio.timeout(WAIT_S):
        while [each["role"] for each in (await dendrite.synapse_state()).peers] != [role]:  # noqa: ASYNC110  # it is asked for
            await asyncio.sleep(0.05)


async def test_a_half_is_one_warning_and_its_end_is_told(pair, caplog):
    caplog.set_level(logging.INFO, "cosmonapse.synapse.fabric_news")
    async with opened(pair.url, "me") as (me,):
        standby = pair.other(pair.at(me))
        await until_heard(me, "standby")
        pair.send(standby, signal.SIGSTOP)
        await until(lambda: caplog.records, WAIT_S)
        state = await me.synapse_state()
        pair.send(standby, signal.SIGCONT)
        await until(lambda: len(caplog.records) == 2, WAIT_S)

    assert (state.half, "does not hear another one" in state.warning) == (True, True)
    assert [each.levelname for each in caplog.records] == ["WARNING", "INFO"]


async def test_a_leader_that_hangs_is_left_for_the_standby_and_steps_down_when_it_goes_on(
    pair, runs
):
    async with working(pair.url, runs), opened(pair.url, "me") as (me,):
        led = pair.at(me)
        made = await calls_while(me, lambda: pair.send(led, signal.SIGSTOP))
        pair.send(led, signal.SIGCONT)
        stepped_down = pair.running[led].says("news steps_down", WAIT_S)
        await call(me, made)

    assert runs == dict.fromkeys(range(made + 1), 1)
    assert stepped_down


async def test_synapses_that_do_not_know_each_other_are_a_warning_to_who_lists_both(
    children, caplog
):
    first, second = RunningProxy(children), RunningProxy(children)
    url = f"cosmo://{HERE}:{first.ports[0]},{HERE}:{second.ports[0]}"

    async with opened(url, "me") as (me,):
        state = await me.synapse_state()

    assert "do not stand by for each other" in state.warning
    assert [each for each in caplog.messages if state.warning in each]


class KeyedPair:
    """Two Synapses with keys that stand by for each other, each with a pair of its own."""

    def __init__(self, children, folder):
        ports = Pair._two_ports()
        folders = [str(folder / name) for name in ("first", "second")]
        own = [new_pair() for _ in folders]
        self.publics = tuple(public for public, _ in own)
        self.user = new_pair()
        member = Member(
            "ada", (self.user[0],), None, Rights.of(["dispatch", "serve", "broadcast", "watch"])
        )
        self.url = "cosmo://" + ",".join(f"{HERE}:{port}" for port in ports)
        self.children = {}
        for at, each in enumerate(folders):
            key_ring.make_folder(each, *own[at])
            key_ring.write_peer(each, "other", [self.publics[1 - at]])
            key_ring.write_member(each, member)
            peer = f"cosmo://{HERE}:{ports[1 - at]}"
            given = ("--keys", each, "--port", ports[at], "--peer", peer, "--quiet")
            self.children[ports[at]] = children.cosmo("synapse", "start", *given)
        for each in self.children.values():
            assert each.says("stands by", WAIT_S), each.said

    def key(self, *publics):
        return Key("ada", *self.user, publics or self.publics, None)

    def dendrite(self, key, name):
        return Dendrite(synapse=synapse_from_url(self.url, key=key), dendrite_id=name)


@pytest.fixture
def keyed_pair(children, tmp_path):
    return KeyedPair(children, tmp_path)


async def test_with_keys_each_synapse_is_known_by_its_own_and_calls_go_on_at_the_other(
    keyed_pair, runs
):
    pair, key = keyed_pair, keyed_pair.key()

    async def count(input, context):
        runs[input["n"]] += 1
        return input

    async with (
        pair.dendrite(key, "me") as me,
        Dendrite(synapse=synapse_from_url(pair.url, key=key), dendrite_id="worker") as worker,
    ):
        await worker.add_axon(Axon(neuron_id="counts", neuron_fn=count))
        led = int(me._transport._client._carrier.address.rpartition(":")[2])
        made = await calls_while(me, pair.children[led]._process.kill)

        heard = []
        worker.on_plan(lambda sig: heard.append(sig.payload["steps"]))
        await emitted_until_heard(me, "after", heard)

    assert runs == dict.fromkeys(range(made), 1)


async def test_a_key_that_names_the_standby_alone_is_refused_with_what_to_add(keyed_pair):
    pair = keyed_pair
    async with pair.dendrite(pair.key(), "me") as me:
        led = int(me._transport._client._carrier.address.rpartition(":")[2])
        at = list(pair.children).index(led)
        with pytest.raises(AccessRefused) as caught:
            await pair.dendrite(pair.key(pair.publics[1 - at]), "stray").start(WAIT_S)

    assert f"the Synapse at cosmo://{HERE}:{led} refused" in str(caught.value)
    assert "another public key" in str(caught.value)
