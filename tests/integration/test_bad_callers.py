"""A Dendrite in a bad place: odd clocks, odd far ends, odd threads. Page: docs/bad-input.md."""

import json
import time
from pathlib import Path

import pytest

from cosmonapse import Dendrite, SynapseRefused, connect_synapse, synapse_from_url
from support.misused import VERBS
from support.processes import WORKER, axon
from support.stranger import false_synapse
from zmq_transport import Verb
from zmq_transport.wire import greetings, heads

SUPPORT = Path(__file__).parents[1] / "support"
TIMEOUT_S, LATE_S = 0.5, 0.5
HOUR_S = 3600.0


# -- clocks ----------------------------------------------------------------------------------------


def test_nothing_changes_while_the_wall_clock_jumps_by_hours(children, namespace):
    spec = {
        "namespace": namespace,
        "axons": [axon(neuron_id="echo"), axon("held", "held")],
        "heartbeat_s": 0.2,
    }
    jumpy = SUPPORT / "jumpy.py"
    synapse = children.start(jumpy, SUPPORT / "limited.py", 0, "{}")
    url = synapse.line("listening").text
    worker = children.start(jumpy, WORKER, url, json.dumps(spec))
    worker.line("ready")
    caller = children.start(jumpy, SUPPORT / "measuring_caller.py", url, namespace)

    found = json.loads(caller.line("").text)

    assert found["wall_apart_s"] > HOUR_S  # the clock did jump
    assert found["longest_s"] < 1.0
    late, late_s = found["late"]
    again, again_s = found["again"]
    assert late == again == "TimeoutError"
    assert 0.4 <= late_s < 0.4 + LATE_S
    assert 0.6 <= again_s < 0.8 + 2 * LATE_S
    assert found["states"] == ["alive"]
    assert worker.lines("cancelled", 4) == ["1", "2", "2", "2"]


# -- far ends --------------------------------------------------------------------------------------


def said(verb, **fields):
    body = greetings.pack_map(fields)
    return heads.pack(verb, len(body)), body


OTHERS = {
    "a newer one": (said(Verb.WHO, speaks=[2, 3]), r"it speaks versions \[2, 3\], we speak 1"),
    "a newer head": ([b"\x02" + bytes(61), b""], "version"),
    "no range": (said(Verb.WHO, speaks="all"), "it speaks versions all, we speak 1"),
    "nonsense": ([b"\xff" * 100, b""], "refused"),
    "too many frames": ([b"", b"", b""], "not as a proxy of our version"),
}


@pytest.mark.asyncio
@pytest.mark.parametrize("name", OTHERS)
async def test_a_synapse_of_another_version_is_told_apart_in_time(name):
    answer, says = OTHERS[name]
    with false_synapse(*answer) as port:
        began_s = time.perf_counter()
        with pytest.raises(SynapseRefused, match=says) as caught:
            await connect_synapse(f"cosmo://127.0.0.1:{port}", timeout_s=TIMEOUT_S)
        took_s = time.perf_counter() - began_s

    assert f"cosmo://127.0.0.1:{port}" in str(caught.value)
    assert took_s < TIMEOUT_S + LATE_S


@pytest.mark.asyncio
async def test_a_dendrite_that_is_refused_for_its_version_fails_to_start_in_time():
    answer = said(Verb.REFUSED, reason="version 2 is spoken here", speaks=[2, 2])
    with false_synapse(*answer) as port:
        synapse = synapse_from_url(f"cosmo://127.0.0.1:{port}")
        began_s = time.perf_counter()
        with pytest.raises(SynapseRefused, match="version 2 is spoken here"):
            await Dendrite(synapse=synapse).start(timeout_s=TIMEOUT_S)

        assert time.perf_counter() - began_s < TIMEOUT_S + LATE_S


@pytest.mark.asyncio
async def test_a_synapse_of_another_version_is_told_with_what_to_do():
    with (
        false_synapse(*said(Verb.WHO, speaks=[2, 3])) as port,
        pytest.raises(SynapseRefused, match="install"),
    ):
        await connect_synapse(f"cosmo://127.0.0.1:{port}", timeout_s=TIMEOUT_S)


# -- threads, forks and ends -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scene", "fix"),
    [
        ("thread", "asyncio.run_coroutine_threadsafe"),
        ("fork", "start a new one in each child process"),
        ("closed", "use it inside 'async with dendrite:'"),
    ],
)
def test_a_dendrite_where_it_does_not_belong_names_the_fix(scene, fix, url, namespace, children):
    children.worker(url, namespace, axon(neuron_id="echo"))

    program = children.start(SUPPORT / "misused.py", scene, url, namespace)

    assert fix in program.line("refused:").text
    assert program.line("works:").text == "{'n': 1}"
    assert program.wait() == 0


def test_every_verb_in_a_forked_child_is_refused_when_it_is_called(url, namespace, children):
    children.worker(url, namespace, axon(neuron_id="echo"))

    program = children.start(SUPPORT / "misused.py", "preload", url, namespace)

    assert program.line("works:").text == "{'n': 1}"
    told = [line.split(" ", 2) for line in program.lines("refused:", len(VERBS))]
    assert [name for _, name, _ in told] == list(VERBS)
    assert {text for _, _, text in told} == {
        "this Dendrite was started before a fork: start a new one in each child process"
    }
    assert max(float(seconds) for seconds, _, _ in told) < 1.0
