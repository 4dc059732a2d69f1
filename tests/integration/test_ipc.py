"""`cosmo+ipc://path`: one Synapse for the network and for Unix sockets of this machine."""

import asyncio
import contextlib
import os
import signal
import stat
import tempfile
from pathlib import Path

import pytest
import zmq

from cosmonapse import InvalidUrl, PortInUse, SynapseServer, SynapseUnreachable, connect_synapse
from support.processes import ChildFailed, axon, free_ports, until
from support.watching import kept

FILES = ["sock", "sock.listen", "sock.lock", "sock.publish"]
SUBSCRIBER = """
import os, sys, zmq
from zmq_transport.wire import topics
with zmq.Context() as context, context.socket(zmq.SUB) as sub:
    sub.connect(sys.argv[1])
    for _ in range(30):
        sub.subscribe(topics.trace_topic("test", os.urandom(16)))
    print("subscribed", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def folder():
    """A folder whose name is short enough for a Unix socket."""
    with tempfile.TemporaryDirectory(prefix="cosmo-") as made:
        yield Path(made)


def listing(folder):
    return sorted(os.listdir(folder))


def start(children, folder, *arguments):
    """Start a Synapse that listens in a folder too; return it and both of its URLs."""
    synapse, url = children.synapse("--ipc", folder / "sock", *arguments)
    return synapse, url, synapse.line("  and on").text


async def end(synapse, number):
    synapse.send(number)
    await asyncio.to_thread(synapse.wait)


@contextlib.contextmanager
def barred(folder):
    """Take from this user the right to write to the socket, inside a `with` block."""
    folder.chmod(0o755)
    (folder / "sock").chmod(0o000)
    was_root = os.geteuid() == 0
    if was_root:  # root may write to everything
        os.seteuid(65_534)
    try:
        yield
    finally:
        if was_root:
            os.seteuid(0)


# -- two ways in -----------------------------------------------------------------------------------


@pytest.mark.asyncio
@pytest.mark.parametrize("local", ["worker", "caller"])
async def test_who_comes_by_tcp_and_who_comes_by_ipc_are_in_one_fabric(
    local, namespace, join, children, folder
):
    _, url, ipc_url = start(children, folder)
    here, there = (url, ipc_url) if local == "worker" else (ipc_url, url)
    children.worker(there, namespace, axon("stream"))
    watcher = join("watcher", url=there)
    deltas, outputs = kept(watcher.on_thought_delta), kept(watcher.on_agent_output)
    async with join("caller", url=here) as caller, watcher:
        output = await caller.ask(neuron="worker", input={"count": 3})
        await until(lambda: len(deltas) == 3 and len(outputs) == 1)
        (record,) = await caller.find_neurons()

    assert ipc_url == f"cosmo+ipc://{folder}/sock"
    assert output == {"response": "0 1 2 "}
    assert record.neuron_id == "worker"


@pytest.mark.asyncio
async def test_the_command_line_takes_the_url_as_option_and_from_the_environment(
    namespace, children, folder
):
    _, _, ipc_url = start(children, folder)
    children.worker(ipc_url, namespace, axon())

    ask = ("dispatch", "-n", namespace, "--neuron", "worker", "--input", '{"a": 1}')
    named = children.cosmo(*ask, "--url", ipc_url)
    found = children.cosmo(*ask, env={"COSMO_URL": ipc_url})

    assert [await asyncio.to_thread(each.wait) for each in (named, found)] == [0, 0]
    assert all('"a": 1' in each.said for each in (named, found))


@pytest.mark.asyncio
async def test_all_who_come_by_ipc_share_the_cap_of_one_host(children, folder):
    path = folder / "sock"
    with SynapseServer(port=0, ipc=path, max_subscriptions_per_host=50) as server:
        for _ in range(2):
            child = children.start("-c", SUBSCRIBER, f"ipc://{path}.listen")
            await asyncio.to_thread(child.line, "subscribed")

        await until(lambda: server.counts.get("ignored.max_topics_per_host") == 10)


# -- files -----------------------------------------------------------------------------------------


def test_the_files_are_this_users_alone_and_gone_at_the_end(children, folder):
    synapse, _, _ = start(children, folder)

    modes = {stat.S_IMODE((folder / name).stat().st_mode) for name in FILES}
    listed = listing(folder)
    synapse.send(signal.SIGTERM)

    assert synapse.wait() == 0
    assert listed == FILES
    assert modes == {0o600}
    assert listing(folder) == []


@pytest.mark.asyncio
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM], ids=lambda each: each.name)
async def test_a_synapse_that_comes_back_at_its_path_finds_everyone_there(
    number, namespace, join, children, folder
):
    synapse, url, ipc_url = start(children, folder)
    children.worker(ipc_url, namespace, axon())
    async with join("caller", url=ipc_url) as caller, join("watcher", url=ipc_url) as watcher:
        outputs = kept(watcher.on_agent_output)
        for _ in range(2):
            await caller.ask(neuron="worker", input={"before": True})
            await end(synapse, number)
            left = listing(folder)
            synapse, again, _ = await asyncio.to_thread(start, children, folder)
            output = await caller.ask(neuron="worker", input={"after": True})
        outputs.clear()
        while not outputs:
            await caller.ask(neuron="worker", input={}, timeout_s=5.0)

    assert output["echo"] == {"after": True}
    assert again != url  # other ports: over ipc nobody needs them
    assert left == (FILES if number == signal.SIGKILL else [])


def test_a_second_synapse_at_the_same_path_is_refused_and_the_first_goes_on(children, folder):
    first, _, ipc_url = start(children, folder)

    second = children.cosmo("synapse", "start", "--port", 0, "--ipc", folder / "sock")

    assert second.wait() == 1
    (line,) = second.err
    assert f"{folder}/sock: another process listens there; choose another path" in line.text
    assert "--ipc" in line.text
    asyncio.run(connect_synapse(ipc_url))
    first.send(signal.SIGTERM)
    assert first.wait() == 0


def test_of_several_that_start_at_once_after_a_kill_one_gets_the_path(children, folder):
    killed, _, ipc_url = start(children, folder)
    killed.kill()

    command = ("synapse", "start", "--quiet", "--port", 0, "--ipc", folder / "sock")
    rivals = [children.cosmo(*command) for _ in range(4)]
    for rival in rivals:
        with contextlib.suppress(ChildFailed):
            rival.line("Synapse listening on")
    (winner,) = [rival for rival in rivals if rival.out]

    asyncio.run(connect_synapse(ipc_url))
    assert [rival.wait() for rival in rivals if rival is not winner] == [1, 1, 1]
    assert listing(folder) == FILES


def test_a_relative_path_begins_at_the_working_directory(folder, monkeypatch):
    monkeypatch.chdir(folder)

    with SynapseServer(port=0, ipc="sock") as server:
        assert server.ipc_url == f"cosmo+ipc://{folder.resolve()}/sock"


def test_a_server_without_a_path_listens_at_none():
    with SynapseServer(port=0) as server:
        assert server.ipc_url is None


def test_a_directory_that_does_not_exist_is_one_line(children, folder):
    child = children.cosmo("synapse", "start", "--port", 0, "--ipc", folder / "no" / "sock")

    assert child.wait() == 1
    (line,) = child.err
    assert f"the directory {folder}/no does not exist" in line.text


@pytest.mark.parametrize("path", ["", "/tmp/", "/" + "x" * 99])
def test_what_is_no_path_of_a_socket_is_refused_before_anything_starts(path, children):
    child = children.cosmo("synapse", "start", "--port", 0, "--ipc", path)

    with pytest.raises(InvalidUrl):
        SynapseServer(ipc=path)
    assert child.wait() != 0
    assert len(child.err) == 1


def test_a_port_in_use_leaves_no_file(folder):
    with SynapseServer(port=0) as other, pytest.raises(PortInUse):
        SynapseServer(port=int(other.url.rpartition(":")[2]), ipc=folder / "sock").start()

    assert listing(folder) == []


def test_a_path_in_use_leaves_the_ports_to_others(folder):
    port = free_ports()
    (folder / "sock.publish").write_text("mine")
    with pytest.raises(PortInUse, match=r"sock\.publish is not a socket"):
        SynapseServer(port=port, ipc=folder / "sock").start()

    assert listing(folder) == ["sock.publish"]
    with SynapseServer(port=port):
        pass


# -- nobody there ----------------------------------------------------------------------------------


@pytest.mark.asyncio
@pytest.mark.parametrize("stale", [False, True])
async def test_nobody_there_is_told_in_time_with_what_to_run(stale, folder):
    url = f"cosmo+ipc://{folder}/so ck"
    if stale:
        with zmq.Context() as context, context.socket(zmq.ROUTER) as router:
            router.bind(f"ipc://{folder}/so ck")

    with pytest.raises(SynapseUnreachable, match="no process listens at ipc://") as caught:
        await connect_synapse(url, timeout_s=0.3)

    assert f"cosmo synapse start --ipc '{folder}/so ck'" in str(caught.value)
    assert listing(folder) == (["so ck"] if stale else [])


@pytest.mark.asyncio
async def test_a_socket_of_another_user_is_told_as_such(folder):
    with (
        SynapseServer(port=0, ipc=folder / "sock") as server,
        barred(folder),
        pytest.raises(SynapseUnreachable, match="belongs to another one"),
    ):
        await connect_synapse(server.ipc_url, timeout_s=0.3)


@pytest.mark.asyncio
async def test_a_synapse_that_starts_at_a_path_while_someone_connects_is_found(children, folder):
    url = f"cosmo+ipc://{folder}/sock"
    connecting = asyncio.create_task(connect_synapse(url, timeout_s=10.0))

    await asyncio.to_thread(start, children, folder)

    assert (await connecting).url == url
