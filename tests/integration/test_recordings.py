"""`cosmo record`, and what is shown of a recording: killed processes and full disks too."""

import gzip
import json
import re
import signal
import stat
import sys
import zlib

import httpx
import pytest

from cosmonapse import Axon
from support.observed import observed, reply, task
from support.prism import Tab, prism
from support.processes import TIMEOUT_S, closed_port, until
from support.recorded import heard, recording

SECRET = "s3cret-value"


async def talked(input, context):
    await context.think("hm")
    return {"said": input.get("prompt")}


def recorder(children, url, namespace, path, *options):
    """Start it and wait until it hears everything."""
    arguments = ("record", path, "--url", url, "-n", namespace, *options)
    child = children.cosmo(*arguments)
    assert child.says(f"recording {namespace}"), child.said
    return child


def lines_of(path):
    text = path.read_bytes()
    text = gzip.decompress(text) if text.startswith(b"\x1f\x8b") else text
    return [json.loads(each) for each in text.decode("ascii").splitlines()]


def written_so_far(path):
    """Return the text of a file that is being written, compressed or not."""
    text = path.read_bytes()
    if text.startswith(b"\x1f\x8b"):
        text = zlib.decompressobj(wbits=31).decompress(text)
    return text.decode("ascii")


def remembered_by(address):
    """Return the recording that a Prism with a token gives."""
    start, _, token = address.partition("?token=")
    with httpx.Client(trust_env=False, timeout=TIMEOUT_S) as client:
        return client.get(
            f"{start}api/recording", headers={"Authorization": f"Bearer {token}"}
        ).content


def types_of(lines):
    """Return the types of the Signals, without those of presence."""
    presence = ("REGISTER", "HEARTBEAT", "DEREGISTER")
    types = [each["type"] for each in lines if each["line"] == "signal"]
    return [each for each in types if each not in presence]


@pytest.fixture
def replayed(children):
    """Return what starts a Prism that shows a recording; it returns the child and the address."""

    def start(path, *options):
        arguments = ("prism", "--replay", path, "--port", 0, "--no-browser", *options)
        child = children.cosmo(*arguments, merge_stderr=True)
        return child, child.line(f"Prism shows shown of {path} on").text

    return start


@pytest.mark.asyncio
@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz"])
async def test_what_passes_is_in_the_file(join, children, url, namespace, tmp_path, name):
    path = tmp_path / name
    child = recorder(children, url, namespace, path)
    await until(lambda: '"roster"' in written_so_far(path), TIMEOUT_S)
    dendrite = join("host")
    dendrite.attach_axon(Axon(neuron_id="talker", neuron_fn=talked))
    async with dendrite:
        reply = await dendrite.dispatch_and_wait(
            neuron="talker", input={"prompt": "hello", "api_key": SECRET}
        )
    await until(lambda: "AGENT_OUTPUT" in written_so_far(path), TIMEOUT_S)
    child.send(signal.SIGINT)

    assert child.wait() == 130
    assert re.search(r"recorded [\d,]+ Signals in .+ \([\d,]+ bytes\), 0 missed", child.said)
    header, *lines = lines_of(path)
    assert (header["line"], header["namespace"], header["url"]) == ("recording", namespace, url)
    assert types_of(lines) == ["TASK", "THOUGHT_DELTA", "AGENT_OUTPUT"]
    assert {each["trace_id"] for each in lines if "type" in each} >= {reply.trace_id}
    assert lines[-1]["line"] == "end"
    assert lines[-1]["signals"] == sum(each["line"] == "signal" for each in lines)
    assert SECRET not in json.dumps(lines)
    assert [each["at"] for each in lines] == sorted(each["at"] for each in lines)
    rosters = [each["records"] for each in lines if each["line"] == "roster"]
    assert rosters[0] == []
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.asyncio
async def test_a_recorder_that_is_killed_leaves_what_can_be_replayed(
    join, children, url, namespace, tmp_path, replayed
):
    path = tmp_path / "a.jsonl"
    child = recorder(children, url, namespace, path)
    dendrite = join("host")
    dendrite.attach_axon(Axon(neuron_id="talker", neuron_fn=talked, capabilities=["talk"]))
    async with dendrite:
        await dendrite.dispatch_and_wait(neuron="talker", input={"prompt": "hello"})
        await until(lambda: '"AGENT_OUTPUT"' in path.read_text(), TIMEOUT_S)
        await until(lambda: '"neuron_id":"talker"' in path.read_text(), TIMEOUT_S)
    child.kill()
    with path.open("a") as end:
        end.write('{"line":"sign')

    prism = children.cosmo(
        *("prism", "--replay", path, "--port", 0, "--no-browser"), merge_stderr=True
    )
    address = prism.line(f"Prism shows {namespace} of {path} on").text
    assert prism.says("the end of the file is missing")
    with Tab(address) as tab:
        hello = tab.newest("hello")
        tab.until(lambda: len(tab.types()) == 3)
        state = tab.newest("state", lambda state: state["dendrites"])
    assert tab.types() == ["TASK", "THOUGHT_DELTA", "AGENT_OUTPUT"]
    assert (hello["mode"], hello["namespace"], hello["url"]) == ("replay", namespace, url)
    replay = hello["replay"]
    assert replay["file"] == "a.jsonl"
    assert replay["from_ts"] < replay["to_ts"] == state["at"]
    assert "talker" in json.dumps(state["dendrites"])

    told = children.cosmo("doppler", "--replay", path)
    assert told.wait() == 0
    assert [line.text.split()[1] for line in told.out[:3]] == tab.types()
    assert "the end of the file is missing" in told.said
    prism.send(signal.SIGTERM)
    assert prism.wait() == 0


