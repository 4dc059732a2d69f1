"""The Flask example as it is printed, over real HTTP, in front of a stand-in for the provider."""

import re

import httpx
import pytest

from cosmonapse.testing import ChatServer
from support.processes import ROOT, Children

KEY = "hf_secret0123456789"
EXAMPLE = ROOT / "examples" / "flask"


class Example:
    """The processes of the example: a Synapse, the worker if wanted, the Flask app."""

    def __init__(self, children, provider, *, worker=True):
        _, url = children.synapse("--namespace", "api-demo")
        env = {
            "SYNAPSE_URL": url,
            "HF_TOKEN": KEY,
            "HF_ENDPOINT": provider.url,
            "HF_MODEL": "stand-in",
            "NO_PROXY": "127.0.0.1",
            "PORT": "0",
        }
        self.children = []
        if worker:
            self.children.append(children.start(EXAMPLE / "worker.py", env=env))
        app = children.start(EXAMPLE / "flask_app.py", env=env, merge_stderr=True)
        self.children.append(app)
        if worker:
            self.children[0].line("worker ready")
        self.url = re.search(r"http://[\d.:]+", app.line(" * Running on").text).group()
        self.http = httpx.Client(base_url=self.url, timeout=10.0, trust_env=False)

    def ask(self, prompt):
        return self.http.post("/ask", json={"prompt": prompt})


@pytest.fixture(scope="module")
def provider():
    with ChatServer() as running:
        yield running


@pytest.fixture(scope="module")
def example(provider):
    with Children() as children:
        running = Example(children, provider)
        with running.http:
            yield running


@pytest.mark.parametrize("behaviour", ["ok", "slow", "plain"])
def test_a_prompt_is_answered_whether_the_provider_streams_or_not(behaviour, example):
    answer = example.ask(behaviour)

    assert answer.status_code == 200
    assert answer.json()["response"] == f"echo: {behaviour}"


def test_the_provider_is_asked_with_the_key_and_the_prompt(example, provider):
    example.ask("What is a Dendrite?")

    asked = provider.requests[-1]
    assert asked.path == "/v1/chat/completions"
    assert asked.headers["authorization"] == f"Bearer {KEY}"
    assert asked.json["messages"] == [{"role": "user", "content": "What is a Dendrite?"}]
    assert asked.json["max_tokens"] == 256


@pytest.mark.parametrize(
    ("behaviour", "message", "retry"),
    [
        ("401", "Invalid username or password.", False),
        ("429", "Rate limit reached", True),
        ("500", "The model crashed", True),
    ],
)
def test_what_the_provider_refuses_comes_with_code_and_its_own_message(
    behaviour, message, retry, example
):
    answer = example.ask(behaviour)

    assert answer.status_code == 502
    assert answer.json()["code"] == "PROVIDER_ERROR"
    assert message in answer.json()["error"]
    assert behaviour in answer.json()["error"]
    assert answer.json()["retry"] is retry


def test_a_provider_that_repeats_the_key_does_not_give_it_away(example):
    answer = example.ask("echo-key")

    assert answer.status_code == 502
    assert KEY not in answer.text
    assert all(KEY not in child.said for child in example.children)


@pytest.mark.parametrize(
    "body",
    [
        {"json": {"prompt": ""}},
        {"json": {}},
        {"content": b"no JSON"},
        {"json": ["prompt"]},
    ],
)
def test_a_request_without_a_prompt_is_400(body, example):
    assert example.http.post("/ask", **body).status_code == 400


def test_a_worker_that_is_not_there_is_told_with_its_code(provider, children):
    example = Example(children, provider, worker=False)
    with example.http:
        answer = example.ask("ok")

    assert answer.status_code == 503
    assert answer.json()["code"] == "NO_SUCH_NEURON"
    assert "'worker'" in answer.json()["error"]
