"""The image and the services of examples/production, without an engine for containers.

The steps of the Dockerfile run in a folder, and every command and health check of compose.yaml runs
in what came of it.
"""

import json
import re
import shlex
import signal
import subprocess

import httpx
import pytest
import yaml

from support import image
from support.processes import Children, free_ports, until

COMPOSE = yaml.safe_load((image.FOLDER / "compose.yaml").read_text(encoding="utf-8"))
SERVICES = COMPOSE["services"]
KEYS = {"worker": "worker", "edge": "caller", "prism": "watcher"}


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    return image.Image(tmp_path_factory.mktemp("image")).build()


@pytest.fixture(scope="module")
def places():
    """The port on loopback in place of each that a service listens on."""
    return {
        "synapse": free_ports(),
        "edge": free_ports(),
        "prism": free_ports(),
        "metrics": {each: free_ports() for each in SERVICES},
    }


def on_loopback(text, name, places):
    """Return a text of a service with its addresses on loopback, each port free."""
    metrics = places["metrics"][name]
    for was, now in (
        ("cosmo://synapse:7070", f"cosmo://127.0.0.1:{places['synapse']}"),
        ("127.0.0.1:9464", f"127.0.0.1:{metrics}"),
        ("0.0.0.0:9464", f"127.0.0.1:{metrics}"),
        ("127.0.0.1:8000", f"127.0.0.1:{places['edge']}"),
    ):
        text = text.replace(was, now)
    ports = {"8000": places["edge"], "7071": places["prism"]}
    return str(ports.get(text, text))


class Stack:
    """The services, each a process with the command and the variables of its container."""

    def __init__(self, children, built, places):
        self._children, self._built, self._places = children, built, places
        self.started = {}

    def start(self, name):
        service = SERVICES[name]
        given = {**self._built.environment, **service.get("environment", {})}
        command = [self._text(name, each) for each in service["command"]]
        if name == "synapse":
            command += ["--port", str(self._places["synapse"])]
        env = self._built.variables(**{each: self._text(name, given[each]) for each in given})
        program, *rest = command
        home = self._built.root / "opt/venv/bin"
        child = self._children.start(*rest, program=home / program, cwd=self.folder, env=env)
        self.started[name] = child
        return child

    @property
    def folder(self):
        return self._built.root / "app"

    def is_healthy(self, name):
        """Run the health check of a service; return whether it says yes."""
        kind, program, *rest = SERVICES[name]["healthcheck"]["test"]
        assert kind == "CMD"
        command = [self._built.root / "opt/venv/bin" / program]
        command += [self._text(name, each) for each in rest]
        return subprocess.run(command, capture_output=True, timeout=30, check=False).returncode == 0

    def _text(self, name, text):
        return on_loopback(self._built.path(text), name, self._places)


@pytest.fixture(scope="module")
def keys(built):
    """Make the keys of the services, as README.md says."""
    (secrets := built.root / "run/secrets").mkdir(parents=True)
    cosmo = built.root / "opt/venv/bin/cosmo"
    for name, may in KEYS.items():
        given = ["--dir", built.root / "keys", "--may", may, "--out", secrets / f"{name}.key"]
        subprocess.run(
            [cosmo, "keys", "new", name, *given],
            env=built.variables(),
            check=True,
            capture_output=True,
        )


@pytest.fixture
def stack(built, keys, places):
    with Children() as children:
        yield Stack(children, built, places)


def files_in(folder):
    return {path for path in folder.rglob("*") if path.is_file()}


@pytest.mark.asyncio
async def test_every_service_starts_gets_healthy_and_ends_in_order(stack, built, places):
    before = files_in(built.root)
    order = [*SERVICES]
    for name in order:
        for needed, how in SERVICES[name].get("depends_on", {}).items():
            assert how == {"condition": "service_healthy"}
            assert needed in stack.started
        stack.start(name)
        await until(lambda name=name: stack.is_healthy(name), what=f"the health of {name}")

    url = f"http://127.0.0.1:{places['edge']}/ask"
    async with httpx.AsyncClient(timeout=20.0) as client:
        answer = await client.post(url, json={"prompt": "hello"})
    assert answer.json() == {"response": "HELLO"}
    for name in reversed(order):
        stack.started[name].send(signal.SIGTERM)
        assert stack.started[name].wait() in (0, -signal.SIGTERM), name
        for line in (*stack.started[name].out, *stack.started[name].err):
            assert json.loads(line.text)["ts"], name
    (asked,) = (each for each in stack.started["worker"].err if '"asked"' in each.text)
    assert json.loads(asked.text)["trace_id"].startswith("trc_")
    assert files_in(built.root) - before == set()  # the root may be read-only


def test_the_command_of_the_image_is_that_of_the_worker():
    (command,) = image.arguments("CMD")

    assert json.loads(command) == SERVICES["worker"]["command"]


def test_the_image_is_pinned_small_and_not_root():
    steps = " ".join(image.arguments("RUN"))

    pinned = re.compile(r"python:3\.\d+\.\d+-slim-\w+( AS \w+)?")
    assert all(map(pinned.fullmatch, image.arguments("FROM")))
    assert image.arguments("USER") == ["10001:10001"]
    assert image.arguments("STOPSIGNAL") == ["SIGTERM"]
    (check,) = image.arguments("HEALTHCHECK")
    for exec_form in (*image.arguments("CMD"), check.partition(" CMD ")[2]):
        assert json.loads(exec_form)
    assert steps.count("apt-get install") == steps.count("rm -rf /var/lib/apt/lists")
    assert steps.count("pip install") == steps.count("pip install --no-cache-dir")


def test_what_the_image_copies_is_not_ignored_and_a_key_is():
    lines = (image.FOLDER / "Dockerfile.dockerignore").read_text().splitlines()
    kept = {each[1:] for each in lines if each.startswith("!")}
    copied = [shlex.split(each)[:-1] for each in image.arguments("COPY")]

    assert {each for one in copied if not one[0].startswith("--") for each in one} == kept
    assert {"*", "**/*.key"} <= set(lines)


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_has_few_rights_and_its_key_is_a_secret(name):
    service = SERVICES[name]

    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["healthcheck"]["test"][0] == "CMD"
    assert all(each.startswith("127.0.0.1:") for each in service.get("ports", ()))
    if name in KEYS:
        assert service["secrets"] == [f"{name}.key"]
        assert service["environment"]["COSMO_KEY"] == f"/run/secrets/{name}.key"
        assert COMPOSE["secrets"][f"{name}.key"] == {"file": f"./{name}.key"}
