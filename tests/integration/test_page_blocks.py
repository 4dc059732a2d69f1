"""The Python on the pages, run as it stands there against a Synapse with real sockets."""

import ast
import asyncio
import inspect
import io

import httpx
import pytest
from werkzeug.test import Client

import cosmonapse
from cosmonapse import Axon, BlockingDendrite, SynapseServer
from house import pages

URL = "cosmo://127.0.0.1:7070"
QUESTION = {"prompt": "hello"}


async def worker(input, context):
    """Stream the prompt by its letters."""
    for letter in input["prompt"]:
        yield letter


@pytest.fixture(scope="module")
def url():
    """A Synapse with the worker that the page about the edge asks."""
    axon = Axon(neuron_id="worker", neuron_fn=worker)
    with (
        SynapseServer(port=0) as server,
        BlockingDendrite(server.url, namespace="api-demo", axons=[axon]),
    ):
        yield server.url


def python_of(name, url):
    """Return the blocks of Python of a page, with the Synapse of the test for the one they name."""
    blocks = [each for each in pages.blocks(pages.DOCS / name) if each.language == "python"]
    return [each.code.replace(URL, url) for each in blocks]


def run(code, names=None):
    """Run a block as a module would; return its names."""
    names = {"__name__": "block"} if names is None else names
    exec(compile(code, "block", "exec"), names)
    return names


def app_of(url, kind):
    """Return the one name of the block about a framework that its server needs."""
    block = next(each for each in python_of("edge.md", url) if kind in each)
    return run(block)


def test_the_flask_app_of_the_page_answers_and_streams(url):
    names = app_of(url, "cosmonapse.edge.flask")
    client = names["app"].test_client()

    answer = client.post("/ask", json=QUESTION)
    stream = client.post("/stream", json=QUESTION).get_data(as_text=True)
    names["cosmo"].stop()

    assert answer.json == {"response": "hello"}
    assert stream.count("event: thought") == 5
    assert "event: output" in stream


async def post_to_asgi(app, *paths):
    """Start an ASGI app, post the question to each path, stop the app; return the responses."""
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://app") as client,
    ):
        return [await client.post(path, json=QUESTION) for path in paths]


def test_the_fastapi_app_of_the_page_answers_and_streams(url):
    app = app_of(url, "cosmonapse.edge.fastapi")["app"]

    answer, streamed = asyncio.run(post_to_asgi(app, "/ask", "/stream"))
    stream = streamed.text

    assert answer.json() == {"response": "hello"}
    assert stream.count("event: thought") == 5
    assert "event: output" in stream


def test_the_wsgi_app_of_the_page_answers_and_streams(url):
    names = app_of(url, "cosmonapse.edge.wsgi")
    client = Client(names["application"])

    answer = client.post("/ask", json=QUESTION)
    stream = client.post("/stream", json=QUESTION).get_data(as_text=True)
    lost = client.post("/elsewhere", json=QUESTION)
    names["cosmo"].stop()

    assert answer.json == {"response": "hello"}
    assert stream.count("event: thought") == 5
    assert (lost.status_code, lost.json["code"]) == (400, "BAD_REQUEST")


def test_the_block_without_asyncio_prints_output_texts_and_output(url, capsys):
    run(python_of("edge.md", url)[-1])

    said = capsys.readouterr().out
    assert said == "{'response': 'Hi'}\nTell me more{'response': 'Tell me more'}\n"


def test_no_block_about_the_edge_is_left_out(url):
    assert len(python_of("edge.md", url)) == 4


async def run_in_turn(blocks, names):
    """Run blocks one after the other in one namespace; each may `await`."""
    for code in blocks:
        compiled = compile(code, "block", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        ended = eval(compiled, names)
        if inspect.isawaitable(ended):
            await ended


async def run_concepts(blocks, out):
    """Run the page about concepts from its first block to its last, and stop what it started."""
    names = {name: getattr(cosmonapse, name) for name in cosmonapse.__all__}
    names["print"] = lambda *texts, **settings: print(*texts, **settings, file=out)
    try:
        await run_in_turn(blocks, names)
    finally:
        for each in ("dendrite", "worker"):
            await names[each].stop()
    return names


def test_the_blocks_about_concepts_run_one_after_the_other(url):
    out = io.StringIO()
    blocks = python_of("concepts.md", url)

    names = asyncio.run(run_concepts(blocks, out))

    assert len(blocks) == 5
    assert out.getvalue().startswith("HELLO\n")
    assert names["reply"].output == {"response": "HELLO"}


def test_the_block_about_limits_makes_a_synapse_with_them(url):
    (block,) = python_of("limits.md", url)

    server = run(block)["server"]

    assert isinstance(server, SynapseServer)
    with pytest.raises(TypeError):
        SynapseServer(max_nonsense=1)
    with pytest.raises(ValueError, match="max_connections"):
        SynapseServer(max_connections=0)
