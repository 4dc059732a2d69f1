"""The examples of Express as they are printed: installed by npm, each in front of a worker."""

import ast
import asyncio
import itertools
import json
import re
import shlex
import shutil
import signal
import subprocess
import time

import httpx
import pytest

from house import pages
from support.edge import NAMESPACE, EdgeWorker, hang_up
from support.node import CLIENT
from support.processes import ROOT, Children, free_ports, measured, until

EXAMPLE = "examples/express"
APPS = ("app.js", "helpers_app.js")
WORKERS = ("worker.js", "worker.py")
LEFT_OUT = shutil.ignore_patterns("node_modules", "__pycache__")
INSTALL_S = 120
BODIES = [{"prompt": "Hi \u2603"}, {"prompt": "fails"}, {"prompt": "asks"}, {}, [1]]


def commands_of(name):
    """Return the commands in the text at the top of a program, each on one line."""
    program = (ROOT / EXAMPLE / name).read_text(encoding="utf-8")
    if name.endswith(".py"):
        text = ast.get_docstring(ast.parse(program))
    else:
        lines = itertools.takewhile(lambda line: line.startswith("//"), program.splitlines())
        text = "\n".join(line.removeprefix("//")[1:] for line in lines)
    text = text.replace("\\\n", " ")
    return [" ".join(each.split()) for each in re.findall(r"^    (\S.*)$", text, re.MULTILINE)]


@pytest.fixture(scope="module")
def checkout(node, tmp_path_factory):
    """A copy of what the example needs, with its packages installed as its comment says."""
    copy = tmp_path_factory.mktemp("checkout")
    for folder in (EXAMPLE, CLIENT.relative_to(ROOT)):
        shutil.copytree(ROOT / folder, copy / folder, ignore=LEFT_OUT)
    command = shlex.split(commands_of("app.js")[0])
    npm = [node.with_name("npm") if each == "npm" else each for each in command]
    ended = subprocess.run(
        npm, cwd=copy, capture_output=True, text=True, timeout=INSTALL_S, check=False
    )
    if ended.returncode != 0 and re.search(
        r"EAI_AGAIN|ENOTFOUND|ECONNREFUSED|ETIMEDOUT|CERT", ended.stderr
    ):
        pytest.skip("npm reaches no registry here, from which the example would get Express")
    assert ended.returncode == 0, ended.stderr
    assert not (copy / EXAMPLE / "package-lock.json").exists()  # the checkout stays as it is
    return copy


class Example:
    """The programs of the example, started in the copy."""

    def __init__(self, children, checkout, node, url):
        self._children, self._checkout, self._node = children, checkout, node
        self._env = {"COSMO_URL": url, "SYNAPSE_URL": url, "PORT": "0", "NO_PROXY": "127.0.0.1"}
        self.apps = {}

    def start(self, name, **env):
        program = None if name.endswith(".py") else self._node
        path = self._checkout / EXAMPLE / name
        settings = {**self._env, **env}
        return self._children.start(path, program=program, env=settings, merge_stderr=True)

    def client(self, name, **env):
        """Return an HTTP client of an app, once it serves."""
        app = self.apps[name] = self.start(name, **env)
        url = app.line("Running on").text
        return httpx.Client(base_url=url, timeout=10.0, trust_env=False)


@pytest.fixture
def children():
    with Children() as running:
        yield running


@pytest.fixture
def synapse(children):
    return children.synapse("--namespace", NAMESPACE)[1]


@pytest.fixture
def example(children, checkout, node, synapse):
    return Example(children, checkout, node, synapse)


@pytest.fixture
def worker(synapse):
    with EdgeWorker(synapse) as running:
        yield running


def posted(command, client):
    """Do what a curl command says, by the client of an app; return the response."""
    arguments = shlex.split(command)
    url, header, body = (arguments[arguments.index(each) + 1] for each in ("POST", "-H", "-d"))
    path = re.sub(r"http://127\.0\.0\.1:3000", "", url)
    return client.post(path, content=body, headers=dict([header.split(": ", 1)]))


