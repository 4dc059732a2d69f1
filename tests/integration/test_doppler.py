"""`cosmo doppler` as a process: every option, a reader that goes away, one that is slow."""

import asyncio
import contextlib
import fcntl
import json
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import termios

import pytest
import pytest_asyncio

from cosmonapse import Axon, SignalType
from support.processes import ROOT, TIMEOUT_S, Children, axon, until

EVIL = "\x1b]0;gone\x07\x9b2J\u202e\nnext"
LINE = re.compile(r"\d\d:\d\d:\d\d\.\d{3}  ([A-Z_]+) +(trc_\w{4})  (\S*) *(.*)")


def doppler(children, url, namespace, *options, **settings):
    """Start it and wait until it hears everything."""
    arguments = ("doppler", "--url", url, "-n", namespace, *options)
    child = children.cosmo(*arguments, merge_stderr=True, **settings)
    child.line("showing")
    return child


def seen(child):
    """Return the Signals of its lines: type, short trace, neuron, what it says."""
    found = (LINE.fullmatch(line.text) for line in child.out)
    return [each.groups() for each in found if each]


def objects(child):
    return [json.loads(line.text) for line in child.out if line.text.startswith("{")]


async def talked(input, context):
    for piece in input.get("pieces", ("hm",)):
        await context.think(piece)
    return {"said": input}


@pytest_asyncio.fixture
async def talker(join):
    """A Dendrite with a Neuron that thinks and answers."""
    dendrite = join("host")
    dendrite.attach_axon(Axon(neuron_id="talker", neuron_fn=talked, capabilities=["talk"]))
    async with dendrite:
        yield dendrite


@pytest.mark.asyncio
async def test_every_signal_is_one_aligned_line_until_ctrl_c(join, children, url, namespace):
    shown = doppler(children, url, namespace, "--presence")
    dendrite = join("host")
    dendrite.attach_axon(Axon(neuron_id="talker", neuron_fn=talked, capabilities=["talk"]))
    async with dendrite:
        reply = await dendrite.dispatch_and_wait(neuron="talker", input={"prompt": "hello"})
    await until(lambda: any(each[0] == "DEREGISTER" for each in seen(shown)), TIMEOUT_S)
    shown.send(signal.SIGINT)

    assert shown.wait() == 130
    lines = [each for each in seen(shown) if each[0] != "HEARTBEAT"]
    trace = reply.trace_id[:8]
    assert [each[0] for each in lines] == [
        *("REGISTER", "TASK", "THOUGHT_DELTA", "AGENT_OUTPUT", "DEREGISTER")
    ]
    assert {each[2] for each in lines} == {"talker"}
    assert lines[1][1:] == (trace, "talker", "hello")
    assert lines[2][3] == "hm"
    assert re.fullmatch(r"\[\d+ ms\] .*hello.*", lines[3][3])
    assert re.search(r"\d Signals shown, 0 missed", shown.said)


@pytest.mark.asyncio
async def test_presence_and_chosen_types_are_hidden(join, children, url, namespace):
    shown = doppler(children, url, namespace)
    less = doppler(children, url, namespace, "--no-type", "thought-delta", "--presence")
    for _ in range(2):
        dendrite = join("host")
        dendrite.attach_axon(Axon(neuron_id="talker", neuron_fn=talked))
        async with dendrite:
            await dendrite.dispatch_and_wait(neuron="talker", input={})

    await until(lambda: sum(e[0] == "AGENT_OUTPUT" for e in seen(shown)) == 2, TIMEOUT_S)
    await until(lambda: sum(e[0] == "DEREGISTER" for e in seen(less)) == 2, TIMEOUT_S)
    assert [each[0] for each in seen(shown)] == 2 * ["TASK", "THOUGHT_DELTA", "AGENT_OUTPUT"]
    assert {each[0] for each in seen(less)} - {"HEARTBEAT"} == {
        *("REGISTER", "TASK", "AGENT_OUTPUT", "DEREGISTER")
    }


