"""COSMO_URL and COSMO_NAMESPACE say where the fabric is, to every kind of program."""

import json

import pytest

from support.edge import client_of
from support.processes import ROOT, Children, closed_port

WORKER = """
import asyncio
from cosmonapse import Axon, Dendrite, connect_synapse

async def answer(input, context):
    yield "here"

async def main():
    dendrite = Dendrite(synapse=await connect_synapse())
    dendrite.attach_axon(Axon(neuron_id="worker", neuron_fn=answer))
    async with dendrite:
        print("ready", flush=True)
        await dendrite.serve()

asyncio.run(main())
"""
ASYNCIO = """
import asyncio
from cosmonapse import Dendrite, connect_synapse

async def main():
    async with Dendrite(synapse=await connect_synapse()) as dendrite:
        print("found", await dendrite.ask(neuron="worker", input={}))

asyncio.run(main())
"""
BLOCKING = """
from cosmonapse import BlockingDendrite

with BlockingDendrite() as dendrite:
    print("found", dendrite.ask(neuron="worker", input={}))
"""
APPS = [
    ("flask/flask_app.py", "/ask"),
    ("flask/flask_helpers_app.py", "/ask"),
    ("flask/streaming.py", "/stream"),
    ("flask/streaming_by_hand.py", "/stream"),
    ("fastapi/app.py", "/ask"),
    ("fastapi/streaming.py", "/stream"),
    ("wsgi/app.py", "/ask"),
]


@pytest.fixture(scope="module")
def env(url):
    """The environment in which a worker can be reached."""
    with Children() as children:
        found = {"COSMO_URL": url, "COSMO_NAMESPACE": "by-variable"}
        children.start("-c", WORKER, env=found).line("ready")
        yield {**found, "PORT": "0", "NO_PROXY": "127.0.0.1"}


@pytest.mark.parametrize("program", [ASYNCIO, BLOCKING], ids=["asyncio", "blocking"])
def test_a_program_without_arguments_finds_the_fabric_of_its_environment(program, env, children):
    child = children.start("-c", program, env=env)

    child.line("found")
    assert child.wait() == 0


@pytest.mark.parametrize(("path", "route"), APPS, ids=[path for path, _ in APPS])
def test_an_example_finds_the_fabric_of_its_environment(path, route, env, children):
    app = children.start(ROOT / "examples" / path, env=env, merge_stderr=True)

    with client_of(app, path.partition("/")[0]) as client:
        answer = client.post(route, json={"prompt": "hello"})

    assert answer.status_code == 200
    assert "here" in answer.text


def test_the_worker_of_the_examples_finds_it_too(env, children):
    worker = children.start(ROOT / "examples/flask/offline_worker.py", env=env)

    assert worker.line("worker ready at").text == env["COSMO_URL"]
    listed = children.cosmo("registry", "--json", env=env)
    assert listed.wait() == 0
    assert "offline-worker" in [json.loads(line.text)["dendrite_id"] for line in listed.out]


def test_an_argument_wins_over_the_variable(env, children):
    wrong = {"COSMO_URL": f"cosmo://127.0.0.1:{closed_port()}", "COSMO_NAMESPACE": "wrong"}
    task = ("dispatch", "--neuron", "worker", "--input", "{}")
    there = ("--url", env["COSMO_URL"], "-n", env["COSMO_NAMESPACE"])

    assert children.cosmo(*task, *there, env=wrong).wait() == 0
    assert children.cosmo("registry", env=wrong).wait() == 3


def test_a_bad_namespace_of_the_environment_is_named(children):
    child = children.cosmo("registry", env={"COSMO_NAMESPACE": "a/b"})

    assert child.wait() == 2
    assert "COSMO_NAMESPACE must be 1 to 128 characters" in child.said
