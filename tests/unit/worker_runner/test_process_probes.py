"""What a worker process answers to its runner, while its program has faults."""

import socket
import time

import prometheus_client
import pytest

from cosmonapse.exposition.process_line import METRICS, PROBE, AskingEnd, answer_by
from cosmonapse.worker_runner.process_probes import ProcessProbes
from support.registries import Fixed


@pytest.fixture
def end():
    ours, theirs = socket.socketpair()
    asking = AskingEnd(ours)
    ProcessProbes(theirs.detach())
    yield asking
    asking.close()


@pytest.fixture
def broken():
    collector = Fixed(RuntimeError("no figures"))
    prometheus_client.REGISTRY.register(collector)
    yield collector
    prometheus_client.REGISTRY.unregister(collector)


def answer_of(end, letter):
    return answer_by(end.asked(letter), time.monotonic() + 10)


def test_a_collector_that_raises_leaves_the_probes_and_our_metrics(end, broken, caplog):
    for _ in range(2):
        facts = answer_of(end, METRICS)
        assert "cosmonapse_build_info" in {each[0] for each in facts["metrics"]}
        assert facts["alive"][0]

    assert answer_of(end, PROBE)["ready"] == [False, "it is not connected yet"]
    assert caplog.text.count("a collector fails") == 1
