"""`cosmo` and what is typed wrongly, and what would steer a terminal. Page: docs/bad-input.md."""

import asyncio
import json
import signal

import pytest
import pytest_asyncio

from cosmonapse import SignalType
from cosmonapse.cli import run
from support.processes import Children, axon, until
from support.stranger import false_synapse
from support.transport import Party
from zmq_transport import Verb
from zmq_transport.wire import greetings, heads

EVIL = "\x1b[2J\x1b]0;gone\x07\x9b1A\u202e\r\nnext"
_TASK = ("dispatch", "--neuron", "worker", "--input")
SAYS_EVIL = json.dumps({"__error__": True, "code": EVIL, "message": EVIL})
CALLS = {
    "output": (*_TASK, json.dumps({EVIL: EVIL})),
    "whole output": (*_TASK, json.dumps({EVIL: EVIL}), "--json"),
    "streamed output": (*_TASK, json.dumps({EVIL: EVIL}), "--stream"),
    "error": (*_TASK, SAYS_EVIL),
    "whole error": (*_TASK, SAYS_EVIL, "--json"),
    "streamed error": (*_TASK, SAYS_EVIL, "--stream", "--json"),
    "roster": ("registry",),
    "roster as JSON": ("registry", "--json"),
}
MISTAKES = [
    (EVIL,),
    ("dispatch", f"--{EVIL}"),
    ("dispatch", "--neuron", EVIL, "--input", "{}"),
    ("dispatch", "--capabilities", EVIL, "--input", "{}"),
    ("dispatch", "--neuron", "a", "--input", EVIL),
    ("dispatch", "--neuron", "a", "--input", "{}", EVIL),
    ("dispatch", "--neuron", "a", "--input", "{}", "--timeout", EVIL),
    ("registry", "-n", EVIL),
    ("registry", "--url", EVIL),
    ("registry", "--url", f"cosmo://{EVIL}"),
    ("registry", "--url", f"memory://{EVIL}"),
    ("answer", "--trace", EVIL),
    ("answer", "--neuron", EVIL),
    ("synapse", EVIL),
    ("synapse", "start", EVIL),
    ("synapse", "start", "--port", EVIL),
    ("synapse", "start", "--namespace", EVIL),
    ("demo", f"--{EVIL}"),
]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def printed(url):
    """What each call prints beside a worker, and a seat that says of itself what it likes."""
    evil_facts = {"capabilities": ["c"], "version": EVIL, "role": EVIL, "running": EVIL, EVIL: EVIL}
    with Children() as children:
        children.worker(url, "evil", axon("returns"))
        async with Party(_Ports(url), namespace="evil") as rude:
            kind = SignalType.REGISTER.code
            rude.client.send_presence(Verb.REGISTER, "rude", evil_facts, kind, EVIL.encode())
            await until(lambda: rude.of("on_registered"))
            started = {
                name: children.cosmo(*arguments, "--url", url, "-n", "evil")
                for name, arguments in CALLS.items()
            }
            for child in started.values():
                await asyncio.to_thread(child.wait)
    return {name: (child.wait(), child.out, child.err) for name, child in started.items()}


class _Ports:
    def __init__(self, url):
        self.ports = [int(url.rpartition(":")[2])]


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("name", CALLS)
async def test_no_output_of_a_verb_steers_a_terminal(name, printed):
    code, out, err = printed[name]

    assert code == (1 if "error" in name else 0), err
    assert [line.text for line in (*out, *err) if not line.text.isprintable()] == []
    assert len(err) == (1 if code else 0)
    assert any("next" in line.text for line in (*out, *err)) or name == "roster"


@pytest.mark.parametrize("arguments", MISTAKES, ids=lambda each: ascii(" ".join(each))[:40])
def test_a_mistake_is_one_line_that_steers_no_terminal(arguments, capsys):
    code = run(arguments)

    said = capsys.readouterr()
    assert code == 2
    assert said.out == ""
    (line,) = said.err.split("\n")[:-1]
    assert line.startswith("cosmo: ")
    assert line.isprintable()


def test_a_synapse_that_refuses_in_evil_words_steers_no_terminal(capsys):
    who = greetings.pack_map({"reason": EVIL, "speaks": [EVIL, 1]})
    with false_synapse(heads.pack(Verb.WHO, len(who)), who) as port:
        code = run(["registry", "--url", f"cosmo://127.0.0.1:{port}"])

    (line,) = capsys.readouterr().err.split("\n")[:-1]
    assert code == 1
    assert line.isprintable()


@pytest.mark.asyncio
async def test_questions_steer_no_terminal_whether_for_a_person_or_for_a_tool(
    children, url, namespace, join
):
    children.worker(url, namespace, axon("returns"))
    where = "--url", url, "-n", namespace
    axon_slots = [children.cosmo("answer", *more, *where) for more in ([], ["--json"])]
    async with join() as caller:
        await until(lambda: all(slots.err for slots in axon_slots), timeout_s=20.0)
        await caller.dispatch_task(
            neuron="worker", input={"__permission__": True, "action": EVIL, "reason": EVIL}
        )
        await until(lambda: all("next" in slots.said for slots in axon_slots))
    for slots in axon_slots:
        slots.send(signal.SIGINT)
        assert slots.wait() == 130
        assert [line.text for line in (*slots.out, *slots.err) if not line.text.isprintable()] == []
