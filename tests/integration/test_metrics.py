"""`--metrics` on real processes, scraped as Prometheus does it; and the same in a service."""

import ast
import asyncio
import json
import os
import re
import signal

import prometheus_client
import pytest
import pytest_asyncio
from prometheus_client import CollectorRegistry, Counter

import cosmonapse.counters
import zmq_transport.counters
from cosmonapse import Axon, Neuron, SynapseServer
from cosmonapse.metrics import register_metrics, serve_metrics
from cosmonapse.testing.chat_server import ChatServer
from house import pages, source
from support.prism import prism
from support.processes import Children, free_ports, until
from support.scraping import Scrape, answer

pytestmark = pytest.mark.asyncio
APP = """
import time
from cosmonapse import NeuronError, neuron

@neuron
async def double(input, context):
    return {"doubled": input["x"] * 2}

@neuron
async def words(input, context):
    yield "one "
    yield "two "

@neuron
async def refuse(input, context):
    raise NeuronError(input["code"], "no")

@neuron
async def block(input, context):
    time.sleep(input["for_s"])
"""
GRAFANA = source.ROOT / "docs" / "grafana"


def metrics_of(child, start):
    """Wait for the line that says where a child serves its metrics; return the URL without path."""
    return child.line(start).text.removesuffix("/metrics")


@pytest.fixture(scope="module")
def fabric(tmp_path_factory):
    """Return where a Synapse, a worker and a Prism serve; and the URL of the Synapse."""
    folder = tmp_path_factory.mktemp("app")
    (folder / "measured.py").write_text(APP)
    with Children() as children:
        synapse, url = children.synapse("--metrics", "127.0.0.1:0")
        at_synapse = metrics_of(synapse, "  metrics")
        options = ("--url", url, "--metrics", "127.0.0.1:0")
        worker = children.cosmo("worker", "measured", *options, cwd=folder, merge_stderr=True)
        at_worker = metrics_of(worker, "cosmo worker: metrics at")
        page, _ = prism(children, url, "default", "--metrics", "127.0.0.1:0")
        at_prism = metrics_of(page, "  metrics")
        worker.line("cosmo worker: serving")
        page.line("watching")
        yield {"synapse": at_synapse, "worker": at_worker, "prism": at_prism, "url": url}


@pytest_asyncio.fixture
async def caller(fabric, join):
    dendrite = join(url=fabric["url"], namespace="default")
    async with dendrite:
        yield dendrite


async def test_a_worker_tells_its_tasks(fabric, caller):
    before = Scrape(f"{fabric['worker']}/metrics")
    for x in range(3):
        await caller.ask(neuron="double", input={"x": x})
    await caller.ask(neuron="words", input={})
    for code in ("BAD_INPUT", "MINE"):
        await caller.dispatch_and_wait(neuron="refuse", input={"code": code})

    after = Scrape(f"{fabric['worker']}/metrics")

    def grown(name, **labels):
        return after.value(name, process="0", **labels) - (before.value(name, **labels) or 0)

    assert grown("cosmonapse_tasks_total", neuron="double", outcome="ok") == 3
    assert grown("cosmonapse_tasks_total", neuron="refuse", outcome="BAD_INPUT") == 1
    assert grown("cosmonapse_tasks_total", neuron="refuse", outcome="OTHER_ERROR") == 1
    assert grown("cosmonapse_task_duration_seconds_count", neuron="double") == 3
    assert grown("cosmonapse_task_queue_seconds_count", neuron="double") == 3
    assert grown("cosmonapse_task_first_thought_seconds_count", neuron="words") == 1
    assert after.value("cosmonapse_tasks_running", neuron="double") == 0
    assert after.value("cosmonapse_task_places_free", neuron="double") == 64
    assert after.value("cosmonapse_worker_processes", phase="serving") == 1
    assert after.value("cosmonapse_connected") == 1
    assert after.value("process_resident_memory_bytes") > 1_000_000


@pytest.mark.parametrize(
    ("where", "side", "table"),
    [
        ("worker", "dendrite", cosmonapse.counters.COUNTERS),
        ("synapse", "synapse", zmq_transport.counters.COUNTERS),
    ],
)
async def test_every_counter_is_exposed_with_its_meaning(where, side, table, fabric):
    scrape = Scrape(f"{fabric[where]}/metrics")

    told = {
        each.labels["event"]: each.labels["meaning"]
        for each in scrape.families["cosmonapse_event_info"].samples
        if each.labels["side"] == side
    }
    assert {name: told.get(name) for name in table} == dict(table)
    assert scrape.labels("cosmonapse_events", "event") >= table.keys()
    assert all(each.documentation for each in scrape.families.values())