@pytest.mark.asyncio
async def test_types_and_neurons_are_chosen(talker, children, url, namespace):
    only = doppler(children, url, namespace, "--type", "task", "--type", "ERROR")
    of_one = doppler(children, url, namespace, "--neuron", "talker")

    for neuron in ("talker", "nobody", "talker"):
        await talker.dispatch_and_wait(neuron=neuron, input={})

    await until(lambda: len(seen(only)) >= 4, TIMEOUT_S)
    # The caller publishes the ERROR itself, beside the copies that the Synapse makes of TASKs.
    assert sorted(each[0] for each in seen(only)) == ["ERROR", "TASK", "TASK", "TASK"]
    await until(lambda: sum(e[0] == "AGENT_OUTPUT" for e in seen(of_one)) >= 2, TIMEOUT_S)
    assert {each[2] for each in seen(of_one)} == {"talker"}


@pytest.mark.asyncio
async def test_one_trace_is_followed_by_its_id_or_what_is_shown_of_it(
    talker, children, url, namespace
):
    first = await talker.dispatch_and_wait(neuron="talker", input={})
    trace = first.trace_id
    whole = doppler(children, url, namespace, "--trace", trace)
    short = doppler(children, url, namespace, "--trace", trace[:8])

    await talker.dispatch_and_wait(neuron="talker", input={})
    await talker.dispatch_and_wait(neuron="talker", input={}, trace_id=trace)

    for child in (whole, short):
        await until(lambda child=child: len(seen(child)) >= 3, TIMEOUT_S)
        assert [each[0] for each in seen(child)] == ["TASK", "THOUGHT_DELTA", "AGENT_OUTPUT"]
        assert {each[1] for each in seen(child)} == {trace[:8]}


@pytest.mark.asyncio
async def test_tools_get_json_and_secrets_are_masked(talker, children, url, namespace):
    lines = doppler(children, url, namespace, "--json", "--type", "AGENT_OUTPUT")

    reply = await talker.dispatch_and_wait(neuron="talker", input={"api_key": "s3cret", "n": 1})

    (shown,) = await until(lambda: objects(lines), TIMEOUT_S)
    assert shown["id"] == reply.id
    assert shown["payload"] == {"output": {"said": {"api_key": "•••", "n": 1}}}
    assert shown["bytes"] > 100
    assert len(shown["caller"]) == len(shown["worker"]) == 32


@pytest.mark.asyncio
async def test_the_whole_payload_is_below_the_line_and_steers_no_terminal(
    talker, children, url, namespace
):
    shown = doppler(children, url, namespace, "--payload", "--type", "TASK")

    await talker.dispatch_and_wait(neuron="talker", input={"prompt": EVIL, EVIL: 1, "token": "s3"})

    await until(lambda: any(line.text == "    }" for line in shown.out), TIMEOUT_S)
    assert all(line.text.isprintable() for line in shown.out)
    assert '        "token": "•••"' in shown.said
    assert "\\u202e" in shown.said


@pytest.mark.asyncio
async def test_who_was_there_before_is_shown_on_request(talker, children, url, namespace):
    shown = doppler(children, url, namespace, "--since-start", "--type", "REGISTER")

    await until(lambda: seen(shown), TIMEOUT_S)

    assert [each[0::2] for each in seen(shown)] == [("REGISTER", "talker")]
    assert seen(shown)[0][3] == "worker, offers talk"


@pytest.mark.parametrize("settings", [{}, {"NO_COLOR": "1"}])
@pytest.mark.asyncio
async def test_a_terminal_gets_colour_unless_it_wants_none(talker, url, namespace, settings):
    leader, follower = pty.openpty()
    command = ["doppler", "--url", url, "-n", namespace, "--type", "AGENT_OUTPUT"]
    environment = {k: v for k, v in os.environ.items() if k != "NO_COLOR"} | {"TERM": "xterm"}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "cosmonapse.cli", *command),
        stdout=follower,
        stderr=subprocess.PIPE,
        cwd=ROOT,
        env=environment | settings,
    )
    os.close(follower)
    try:
        assert b"showing" in await process.stderr.readline()
        await talker.dispatch_and_wait(neuron="talker", input={})
        text = await asyncio.to_thread(os.read, leader, 4096)
        process.send_signal(signal.SIGTERM)
        assert await process.wait() == 0
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        os.close(leader)

    assert (b"\x1b[32mAGENT_OUTPUT" in text) == (not settings)


