"""`cosmo synapse start` and connecting to what is no Synapse: one line that says what to do."""

import asyncio
import signal
import socket
import time

import pytest

from cosmonapse import SynapseUnreachable, connect_synapse
from cosmonapse.testing import ChatServer
from support.processes import axon, closed_port, free_ports, until
from zmq_transport import Client, Reason, TcpEndpoint, ZmqCarrier

TIMEOUT_S = 0.5
LATE_S = 0.5


def log_lines(child, what):
    """Return the lines of a Synapse's log about one type of Signal."""
    return [line.text for line in list(child.out) if f"  {what} " in line.text]


@pytest.mark.parametrize("offset", [0, 2, 3])
def test_a_port_in_use_is_one_line_that_names_it_and_the_way_out(offset, children):
    port = free_ports()
    with socket.create_server(("127.0.0.1", port + offset)):
        child = children.cosmo("synapse", "start", "--port", port)

        assert child.wait() == 1

    (line,) = child.err
    assert f"127.0.0.1:{port + offset}" in line.text
    assert "in use" in line.text
    assert "--port" in line.text
    assert child.out == []


def test_a_second_synapse_on_the_same_port_is_refused_and_the_first_goes_on(children):
    first, url = children.synapse()

    second = children.cosmo("synapse", "start", "--port", url.rpartition(":")[2])

    assert second.wait() == 1
    assert len(second.err) == 1
    first.send(signal.SIGTERM)
    assert first.wait() == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ["--port", "99999"],
        ["--port", "many"],
        ["--namespace", "a/b"],
        ["--namespace", ""],
        ["disk"],
        ["--nonsense"],
    ],
)
def test_a_mistake_on_the_command_line_exits_with_2_and_no_traceback(arguments, children):
    child = children.cosmo("synapse", "start", *arguments)

    assert child.wait() == 2
    assert child.out == []
    assert child.err


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 0)], ids=["SIGINT", "SIGTERM"]
)
def test_a_synapse_ends_on_an_os_signal_with_its_exit_code(number, code, children):
    synapse, _ = children.synapse()

    synapse.send(number)

    assert synapse.wait() == code
    assert [line.text for line in synapse.err] == ["Synapse stopped; the Dendrites were notified."]


@pytest.mark.asyncio
async def test_the_log_has_one_line_for_each_signal(namespace, join, children):
    synapse = children.cosmo("synapse", "start", "--port", "0")
    url = synapse.line("Synapse listening on").text
    worker = children.worker(url, namespace, axon("stream"))
    async with join(url=url) as caller:
        for _ in range(3):
            await caller.ask(neuron="worker", input={"count": 4})
        await caller.dispatch_and_wait(neuron="nobody", input={})
        worker.send(signal.SIGTERM)
        await until(lambda: log_lines(synapse, "DEREGISTER"), what="the line of the DEREGISTER")
    synapse.send(signal.SIGTERM)
    await asyncio.to_thread(synapse.wait)

    counted = {
        what: len(log_lines(synapse, what))
        for what in ("REGISTER", "TASK", "THOUGHT_DELTA", "AGENT_OUTPUT", "BOUNCE", "DEREGISTER")
    }
    assert counted == {
        "REGISTER": 1,
        "TASK": 4,
        "THOUGHT_DELTA": 12,
        "AGENT_OUTPUT": 3,
        "BOUNCE": 1,
        "DEREGISTER": 1,
    }
    assert all(namespace in line for line in log_lines(synapse, "TASK"))


@pytest.mark.asyncio
async def test_a_quiet_synapse_prints_its_banner_and_nothing_else(namespace, join, children):
    synapse, url = children.synapse()
    children.worker(url, namespace, axon())
    async with join(url=url) as caller:
        await caller.ask(neuron="worker", input={})
    synapse.send(signal.SIGTERM)
    await asyncio.to_thread(synapse.wait)

    printed = [line.text for line in synapse.out]
    assert printed[0] == f"Synapse listening on {url}"
    assert printed[-1].split() == ["stop", "Ctrl-C"]
    assert not any("TASK" in line for line in printed)


