"""A client that was written from docs/spec alone, without ZeroMQ and without our packages."""

import signal

import pytest

from support import plain_client
from support.processes import axon, free_ports


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM], ids=lambda each: each.name)
def test_a_client_of_the_specification_survives_the_end_of_the_synapse(number, namespace, children):
    port = free_ports()
    synapse, url = children.synapse(port=port)
    worker = children.worker(url, namespace, axon("gated"))
    caller = children.start(plain_client.__file__, port, namespace)
    assert len(worker.lines("holding", plain_client.TASKS)) == plain_client.TASKS

    synapse.send(number)
    synapse.wait()
    children.synapse(port=port)
    assert len(caller.lines("welcomed", 2)) == 2
    worker.tell("go on")

    assert caller.wait() == 0
    assert sorted(caller.lines("answer", plain_client.TASKS)) == [
        str(each) for each in range(plain_client.TASKS)
    ]
    assert len(worker.lines("holding", plain_client.TASKS)) == plain_client.TASKS  # none ran twice
