"""The OpenAI-compatible face of a gateway, by clients in node: OpenAI's own, and the AI SDK."""

import json
import os
import subprocess

import pytest

from house.pages import blocks_of_section
from support.gateways import serving
from support.node import GATEWAY_CLIENTS, gateway_node_or_skip
from support.openai_neurons import ChatNeurons

pytestmark = pytest.mark.usefixtures("direct")
_TIMEOUT_S = 60


@pytest.fixture(scope="module")
def neurons():
    return ChatNeurons()


@pytest.fixture(scope="module")
def seen(url, neurons):
    """What the clients have seen, in one run of node."""
    with serving(url, *neurons.axons(), flags=["--openai"]) as gateway:
        printed = run("openai_clients.mjs", f"{gateway.base_url}/v1", gateway.token)
        neurons.wait_until(lambda it: not it.running)
        (program,) = blocks_of_section("gateways.md", "OpenAI", "javascript")
        program = program.replace("http://127.0.0.1:8080", gateway.base_url)
        of_page = run("--input-type=module", "-e", program, COSMO_TOKEN=gateway.token)
    return {**json.loads(printed), "page": of_page}


def run(*arguments, **env):
    """Run node where the clients are; return what it prints."""
    ran = subprocess.run(
        [gateway_node_or_skip(), *arguments],
        cwd=GATEWAY_CLIENTS,
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        timeout=_TIMEOUT_S,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def test_the_client_of_openai_lists_asks_and_streams_with_usage(seen):
    assert {"chat", "capability:talk"} <= set(seen["models"])
    assert seen["retrieved"] == "capability:talk"
    assert seen["plain"] == "You said: hello"
    assert seen["requestId"].startswith("trc_")
    assert (seen["streamed"], seen["reason"]) == ("Hello, world", "length")
    assert seen["usage"]["total_tokens"] == 5


def test_errors_in_node_are_typed_and_run_once(seen, neurons):
    assert seen["missing"] == ["NotFoundError", 404, "model_not_found"]
    assert seen["failed"] == ["InternalServerError", 502, "NO_GOOD"]
    assert seen["sdkFailed"] == [True, 502, "it went wrong"]
    assert neurons.runs["fails"] == 2  # once for each client


@pytest.mark.usefixtures("seen")
def test_a_client_in_node_that_leaves_a_stream_cancels(neurons):
    assert not neurons.running
    assert neurons.runs["one and held: node"] == 1


def test_the_ai_sdk_generates_and_streams_with_reasoning_and_usage(seen):
    asked = {"messages": [{"role": "user", "content": "shows"}]}
    assert json.loads(seen["generated"]) == {"seen": asked}
    assert (seen["sdkStreamed"], seen["sdkReasoning"]) == ("therefore", "because")
    assert seen["sdkUsage"]["totalTokens"] == 5
    assert seen["sdkReason"] == "length"


def test_the_program_on_the_page_asks_and_streams(seen):
    assert seen["page"] == "You said: hello\nYou said: hello"
