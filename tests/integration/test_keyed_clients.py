"""Dendrites with keys at a Synapse with keys: in, out, and back by themselves."""

import asyncio
import time

import pytest

from cosmonapse import (
    AccessRefused,
    Axon,
    BlockingDendrite,
    Dendrite,
    NeuronError,
    SynapseAway,
    connect_synapse,
    synapse_from_url,
)
from support.keyed_fabric import KeyedFabric
from support.processes import until

pytestmark = pytest.mark.asyncio
WAIT_S = 40.0
ANSWERED_S = 5.0
SOON_S = 1.0  # docs/keys.md: a refusal, and the end of who is revoked
SURE_SOON_S = 2.0  # that it is another Synapse is known after some attempts only
SLACK_S = 2.0  # for a busy machine
TRIES = 3  # the quickest counts


async def echo(input, context):
    return {"seen": True}


@pytest.fixture
def fabric(children, tmp_path):
    made = KeyedFabric(children, tmp_path)
    made.start()
    return made


@pytest.fixture
def ada(fabric):
    key = fabric.key("ada")
    fabric.allow(key)
    return key


@pytest.fixture
def ben(fabric):
    key = fabric.key("ben")
    fabric.allow(key)
    return key


async def connected(key):
    """Return a Synapse once it lets a key in; the folder is looked at each second."""
    end_s = time.monotonic() + WAIT_S
    while True:
        try:
            return await connect_synapse(key=key)
        except AccessRefused:
            assert time.monotonic() < end_s
            await asyncio.sleep(0.1)


def dendrite_of(key, name="dendrite"):
    return Dendrite(synapse=synapse_from_url(key=key), dendrite_id=name)


def worker_of(key):
    worker = dendrite_of(key, "worker")
    worker.attach_axon(Axon(neuron_id="echo", neuron_fn=echo))
    return worker


async def answered(caller):
    """Call until it is answered: a caller may be back before its worker is."""
    end_s = time.monotonic() + WAIT_S
    while True:
        try:
            return await caller.ask(neuron="echo", input={}, timeout_s=WAIT_S)
        except NeuronError as error:
            if error.code != "NO_SUCH_NEURON" or time.monotonic() > end_s:
                raise
            await asyncio.sleep(0.05)


async def published(dendrite, heard):
    """Publish until it is heard: who comes back listens a moment later than it calls."""
    end_s = time.monotonic() + WAIT_S
    while not heard:
        assert time.monotonic() < end_s
        await dendrite.emit_plan(steps=[])
        await asyncio.sleep(0.05)


def refusals(caplog):
    return [each.message for each in caplog.records if "(refused: " in each.message]


async def test_two_keys_call_publish_and_hear(ada, ben):
    await connected(ben)
    heard = []
    worker = worker_of(ada)
    worker.on_plan(lambda signal: heard.append(signal))
    async with worker, dendrite_of(ben) as caller:
        output = await caller.ask(neuron="echo", input={})
        for number in range(20):
            await caller.emit_plan(steps=[{"step": str(number)}])
        await until(lambda: len(heard) == 20, WAIT_S)

    assert output == {"seen": True}
    assert {each.origin for each in heard} == {"ben"}


async def test_each_kind_of_refusal_is_told_by_connect_with_what_to_run(fabric, ada, children):
    await connected(ada)
    stranger, lost = fabric.key("eve"), fabric.key("ada", ada.public)
    texts = {}
    for name, given in {
        "unlisted": {"key": stranger},
        "no key": {"url": fabric.url},
        "no key, libzmq": {"url": fabric.url, "carrier": "libzmq"},
        "another Synapse": {"key": lost},
    }.items():
        took_s = []
        for _ in range(TRIES):
            since_s = time.monotonic()
            with pytest.raises(AccessRefused) as caught:
                await connect_synapse(timeout_s=WAIT_S, **given)
            took_s.append(time.monotonic() - since_s)
            texts[name] = str(caught.value)
        assert min(took_s) < (SURE_SOON_S if name == "another Synapse" else SOON_S), name

    assert "cosmo keys allow eve cpk_" in texts["unlisted"]
    assert "COSMO_KEY" in texts["no key"]
    assert texts["no key"] == texts["no key, libzmq"]
    assert "another Synapse answers there" in texts["another Synapse"]


