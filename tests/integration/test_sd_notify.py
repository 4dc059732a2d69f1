"""What a Synapse and a worker tell the service manager that started them, over a real socket."""

import os
import signal
import time
import uuid

import pytest

from cosmonapse import BlockingDendrite
from support.processes import free_ports
from support.service_manager import ToldManager, address_in

WATCHDOG_S = 1.2
APP = """
import os, time
from cosmonapse import neuron

@neuron
async def blocks(input, context):
    time.sleep(input["for_s"])  # on the loop, as it should not
    return {}

@neuron
async def environment(input, context):
    return {"names": sorted(os.environ)}
"""


@pytest.fixture
def start_manager(tmp_path):
    """Return a service manager at a path, or at an abstract name."""
    made = []

    def start(address=None):
        made.append(ToldManager(address or address_in(tmp_path)))
        return made[-1]

    yield start
    for each in made:
        each.close()


def until_one_is_left(caller, neuron):
    """Wait until the process before a reload has left: it must not get the task."""
    end_s = time.monotonic() + 20
    while [each.neuron_id for each in caller.find_neurons()].count(neuron) > 1:
        assert time.monotonic() < end_s
        time.sleep(0.05)


def until_silent(manager, line, for_s):
    """Wait until a line has not come for so long; return whether that happened."""
    end_s = time.monotonic() + 20.0
    while time.monotonic() < end_s:
        if manager.silent_s(line) >= for_s:
            return True
        time.sleep(0.02)
    return False


def test_a_synapse_tells_that_it_is_ready_alive_frozen_and_ending(children, start_manager):
    manager, port = start_manager(f"@cosmo-{uuid.uuid4().hex}"), free_ports()
    synapse = children.cosmo(
        "synapse", "start", "--port", port, "-q", env=manager.environment(WATCHDOG_S)
    )
    assert manager.has("READY=1")
    with BlockingDendrite(f"cosmo://127.0.0.1:{port}", dendrite_id="caller"):
        assert manager.has("WATCHDOG=1", 2)
        assert manager.has("STATUS=serves: 1 Dendrites, 0 open tasks")

    os.kill(synapse.pid, signal.SIGSTOP)
    assert until_silent(manager, "WATCHDOG=1", WATCHDOG_S)
    os.kill(synapse.pid, signal.SIGCONT)
    assert manager.has("WATCHDOG=1", len(manager.lines("WATCHDOG=1")) + 1)

    synapse.send(signal.SIGTERM)
    assert manager.has("STOPPING=1")
    assert synapse.wait() == 0
    assert len(manager.lines("READY=1")) == 1


def test_a_worker_is_ready_when_its_axons_are_registered_and_silent_when_one_blocks_its_loop(
    children, start_manager, tmp_path
):
    (tmp_path / "app.py").write_text(APP)
    manager, port = start_manager(), free_ports()
    url = f"cosmo://127.0.0.1:{port}"
    given = ("worker", "app", "--url", url, "-n", "told", "--reload", "--grace", 0)
    worker = children.cosmo(*given, cwd=tmp_path, env=manager.environment(WATCHDOG_S))
    assert manager.has("WATCHDOG=1", 2)  # it waits for the Synapse, and lives
    assert not manager.lines("READY=1")

    children.synapse(port=port)

    assert manager.has("READY=1")
    (tmp_path / "app.py").write_text(f"{APP}\n# changed\n")
    assert manager.has("RELOADING=1")
    assert manager.lines("MONOTONIC_USEC=")[0].removeprefix("MONOTONIC_USEC=").isdecimal()
    assert manager.has("READY=1", 2)
    assert manager.has("STATUS=0 running, 0 queued")
    with BlockingDendrite(url, namespace="told", dendrite_id="caller") as caller:
        names = caller.ask(neuron="environment", input={})["names"]
        assert not {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"} & set(names)
        until_one_is_left(caller, "blocks")
        caller.dispatch_task(neuron="blocks", input={"for_s": 60.0})
        assert until_silent(manager, "WATCHDOG=1", WATCHDOG_S)
        assert manager.has("STATUS=the event loop of process")

    for _ in range(2):  # twice is at once: the loop would be blocked for long
        worker.send(signal.SIGTERM)
    assert manager.has("STOPPING=1")
    assert worker.wait() == 0