@pytest.mark.parametrize("app", [*APPS, "streaming.js"])
@pytest.mark.parametrize("worker_name", WORKERS)
def test_the_commands_of_an_app_answer_with_either_worker_which_a_signal_ends(
    app, worker_name, example
):
    install, start, *asked = commands_of(app)
    running = example.start(worker_name)
    running.line("worker ready at cosmo://")
    with example.client(app) as client:
        answers = [posted(command, client) for command in asked]
    running.send(signal.SIGTERM)

    assert (install, start) == (f"npm --prefix {EXAMPLE} install", f"node {EXAMPLE}/{app}")
    assert asked
    assert all(command.startswith("curl ") for command in asked)
    for answer in answers:
        assert answer.status_code == 200, answer.text
        assert "DENDRITE?" in answer.text
    assert running.wait() == 0


@pytest.mark.parametrize("name", WORKERS)
def test_the_command_of_a_worker_is_the_one_that_starts_it(name):
    program = "python" if name.endswith(".py") else "node"

    assert commands_of(name)[-1] == f"{program} {EXAMPLE}/{name}"


def test_the_app_of_the_page_about_the_edge_answers_and_streams(checkout, example, synapse, worker):
    (block,) = [b for b in pages.blocks(pages.DOCS / "edge.md") if b.language == "javascript"]
    port = free_ports()
    code = block.code.replace("cosmo://127.0.0.1:7070", synapse).replace("3000", str(port))
    (checkout / EXAMPLE / "page.js").write_text(code, encoding="utf-8")
    app = example.start("page.js")
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=10.0, trust_env=False) as client:
        asyncio.run(until(lambda: serves(client), 20.0, "that the app serves"))
        answer = client.post("/ask", json={"prompt": "Hi"})
        stream = client.post("/stream", json={"prompt": "Hi"})
    app.send(signal.SIGTERM)

    assert answer.json() == {"response": "echo: Hi"}
    assert stream.text.count("event: thought") == 2
    assert "event: output" in stream.text
    assert app.wait() == 0


def serves(client):
    """Return whether a server answers."""
    try:
        client.get("/")
    except httpx.ConnectError:
        return False
    return True


def test_the_app_by_hand_is_as_short_as_the_one_of_flask():
    lines = {
        name: len((ROOT / "examples" / name).read_text(encoding="utf-8").splitlines())
        for name in ("express/app.js", "flask/flask_app.py")
    }

    assert lines["express/app.js"] <= lines["flask/flask_app.py"]


def test_the_app_by_hand_and_the_one_with_the_helpers_answer_the_same(example, worker):
    with example.client("app.js") as by_hand, example.client("helpers_app.js") as helped:
        for body in BODIES:
            told, expected = (each.post("/ask", json=body) for each in (by_hand, helped))

            assert told.status_code == expected.status_code
            assert told.headers.get("Retry-After") == expected.headers.get("Retry-After")
            mine, theirs = (
                json.loads(re.sub(r"trc_\w{26}", "trc_", each.text)) for each in (told, expected)
            )
            assert mine | {"trace_id": None} == theirs | {"trace_id": None}


@pytest.mark.parametrize("name", APPS)
def test_a_client_that_hangs_up_instead_of_waiting_cancels_the_task(name, example, worker):
    body = {"prompt": f"held {name}"}
    with example.client(name) as client:
        hung_up_at_s = hang_up(
            client.base_url, "/ask", body, when=lambda: worker.wait_held(body["prompt"])
        )
        took_s = worker.wait_cancelled(body["prompt"]) - hung_up_at_s

    measured(f"{name}: answer cancelled after the hang-up", took_s)
    assert took_s < 1.0


def test_a_client_that_leaves_its_stream_cancels_the_task(example, worker):
    with example.client("streaming.js") as client:
        with client.stream("POST", "/stream", json={"prompt": "held stream"}) as answer:
            next(answer.iter_raw())
            hung_up_at_s = time.perf_counter()
        took_s = worker.wait_cancelled("held stream") - hung_up_at_s

    measured("streaming.js: stream cancelled after the hang-up", took_s)
    assert took_s < 1.0


@pytest.mark.parametrize("name", [*APPS, "streaming.js"])
def test_a_signal_ends_an_app(name, example):
    with example.client(name):
        example.apps[name].send(signal.SIGTERM)

    assert example.apps[name].wait() == 0
