"""Every verb of `cosmo` over a nats-server, as a user types it; and a subscriber of plain NATS."""

import asyncio
import json
import shlex
import signal
import socket
import threading

import httpx
import pytest

from support.nats_servers import HOST, NatsServer, need_nats_server
from support.prism import Tab, prism
from support.processes import WORKER, Children, closed_port, free_ports, until
from support.scraping import Scrape, answer

nats = pytest.importorskip("nats")
need_nats_server()

SHELL = WORKER.with_name("cosmo_shell.py")
NAMESPACE = "team"
TOLD = "Synapse stopped; the Dendrites were notified."
APP = """
import asyncio
from cosmonapse import Axon, Clarification

async def echo(input, context):
    return {"echo": input}

async def slow(input, context):
    await asyncio.sleep(60)

async def tells(input, context):
    for word in ("one ", "two ", "three"):
        yield word

async def asks(input, context):
    if "clarification" in input:
        return {"heard": input["clarification"]["answer"]}
    raise Clarification("which colour?")

axons = [
    Axon(neuron_id=each.__name__, neuron_fn=each, capabilities=["say"] if each is echo else [])
    for each in (echo, slow, tells, asks)
]
"""


@pytest.fixture(scope="module")
def server():
    server = NatsServer()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def office(server):
    with Children() as children:
        yield children


def router(children, url, *options, **kwargs):
    """Start a Synapse on NATS; return it once it serves."""
    child = children.cosmo("synapse", "start", url, *options, **kwargs)
    child.line("Synapse on")
    assert child.says("this Synapse")
    return child


@pytest.fixture(scope="module")
def metrics_url():
    return f"http://{HOST}:{free_ports()}"


@pytest.fixture(scope="module")
def synapse(office, server, metrics_url):
    place = metrics_url.removeprefix("http://")
    return router(office, server.url, "--always-publish", "--quiet", "--metrics", place)


@pytest.fixture(scope="module")
def worker(office, server, synapse, tmp_path_factory):
    folder = tmp_path_factory.mktemp("app")
    (folder / "app.py").write_text(APP)
    options = ("--url", server.url, "-n", NAMESPACE)
    child = office.cosmo("worker", "app:axons", *options, cwd=folder)
    assert child.says(f"at {server.url} in {NAMESPACE}")
    return child


@pytest.fixture(scope="module")
def cosmo(office, server, worker):
    """Return a function that runs `cosmo` in the namespace: exit code, and what it printed."""
    shell = office.start(SHELL, env={"COSMO_URL": server.url, "COSMO_NAMESPACE": NAMESPACE})
    asked = []

    def typed(line, *more):
        asked.append(line)
        shell.tell(json.dumps([*shlex.split(line), *map(str, more)]))
        return tuple(json.loads(shell.lines("answer", len(asked))[-1]))

    return typed


@pytest.fixture
def watching(children, server):
    """Return a function that starts `cosmo ...` in the namespace; Ctrl-C ends it with the test."""
    all_of_them = []

    def started(verb, *options, ready):
        options = ("--url", server.url, "-n", NAMESPACE, *options)
        child = children.cosmo(verb, *options, merge_stderr=True)
        all_of_them.append(child)
        assert child.says(ready)
        return child

    yield started
    for each in all_of_them:
        each.send(signal.SIGINT)
        each.wait()


def lines_of(text):
    return [json.loads(each) for each in text.splitlines()]


# -- who is there, and what is under way ---------------------------------------------------------


def test_registry_and_check_show_who_is_there(cosmo, server):
    code, said = cosmo("registry --json")

    assert code == 0
    assert [each["neuron_id"] for each in lines_of(said)] == ["asks", "echo", "slow", "tells"]
    code, said = cosmo("check -v --expect echo=1")
    assert code == 0
    assert f"has 4 Axons of 4 neurons, 0 open tasks; the Synapse at {server.url} is up for" in said
    assert cosmo("check --neuron nobody")[0] == 2


