"""`cosmonapse.logs.configure`: one call, and everything of a process is logged in one form."""

import io
import json
import logging
import subprocess
import sys
import threading
import warnings

import pytest

from cosmonapse import Axon, Dendrite, MemorySynapse, SynapseUnreachable
from cosmonapse.logs import configure


@pytest.fixture
def stream(monkeypatch):
    """What is written; whatever a test configures is taken back."""
    root, library = logging.getLogger(), logging.getLogger("cosmonapse")
    levels = root.level, library.level
    before = list(root.handlers)
    monkeypatch.setattr(sys, "excepthook", sys.__excepthook__)
    monkeypatch.setattr(threading, "excepthook", threading.__excepthook__)
    monkeypatch.delenv("COSMO_LOG_FORMAT", raising=False)
    yield io.StringIO()
    for each in [each for each in root.handlers if each not in before]:
        root.removeHandler(each)
        each.close()
    logging.captureWarnings(False)
    root.setLevel(levels[0])
    library.setLevel(levels[1])


def lines(stream):
    return [json.loads(each) for each in stream.getvalue().splitlines()]


@pytest.mark.asyncio
async def test_what_a_neuron_logs_by_its_own_logger_says_its_task(stream):
    configure(format="json", stream=stream)

    def work(value, context):
        logging.getLogger("my.app").info("working on %s", value["n"])

    async with Dendrite(synapse=MemorySynapse(), dendrite_id="both") as dendrite:
        await dendrite.add_axon(Axon(neuron_id="worker", neuron_fn=work))
        signal = await dendrite.dispatch_and_wait(neuron="worker", input={"n": 1})

    [line] = lines(stream)
    assert line["message"] == "working on 1"
    assert (line["trace_id"], line["neuron"]) == (signal.trace_id, "worker")


@pytest.mark.parametrize("used", ["cosmonapse.connect_synapse", "zmq_transport.Proxy"])
@pytest.mark.parametrize(("level", "told"), [("", ["above"]), ("INFO", ["below", "above"])])
def test_info_of_the_root_logger_is_not_that_of_this_package(used, level, told):
    program = f"""
import logging
logging.basicConfig(level=logging.INFO, format="%(message)s")
if {level!r}:
    logging.getLogger("cosmonapse").setLevel({level!r})
import {used.partition(".")[0]}
{used}
logging.getLogger("cosmonapse.zmq_transport.proxy").info("below")
logging.getLogger("cosmonapse.synapse").warning("above")
"""
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True
    )

    assert ended.stderr.splitlines() == told


def test_this_package_is_quiet_below_warning_and_one_logger_is_above_its_connections(stream):
    configure(format="json", stream=stream)
    connection = logging.getLogger("cosmonapse.zmq_transport.client.socket_reader")

    connection.info("below")
    connection.warning("above")
    logging.getLogger("cosmonapse").setLevel(logging.ERROR)
    connection.warning("not any more")

    assert [each["message"] for each in lines(stream)] == ["above"]


def test_called_again_it_takes_the_place_of_what_it_did_and_tells_what_it_counted(stream):
    configure(format="json", stream=stream)
    for _ in range(13):
        logging.getLogger("cosmonapse.x").warning("again")
    configure(format="text", stream=stream)
    logging.getLogger("my.app").info("once")

    *objects, text = stream.getvalue().splitlines()
    assert [json.loads(each).get("repeated") for each in objects] == [None] * 10 + [3]
    assert text.endswith("INFO my.app: once")


def test_the_variable_says_the_form_and_a_wrong_one_is_a_mistake(stream, monkeypatch):
    monkeypatch.setenv("COSMO_LOG_FORMAT", "json")
    configure(stream=stream)
    logging.getLogger("my.app").info("one")

    assert lines(stream)[0]["message"] == "one"
    with pytest.raises(ValueError, match="must be 'text' or 'json', not 'xml'"):
        configure(format="xml")


def test_warnings_and_uncaught_errors_are_lines_too(stream):
    configure(format="json", stream=stream)

    warnings.showwarning("old", DeprecationWarning, "app.py", 1)
    for error in (ValueError("no"), SynapseUnreachable("cosmo://h:1", "nothing listens", "start")):
        sys.excepthook(type(error), error, None)
    thread = threading.Thread(target=lambda: 1 / 0, name="mine")
    thread.start()
    thread.join()

    warned, bad, mistake, in_thread = lines(stream)
    assert "DeprecationWarning: old" in warned["message"]
    assert bad["error"]["type"] == "ValueError"
    assert mistake["message"].startswith("SynapseUnreachable: ")
    assert "error" not in mistake
    assert in_thread["message"] == "the thread mine ends: ZeroDivisionError"


def test_a_stream_without_a_reader_ends_no_program(stream):
    stream.close()
    configure(format="json", stream=stream)

    logging.getLogger("my.app").info("into the void")
