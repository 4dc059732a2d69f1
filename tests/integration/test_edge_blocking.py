"""BlockingDendrite in programs of its own, against a worker process, over real sockets."""

import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from cosmonapse import BlockingDendrite, SynapseUnreachable
from support.processes import axon, closed_port, free_ports, measured

SCRIPT = Path(__file__).parents[1] / "support" / "blocking_script.py"


@pytest.fixture
def dendrite(url, namespace):
    with BlockingDendrite(url, namespace=namespace) as running:
        yield running


def test_eight_threads_get_each_its_own_answers(url, namespace, dendrite, children):
    children.worker(url, namespace, axon("echo"))

    def ask_often(thread):
        asked = [f"{thread}.{number}" for number in range(50)]
        return asked, [dendrite.ask(neuron="worker", input=each)["echo"] for each in asked]

    started_at_s = time.perf_counter()
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(ask_often, range(8)))

    measured("400 answers for 8 threads", time.perf_counter() - started_at_s)
    assert all(asked == answered for asked, answered in results)


def test_a_stream_gives_its_texts_and_then_its_output(url, namespace, dendrite, children):
    children.worker(url, namespace, axon("stream"))

    with dendrite.stream(neuron="worker", input={"count": 2000}) as stream:
        texts = list(stream)

    assert texts == [f"{number} " for number in range(2000)]
    assert stream.output == {"response": "".join(texts)}
    assert stream.reply.trace_id == stream.trace_id


def test_leaving_the_loop_over_a_stream_cancels_the_task(url, namespace, dendrite, children):
    worker = children.worker(url, namespace, axon("held"))
    stream = dendrite.stream(neuron="worker", input={"n": 1})
    worker.line("holding 1")

    asked_at_s = time.perf_counter()
    stream.close()

    took_s = worker.line("cancelled 1").at_s - asked_at_s
    measured("cancelled after close", took_s)
    assert took_s < 1.0
    assert list(stream) == []


def test_a_forked_child_is_told_to_start_its_own(url, namespace, children):
    children.worker(url, namespace, axon("echo"))

    script = children.start(SCRIPT, "fork", url, namespace)

    assert "start one in each process, after the fork" in script.line("refused:").text
    assert script.line("own:").text == "{'n': 2}"
    assert script.line("child:").text == "0"
    assert script.line("parent:").text == "{'n': 3}"
    assert script.wait() == 0


def test_one_that_was_made_before_a_fork_is_refused_in_the_child(url, namespace, children):
    script = children.start(SCRIPT, "fork_early", url, namespace)

    assert "make and start one in each process" in script.line("refused:").text
    assert script.wait() == 0


def test_without_a_descriptor_it_says_so_at_once_and_may_be_started_again(url, namespace, children):
    children.worker(url, namespace, axon("echo"))
    script = children.start(SCRIPT, "no_descriptor", url, namespace)

    took_s, what = script.line("no descriptor:").text.split(" ", 1)

    assert float(took_s) < 1.0
    assert "Too many open files" in what
    assert script.line("then:").text == "{'n': 1}"
    assert script.wait() == 0


def test_a_second_one_under_gevent_says_so_at_once(url, namespace, children):
    children.worker(url, namespace, axon("echo"))
    script = children.start(SCRIPT, "gevent_twice", url, namespace)

    took_s, what = script.line("second:").text.split(" ", 1)

    assert float(took_s) < 1.0
    assert "one BlockingDendrite at a time" in what
    assert script.line("first:").text == "{'n': 1}"
    assert script.wait() == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_serve_waits_for_its_synapse_and_ends_with_a_signal(number, namespace, children):
    port = free_ports()
    script = children.start(SCRIPT, "serve", f"cosmo://127.0.0.1:{port}", namespace)
    script.line("serving")
    _, url = children.synapse(port=port)

    with BlockingDendrite(url, namespace=namespace) as caller:
        caller.wait_for_neuron(neuron="hosted")
        answer = caller.ask(neuron="hosted", input=1)
    script.send(number)

    assert answer == {"n": 1}
    assert script.line("served")
    assert script.wait() == 0


def test_serve_says_what_it_waits_for_and_ends_with_a_signal_meanwhile(namespace, children):
    url = f"cosmo://127.0.0.1:{closed_port()}"
    script = children.start(SCRIPT, "serve", url, namespace)

    waits = script.line("WARNING ")
    script.send(signal.SIGTERM)

    assert url in waits.text
    assert script.line("served")
    assert script.wait() == 0


def test_ctrl_c_in_a_waiting_thread_cancels_the_task(url, namespace, children):
    worker = children.worker(url, namespace, axon("held"))
    script = children.start(SCRIPT, "interrupt", url, namespace)
    worker.line("holding 1")

    script.send(signal.SIGINT)

    assert worker.line("cancelled 1")
    assert script.line("interrupted")
    assert script.wait() == 0


def test_a_program_that_ends_without_stop_takes_its_leave(url, namespace, dendrite, children):
    worker = children.worker(url, namespace, axon("held"))
    left = threading.Event()

    @dendrite.on_deregister_signal(neuron="hosted")
    def _gone(sig):
        reasons.append(sig.payload.get("reason"))
        left.set()

    reasons = []
    script = children.start(SCRIPT, "forget", url, namespace)
    worker.line("holding 1")
    script.tell("leave")
    leaving = script.line("leaving")
    code = script.wait()

    took_s = time.perf_counter() - leaving.at_s
    measured("ended without stop", took_s)
    assert (code, took_s < 3.0) == (0, True)
    assert worker.line("cancelled 1")
    assert left.wait(5.0)
    assert reasons == ["exit"]


def test_a_synapse_that_is_not_there_leaves_no_thread_behind():
    before = threading.active_count()
    dendrite = BlockingDendrite(f"cosmo://127.0.0.1:{closed_port()}")

    with pytest.raises(SynapseUnreachable, match="run 'cosmo synapse start"):
        dendrite.start(timeout_s=0.3)

    assert threading.active_count() == before