def test_check_tells_the_time_of_the_synapse_and_not_of_a_namespace_that_is_new(cosmo):
    def synapse_in(namespace):
        return json.loads(cosmo(f"check --json -n {namespace}")[1])["synapse"]

    before, young = synapse_in(NAMESPACE), synapse_in("never-used-before")

    assert young["uptime_s"] >= before["uptime_s"] > 0
    assert young["axons"] == before["axons"] == 4
    assert young["release"]


def test_dispatch_prints_outputs_streams_and_failures(cosmo):
    assert cosmo("dispatch --neuron echo", "--input", '{"a": 1}') == (
        0,
        '{\n  "echo": {\n    "a": 1\n  }\n}\n',
    )
    assert cosmo("dispatch --capabilities say --input {}")[0] == 0
    assert cosmo("dispatch --neuron tells --input {} --stream") == (0, "one two three\n")
    code, said = cosmo("dispatch --neuron nobody --input {}")
    assert (code, "NO_SUCH_NEURON" in said) == (3, True)
    assert cosmo("dispatch --neuron slow --input {} --timeout 0.3")[0] == 4


@pytest.mark.asyncio
async def test_ps_shows_an_open_task_and_stop_cancels_it(children, cosmo, server):
    def tasks():
        return lines_of(cosmo("ps --json")[1])

    sent = ("dispatch", "--neuron", "slow", "--input", "{}")
    caller = children.cosmo(*sent, "--url", server.url, "-n", NAMESPACE)
    await until(tasks)
    [task] = tasks()
    code, said = cosmo(f"stop {task['trace_id']}")

    assert (task["state"], task["neuron"], task["caller"]) == ("running", "slow", "cosmo")
    assert (code, "1 task cancelled" in said) == (0, True)
    assert (caller.wait(), "CANCELLED" in caller.said) == (1, True)
    assert tasks() == []


# -- who listens ---------------------------------------------------------------------------------


def test_doppler_shows_and_record_keeps_what_passes(cosmo, watching, tmp_path):
    file = tmp_path / "signals"
    doppler = watching("doppler", ready="showing team")
    record = watching("record", file, ready="recording team")

    cosmo("dispatch --neuron tells --input {}")
    code, said = cosmo("emit plan", "--payload", '{"steps": ["later"]}')

    assert (code, said.startswith("published PLAN")) == (0, True)
    for each in ("TASK", "THOUGHT_DELTA", "AGENT_OUTPUT", "PLAN"):
        assert doppler.says(each)
    for child in (doppler, record):
        child.send(signal.SIGINT)
        assert child.wait() == 130
    assert ", 0 missed" in doppler.said
    assert ", 0 missed" in record.said
    code, said = cosmo("doppler --replay", file)
    assert (code, "PLAN" in said) == (0, True)


def test_reply_answers_tasks_with_a_command(cosmo, watching):
    reply = watching("reply", "shell", "--exec", "cat", ready="shell answers")

    assert cosmo("dispatch --neuron shell --input {}") == (0, "{}\n")
    reply.send(signal.SIGTERM)
    reply.wait()
    assert cosmo("dispatch --neuron shell --input {}")[0] == 3


def test_answer_answers_a_question(watching, cosmo):
    person = watching("answer", ready="waiting for questions")
    caller = watching(
        "dispatch", "--neuron", "asks", "--input", "{}", "--timeout", "15", ready="which colour?"
    )
    assert caller.wait() == 1
    assert person.says("question: which colour?")
    doppler = watching("doppler", ready="showing team")

    person.tell("red")

    assert doppler.says("CLARIFICATION_ANSWER")


