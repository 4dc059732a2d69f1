"""`cosmo demo`: shows the whole main job, and leaves nothing behind."""

import json
import os
import re
import shlex
import signal
import subprocess
import sys

import pytest

OFFLINE = {"HF_TOKEN": "", "NO_PROXY": "127.0.0.1"}
# Where somebody works with another fabric, which the demonstration has nothing to do with.
ELSEWHERE = {"COSMO_CONTEXT": "office", "COSMO_KEY": "gone.key", "COSMO_NAMESPACE": "team"}


@pytest.fixture(scope="module")
def ended():
    """The output lines of one run, its exit code and who was left behind."""
    from support.processes import Children

    with Children() as children:
        demo = children.cosmo("demo", env=OFFLINE | ELSEWHERE)
        code = demo.wait(40.0)
        yield demo, code, demo.family()


def test_the_demo_exits_with_0_and_leaves_no_process_behind(ended):
    demo, code, family = ended

    assert code == 0
    assert family == []
    assert demo.err == []


def test_the_demo_prints_processes_answer_replica_and_legs(ended):
    text = ended[0].said

    pids = re.findall(r"^  (?:Synapse|worker|edge) +pid (\d+)", text, re.MULTILINE)
    assert len(set(pids)) == 4
    assert re.search(r"^A Dendrite is the asyncio client", text, re.MULTILINE)
    assert re.search(r"^answered by replica-[12], ", text, re.MULTILINE)
    assert len(re.findall(r"^ +[\d.]+ ms  ", text, re.MULTILINE)) >= 5
    assert re.search(r"^5 more questions at once: .*replica-1.*replica-2", text, re.MULTILINE)
    assert text.endswith("every process has ended")


def test_a_demo_that_is_kept_up_ends_with_130_on_ctrl_c_and_leaves_nothing(children):
    demo = children.cosmo("demo", "--keep", "--question", "What is an Axon?", env=OFFLINE)
    demo.line("  try ", timeout_s=40.0)

    assert len(demo.family()) == 5
    demo.send(signal.SIGINT)

    assert demo.wait() == 130
    assert demo.family() == []


def test_a_demo_that_is_interrupted_while_it_starts_leaves_nothing(children):
    demo = children.cosmo("demo", env=OFFLINE)
    demo.line("  Synapse ")

    demo.send(signal.SIGINT)

    assert demo.wait() == 130
    assert demo.family() == []


def test_the_scene_tells_what_happens_and_where_to_look_and_leaves_nothing(children):
    scene = children.cosmo("demo", "--scene", "--no-browser", "--neurons", "3", "--minutes", "0.12")
    address = scene.line("look at it: ", timeout_s=40.0).text

    assert address.startswith("http://127.0.0.1:")
    scene.line("every process has ended", timeout_s=40.0)

    assert scene.wait() == 0
    assert scene.family() == []
    assert "quiet-1: quiet-001, quiet-002, quiet-003" in scene.said
    assert "the worker 'thumbs' is killed and comes back" in scene.said


def test_a_scene_that_is_interrupted_leaves_nothing(children):
    scene = children.cosmo("demo", "--scene", "--no-browser")
    scene.line("  Synapse ", timeout_s=40.0)

    scene.send(signal.SIGINT)

    assert scene.wait() == 130
    assert scene.family() == []


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (("--neurons", "5"), "--neurons is for --scene"),
        (("--no-browser",), "--no-browser is for --scene"),
        (("--scene", "--keep"), "--keep is not for --scene"),
        (("--scene", "--question", "x"), "--question is not for --scene"),
    ],
)
def test_an_option_that_would_do_nothing_is_refused(children, given, why):
    refused = children.cosmo("demo", *given)

    assert refused.wait() == 2
    assert why in refused.said


@pytest.fixture(scope="module")
def serving_demo():
    """The output of `cosmo demo --serve`, once it is up, cut at its headings."""
    from support.processes import Children

    with Children() as children:
        demo = children.cosmo("demo", "--serve", env=OFFLINE | {"COSMO_TOKEN": "of-another-one"})
        demo.line("up until Ctrl-C", timeout_s=40.0)
        yield [part.strip() for part in re.split(r"^(?:with|in) .*:$", demo.said, flags=re.M)]
        demo.send(signal.SIGINT)
        assert demo.wait() == 130
        assert demo.family() == []


def test_the_line_for_curl_that_the_demo_prints_works(serving_demo):
    command = [*shlex.split(serving_demo[1]), "--noproxy", "*"]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True)

    assert json.loads(ran.stdout)["response"].startswith("An Axon")


def test_the_program_for_openai_that_the_demo_prints_works(serving_demo):
    ran = subprocess.run(
        [sys.executable, "-c", serving_demo[2]],
        env={**os.environ, "NO_PROXY": "127.0.0.1"},
        capture_output=True,
        text=True,
        timeout=40,
    )

    assert ran.stdout.startswith("An Axon"), ran.stderr


@pytest.mark.asyncio
async def test_the_configuration_of_an_mcp_host_that_the_demo_prints_works(serving_demo):
    from mcp import Client
    from mcp.client.stdio import StdioServerParameters

    (server,) = json.loads(serving_demo[3].splitlines()[0])["mcpServers"].values()
    parameters = StdioServerParameters(env=dict(os.environ), **server)
    async with Client(parameters) as client:
        tools = (await client.list_tools()).tools
        answer = await client.call_tool("worker", {"prompt": "What is an Axon?"})

    assert [each.name for each in tools] == ["worker"]
    assert answer.structured_content["response"].startswith("An Axon")
