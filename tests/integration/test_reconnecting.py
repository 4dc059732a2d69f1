"""A Synapse that moves, or whose port something else takes for a while, is found again."""

import asyncio
import contextlib
import socket
import threading
import time

import pytest
import zmq

from cosmonapse import Axon, SynapseUnreachable, connect_synapse
from support.dead_host import dead
from support.processes import free_ports, measured, until
from support.watching import kept
from zmq_transport.client import resolve

pytestmark = pytest.mark.asyncio

BACK_S = 2.0
DEAD_COST_S = 1.0


@pytest.fixture
def broker(monkeypatch):
    """The addresses of the name `broker`, as a list to change: the seam of the name server."""
    addresses = []
    system = resolve.lookup

    def lookup(host, port):
        return list(addresses) if host == "broker" else system(host, port)

    monkeypatch.setattr(resolve, "lookup", lookup)
    return addresses


async def echo(input, context):
    return input


async def listen_at(children, host, port):
    """Start a Synapse; return it and when its first line was read."""
    child = children.cosmo("synapse", "start", "memory", "--host", host, "--port", port, "--quiet")
    return child, (await asyncio.to_thread(child.line, "Synapse listening on")).at_s


async def kill(child):
    await asyncio.to_thread(child.kill)


@contextlib.contextmanager
def wrong_sockets(port, *kinds, **options):
    """Bind sockets of the wrong kinds to the three ports of a Synapse."""
    with zmq.Context() as context, contextlib.ExitStack() as stack:
        for each, kind in zip((port, port + 2, port + 3), kinds, strict=True):
            made = stack.enter_context(context.socket(kind))
            made.set(zmq.LINGER, 0)
            for name, value in options.items():
                made.set(getattr(zmq, name), value)
            made.bind(f"tcp://127.0.0.1:{each}")
        yield


@contextlib.contextmanager
def talkers(port, says):
    """Listen at the three ports of a Synapse, say something to whoever comes, and then nothing."""
    accepted = []

    def serve(listener):
        with contextlib.suppress(OSError):
            while True:
                accepted.append(listener.accept()[0])
                accepted[-1].sendall(says)

    with contextlib.ExitStack() as stack:
        for each in (port, port + 2, port + 3):
            listener = stack.enter_context(socket.create_server(("127.0.0.1", each)))
            thread = threading.Thread(target=serve, args=(listener,))
            thread.start()
            stack.callback(thread.join)
            stack.callback(listener.shutdown, socket.SHUT_RDWR)
        yield
    for each in accepted:
        each.close()


def keyed():
    """Return the options of a socket that wants keys."""
    _, secret = zmq.curve_keypair()
    return {"CURVE_SERVER": 1, "CURVE_SECRETKEY": secret}


# -- A name ----------------------------------------------------------------------------------------


async def test_a_synapse_that_comes_back_at_another_address_is_found_with_its_open_tasks(
    broker, join, children
):
    port = free_ports()
    broker[:] = ["127.0.0.2"]
    synapse, _ = await listen_at(children, "127.0.0.2", port)
    begun, release = asyncio.Event(), asyncio.Event()

    async def neuron(input, context):
        if input["waits"]:
            begun.set()
            await release.wait()
        return {"done": True}

    url = f"cosmo://broker:{port}"
    async with join("worker", url=url) as worker, join("caller", url=url) as caller:
        await worker.add_axon(Axon(neuron_id="moved", neuron_fn=neuron))
        asked = asyncio.create_task(caller.ask(neuron="moved", input={"waits": True}))
        await begun.wait()

        await kill(synapse)
        broker[:] = ["127.0.0.3"]
        _, up_at_s = await listen_at(children, "127.0.0.3", port)
        await caller.ask(neuron="moved", input={"waits": False})
        back_s = time.perf_counter() - up_at_s
        release.set()

        assert await asked == {"done": True}
    measured("answered at the new address", back_s)
    assert back_s <= BACK_S


async def test_a_dead_address_before_the_right_one_costs_under_a_second(broker, children):
    port = free_ports()
    await listen_at(children, "127.0.0.3", port)

    took_s = {}
    with dead("127.0.0.2", port):
        for addresses in (("127.0.0.3",), ("127.0.0.2", "127.0.0.3")):
            broker[:] = addresses
            begun_s = time.perf_counter()
            await connect_synapse(f"cosmo://broker:{port}")
            took_s[addresses] = time.perf_counter() - begun_s

    alone_s, behind_s = took_s.values()
    measured("a dead address costs", behind_s - alone_s)
    assert 0.5 < behind_s - alone_s < DEAD_COST_S


