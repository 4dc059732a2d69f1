"""Serving until a signal, and the wait for a Synapse before."""

import os
import signal
import threading

import pytest

from cosmonapse import Dendrite, SynapseUnreachable, synapse_from_url
from cosmonapse.edge import serving
from cosmonapse.edge.serving import called_on_signal, start_when_there
from cosmonapse.runtime.loops import run

NUMBERS = (signal.SIGINT, signal.SIGTERM)


def handlers():
    return [signal.getsignal(number) for number in NUMBERS]


@pytest.mark.parametrize("number", NUMBERS)
def test_the_first_signal_calls_and_the_next_one_acts_as_before(number):
    before, calls = handlers(), []

    with called_on_signal(lambda: calls.append(handlers())):
        os.kill(os.getpid(), number)

    assert calls == [before]
    assert handlers() == before


def test_without_a_signal_all_is_as_before():
    before = handlers()

    with called_on_signal(lambda: None):
        assert handlers() != before

    assert handlers() == before


def test_another_thread_than_the_main_one_gets_no_signals():
    seen = []

    def serve():
        with called_on_signal(lambda: None):
            seen.append(handlers())

    thread = threading.Thread(target=serve)
    thread.start()
    thread.join()

    assert seen == [handlers()]


def test_a_start_waits_for_its_synapse_and_says_so(caplog):
    dendrite = Dendrite(synapse=synapse_from_url("memory://in-the-end"))
    connect, tries = dendrite.synapse.connect, []

    async def third_time(timeout_s):
        tries.append(timeout_s)
        if len(tries) < 3:
            raise SynapseUnreachable("memory://in-the-end", "nobody listens", "start one")
        await connect(timeout_s)

    async def main():
        dendrite.synapse.connect = third_time
        await start_when_there(dendrite)
        await dendrite.stop()

    run(main())

    assert tries == [serving._SAY_EVERY_S] * 3
    assert [each.levelname for each in caplog.records] == ["WARNING"] * 2
    assert "waits for its Synapse: no Synapse at memory://in-the-end" in caplog.text
