"""What users may do at a nats-server with the configuration of `cosmo synapse nats-conf`."""

import asyncio
import os
import re
import shutil
import stat

import pytest

from cosmonapse import AccessRefused, Axon, Dendrite, connect_synapse
from cosmonapse.synapse.nats import subjects
from cosmonapse.synapse.nats.place import NatsPlace
from integration.test_nats_rights import connected
from support.nats_servers import certificate, nats_server_with, need_nats_server
from support.processes import free_ports

need_nats_server()
ROUTER = bytes(16)
CONN = "0" * 16


@pytest.fixture
def fabric(tmp_path, children):
    """Yield the URL of each user at a nats-server: Synapses, ben in red, eve in blue."""
    port, file = free_ports(), tmp_path / "made.conf"
    made = children.cosmo(
        *("synapse", "nats-conf", "--user", "ben=red,team.one", "--user", "eve=blue"),
        *("--user", "ann=red", "--port", port, "--out", file),
    )
    assert made.wait() == 0, made.said
    urls = dict(re.findall(r"(nats://(\w+):\S+)", made.said))
    with nats_server_with(port=port, conf=file.read_text()):
        yield {name: url for url, name in urls.items()}


def refusals(url, *, publish=(), subscribe=()):
    """Return which of these subjects a plain client may not publish to or subscribe to."""

    async def main():
        faults = []
        client = await connected(NatsPlace.of(url), faults)
        try:
            for each in subscribe:
                await client.subscribe(each)
            for each in publish:
                await client.publish(each, b"")
            for _ in range(2):  # the first may overtake a subscription in nats-py
                await client.flush()
        finally:
            await client.close()
        return {fault.subject for fault in faults}

    return asyncio.run(main())


def test_the_file_is_for_this_user_alone(tmp_path, children):
    file = tmp_path / "made.conf"
    command = ("synapse", "nats-conf", "--user", "ben=red", "--out", file)

    assert children.cosmo(*command).wait() == 0
    again = children.cosmo(*command)

    assert stat.S_IMODE(os.stat(file).st_mode) == 0o600
    assert again.wait() != 0
    assert "exists already" in again.said


def test_a_user_may_do_what_a_dendrite_needs(fabric):
    for namespace in ("red", "team.one"):
        below = f"cosmo.{subjects.token(namespace)}"
        assert not refusals(
            fabric["ben"],
            publish=[subjects.WHO, subjects.up(namespace, ROUTER, "ben", CONN)],
            subscribe=[
                subjects.BEATS,
                subjects.down(namespace, "ben", CONN),
                subjects.heard(namespace, "ben", CONN),
                subjects.subscribed(namespace),
                f"{below}.t.AGENT_OUTPUT",
                f"{below}.r.{'0' * 32}",
                "_INBOX.ben.x",
            ],
        )


@pytest.mark.parametrize(
    "subject",
    [
        subjects.up("blue", ROUTER, "ben", CONN),  # another namespace
        subjects.up("red", ROUTER, "eve", CONN),  # the name of another user
        subjects.up("red", ROUTER, "-", CONN),  # no name
        subjects.down("red", "ben", CONN),
        subjects.heard("red", "ben", CONN),
        subjects.subscribed("red"),
        "cosmo.red.t.AGENT_OUTPUT",
        f"cosmo.red.r.{'0' * 32}",
        subjects.BEATS,
        subjects.alive(ROUTER),
        subjects.gone(ROUTER, "1"),
        "_INBOX.eve.x",
        "anything",
    ],
)
def test_a_user_may_not_send_as_another_or_as_a_synapse(fabric, subject):
    assert refusals(fabric["ben"], publish=[subject]) == {subject.lower()}


@pytest.mark.parametrize(
    "subject",
    [
        "cosmo.blue.t.*",
        "cosmo.blue.down.eve.*",
        "cosmo.*.t.*",
        "cosmo.red.down.ann.*",
        "cosmo.red.heard.ann.*",
        "cosmo.red.down.*.*",
        "cosmo.red.up.>",
        "cosmo.red.>",
        "cosmo.>",
        "cosmo._who",
        "cosmo._alive.>",
        "cosmo._gone.>",
        "_INBOX.>",
        ">",
    ],
)
def test_a_user_may_not_hear_what_is_for_others(fabric, subject):
    assert refusals(fabric["ben"], subscribe=[subject]) == {subject.lower()}


def test_a_synapse_may_do_everything_of_the_fabric_and_no_more(fabric):
    everything = ["cosmo.red.down.ben.x", "cosmo._synapse", "_INBOX.ben.x"]
    assert not refusals(fabric["synapse"], publish=everything, subscribe=["cosmo.>"])
    assert refusals(fabric["synapse"], publish=["else"], subscribe=[">"]) == {"else", ">"}


async def echo(input, context):
    return {"echo": input}


async def ask(url, namespace):
    """Return the output of a Neuron that another Dendrite of the same user hosts."""
    there = {"namespace": namespace}
    worker = Dendrite(synapse=await connect_synapse(url), dendrite_id="worker", **there)
    worker.attach_axon(Axon(neuron_id="echo", neuron_fn=echo))
    heard = asyncio.Event()
    async with worker, Dendrite(synapse=await connect_synapse(url), **there) as caller:
        caller.on_agent_output(lambda signal: heard.set())
        output = await caller.ask(neuron="echo", input=namespace, timeout_s=5)
        await asyncio.wait_for(heard.wait(), 5)
    await goodbyes()
    return output


