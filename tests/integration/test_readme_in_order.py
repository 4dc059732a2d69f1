"""The README as a reader follows it: programs are saved, commands typed, in order, in terminals.

All texts come out of README.md. Only ports, and the provider of the model, are replaced.
"""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from cosmonapse.testing import ChatServer
from house import pages
from support.processes import ROOT, Children, free_ports

COSMO = (sys.executable, "-m", "cosmonapse.cli")
SAVED = re.compile(
    r"(?:as|this caller as) `(\w+\.py)`:\n\n```python\n(.*?)^```", re.MULTILINE | re.S
)
# What is left running in its terminal, and how it says that it is ready.
READY = {
    "cosmo synapse start": "Synapse listening on",
    "python examples/flask/offline_worker.py": "worker ready",
    "python examples/flask/worker.py": "worker ready",
    "python examples/flask/flask_app.py": " * Running on",
    "python my_worker.py": "my_worker is ready",
    "cosmo prism": "Prism shows api-demo",
    "cosmo doppler": "showing api-demo at",
}
# Set-up that `make test` has done in another way: an environment and its packages.
ALREADY_DONE = ("python3 -m venv", ". env/bin/activate", "pip install")
# A port that nobody else uses in a test, where the reader takes the default.
PORTS = {"cosmo synapse start": "--port {synapse}", "cosmo prism": "--port 0 --no-browser"}


class Terminals:
    """Terminals in which commands are typed; one that is busy gets Ctrl-C first."""

    def __init__(self, children, folder, provider):
        self._children = children
        self._folder = folder
        self._busy = {}
        self._ports = {"synapse": str(free_ports()), "flask": str(free_ports())}
        self._env = {
            "SYNAPSE_URL": f"cosmo://127.0.0.1:{self._ports['synapse']}",
            "COSMO_URL": f"cosmo://127.0.0.1:{self._ports['synapse']}",
            "PORT": self._ports["flask"],
            "HF_ENDPOINT": provider.url,
            "NO_PROXY": "127.0.0.1",
            "no_proxy": "127.0.0.1",
        }
        self.said = []

    def save(self, name, code):
        (self._folder / name).write_text(code.replace("7070", self._ports["synapse"]))

    def type(self, number, command):
        """Type one command; wait until it has ended, or is ready."""
        if command.startswith(ALREADY_DONE):
            return
        if found := re.match(r"export (\w+)=", command):
            self._env[found[1]] = "a-token"
            return
        start = next((each for each in READY if command.startswith(each)), None)
        arguments = shlex.split(self._with_ports(command))
        if start is None:
            self.said.append((command, self._run(arguments)))
        else:
            self._interrupt(number)
            self._busy[number] = self._leave(arguments, READY[start])

    def end(self):
        for number in list(self._busy):
            self._interrupt(number)

    def _with_ports(self, command):
        for start, options in PORTS.items():
            if command.startswith(start):
                command = f"{command} {options.format(**self._ports)}"
        return command.replace(":5000", f":{self._ports['flask']}")

    def _program(self, arguments):
        match arguments:
            case ["cosmo", *rest]:
                return [*COSMO[1:], *rest]
            case ["python", name, *rest] if (self._folder / name).is_file():
                return [self._folder / name, *rest]
            case ["python", *rest]:
                return rest
        raise AssertionError(f"how is {arguments[0]} left running?")

    def _leave(self, arguments, ready):
        child = self._children.start(*self._program(arguments), env=self._env, merge_stderr=True)
        child.line(ready)
        return child

    def _interrupt(self, number):
        child = self._busy.pop(number, None)
        if child is not None:
            child.send(signal.SIGINT)
            child.wait()

    def _run(self, arguments):
        if arguments[0] == "curl":
            return fetched(arguments[1:])
        ended = subprocess.run(
            [sys.executable, *map(str, self._program(arguments))],
            cwd=ROOT,
            env={**os.environ, **self._env},
            capture_output=True,
            text=True,
            timeout=30.0,
            check=False,
        )
        assert ended.returncode == 0, ended.stderr
        return ended.stdout


def fetched(arguments):
    """Do what curl does with these arguments: it is not installed on every machine."""
    method, url = arguments[arguments.index("-X") + 1 :][:2]
    header, body = (arguments[arguments.index(each) + 1] for each in ("-H", "-d"))
    headers = dict([header.split(": ", 1)])
    answer = httpx.request(method, url, headers=headers, content=body, trust_env=False)
    assert answer.status_code == 200, answer.text
    return answer.text


@pytest.fixture(scope="module")
def said(tmp_path_factory):
    """What each command of the README printed that ends by itself, in order."""
    folder = Path(tmp_path_factory.mktemp("reader"))
    with Children() as children, ChatServer() as provider:
        provider.answers("It is a client, says the model.")
        terminals = Terminals(children, folder, provider)
        for name, code in SAVED.findall(pages.README.read_text(encoding="utf-8")):
            terminals.save(name, code)
        for block in pages.blocks(pages.README):
            if block.language == "console":
                for number, command in pages.commands(block):
                    terminals.type(number, command)
        terminals.end()
        yield terminals.said


def outputs_of(said, start):
    return [output for command, output in said if command.startswith(start)]


def test_the_first_question_is_answered_without_a_token(said):
    command, output = said[0]

    assert command.startswith("cosmo dispatch -n api-demo worker")
    assert "A Dendrite is the asyncio client" in output


def test_the_web_application_answers_by_the_pages_and_then_by_a_model(said):
    by_pages, by_model = outputs_of(said, "curl")

    assert "A Dendrite is the asyncio client" in by_pages
    assert json.loads(by_model)["response"] == "It is a client, says the model."


def test_worker_and_caller_of_the_readers_own_find_each_other(said):
    (output,) = outputs_of(said, "python my_caller.py")

    assert output.split("\n") == ["HELLO", "h e l l o ", "large coffee", ""]


def test_the_terminal_asks_them_too_and_shows_who_is_there(said):
    streamed, by_capability = outputs_of(said, "cosmo dispatch")[1:]
    (listed,) = outputs_of(said, "cosmo registry")

    assert streamed.strip() == "hello"
    assert '"HELLO"' in by_capability
    assert sorted(re.findall(r"^(\w+) +alive", listed, re.MULTILINE)) == ["order", "shout", "spell"]


def test_every_program_of_the_readme_is_saved_under_a_name_and_run():
    text = pages.README.read_text(encoding="utf-8")
    saved = [name for name, _ in SAVED.findall(text)]

    assert len(saved) == sum(each.language == "python" for each in pages.blocks(pages.README))
    assert all(f"$ python {name}" in text for name in saved)