class Bounced:
    """Takes what a transport reports, and keeps the bounces."""

    def __init__(self):
        self.reasons = []

    def on_bounce(self, task, reason):
        self.reasons.append(reason)

    def __getattr__(self, name):
        return lambda *_: None


@pytest.mark.asyncio
async def test_the_log_escapes_what_could_steer_a_terminal(children):
    synapse = children.cosmo("synapse", "start", "--port", "0")
    port = int(synapse.line("Synapse listening on").text.rpartition(":")[2])
    receiver = Bounced()
    carrier = ZmqCarrier(TcpEndpoint("127.0.0.1", port), 1_000_000)
    client = Client(carrier, namespace="test", name="rude", receiver=receiver)
    await client.open(5.0)
    address = "\x1b[2Jgone\x07\r\n\u202etxt".encode()
    client.send_task(address, b"t" * 16, b"r" * 16, 1, b"body", 5000)
    await until(lambda: receiver.reasons)
    await client.close()
    synapse.send(signal.SIGTERM)
    await asyncio.to_thread(synapse.wait)

    (line,) = [line for line in log_lines(synapse, "TASK") if "gone" in line]
    assert receiver.reasons == [Reason.BAD_ADDRESS]
    assert line.isprintable()
    assert r"\x1b[2Jgone\x07\r\n\u202etxt" in line


async def unreachable(url):
    """Return the error of connecting there, and how long it took."""
    asked_at_s = time.perf_counter()
    with pytest.raises(SynapseUnreachable) as caught:
        await connect_synapse(url, timeout_s=TIMEOUT_S)
    return str(caught.value), time.perf_counter() - asked_at_s


@pytest.mark.asyncio
async def test_nobody_listening_there_is_told_within_the_timeout_with_what_to_run():
    port = closed_port()

    text, took_s = await unreachable(f"cosmo://127.0.0.1:{port}")

    assert f"cosmo synapse start --port {port}" in text
    assert f"no process listens at tcp://127.0.0.1:{port}" in text
    assert took_s <= TIMEOUT_S + LATE_S


@pytest.mark.asyncio
async def test_an_http_server_there_is_told_within_the_timeout():
    with ChatServer() as server:
        text, took_s = await unreachable(server.url.replace("http", "cosmo"))

    assert "does not speak our protocol" in text
    assert "check the URL" in text
    assert took_s <= TIMEOUT_S + LATE_S


@pytest.mark.asyncio
async def test_somebody_who_listens_and_says_nothing_is_told_within_the_timeout():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        text, took_s = await unreachable(f"cosmo://127.0.0.1:{silent.getsockname()[1]}")

    assert "does not speak our protocol" in text
    assert took_s <= TIMEOUT_S + LATE_S


@pytest.mark.asyncio
async def test_a_name_that_does_not_resolve_is_told_within_the_timeout():
    text, took_s = await unreachable("cosmo://no-such-host.invalid:7070")

    assert "the name no-such-host.invalid does not resolve" in text
    assert took_s <= TIMEOUT_S + LATE_S


@pytest.mark.asyncio
async def test_a_dendrite_without_a_synapse_fails_to_start_within_the_timeout(join):
    port = closed_port()
    asked_at_s = time.perf_counter()

    with pytest.raises(SynapseUnreachable, match=f"cosmo synapse start --port {port}"):
        await join(url=f"cosmo://127.0.0.1:{port}").start(timeout_s=TIMEOUT_S)

    assert time.perf_counter() - asked_at_s <= TIMEOUT_S + LATE_S


@pytest.mark.asyncio
async def test_a_synapse_that_starts_while_someone_connects_is_found(namespace, join, children):
    port = free_ports()
    connecting = asyncio.create_task(connect_synapse(f"cosmo://127.0.0.1:{port}", timeout_s=10.0))

    await asyncio.to_thread(children.synapse, port=port)

    assert (await connecting).url == f"cosmo://127.0.0.1:{port}"