class PseudoTerminal:
    """The screen of one `cosmo doppler`; all that it wrote so far is in `text`."""

    def __init__(self, columns):
        self.leader, self.follower = pty.openpty()
        self.resize(columns)
        self.text = ""

    def resize(self, columns):
        size = struct.pack("HHHH", 24, columns, 0, 0)
        fcntl.ioctl(self.follower, termios.TIOCSWINSZ, size)

    def _read(self):
        self.text += os.read(self.leader, 65_536).decode(errors="replace")

    async def shows(self, text):
        """Wait until it has written `text`; return the lines before it and forget them."""
        loop = asyncio.get_running_loop()
        loop.add_reader(self.leader, self._read)
        await until(lambda: text in self.text, TIMEOUT_S)
        loop.remove_reader(self.leader)
        before, _, self.text = self.text.partition(text)
        return lines_left(before + text)


def lines_left(text):
    """Return the lines of `text` that a terminal still shows: what was painted anew stands once."""
    lines = []
    for rows, written in re.findall(
        r"(?:\x1b\[(\d+)A\r\x1b\[J)?((?:(?!\x1b\[\d+A).)*)", text, re.DOTALL
    ):
        lines = lines[: len(lines) - int(rows or 0)]
        lines += re.sub(r"\x1b\[[\d;]*m", "", written).removesuffix("\r\n").split("\r\n")
    return lines


@pytest.mark.asyncio
async def test_lines_fit_the_terminal_after_a_resize_and_a_stream_is_one_line(
    talker, url, namespace
):
    screen = PseudoTerminal(120)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "cosmonapse.cli", "doppler", "--url", url, "-n", namespace),
        stdout=screen.follower,
        stderr=subprocess.PIPE,
        cwd=ROOT,
        env=os.environ | {"NO_COLOR": "1", "TERM": "xterm"},
    )
    try:
        assert b"showing" in await process.stderr.readline()
        widest = []
        for columns in (120, 47):
            screen.resize(columns)
            thoughts = [f"piece-{n:03d} " for n in range(40)]
            await talker.dispatch_and_wait(neuron="talker", input={"pieces": thoughts})
            lines = await screen.shows("AGENT_OUT")
            widest.append(max(map(len, lines)))
            await screen.shows("\n")
            assert sum("piece-039" in line for line in lines) >= 1
            assert not any(line.endswith("piece-000") for line in lines)
        process.send_signal(signal.SIGTERM)
        assert await process.wait() == 0
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        os.close(screen.leader)
        os.close(screen.follower)

    assert widest[0] == 120
    assert widest[1] == 47


@pytest.mark.parametrize("options", [(), ("--json",)])
@pytest.mark.asyncio
async def test_a_reader_that_goes_away_ends_it_also_when_nothing_passes(
    talker, url, namespace, options
):
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "cosmonapse.cli", "doppler", "--url", url, "-n", namespace),
        *("--type", "CONSENSUS", *options),
        stdout=(ends := os.pipe())[1],
        stderr=subprocess.PIPE,
        cwd=ROOT,
    )
    os.close(ends[1])
    assert b"showing" in await process.stderr.readline()

    os.close(ends[0])
    _, said = await asyncio.wait_for(process.communicate(), TIMEOUT_S)

    assert (process.returncode, said) == (0, b"")


@pytest.mark.asyncio
async def test_a_reader_that_stands_still_loses_the_oldest_and_is_told(talker, url, namespace):
    command = ("doppler", "--url", url, "-n", namespace, "--type", "PLAN")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "cosmonapse.cli", *command),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=ROOT,
        limit=2**10,  # so that nothing is read from the pipe for us
    )
    assert b"showing" in await process.stderr.readline()
    # The Synapse knows of the subscription; the publisher learns of it a moment later.
    plan = SignalType.PLAN.code
    await until(lambda: talker._transport.is_heard(plan, bytes(16)), TIMEOUT_S)
    count = 20_000
    for n in range(count):
        await talker.emit_plan(steps=[n, "x" * 60])
        if n % 200 == 0:
            await asyncio.sleep(0.005)  # slow enough for the fabric to drop nothing
    text = b""
    while f"[{count - 1}, ".encode() not in text[-2_000:]:
        text += await asyncio.wait_for(process.stdout.read(2**20), TIMEOUT_S)
    process.send_signal(signal.SIGTERM)
    rest, said = await process.communicate()

    lines = (text + rest).decode().splitlines()
    told = re.findall(r"\((\S+) Signals not shown: this reader is too slow\)", "\n".join(lines))
    missed = re.findall(r"\((\S+) Signals missed", "\n".join(lines))
    shown = [int(number) for number in re.findall(r"PLAN .*\[(\d+), ", "\n".join(lines))]
    assert told
    assert shown == sorted(shown)
    assert len(shown) + sum(int(n.replace(",", "")) for n in told + missed) == count
    assert process.returncode == 0
    assert b"Signals shown" in said


