"""Verbs that watch wait for a Synapse without an end; verbs with one answer exit."""

import signal

import pytest

from support.processes import axon, closed_port, free_ports

WATCHING = {
    "doppler": ("doppler", "--type", "ERROR"),
    "prism": ("prism", "--no-browser", "--port", "0"),
    "registry": ("registry", "--watch", "--json"),
}
SHOWS = {"doppler": "NO_SUCH_NEURON", "prism": "watching", "registry": '"neuron_id": "worker"'}


@pytest.mark.parametrize("verb", WATCHING)
def test_a_verb_that_watches_waits_for_the_first_synapse(verb, children, namespace):
    port = free_ports()
    where = ("--url", f"cosmo://127.0.0.1:{port}", "-n", namespace)
    child = children.cosmo(*WATCHING[verb], *where, merge_stderr=True)

    said = child.line("waiting for").text
    _, url = children.synapse(port=port)
    children.worker(url, namespace, axon())
    if verb == "doppler":
        child.line("showing")
        children.cosmo("dispatch", "nobody", "hi", *where).wait()

    assert "cosmo synapse start" in said
    assert child.says(SHOWS[verb])
    child.send(signal.SIGINT)
    assert child.wait() == 130


def test_a_watched_registry_waits_for_a_synapse_that_went_away(children, namespace):
    synapse, url = children.synapse()
    children.worker(url, namespace, axon())
    child = children.cosmo("registry", "--watch", "--json", "--url", url, "-n", namespace)
    child.line("{")

    synapse.kill()
    assert child.says("waiting for ")
    before = len(child.out)
    children.synapse(port=url.rpartition(":")[2])

    assert child.lines("{", before + 1)
    child.send(signal.SIGINT)
    assert child.wait() == 130


@pytest.mark.parametrize("verb", WATCHING)
def test_waiting_ends_at_ctrl_c(verb, children):
    url = f"cosmo://127.0.0.1:{closed_port()}"
    child = children.cosmo(*WATCHING[verb], "--url", url, merge_stderr=True)
    child.line("waiting for")

    child.send(signal.SIGINT)

    assert child.wait() == 130


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("dispatch", "worker", "hi"), 3),
        (("registry",), 3),
        (("bench", "latency"), 3),
        (("answer",), 3),
        (("check",), 2),
    ],
)
def test_a_verb_with_one_answer_does_not_wait(arguments, code, children):
    child = children.cosmo(*arguments, "--url", f"cosmo://127.0.0.1:{closed_port()}")

    assert child.wait() == code
    assert "waiting" not in child.said
