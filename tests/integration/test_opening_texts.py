"""Each failure of an opening has a text of its own, with the host and its three ports."""

import asyncio
import contextlib
import socket
from unittest import mock

import pytest
import zmq

from cosmonapse import (
    Dendrite,
    SynapseRefused,
    SynapseUnreachable,
    connect_synapse,
    synapse_from_url,
)
from support.dead_host import dead
from support.processes import closed_port, free_ports, until
from support.watching import kept
from zmq_transport.client import handshake, resolve
from zmq_transport.client.diagnosis import FailedAttempts

pytestmark = pytest.mark.asyncio

TIMEOUT_S = 2.0


async def opened(url, timeout_s=TIMEOUT_S, *, watches=False, **settings):
    """Start a Dendrite that finds no Synapse; return the text of the error."""
    dendrite = Dendrite(synapse=synapse_from_url(url), **settings)
    if watches:
        kept(dendrite.on_plan)
    with pytest.raises(SynapseUnreachable) as caught:
        await dendrite.start(timeout_s)
    return str(caught.value)


def ports_of(port):
    return f"the ports {port}, {port + 2} and {port + 3} of 127.0.0.1"


@contextlib.contextmanager
def silent(port):
    """Listen there without a word."""
    with socket.create_server(("127.0.0.1", port)):
        yield


async def test_nobody_listens():
    port = closed_port()

    text = await opened(f"cosmo://127.0.0.1:{port}", 0.3)

    assert f"no process listens at tcp://127.0.0.1:{port} (" in text
    assert f"run 'cosmo synapse start --port {port}'" in text
    assert ports_of(port) in text


async def test_the_name_does_not_resolve(monkeypatch):
    monkeypatch.setattr(resolve, "lookup", lambda host, port: [])

    text = await opened("cosmo://broker:7070", 0.3)

    assert "the name broker does not resolve" in text
    assert "check the name broker in the URL" in text
    assert "the ports 7070, 7072 and 7073 of broker" in text


async def test_the_host_does_not_answer():
    port = closed_port()
    with dead("127.0.0.1", port):
        text = await opened(f"cosmo://127.0.0.1:{port}")

    assert f"tcp://127.0.0.1:{port} does not accept a connection" in text
    assert f"its firewall lets {ports_of(port)} through" in text


async def test_another_kind_of_socket_answers():
    port = closed_port()
    with zmq.Context() as context, context.socket(zmq.PUB) as wrong:
        wrong.set(zmq.LINGER, 0)
        wrong.bind(f"tcp://127.0.0.1:{port}")

        text = await opened(f"cosmo://127.0.0.1:{port}")

    assert f"a ZeroMQ socket of type PUB answers at tcp://127.0.0.1:{port}, not a proxy" in text
    assert f"a Synapse there has {ports_of(port)}, and the URL names the first" in text


async def test_another_program_answers_nothing():
    port = closed_port()
    with silent(port):
        text = await opened(f"cosmo://127.0.0.1:{port}", 0.5)

    assert f"answers at tcp://127.0.0.1:{port}, not a proxy" in text
    assert ports_of(port) in text


async def test_the_greeting_is_not_answered_in_time():
    port = closed_port()
    with zmq.Context() as context, context.socket(zmq.ROUTER) as mute:
        mute.set(zmq.LINGER, 0)
        mute.bind(f"tcp://127.0.0.1:{port}")

        text = await opened(f"cosmo://127.0.0.1:{port}", 0.5)

    assert f"connected to tcp://127.0.0.1:{port}, but the greeting got no answer in time" in text
    assert f"another program has {ports_of(port)}: allow more time with timeout_s" in text


async def test_the_greeting_is_not_answered_by_one_that_was_not_there_at_first():
    port = closed_port()
    with zmq.Context() as context, context.socket(zmq.ROUTER) as mute:
        mute.set(zmq.LINGER, 0)
        opening = asyncio.ensure_future(opened(f"cosmo://127.0.0.1:{port}"))
        add = FailedAttempts.add
        with mock.patch.object(FailedAttempts, "add", autospec=True, side_effect=add) as failed:
            await until(lambda: failed.call_count >= 2)  # attempts that find nobody
        mute.bind(f"tcp://127.0.0.1:{port}")

        text = await opening

    assert f"connected to tcp://127.0.0.1:{port}, but the greeting got no answer in time" in text


# -- Only some of the three ports ------------------------------------------------------------------


async def pump(reader, writer):
    with contextlib.suppress(OSError):
        while data := await reader.read(65_536):
            writer.write(data)
    writer.close()