def lose(dendrite, kind, count):
    """Number the next Signal of a type as if `count` before it had been dropped on the way."""
    audience = dendrite._transport._client.broadcast.subscribed
    audience.kinds[kind.code].sequence += count


@pytest.mark.parametrize("options", [(), ("--json",)])
@pytest.mark.asyncio
async def test_what_is_dropped_on_the_way_is_counted_and_told(
    talker, children, url, namespace, options
):
    shown = children.cosmo("doppler", "--url", url, "-n", namespace, "--type", "PLAN", *options)
    await until(lambda: "showing" in shown.said, TIMEOUT_S)

    # What is published before its own socket is live goes by another way, with no such number.
    numbered = talker._transport._client.broadcast.subscribed.kinds
    shown_count = 1
    while not getattr(numbered.get(SignalType.PLAN.code), "sequence", 0):
        await talker.emit_plan(steps=["first"])
        shown_count += 1
        await asyncio.sleep(0.01)
    lose(talker, SignalType.PLAN, 1_234)
    await talker.emit_plan(steps=["last"])
    await until(lambda: "last" in shown.said and "missed" in shown.said, TIMEOUT_S)
    shown.send(signal.SIGINT)
    shown.wait()

    told = "(1,234 Signals missed on the way here)"
    assert (told in [line.text for line in shown.out]) == (not options)
    assert (told in [line.text for line in shown.err]) == bool(options)
    assert f"{shown_count} Signals shown, 1,234 missed" in shown.err[-1].text
    assert len(objects(shown)) == (shown_count if options else 0)


@pytest.mark.asyncio
async def test_it_goes_on_after_a_restart_of_the_synapse(join, children, namespace):
    synapse, url = children.synapse()
    port = url.rpartition(":")[2]
    shown = doppler(children, url, namespace)
    dendrite = join("host", url=url)
    dendrite.attach_axon(Axon(neuron_id="talker", neuron_fn=talked))
    async with dendrite:
        synapse.kill()
        shown.line("the Synapse is not reachable")
        children.synapse(port=port)
        shown.line("the Synapse is back")
        await dendrite.wait_for_neuron(neuron="talker", timeout_s=TIMEOUT_S)
        await dendrite.dispatch_and_wait(neuron="talker", input={}, timeout_s=TIMEOUT_S)
        await until(lambda: any(e[0] == "AGENT_OUTPUT" for e in seen(shown)), TIMEOUT_S)
    kinds = [each[0] for each in seen(shown)]

    assert kinds.count("AGENT_OUTPUT") == kinds.count("TASK") == 1


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("--trace", "trc_ab"), 2, "too short"),
        (("--trace", "evt_abcdefgh"), 2, "is not a trace id"),
        (("--type", "NONSENSE"), 2, "NONSENSE"),
        (("--type", "TASK", "--no-type", "TASK"), 2, "no type of Signal is left"),
        (("--neuron", "no name"), 2, "--neuron"),
        (("-n", "no/name"), 2, "namespace"),
        (("--prism", "--json"), 2, "--prism shows everything"),
    ],
)
def test_a_mistake_is_one_line(children, arguments, code, said):
    child = children.cosmo("doppler", *arguments)

    assert child.wait() == code
    (line,) = child.err
    assert said in line.text


def test_it_leaves_nothing_on_the_bus(children, url, namespace):
    with Children() as others:
        others.worker(url, namespace, axon())
        shown = doppler(children, url, namespace, "--since-start")
        listed = children.cosmo("registry", "--url", url, "-n", namespace, "--json")
        listed.wait()

    assert [json.loads(line.text)["neuron_id"] for line in listed.out] == ["worker"]
    assert {each[0] for each in seen(shown)} <= {
        each.value for each in (SignalType.REGISTER, SignalType.HEARTBEAT, SignalType.DEREGISTER)
    }
