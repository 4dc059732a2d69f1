"""`cosmo ps`, `cosmo stop` and `cosmo emit` as processes, with tasks that run."""

import asyncio
import json
import threading

import pytest
import pytest_asyncio

from cosmonapse import Axon, SignalType
from support.processes import TIMEOUT_S, until

pytestmark = pytest.mark.asyncio


class Holding:
    """A Neuron that holds its tasks until they are cancelled."""

    def __init__(self):
        self.running = 0

    async def __call__(self, given, context):
        self.running += 1
        try:
            await asyncio.Event().wait()
        finally:
            self.running -= 1


@pytest_asyncio.fixture
async def held(join, url, namespace, children):
    """A caller with three tasks that run, and `cosmo` beside it: (caller, run)."""
    holding = Holding()
    host, caller = join("host"), join("web")
    host.attach_axon(Axon(neuron_id="writer", neuron_fn=holding))
    host.attach_axon(Axon(neuron_id="painter", neuron_fn=holding))
    async with host, caller:
        neurons = ("writer", "writer", "painter")
        pathways = [await caller.dispatch(neuron=each, input={}) for each in neurons]
        await until(lambda: holding.running == 3)

        async def cosmo(*arguments):
            env = {"COSMO_URL": url, "COSMO_NAMESPACE": namespace}
            child = children.cosmo(*arguments, env=env)
            code = await asyncio.to_thread(child.wait)
            return code, [line.text for line in child.out], [line.text for line in child.err]

        yield pathways, cosmo


async def test_ps_shows_the_open_tasks_as_a_table_and_as_json(held):
    pathways, cosmo = held

    table, lines, none = await asyncio.gather(
        cosmo("ps"),
        cosmo("ps", "--json", "--neuron", "writer"),
        cosmo("ps", "--caller", "nobody", "-n", "empty"),
    )

    assert [row.split()[0] for row in table[1]] == ["TRACE", *(p.trace_id[:8] for p in pathways)]
    assert all(row.split()[1] == "running" for row in table[1][1:])
    told = [json.loads(line) for line in lines[1]]
    assert [each["trace_id"] for each in told] == [each.trace_id for each in pathways[:2]]
    assert {(each["caller"], each["dendrite_id"], each["state"]) for each in told} == {
        ("web", "host", "running")
    }
    assert all(0 < each["age_s"] < TIMEOUT_S < each["remaining_s"] < 300 for each in told)
    assert none[1] == [
        "no task of caller nobody is open in namespace empty; give another namespace with -n"
    ]
    assert (table[0], lines[0], none[0]) == (0, 0, 0)


async def test_stop_cancels_a_trace_by_its_first_characters_and_says_who_did(held):
    (first, second, third), cosmo = held

    code, out, _ = await cosmo("stop", first.trace_id[:12])
    outcome = await first.outcome()
    whole = await cosmo("stop", third.trace_id, "--json", "--reason", "enough")
    again, (_, left, _) = await asyncio.gather(cosmo("stop", third.trace_id), cosmo("ps", "--json"))

    assert code == 0
    assert out[0] == f"{first.trace_id}: 1 task cancelled"
    assert out[1].startswith("- was running: writer at host, for ")
    assert out[1].endswith(", sent by web")
    assert out[2:] == ["- host cancelled 1"]
    assert outcome.payload["code"] == "CANCELLED"
    told = json.loads(whole[1][0])
    assert (told["cancelled"], told["silent"]) == (1, [])
    assert [each["neuron"] for each in told["tasks"]] == ["painter"]
    assert again[:2] == (
        0,
        [
            f"{third.trace_id}: 0 tasks cancelled",
            "- 1 more answered that they had nothing to cancel",
        ],
    )
    assert [json.loads(line)["trace_id"] for line in left] == [second.trace_id]


async def test_stop_needs_a_beginning_that_one_open_trace_has(held):
    _, cosmo = held

    several, nobody, short = await asyncio.gather(
        cosmo("stop", "trc_"), cosmo("stop", "trc_00000000"), cosmo("stop", "writer")
    )

    assert short[0] == 2
    assert nobody[0] == 1
    assert "no open task has a trace that begins with trc_00000000" in nobody[2][0]
    assert several[0] == 2


async def test_emit_publishes_what_a_watcher_hears(join, url, namespace, children):
    heard, news = [], threading.Event()
    watcher = join("watcher")

    @watcher.on_memory_append
    def on_memory(signal):
        heard.append(signal)
        news.set()

    async with watcher:
        env = {"COSMO_URL": url, "COSMO_NAMESPACE": namespace}
        payload = json.dumps({"key": "colour", "value": ["red", 1]})
        arguments = ("emit", "memory-append", "--payload", "-", "--json", "--neuron", "painter")
        child = children.cosmo(*arguments, env=env)
        child.tell(payload)
        child.hang_up()
        code = await asyncio.to_thread(child.wait)
        await asyncio.to_thread(news.wait, TIMEOUT_S)

    (signal,) = heard
    printed = json.loads(child.out[0].text)
    assert code == 0
    assert signal.type is SignalType.MEMORY_APPEND
    assert signal.payload == printed["payload"] == {"key": "colour", "value": ["red", 1]}
    assert (signal.id, signal.directed.id) == (printed["id"], "painter")
