"""The key that is given to each helper of the edge, and to `cosmo bench`, is the one it shows."""

import asyncio
import contextlib
import csv

import pytest
from flask import Flask
from starlette.applications import Starlette

from cosmonapse import Axon, BlockingDendrite
from cosmonapse.edge import fastapi, flask, wsgi
from cosmonapse.keys import Key
from support.keyed_synapse import KeyedSynapse

RIGHTS = {"ada": ["member"], "ben": ["member"]}


@pytest.fixture
def shared(tmp_path):
    made = KeyedSynapse(tmp_path / "keys", RIGHTS)
    yield made
    made.close()


@pytest.fixture
def key_file(shared, tmp_path, monkeypatch):
    """The file of Ben's key. The environment has none."""
    monkeypatch.delenv("COSMO_KEY", raising=False)
    own, path = shared.keys["ben"], tmp_path / "ben.key"
    Key(own.name, own.public, own.secret, own.synapse).write(path)
    return path


def ask_by_blocking(url, key):
    with BlockingDendrite(url, key=key) as dendrite:
        return dendrite.ask(neuron="who", input={})


def ask_by_flask(url, key):
    app = Flask(__name__)
    cosmo = flask.Cosmo(app, url, key=key)
    app.add_url_rule("/", view_func=lambda: cosmo.ask(neuron="who", input={}))
    with contextlib.ExitStack() as stack:
        stack.callback(cosmo.stop)
        return app.test_client().get("/").json


def ask_by_wsgi(url, key):
    cosmo = wsgi.Cosmo(url, key=key)
    with contextlib.ExitStack() as stack:
        stack.callback(cosmo.stop)
        return cosmo.ask({}, neuron="who", input={})


def ask_by_fastapi(url, key):
    app = Starlette()
    cosmo = fastapi.Cosmo(app, url, key=key)

    async def ask():
        async with app.router.lifespan_context(app):
            return await cosmo.dendrite.ask(neuron="who", input={})

    return asyncio.run(ask())


async def who(input, context):
    return {"asked_by": context.task.origin}


@pytest.mark.parametrize("ask", [ask_by_blocking, ask_by_flask, ask_by_wsgi, ask_by_fastapi])
@pytest.mark.parametrize("is_path", [True, False], ids=["a path", "a key"])
def test_a_helper_of_the_edge_joins_with_the_key_that_it_is_given(shared, key_file, ask, is_path):
    key = key_file if is_path else Key.read(key_file)
    axon = Axon(neuron_id="who", neuron_fn=who)
    with BlockingDendrite(shared.server.url, key=shared.keys["ada"], axons=[axon]):
        assert ask(shared.server.url, key) == {"asked_by": "ben"}


def test_the_bench_and_the_processes_that_it_starts_join_with_its_key(shared, key_file, children):
    arguments = ("throughput", "--seconds", "0.1", "--csv", "-", "--url", shared.server.url)
    child = children.cosmo("bench", *arguments, "--key", key_file)

    assert child.wait(60) == 0
    figures = [row for row in csv.reader(line.text for line in child.out) if row[0] == "throughput"]
    assert figures
