"""A callback at the first signal."""

import os
import signal
import threading

import pytest

from cosmonapse.edge.serving import called_on_signal

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