async def test_a_synapse_tells_its_state(fabric, caller):
    scrape = Scrape(f"{fabric['synapse']}/metrics")

    assert scrape.value("cosmonapse_synapse_axons") == 4
    assert scrape.value("cosmonapse_synapse_connections") >= 3
    assert scrape.value("cosmonapse_synapse_role", role="alone") == 1
    assert scrape.value("cosmonapse_synapse_waiting_bytes") >= 0
    assert scrape.value("cosmonapse_loop_lag_seconds_count") > 0
    assert scrape.value("cosmonapse_events_total", side="synapse", event="connection.greeted") >= 3


@pytest.mark.parametrize("where", ["synapse", "worker", "prism"])
@pytest.mark.parametrize("path", ["healthz", "readyz"])
async def test_a_process_that_serves_is_alive_and_ready(where, path, fabric):
    status, text = answer(f"{fabric[where]}/{path}")

    assert (status, text.count("\n")) == (200, 1), text


async def test_another_path_and_another_method_are_refused(fabric):
    assert answer(f"{fabric['synapse']}/")[0] == 404


async def test_a_worker_whose_loop_is_blocked_answers_and_says_so(fabric, caller):
    pending = asyncio.ensure_future(caller.ask(neuron="block", input={"for_s": 1.0}))

    await until(
        lambda: Scrape(f"{fabric['worker']}/metrics").value(
            "cosmonapse_tasks_running", neuron="block"
        )
    )

    assert not pending.done()  # all of that was answered while it blocked
    await pending


async def test_a_worker_without_its_synapse_is_alive_and_not_ready(children, tmp_path):
    (tmp_path / "measured.py").write_text(APP)
    port = free_ports()
    synapse, url = children.synapse(port=port)
    options = ("--url", url, "--metrics", "127.0.0.1:0")
    worker = children.cosmo("worker", "measured", *options, cwd=tmp_path, merge_stderr=True)
    at = metrics_of(worker, "cosmo worker: metrics at")
    assert answer(f"{at}/readyz") == (503, "process 0 does not serve\n")
    worker.line("cosmo worker: serving")
    assert answer(f"{at}/readyz")[0] == 200

    synapse.send(signal.SIGTERM)
    synapse.wait()

    await until(lambda: answer(f"{at}/readyz")[0] == 503)
    assert "away" in answer(f"{at}/readyz")[1]
    assert answer(f"{at}/healthz")[0] == 200


async def test_a_service_serves_its_own_metrics_with_those_of_its_dendrite(fabric, caller):
    registry = CollectorRegistry()
    Counter("orders", "Orders of the shop.", registry=registry).inc()
    with await serve_metrics(caller, "127.0.0.1:0", registry=registry) as server:
        await caller.ask(neuron="double", input={"x": 1})
        await caller.dispatch_and_wait(neuron="nobody", input={})

        scrape = Scrape(f"{server.url}/metrics")
        ready = answer(f"{server.url}/readyz")
        await caller.stop()
        stopped = answer(f"{server.url}/readyz")

    assert scrape.value("orders_total") == 1
    assert scrape.value("cosmonapse_calls_total", target="double", outcome="ok") == 1
    assert scrape.value("cosmonapse_calls_total", target="nobody", outcome="NO_SUCH_NEURON") == 1
    assert scrape.value("cosmonapse_call_duration_seconds_count", target="double") == 1
    assert scrape.value("cosmonapse_calls_open") == 0
    assert ready[0] == 200
    assert stopped == (503, "the Dendrite is stopping, or has stopped\n")


async def test_what_was_registered_can_be_taken_out_again(caller):
    registry = CollectorRegistry()
    end = register_metrics(caller, registry)
    assert registry.get_sample_value("cosmonapse_connected") == 1

    with pytest.raises(ValueError, match="in this registry already"):
        await serve_metrics(caller, "127.0.0.1:0", registry=registry)

    end()

    assert registry.get_sample_value("cosmonapse_connected") is None
    assert caller._dispatcher.observer is None


async def test_of_two_dendrites_the_one_that_is_away_shows(caller, join, fabric):
    registry = CollectorRegistry()
    register_metrics(caller, registry)
    register_metrics(join(url=fabric["url"], namespace="default"), registry)

    told = {sample.name: sample.value for each in registry.collect() for sample in each.samples}

    assert told["cosmonapse_connected"] == 0
    assert told["cosmonapse_event_info"] == 1


async def test_a_synapse_in_the_program_is_registered_too():
    registry = CollectorRegistry()
    with SynapseServer(port=0) as synapse:
        register_metrics(synapse, registry)

        assert registry.get_sample_value("cosmonapse_synapse_role", {"role": "alone"}) == 1
        assert registry.get_sample_value("cosmonapse_synapse_connections") == 0