@contextlib.asynccontextmanager
async def firewall(port, *passed, silences):
    """Let only the ports `passed` of 127.0.0.2 through to 127.0.0.1.

    Args:
        port: The first port of the Synapse.
        passed: The distances of those that are let through.
        silences: Whether the others accept and say nothing, or refuse.
    """
    writers, servers, serving_tasks = [], [], []

    def serving(number, passes):
        async def serve(reader, writer):
            writers.append(writer)
            serving_tasks.append(asyncio.current_task())
            if passes:
                far_reader, far_writer = await asyncio.open_connection("127.0.0.2", number)
                writers.append(far_writer)
                await asyncio.gather(pump(reader, far_writer), pump(far_reader, writer))

        return serve

    for each in (0, 2, 3):
        if each in passed or silences:
            serve = serving(port + each, each in passed)
            servers.append(await asyncio.start_server(serve, "127.0.0.1", port + each))
    yield
    for server in servers:
        server.close()
    for writer in writers:
        writer.transport.abort()
    await asyncio.gather(*serving_tasks, return_exceptions=True)


async def guarded(children):
    """Start a Synapse behind the firewall; return its first port."""
    port = free_ports()
    synapse = children.cosmo(
        "synapse", "start", "memory", "--host", "127.0.0.2", "--port", port, "--quiet"
    )
    await asyncio.to_thread(synapse.line, "Synapse listening on")
    return port


@pytest.mark.parametrize(
    ("passed", "silences", "says"),
    [
        ((0,), False, "but no process listens at tcp://127.0.0.1:{listen}"),
        ((0, 3), False, "but no process listens at tcp://127.0.0.1:{listen}"),
        ((0, 3), True, "answers at tcp://127.0.0.1:{listen}, not a proxy"),
    ],
    ids=["only the directed port", "no listening", "listening hangs"],
)
async def test_the_port_of_those_who_listen_is_named_if_it_is_not_let_through(
    passed, silences, says, children
):
    port = await guarded(children)

    async with firewall(port, *passed, silences=silences):
        text = await opened(f"cosmo://127.0.0.1:{port}", watches=True)

    assert f"it answers at tcp://127.0.0.1:{port}, but" in text
    assert says.format(listen=port + 2) in text
    assert f"open all of {ports_of(port)}, in the firewall and in the container" in text


@pytest.mark.parametrize("silences", [False, True])
async def test_without_handlers_one_port_is_enough_and_what_is_emitted_is_heard(
    silences, children, join
):
    port = await guarded(children)
    async with (
        firewall(port, 0, silences=silences),
        join("watcher", url=f"cosmo://127.0.0.2:{port}") as watcher,
    ):
        plans = kept(watcher.on_plan)
        await watcher._subscriptions.settle()
        async with join("speaker", url=f"cosmo://127.0.0.1:{port}") as speaker:
            for number in range(20):
                await speaker.emit_plan(steps=[number])
            await until(lambda: len(plans) == 20)

    assert [each.payload["steps"] for each in plans] == [[number] for number in range(20)]


# -- Refusals, and waits without a limit -----------------------------------------------------------


async def test_a_refusal_for_the_namespace_says_how_to_name_another(children):
    _, url = children.synapse("--namespace", "blue")

    with pytest.raises(SynapseRefused) as caught:
        await Dendrite(synapse=await connect_synapse(url), namespace="red").start()

    assert "namespace 'red' is not served here, only blue" in str(caught.value)
    assert 'namespace="NAME"' in str(caught.value)
    assert "-n NAME" in str(caught.value)


async def test_a_refusal_says_which_synapse_of_a_list_refuses(children):
    _, url = children.synapse("--namespace", "blue")
    listed = f"cosmo://127.0.0.1:{closed_port()},{url.partition('://')[2]}"

    with pytest.raises(SynapseRefused) as caught:
        await Dendrite(synapse=await connect_synapse(listed), namespace="red").start()

    assert caught.value.url == url


@pytest.mark.parametrize("plane", ["connect", "open"])
async def test_a_wait_without_a_limit_says_again_and_again_what_it_sees(
    plane, monkeypatch, caplog, children
):
    monkeypatch.setattr(handshake, "NOTE_S", 0.05)
    port = free_ports()
    synapse = synapse_from_url(f"cosmo://127.0.0.1:{port}")
    transport = synapse.transport("default", "patient", mock.Mock(), 1_000_000)
    waiting = {
        "connect": lambda: synapse.connect(None),
        "open": lambda: transport.open(None, ()),
    }[plane]()

    connecting = asyncio.create_task(waiting)
    await until(lambda: len(caplog.messages) >= 3)
    children.synapse(port=port)
    await connecting

    assert all(text.startswith(f"no Synapse at {synapse.url} for ") for text in caplog.messages)
    assert f"no process listens at tcp://127.0.0.1:{port}" in caplog.messages[2]
    assert "cosmo synapse start" in caplog.messages[2]
    assert caplog.messages[2].endswith("still waiting")
    await transport.close(1.0)