def test_prism_serves_its_page_and_remembers_for_doppler(children, server, cosmo, watching):
    child, address = prism(children, server.url, NAMESPACE)

    with Tab(address) as tab:
        state = tab.newest("state", lambda data: data["synapse"]["connected"])
        cosmo("dispatch --neuron echo --input {}")
        tab.until(lambda: {"TASK", "AGENT_OUTPUT"} <= set(tab.types()))
    page = httpx.get(address, trust_env=False)

    assert state["synapse"]["url"] == server.url
    assert (page.status_code, "<title>Prism</title>" in page.text) == (200, True)
    assert answer(f"{address}api/health") == (200, '{"ok":true}')
    watching("doppler", "--since", "5m", "--from", address, ready="AGENT_OUTPUT")
    child.send(signal.SIGTERM)
    child.wait()


def test_a_subscriber_of_plain_nats_sees_the_types(server, cosmo):
    heard, is_there, is_enough = {}, threading.Event(), threading.Event()
    wanted = {"TASK", "THOUGHT_DELTA", "AGENT_OUTPUT", "PLAN"}

    async def listen():
        client = await nats.connect(server.url, allow_reconnect=False)

        async def hear(message):
            heard[message.subject.rpartition(".")[2]] = message.data
            if heard.keys() >= wanted:
                is_enough.set()

        await client.subscribe(f"cosmo.{NAMESPACE}.t.>", cb=hear)
        await client.flush()
        is_there.set()
        await asyncio.to_thread(is_enough.wait, 10.0)
        await client.close()

    listener = threading.Thread(target=asyncio.run, args=(listen(),))
    listener.start()
    assert is_there.wait(10.0)
    cosmo("dispatch --neuron tells --input {}")
    cosmo("emit plan", "--payload", '{"steps": ["later"]}')
    listener.join(15.0)

    assert heard.keys() >= wanted
    assert {data[0] for data in heard.values()} == {2}
    assert b"later" in heard["PLAN"]


# -- measuring and looking after -----------------------------------------------------------------


@pytest.mark.parametrize("kind", ["latency", "throughput", "fanout", "stream"])
def test_bench_measures(cosmo, kind):
    code, said = cosmo(f"bench {kind} --seconds 0.5 -n bench-{kind} --json -")

    found = json.loads(said[said.index("{") :])
    assert (code, kind in json.dumps(found)) == (0, True)
    assert "nats-py" in json.dumps(found)


def test_metrics_tell_of_all_namespaces_and_of_each_counter(cosmo, metrics_url, server):
    seen = Scrape(f"{metrics_url}/metrics")

    assert seen.value("cosmonapse_synapse_axons") == 4
    assert seen.value("cosmonapse_synapse_role", role="alone") == 1
    assert seen.value("cosmonapse_events_total", side="synapse", event="line_broken") == 0
    meant = seen.labels("cosmonapse_event_info", "event")
    assert {"began_anew", "drop.stale", "full.clients"} <= meant
    assert answer(f"{metrics_url}/readyz") == (200, f"serving at {server.url}\n")


def test_doctor_looks_at_the_nats_server(cosmo, server):
    code, said = cosmo("doctor")

    assert code == 0
    assert f"{HOST}:{server.port} is a nats-server" in said
    assert "1,048,576 bytes a message" in said
    assert "nats, as the URL says" in said
    assert "they arrive here" in said
    assert "nothing to reach" not in said


def test_doctor_says_what_is_there_instead_of_a_nats_server(cosmo):
    port = closed_port()
    code, said = cosmo(f"doctor --url nats://{HOST}:{port}")
    assert (code, f"start a nats-server on {HOST}" in said) == (1, True)

    with socket.create_server((HOST, port)) as other:
        ended = threading.Thread(target=lambda: other.accept()[0].close())
        ended.start()
        code, said = cosmo(f"doctor --url nats://{HOST}:{port}")
        ended.join(10.0)
    assert (code, "but something else" in said) == (1, True)


def test_a_context_names_a_fabric_on_nats(children, server, worker, tmp_path):
    env = {"XDG_CONFIG_HOME": str(tmp_path), "COSMO_CONTEXT": ""}
    add = ("context", "add", "office", "--url", server.url, "-n", NAMESPACE)
    assert children.cosmo(*add, env=env).wait() == 0

    registry = children.cosmo("registry", "--context", "office", env=env)

    assert (registry.wait(), "echo" in registry.said) == (0, True)