@pytest.mark.parametrize("verb", [("synapse", "start"), ("worker", "app"), ("prism",)])
async def test_a_port_in_use_is_one_line(verb, fabric, children):
    address = fabric["synapse"].removeprefix("http://")
    at = ("--port", free_ports()) if verb[0] == "synapse" else ("--url", fabric["url"])

    child = children.cosmo(*verb, *at, "--metrics", address)

    assert child.wait() == 1
    assert f"cannot listen on {address}: address already in use" in child.said
    assert "(--metrics HOST:PORT)" in child.said


def names_in(text):
    """Return the names of metrics in a text of expressions."""
    return set(re.findall(r"\b(?:cosmonapse|process|python)_[a-z_]+\b", text))


@pytest_asyncio.fixture
async def exposed(fabric, caller):
    """The names of everything that processes of each kind expose."""
    for neuron in ("double", "words"):
        await caller.ask(neuron=neuron, input={"x": 1})
    with ChatServer() as provider:
        model = Neuron(source="openai", endpoint=f"{provider.url}/v1", model="m", api_key="k")
        caller_axon = Axon(neuron_id="model", neuron_fn=model)
        await caller.add_axon(caller_axon)
        with await serve_metrics(caller, "127.0.0.1:0", registry=CollectorRegistry()) as server:
            async with await caller.dispatch(neuron="model", input={"prompt": "hi"}) as pathway:
                await pathway.outcome()
            names = Scrape(f"{server.url}/metrics").names
        await model.aclose()
    for where in ("synapse", "worker", "prism"):
        names |= Scrape(f"{fabric[where]}/metrics").names
    return names


async def test_each_metric_of_the_dashboard_and_of_the_alerts_is_exposed(exposed):
    dashboard = json.loads((GRAFANA / "dashboard.json").read_text())
    queries = [
        target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", ())
    ]
    variables = [
        each["definition"] for each in dashboard["templating"]["list"] if "definition" in each
    ]
    alerts = (GRAFANA / "alerts.yaml").read_text()

    named = names_in("\n".join([*queries, *variables, alerts]))

    assert len(queries) > 25
    assert len(named) > 25
    assert sorted(named - exposed) == []


async def test_the_page_names_each_metric_and_no_other(exposed):
    page = (source.ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")

    rows = set(re.findall(r"^\| `(cosmonapse_[a-z_]+)", page, flags=re.MULTILINE))

    assert rows
    assert not rows - exposed
    ours = {each for each in exposed if each.startswith("cosmonapse_")}
    bare = {re.sub(r"_(bucket|count|sum|total|created)$", "", each) for each in ours}
    assert {re.sub(r"_total$", "", each) for each in rows} == bare


async def test_the_code_on_the_page_runs_as_it_stands(fabric, caller, monkeypatch):
    # what it registers stays for the process: it must not be there for the tests that follow
    monkeypatch.setattr(prometheus_client, "REGISTRY", CollectorRegistry())
    blocks = [each for each in pages.blocks(pages.DOCS / "metrics.md") if each.language == "python"]
    assert len(blocks) == 3
    names = {"dendrite": caller}
    before = caller._observers

    for block in blocks:
        code = block.code.replace("127.0.0.1:9464", "127.0.0.1:0")
        made = eval(compile(code, "metrics.md", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT), names)
        if made is not None:
            await made

    assert before.reads_signals is False
    assert caller._dispatcher.observer is before


async def test_a_worker_process_that_is_stopped_is_not_alive(children, tmp_path, url):
    (tmp_path / "measured.py").write_text(APP)
    options = ("--url", url, "-n", "stopped", "--metrics", "127.0.0.1:0")
    worker = children.cosmo("worker", "measured", *options, cwd=tmp_path, merge_stderr=True)
    at = metrics_of(worker, "cosmo worker: metrics at")
    pid = int(worker.line("cosmo worker: serving").text.split()[-1])
    os.kill(pid, signal.SIGSTOP)

    status, text = answer(f"{at}/healthz")

    os.kill(pid, signal.SIGCONT)
    assert (status, text) == (503, f"process 0 (pid {pid}): it does not answer\n")


WITHOUT_EXTRA = """
import sys
sys.modules["prometheus_client"] = None
from cosmonapse.cli import main
main()
"""


@pytest.mark.parametrize("verb", [("synapse", "start", "--port", "0"), ("worker", "app")])
async def test_without_the_extra_it_is_one_line(verb, children):
    child = children.start("-c", WITHOUT_EXTRA, *verb, "--metrics", "127.0.0.1:0")

    assert child.wait() == 1
    assert "the extra [metrics] wants prometheus-client" in child.said
    assert len(child.said.strip().splitlines()) == 1


async def test_a_wrong_address_of_the_environment_is_blamed_on_it(children):
    child = children.cosmo("prism", env={"COSMO_METRICS": "nowhere"})

    assert child.wait() == 2
    assert "expected HOST:PORT such as 127.0.0.1:9464, got 'nowhere'" in child.said
    assert "(it is in COSMO_METRICS)" in child.said
