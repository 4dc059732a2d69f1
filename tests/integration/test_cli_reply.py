"""`cosmo reply --exec` as a process: a shell command that answers, fails, streams and is ended."""

import asyncio
import json
import os
import signal

import pytest
import pytest_asyncio

from cosmonapse import NeuronError, SignalType
from support.processes import Children, until

pytestmark = pytest.mark.asyncio
COMMANDS = {
    "cat": ("cat",),
    "text": ("jq -r .prompt 2>/dev/null || sed 's/[^a-z ]//g'", "--capability", "text"),
    "fails": ("echo one >&2; echo two >&2; exit 3",),
    "slow": ("echo $$; sleep 600", "--timeout", "0.3"),
    "streams": ("echo a; sleep 0.05; echo b", "--stream"),
    "holds": ("sleep 600 & echo $!; echo $$; wait", "--stream", "--json"),
    "environment": ('echo "$COSMO_TRACE_ID $COSMO_TASK_ID $COSMO_NEURON $COSMO_NAMESPACE"',),
    "raw": (r"printf '\377'",),
}


@pytest.fixture(scope="module")
def replies(url):
    """A `cosmo reply` for each of the commands, by its neuron."""
    with Children() as children:
        env = {"COSMO_URL": url, "COSMO_NAMESPACE": "replies"}
        started = {
            neuron: children.cosmo("reply", neuron, "--exec", shell, *more, env=env)
            for neuron, (shell, *more) in COMMANDS.items()
        }
        for neuron, child in started.items():
            assert child.says(f"{neuron} answers in namespace replies"), child.said
        yield started


@pytest_asyncio.fixture
async def caller(join, replies):
    async with join("caller", namespace="replies") as dendrite:
        yield dendrite


async def failure(caller, neuron, **task):
    with pytest.raises(NeuronError) as caught:
        await caller.ask(neuron=neuron, input={}, **task)
    return caught.value


def is_alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def test_the_input_is_json_on_stdin_and_json_on_stdout_is_the_output(caller):
    given = {"a": [1, None, "é"], "evil": "'; touch /tmp/no; $(reboot) `true` \n --"}

    assert await caller.ask(neuron="cat", input=given) == given
    assert await caller.ask(neuron="cat", input=[1, "two"]) == {"value": [1, "two"]}


async def test_text_on_stdout_is_a_response_and_bytes_stay_bytes(caller):
    texts = await caller.ask(capabilities=["text"], input={"prompt": "hello there"})
    raw = await caller.ask(neuron="raw", input={})

    assert texts["response"].strip().endswith("hello there")
    assert raw == {"value": b"\xff"}


async def test_an_exit_code_is_an_error_with_the_end_of_stderr(caller):
    error = await failure(caller, "fails")

    assert (error.code, error.recoverable) == ("COMMAND_FAILED", False)
    assert error.message == "the command ended with exit code 3: one\ntwo"


async def test_a_command_that_is_late_is_ended(caller):
    error = await failure(caller, "slow")

    assert error.code == "COMMAND_TIMEOUT"
    assert error.message == "the command ran for over 0.3 s and was ended"


async def test_lines_stream_as_thoughts_and_the_output_follows(caller):
    async with await caller.dispatch(neuron="streams", input={}) as pathway:
        signals = [signal async for signal in pathway]

    deltas = [each.payload["delta"] for each in signals if each.type is SignalType.THOUGHT_DELTA]
    assert deltas == ["a\n", "b\n"]
    assert signals[-1].output == {"response": "a\nb"}


async def test_the_environment_has_trace_task_and_neuron(caller):
    reply = await caller.dispatch_and_wait(neuron="environment", input={})

    told = reply.output["response"].split()
    assert told == [reply.trace_id, reply.parent_id, "environment", "replies"]


async def test_a_cancelled_task_ends_the_command_and_all_that_it_started(caller, replies):
    pathway = await caller.dispatch(neuron="holds", input={})
    pids = [int((await pathway.wait_for(SignalType.THOUGHT_DELTA)).payload["delta"])]
    pids.append(int((await pathway.wait_for(SignalType.THOUGHT_DELTA)).payload["delta"]))
    assert all(map(is_alive, pids))
    await caller.stop_trace(pathway.trace_id)
    outcome = await pathway.outcome()

    assert outcome.payload["code"] == "CANCELLED"
    await until(lambda: not any(map(is_alive, pids)))
    await asyncio.to_thread(replies["holds"].line, "{")
    told = json.loads(replies["holds"].out[0].text)
    assert (told["trace_id"], told["end"]) == (pathway.trace_id, "cancelled")


async def test_sigterm_lets_what_runs_end_first(join, url, namespace, children):
    env = {"COSMO_URL": url, "COSMO_NAMESPACE": namespace}
    shell = "echo begun; sleep 0.4; echo ok"
    child = children.cosmo("reply", "ends", "--exec", shell, "--stream", env=env)
    assert child.says("ends answers")
    async with join("caller") as dendrite:
        pathway = await dendrite.dispatch(neuron="ends", input={})
        await pathway.wait_for(SignalType.THOUGHT_DELTA)
        child.send(signal.SIGTERM)
        outcome = await pathway.outcome()
        code = await asyncio.to_thread(child.wait)

    assert outcome.output == {"response": "begun\nok"}
    assert code == 0
    assert child.out[0].text.startswith(f"{pathway.trace_id[:8]}  exit code 0, ")
