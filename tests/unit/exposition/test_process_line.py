"""The line between the runner and a worker process: slow and broken answers, and its end."""

import contextlib
import socket
import threading
import time

from cosmonapse.exposition.process_line import (
    METRICS,
    PROBE,
    AnsweringEnd,
    AskingEnd,
    answer_by,
)


@contextlib.contextmanager
def line(answer):
    ours, theirs = socket.socketpair()
    AnsweringEnd(theirs.detach(), answer)
    end = AskingEnd(ours)
    try:
        yield end
    finally:
        end.close()


def answer_of(end, letter, within_s=10.0):
    return answer_by(end.asked(letter), time.monotonic() + within_s)


def test_a_probe_is_answered_while_the_metrics_are_collected():
    begun, go_on = threading.Event(), threading.Event()

    def answer(letter):
        if letter == METRICS:
            begun.set()
            go_on.wait(10)
        return {"letter": letter.decode()}

    with line(answer) as end:
        slow = end.asked(METRICS)
        assert begun.wait(10)

        assert answer_of(end, PROBE) == {"letter": "p"}
        assert not slow.done()

        go_on.set()
        assert answer_by(slow, time.monotonic() + 10) == {"letter": "m"}


def test_an_answer_that_fails_does_not_end_the_line():
    broken = threading.Event()
    broken.set()

    def answer(letter):
        if broken.is_set():
            raise RuntimeError("no figures")
        return {"fine": True}

    with line(answer) as end:
        assert answer_of(end, PROBE, 0.05) is None
        assert answer_of(end, METRICS, 0.05) is None
        broken.clear()

        assert answer_of(end, PROBE) == {"fine": True}
        assert answer_of(end, METRICS) == {"fine": True}


def test_a_process_that_reads_nothing_holds_nobody():
    ours, theirs = socket.socketpair()
    end = AskingEnd(ours)

    with theirs:
        while not end.asked(PROBE).cancelled():
            pass  # until the line is full

    end.close()


def test_the_end_of_a_process_is_no_answer():
    ours, theirs = socket.socketpair()
    end = AskingEnd(ours)
    asked = end.asked(PROBE)

    theirs.close()

    assert answer_by(asked, time.monotonic() + 10) is None
    assert asked.cancelled()
    assert end.asked(PROBE).cancelled()