# -- the Synapse itself --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ("--host 0.0.0.0", "--host is for a Synapse that listens itself"),
        ("--peer cosmo://other", "--peer is for a Synapse that listens itself"),
        ("--keys", "--keys is for a Synapse that listens itself"),
        ("--dead-after 1", "not in the range"),
        ("--creds /nowhere", "cannot read /nowhere"),
    ],
)
def test_an_option_without_an_effect_is_refused(cosmo, server, options, says):
    code, said = cosmo(f"synapse start {server.url} {options}")

    assert (code, says in said) == (2, True)


def test_a_demo_does_not_take_the_namespaces_of_a_synapse_that_serves(cosmo, server):
    code, said = cosmo(f"demo --url {server.url}")

    assert (code, "a Synapse serves at" in said) == (1, True)
    assert cosmo("demo --url cosmo://127.0.0.1")[0] == 2


def test_a_demo_goes_over_a_nats_server(children):
    own = NatsServer()
    try:
        demo = children.cosmo("demo", "--url", own.url, env={"HF_TOKEN": ""})
        code = demo.wait()
        connections = own.asked("varz")["total_connections"]
    finally:
        own.stop()

    assert (code, "every process has ended" in demo.said) == (0, True)
    assert connections > 5


def test_a_synapse_waits_for_a_nats_server_and_says_what_it_could_not_tell(children):
    port = free_ports()
    early = children.cosmo("synapse", "start", f"nats://{HOST}:{port}", "-q", merge_stderr=True)
    assert early.says("no nats-server answers at")
    assert early.says("Connection refused")
    late = children.cosmo("synapse", "start", f"nats://{HOST}:{port}", "-q", merge_stderr=True)
    assert late.says("stop        Ctrl-C")

    early.send(signal.SIGTERM)
    server = NatsServer(port)
    try:
        assert late.says("alone")
        server.kill()
        assert late.says("broke")
    finally:
        server.stop()
    late.send(signal.SIGTERM)

    assert (early.wait(), late.wait()) == (0, 0)
    assert early.says("Synapse stopped; no nats-server was connected.")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
@pytest.mark.asyncio
async def test_a_second_synapse_shares_the_slots_and_leaves_in_order(
    children, cosmo, server, number, code
):
    def sees_the_worker():
        return cosmo("check --neuron echo")[0] < 2

    second = router(children, server.url, "--quiet")
    assert second.says("with 1 other")
    await until(sees_the_worker)
    for namespace in ("a", "b", "c"):
        assert cosmo(f"check -n {namespace}")[0] < 2

    second.send(number)

    assert (second.wait(), TOLD in second.said) == (code, True)
    await until(sees_the_worker)
    assert cosmo("dispatch --neuron echo --input {}")[0] == 0


@pytest.mark.asyncio
async def test_after_a_kill_the_other_synapse_serves_alone(children, cosmo, server, synapse):
    second = router(children, server.url, "--quiet")
    second.kill()

    assert synapse.says("another Synapse fell silent")
    # A new caller is told at once what is not there yet; the worker is on its way back.
    await until(lambda: cosmo("check --neuron echo")[0] < 2)
    assert cosmo("dispatch --neuron echo --input {}")[0] == 0
    assert len(lines_of(cosmo("registry --json")[1])) == 4


def test_a_synapse_serves_the_namespaces_that_it_was_given_alone(children):
    own = NatsServer()
    try:
        router(children, own.url, "-n", "red", "-q")
        there = children.cosmo("check", "--url", own.url, "-n", "red")
        elsewhere = children.cosmo("check", "--url", own.url, "-n", "blue")
        codes = there.wait(), elsewhere.wait()
    finally:
        own.stop()

    assert codes == (0, 2)
    assert "namespace 'blue' is not served here, only red" in elsewhere.said