async def test_a_name_that_does_not_exist_yet_is_found_once_it_does(broker, children):
    port = free_ports()
    connecting = asyncio.create_task(connect_synapse(f"cosmo://broker:{port}", timeout_s=None))
    await listen_at(children, "127.0.0.2", port)

    broker[:] = ["127.0.0.2"]

    assert (await connecting).url == f"cosmo://broker:{port}"


async def test_a_name_of_both_families_is_found_where_it_listens(broker, join, children):
    port = free_ports()
    broker[:] = ["127.0.0.1", "::1"]
    await listen_at(children, "::1", port)

    async with join("worker", url=f"cosmo://broker:{port}") as worker:
        await worker.add_axon(Axon(neuron_id="echo", neuron_fn=echo))
        async with join("caller", url=f"cosmo://[::1]:{port}") as caller:
            outputs = kept(worker.on_agent_output)

            assert await caller.ask(neuron="echo", input={"n": 6}) == {"n": 6}
            await until(lambda: outputs)


# -- Something else at the ports of a Synapse ------------------------------------------------------

UNHEARD = 14
REFUSED = "(refused: it has keys, and this client has none)"
STRANGERS = {
    "a Synapse two ports lower": (
        lambda port: wrong_sockets(port, zmq.XPUB, zmq.ROUTER, zmq.XPUB),
        ("XPUB", "ROUTER", "XPUB"),
    ),
    "other patterns": (
        lambda port: wrong_sockets(port, zmq.PUB, zmq.PULL, zmq.REP),
        ("PUB", "PULL", "REP"),
    ),
    "keyed sockets": (
        lambda port: wrong_sockets(port, zmq.ROUTER, zmq.XPUB, zmq.XSUB, **keyed()),
        (REFUSED,),
    ),
    "a program that says nothing": (
        lambda port: talkers(port, b""),
        ("sends nothing", "sends nothing", "sends nothing"),
    ),
}


def warned(caplog, port, what):
    """Tell whether the log says that `what` answers at `port`, or that it refuses both clients."""
    found = [each.message for each in caplog.records if what in each.message]
    return len(found) == 2 if what == REFUSED else any(f"127.0.0.1:{port}," in m for m in found)


@pytest.mark.parametrize("name", STRANGERS)
async def test_clients_cut_off_by_a_stranger_are_back_with_the_right_synapse(
    name, caplog, join, children
):
    stranger, said = STRANGERS[name]
    port = free_ports()
    synapse, url = children.synapse(port=port)
    async with join("worker", url=url) as worker, join("caller", url=url) as caller:
        await worker.add_axon(Axon(neuron_id="echo", neuron_fn=echo))
        outputs, plans = kept(caller.on_agent_output), kept(worker.on_plan)
        await published(caller, plans)
        await until(lambda: not caller._transport.is_heard(UNHEARD, bytes(16)))  # by its own socket
        plans.clear()

        await kill(synapse)
        with stranger(port):
            for each, what in zip((port, port + 2, port + 3), said, strict=False):
                await until(lambda each=each, what=what: warned(caplog, each, what))
        _, up_at_s = await listen_at(children, "127.0.0.1", port)
        await caller.ask(neuron="echo", input={})
        answered_s = time.perf_counter() - up_at_s
        await watched(caller, outputs)
        await published(caller, plans)
        watched_s = time.perf_counter() - up_at_s

    refusals = [each for each in caplog.records if REFUSED in each.message]
    assert len(refusals) == (2 if REFUSED in said else 0)  # each of the two says it once
    measured("answered after the right Synapse listened", answered_s)
    measured("watched after the right Synapse listened", watched_s)
    assert max(answered_s, watched_s) <= BACK_S


async def watched(caller, outputs):
    """Return once a copy of a reply reached a watcher."""
    while not any(each.payload["output"] == {"seen": True} for each in outputs):
        await caller.ask(neuron="echo", input={"seen": True})


async def published(caller, plans):
    """Return once a Signal that a Dendrite publishes by itself reached another one."""
    while not plans:
        await caller.emit_plan(steps=["one"])
        await asyncio.sleep(0.01)


async def test_a_stranger_is_logged_once_and_not_at_every_attempt(caplog, children):
    port = free_ports()
    with (
        wrong_sockets(port, zmq.PUB, zmq.PUB, zmq.PUB),
        pytest.raises(SynapseUnreachable) as caught,
    ):
        await connect_synapse(f"cosmo://127.0.0.1:{port}", timeout_s=1.0)

    assert len([each for each in caplog.records if "PUB answers" in each.message]) == 1
    assert f"a ZeroMQ socket of type PUB answers at tcp://127.0.0.1:{port}" in str(caught.value)
