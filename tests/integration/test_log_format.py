"""`--log-format json`: whatever a process tells is an object on a line, and says whose it is."""

import json
import signal
import sys

import pytest

from house import pages
from support.processes import Children, free_ports

APP = """
import logging, warnings
from cosmonapse import neuron

LOG = logging.getLogger("my.app")

@neuron
def works(input, context):
    LOG.info("working on %s", input["n"], extra={"n": input["n"]})
    LOG.debug("unseen")
    return {"done": True}

@neuron
async def fails(input, context):
    warnings.warn("this is old", UserWarning)
    raise ValueError("no\\nluck")
"""
LOGGING = """

logging.getLogger("cosmonapse.zmq_transport.client").warning("as on the page")
"""
PLAIN = """
import asyncio, logging, sys
import cosmonapse
from cosmonapse import Axon, Dendrite, SynapseServer, connect_synapse

RECORDS = []

class Keep(logging.Handler):
    def emit(self, record):
        RECORDS.append(record)

logging.getLogger().addHandler(Keep())

async def main(url):
    async with Dendrite(synapse=await connect_synapse(url)) as dendrite:
        await dendrite.add_axon(Axon(neuron_id="echo", neuron_fn=lambda value, context: value))
        for n in range(20):
            await dendrite.ask(neuron="echo", input={"n": n})
        try:
            await dendrite.ask(neuron="nobody", input={})
        except cosmonapse.NeuronError:
            pass

with SynapseServer(port=0) as server:
    asyncio.run(main(server.url))
print("records:", [record.getMessage() for record in RECORDS])
"""


def objects(lines):
    return [json.loads(line.text) for line in lines]


@pytest.fixture(scope="module")
def fabric(tmp_path_factory):
    """A Synapse and a worker that log as JSON; yield the URL, both, and the folder of the app."""
    folder = tmp_path_factory.mktemp("app")
    (folder / "app.py").write_text(APP)
    with Children() as children:
        yield *_started(children, folder), folder


def _started(children, folder):
    url = f"cosmo://127.0.0.1:{(port := free_ports())}"
    said = {"COSMO_LOG_FORMAT": "json"}
    synapse = children.cosmo("synapse", "start", "--port", port, "--log-format", "json")
    assert synapse.says('"message": "Synapse listening on')
    worker = children.cosmo("worker", "app", "--url", url, "-n", "logged", cwd=folder, env=said)
    assert worker.says('"message": "serving ')
    worker.may_complain = True  # of what the function raises
    return url, synapse, worker


def ask(children, url, neuron):
    given = ("--neuron", neuron, "--input", '{"n": 1}', "--url", url, "-n", "logged", "--json")
    child = children.cosmo("dispatch", *given)
    child.wait()
    return json.loads(child.out[0].text)["trace_id"]


def test_a_mistake_at_the_start_is_an_object_too(children, fabric):
    url, *_ = fabric
    port = url.rpartition(":")[2]

    again = children.cosmo("synapse", "start", "--port", port, "--log-format", "json")

    assert again.wait() == 1
    [line] = objects([*again.out, *again.err])
    assert line["level"] == "ERROR"
    assert port in line["message"]


def test_a_wrong_variable_is_one_line(children):
    child = children.cosmo("synapse", "start", env={"COSMO_LOG_FORMAT": "xml"})

    assert child.wait() == 2
    assert "COSMO_LOG_FORMAT is 'xml', and may be text or json" in child.said


def test_as_text_each_line_has_a_time(children, fabric):
    url, *_, folder = fabric
    options = ("--url", url, "-n", "logged", "--log-format", "text")
    worker = children.cosmo("worker", "app:works", *options, cwd=folder)
    assert worker.says("INFO cosmonapse.cli: serving works")

    worker.send(signal.SIGTERM)

    assert worker.wait() == 0


def test_prism_tells_its_address_as_an_object(children, fabric):
    url, *_ = fabric
    prism = children.cosmo(
        "prism", "--url", url, "--port", 0, "--no-browser", "--log-format", "json"
    )
    assert prism.says("Prism shows default on http://")

    prism.send(signal.SIGTERM)

    assert prism.wait() == 0
    assert all(each["logger"] == "cosmonapse.cli" for each in objects([*prism.out, *prism.err]))


def test_the_blocks_of_the_page_configure_logging_as_it_says(children, tmp_path):
    blocks = [each for each in pages.blocks(pages.DOCS / "logs.md") if each.language == "python"]
    said = []
    for number, block in enumerate(blocks):
        program = tmp_path / f"block{number}.py"
        program.write_text(f"import logging\n{block.code}{LOGGING}")
        child = children.start(program)
        assert child.wait() == 0
        said.append(child.said)

    as_json, as_text = said
    assert json.loads(as_json)["message"] == "as on the page"
    assert as_text == "WARNING cosmonapse.zmq_transport.client - - as on the page"


def test_a_fabric_that_works_logs_nothing_by_default(children, tmp_path):
    program = tmp_path / "plain.py"
    program.write_text(PLAIN)

    child = children.start(program, program=sys.executable)

    assert child.wait() == 0
    assert child.said == "records: []"


def test_to_the_end_everything_that_a_synapse_and_a_worker_tell_is_an_object_with_its_task(
    children, fabric
):
    url, synapse, worker, _ = fabric
    traces = {each: ask(children, url, each) for each in ("works", "fails")}

    for child in (worker, synapse):
        child.send(signal.SIGTERM)
        assert child.wait() == 0

    told = {each["message"]: each for each in objects(worker.err)}
    assert not worker.out
    worked = told["working on 1"]
    assert (worked["trace_id"], worked["neuron"]) == (traces["works"], "works")
    assert (worked["logger"], worked["n"], worked["level"]) == ("my.app", 1, "INFO")
    assert "unseen" not in told
    (failed,) = (each for text, each in told.items() if "raised ValueError" in text)
    assert failed["trace_id"] == traces["fails"]
    assert failed["error"]["traceback"].endswith("ValueError: no\nluck")
    assert {"py.warnings", "cosmonapse.cli"} <= {each["logger"] for each in told.values()}

    signals = [each for each in objects(synapse.out) if each["logger"] == "cosmonapse.cli.signals"]
    mine = [each for each in signals if each.get("trace_id") == traces["works"]]
    assert [each["signal"] for each in mine] == ["TASK", "AGENT_OUTPUT"]
    assert "stopped" in objects(synapse.err)[-1]["message"]