@pytest.mark.asyncio
async def test_what_is_recorded_can_be_chosen(join, children, url, namespace, tmp_path):
    path = tmp_path / "a"
    child = recorder(children, url, namespace, path, "--type", "task", "--unmasked")
    dendrite = join("host")
    dendrite.attach_axon(Axon(neuron_id="talker", neuron_fn=talked))
    async with dendrite:
        await dendrite.dispatch_and_wait(neuron="talker", input={"api_key": SECRET})
    await until(lambda: SECRET in path.read_text(), TIMEOUT_S)
    child.send(signal.SIGTERM)

    assert child.wait() == 0
    header, *lines = lines_of(path)
    assert (header["chosen"], header["masked"]) == ("--type TASK", False)
    assert types_of(lines) == ["TASK"]
    assert "secrets are not masked" in child.said


@pytest.mark.parametrize("limit", [("--seconds", 0.2), ("--megabytes", 0.001)])
def test_it_ends_at_a_limit(children, url, namespace, tmp_path, limit):
    path = tmp_path / "a"
    child = recorder(children, url, namespace, path, *limit)

    assert child.wait() == 0
    assert lines_of(path)[-1]["line"] == "end"


@pytest.mark.asyncio
async def test_doppler_begins_with_what_a_prism_remembers(join, children, url, namespace):
    shown, address = prism(children, url, namespace, "--token")
    shown.line("watching")
    dendrite = join("host")
    dendrite.attach_axon(Axon(neuron_id="talker", neuron_fn=talked))
    arguments = ("doppler", "--url", url, "-n", namespace, "--since", "5m")
    async with dendrite:
        await dendrite.dispatch_and_wait(neuron="talker", input={"prompt": "before"})
        await until(lambda: b"AGENT_OUTPUT" in remembered_by(address), TIMEOUT_S)
        told = children.cosmo(*arguments, env={"COSMO_PRISM": address})
        alone = children.cosmo(*arguments, "--from", f"http://127.0.0.1:{closed_port()}")
        assert told.says('{"said": "before"}')
        assert alone.says("nothing earlier is known: no Prism answers")
        await dendrite.dispatch_and_wait(neuron="talker", input={"prompt": "after"})
        assert told.says('{"said": "after"}')
        assert alone.says('{"said": "after"}')
    said = [line.text.split()[1] for line in told.out]
    assert said == 2 * ["TASK", "THOUGHT_DELTA", "AGENT_OUTPUT"]
    assert not alone.says("before", timeout_s=0)
    told.send(signal.SIGINT)
    assert told.wait() == 130