async def test_a_blocking_dendrite_and_the_command_line_show_a_key(
    fabric, ada, ben, children, tmp_path
):
    await connected(ben)
    ben.write(tmp_path / "ben.key")
    fabric.key("eve").write(tmp_path / "eve.key")
    blocking = BlockingDendrite(key=tmp_path / "ben.key")

    async with worker_of(ada):
        await asyncio.to_thread(blocking.start)
        output = await asyncio.to_thread(blocking.ask, neuron="echo", input={})
        await asyncio.to_thread(blocking.stop)
        ways = [("--key", "ben.key", {}), (None, "ben.key", {}), ("--key", "eve.key", {})]
        codes = []
        for option, name, _ in ways:
            path = str(tmp_path / name)
            arguments = (option, path) if option else ()
            env = {} if option else {"COSMO_KEY": path}
            done = await asyncio.to_thread(
                children.cosmo, "dispatch", "echo", "hello", *arguments, env=env
            )
            codes.append((await asyncio.to_thread(done.wait), done.said))

    assert output == {"seen": True}
    assert [code for code, _ in codes] == [0, 0, 5], codes
    assert "cosmo keys allow eve" in codes[2][1]
    assert "Traceback" not in codes[2][1]


async def test_who_is_revoked_says_so_once_and_is_back_once_it_is_allowed(fabric, ada, ben, caplog):
    await connected(ben)
    heard = []
    async with worker_of(ada) as worker, dendrite_of(ben, "caller") as caller:
        caller.on_plan(lambda signal: heard.append(signal))
        await caller.ask(neuron="echo", input={})
        fabric.revoke(ben)
        await until(lambda: refusals(caplog), WAIT_S)
        with pytest.raises(SynapseAway, match="refused: "):
            await caller.ask(neuron="echo", input={}, timeout_s=0.5)
        told = refusals(caplog)
        fabric.allow(ben)
        waited = await caller.ask(neuron="echo", input={}, timeout_s=WAIT_S)
        await published(worker, heard)

    assert waited == {"seen": True}
    assert len(told) == len(refusals(caplog)) == 1, told


async def test_who_is_revoked_in_the_folder_is_out_within_a_second(fabric, ada, ben):
    await connected(ben)
    async with worker_of(ada), dendrite_of(ben, "caller") as caller:
        await caller.ask(neuron="echo", input={})
        since_s = time.monotonic()
        fabric.revoke(ben)
        await until(lambda: caller._transport.away_s is not None, WAIT_S)
        took_s = time.monotonic() - since_s

    assert took_s < SOON_S + SLACK_S


@pytest.mark.parametrize("other", ["it has no keys", "it has another public key"])
async def test_another_synapse_in_its_place_gets_nothing_and_the_right_one_all(
    fabric, ada, ben, other, caplog
):
    await connected(ben)
    elsewhere, _ = fabric.new_folder("elsewhere")
    fabric.allow(ben, folder=elsewhere)
    async with worker_of(ada), dendrite_of(ben, "caller") as caller:
        await caller.ask(neuron="echo", input={})
        fabric.stop()
        if other == "it has no keys":
            fabric.start_without_keys()
        else:
            fabric.start(elsewhere)
        await until(lambda: len(refusals(caplog)) == 2, WAIT_S)
        fabric.stop()
        fabric.start()
        waited = await answered(caller)

    assert waited == {"seen": True}
    assert len(refusals(caplog)) == 2
    assert all(other in each for each in refusals(caplog))


async def test_with_two_public_keys_of_the_synapse_its_change_is_a_restart(fabric, caplog):
    later, later_public = fabric.new_folder("later")
    ada, ben = (fabric.key(name, later_public, fabric.public) for name in ("ada", "ben"))
    for each in (ada, ben):
        fabric.allow(each)
        fabric.allow(each, folder=later)
    await connected(ben)

    async with worker_of(ada), dendrite_of(ben, "caller") as caller:
        await caller.ask(neuron="echo", input={})
        fabric.stop()
        fabric.start(later)
        waited = await answered(caller)

    assert waited == {"seen": True}
    assert refusals(caplog) == []


async def test_no_call_fails_while_one_key_of_a_name_takes_the_place_of_another(fabric, ada):
    old, new = fabric.key("ben"), fabric.key("ben")
    fabric.allow(ada, may=("admin",))  # to read the counters
    fabric.allow(old)
    await connected(old)
    async with worker_of(ada) as worker, dendrite_of(old, "old") as before:
        await before.ask(neuron="echo", input={})
        fabric.allow(old, new)
        await connected(new)
        async with dendrite_of(new, "new") as after:
            fabric.allow(new)
            outputs = []
            while before._transport.away_s is None:
                outputs.append(await after.ask(neuron="echo", input={}, timeout_s=ANSWERED_S))
            outputs.append(await after.ask(neuron="echo", input={}, timeout_s=ANSWERED_S))
        counts = (await worker._transport.state(timeout_s=WAIT_S)).counts

    assert len(outputs) > 1
    assert all(each == {"seen": True} for each in outputs)
    assert counts["cut.rotated"] >= 2  # both Dendrites of the name
    assert counts.get("cut.revoked", 0) == 0