async def goodbyes():
    """Wait for what lines do in the background when they are closed; TLS takes its time for it."""
    closing = [each for each in asyncio.all_tasks() if each.get_name().startswith("close ")]
    if closing:
        await asyncio.wait(closing)


@pytest.fixture
def synapse(fabric, children):
    started = children.cosmo("synapse", "start", fabric["synapse"], "--quiet")
    assert started.says("slots"), started.said
    return fabric


def test_two_users_work_in_two_namespaces(synapse):
    async def main():
        return await asyncio.gather(ask(synapse["ben"], "red"), ask(synapse["eve"], "blue"))

    assert asyncio.run(main()) == [{"echo": "red"}, {"echo": "blue"}]


def test_a_wrong_password_is_refused_at_once_with_what_to_do(synapse):
    url = synapse["ben"].replace("nats://ben:", "nats://ben:not")

    async def main():
        async with asyncio.timeout(5):
            await connect_synapse(url, timeout_s=30)

    with pytest.raises(AccessRefused, match="check the user ben and its password") as caught:
        asyncio.run(main())
    assert url not in str(caught.value)


def test_a_foreign_namespace_is_refused_and_named(synapse):
    async def main():
        async with asyncio.timeout(5):
            there = await connect_synapse(synapse["eve"])
            async with Dendrite(synapse=there, namespace="red"):
                pass

    with pytest.raises(AccessRefused, match="namespace red"):
        asyncio.run(main())


def test_a_user_cannot_end_the_connection_of_another(synapse):
    """With a message to nobody, whose answer would go where Synapses learn who is gone."""

    async def main():
        worker = Dendrite(synapse=await connect_synapse(synapse["ben"]), namespace="red")
        worker.attach_axon(Axon(neuron_id="echo", neuron_fn=echo))
        caller = Dendrite(synapse=await connect_synapse(synapse["ben"]), namespace="red")
        faults, beats = [], asyncio.Queue()
        eve = await connected(NatsPlace.of(synapse["eve"]), faults)
        async with worker, caller:
            await eve.subscribe(subjects.BEATS, cb=beats.put)
            router = (await asyncio.wait_for(beats.get(), 5)).data[2:18]
            nobody = subjects.up("blue", ROUTER, "eve", CONN)
            for number in range(64):
                await eve.publish(nobody, b"", subjects.gone(router, f"{number:x}"))
            await eve.flush()
            await caller.ask(neuron="echo", input=1, timeout_s=5)
            state = await caller.synapse_state()
            found = await caller.find_neurons()
        await eve.close()
        return state.counts, found

    counts, found = asyncio.run(main())
    assert [each.neuron_id for each in found] == ["echo"]
    assert not {name for name in counts if "unreachable" in name or "gone" in name}, counts


def test_with_a_certificate_it_is_encrypted(tmp_path, children):
    cert, key = certificate(tmp_path)
    port, file = free_ports(), tmp_path / "made.conf"
    files = ("--tls-cert", cert, "--tls-key", key, "--out", file)
    made = children.cosmo("synapse", "nats-conf", "--user", "ben=red", "--port", port, *files)
    assert made.wait() == 0, made.said
    urls = [f"{each}?ca={cert}" for each in re.findall(r"tls://\S+", made.said)]

    with nats_server_with(port=port, conf=file.read_text()):
        started = children.cosmo("synapse", "start", urls[0], "--quiet")
        assert started.says("slots"), started.said
        assert asyncio.run(ask(urls[1], "red")) == {"echo": "red"}
        with pytest.raises(AccessRefused, match="not trusted"):
            asyncio.run(connect_synapse(urls[1].partition("?")[0]))


def test_one_file_serves_every_server_of_a_cluster(tmp_path, children):
    """The hosts are addresses of this machine, so that each server has the same ports."""
    port, file = free_ports(), tmp_path / "made.conf"
    hosts = ("127.0.0.2", "127.0.0.3")
    made = children.cosmo(
        *("synapse", "nats-conf", "--user", "ben=red", "--port", port, "--out", file),
        *("--cluster", hosts[0], "--cluster", hosts[1], "--cluster-port", port + 2),
    )
    assert made.wait() == 0, made.said
    routes = re.search(r'"nats-route://(\S+?)@', file.read_text())[1]
    urls = re.findall(r"nats://\S+", made.said)
    for host in hosts:
        own = ("-a", host, "--cluster", f"nats://{routes}@{host}:{port + 2}")
        server = children.start("-c", file, *own, program=shutil.which("nats-server"))
        assert server.says("Server is ready"), server.said

    def at(url, host):
        return re.sub(r"@.*", f"@{host}:{port}", url)

    started = children.cosmo("synapse", "start", at(urls[0], hosts[0]), "--quiet")
    assert started.says("slots"), started.said

    assert asyncio.run(ask(at(urls[1], hosts[1]), "red")) == {"echo": "red"}
    assert asyncio.run(ask(urls[1], "red")) == {"echo": "red"}


def test_the_doctor_looks_at_the_way(synapse, children):
    url = synapse["ben"]

    well = children.cosmo("doctor", "--url", url, "-n", "red")
    wrong = children.cosmo("doctor", "--url", url.replace("ben:", "ben:not"), "-n", "red")

    assert well.wait() == 0, well.said
    assert "is a nats-server" in well.said
    assert "wants credentials" in well.said
    assert "let in to namespace red" in well.said
    assert "they arrive here" in well.said
    assert wrong.wait() == 1
    assert "check the user ben and its password" in wrong.said
    password = url.partition("ben:")[2].partition("@")[0]
    assert password not in well.said + wrong.said