def test_a_file_that_is_there_is_not_replaced_unless_one_says_so(children, url, tmp_path):
    path = tmp_path / "a"
    path.write_text("mine")

    refused = children.cosmo("record", path, "--url", url, "--seconds", 0.1)
    assert refused.wait() == 2
    assert [line.text for line in refused.err] == [
        f"cosmo: {path} exists: choose another name, or --force (see 'cosmo record --help')"
    ]
    assert path.read_text() == "mine"

    forced = children.cosmo("record", path, "--url", url, "--seconds", 0.1, "--force")
    assert forced.wait() == 0
    assert lines_of(path)[0]["line"] == "recording"


def test_a_full_disk_is_one_line(children, url):
    child = children.cosmo("record", "/dev/full", "--force", "--url", url)

    assert child.wait() == 1
    assert child.err[-1].text == "cosmo: cannot write the output: No space left on device"
    assert "Traceback" not in child.said


def test_stdout_has_the_lines_until_its_reader_goes(children, url, namespace):
    verb = f"{sys.executable} -m cosmonapse.cli record - --url {url} -n {namespace}"
    command = f"set -o pipefail; {verb} | head -n 2"
    child = children.start("-c", command, program="/bin/bash")

    child.line('{"line":"recording"')
    assert child.wait() == 0


def test_a_recording_is_shown_in_its_own_time(replayed, tmp_path):
    seen = [heard(n, observed(payload={"steps": n})) for n in range(4)]
    child, address = replayed(recording(tmp_path / "a", *seen), "--speed", 20)

    with Tab(address) as tab:
        tab.until(lambda: len(tab.records) == 4)
    assert [each["payload"]["steps"] for each in tab.records] == [0, 1, 2, 3]
    child.send(signal.SIGINT)
    assert child.wait() == 130


def test_doppler_cuts_a_recording_and_keeps_the_form_of_json(children, tmp_path):
    asked = task()
    path = recording(tmp_path / "a", heard(0, asked), heard(90, reply(asked)))

    child = children.cosmo("doppler", "--replay", path, "--since", "1m", "--json")

    assert child.wait() == 0
    (shown,) = (json.loads(line.text) for line in child.out)
    assert (shown["type"], shown["duration_s"]) == ("AGENT_OUTPUT", 90.0)
    assert list(shown) == [
        *("type", "payload", "directed", "trace_id", "parent_id", "meta", "id", "ts", "v"),
        *("origin", "neuron", "caller", "worker", "bytes", "duration_s"),
    ]


@pytest.mark.parametrize(
    ("settings", "has_colour"),
    [({}, False), ({"FORCE_COLOR": "1"}, True), ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False)],
)
def test_a_pipe_has_colours_only_if_one_forces_them(children, tmp_path, settings, has_colour):
    path = recording(tmp_path / "a", heard(0, task()))
    env = {"FORCE_COLOR": "", "NO_COLOR": "", **settings}

    child = children.cosmo("doppler", "--replay", path, env=env)

    assert child.wait() == 0
    assert ("\x1b[1mTASK" in child.said) == has_colour


@pytest.mark.parametrize("verb", ["prism", "doppler"])
@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "cannot replay {path}: it has no whole line"),
        (b"[" * 1_000_000 + b"\n", "cannot replay {path}: it is no recording of 'cosmo record'"),
        (None, "No such file or directory: '{path}'"),
    ],
)
def test_what_is_no_recording_is_one_line(children, tmp_path, verb, content, said):
    path = tmp_path / "a"
    if content is not None:
        path.write_bytes(content)

    child = children.cosmo(verb, "--replay", path)

    assert child.wait() == 1
    assert [line.text for line in child.err] == ["cosmo: " + said.format(path=path)]


def test_hostile_lines_are_counted_and_the_page_is_shown(replayed, tmp_path):
    odd = ["[" * 100_000, "{}", '{"line":"roster","at":1,"records":[{"neuron_id":7}]}', "\x00"]
    path = recording(tmp_path / "a", *(each + "\n" for each in odd), heard(1, observed()))

    child, address = replayed(path)

    assert child.says("4 lines are invalid, and not shown")
    with Tab(address) as tab:
        tab.until(lambda: tab.records)
