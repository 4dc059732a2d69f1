"""The examples under real web servers: each answers, streams, and notices a hang-up."""

import contextlib
import http.client
import json
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from support.edge import NAMESPACE, EdgeWorker
from support.processes import ROOT, Children, measured
from support.servers import client_to, gunicorn, uvicorn, uwsgi, uwsgi_server

WSGI, FLASK, FLASK_STREAM = (
    "wsgi/app:application",
    "flask/flask_helpers_app:app",
    "flask/streaming:app",
)
FASTAPI, FASTAPI_STREAM = "fastapi/app:app", "fastapi/streaming:app"
needs_uwsgi = pytest.mark.skipif(uwsgi() is None, reason="uWSGI could not be built here")


def at(url):
    """Return the variables for the examples, and for those that follow the page."""
    return {"COSMO_URL": url, "SYNAPSE_URL": url}


class Server:
    """One way to serve the examples.

    Args:
        start: Starts a server.
        options: What it is started with.
        apps: The app that answers, and the one that streams.
        at_once: Whether one process of it serves several requests at a time.
    """

    def __init__(self, start, *options, apps=(WSGI, WSGI), at_once=True):
        self.asking, self.streaming = apps
        self.at_once = at_once
        self._start, self._options = start, options

    def client(self, children, app, url):
        child = self._start(children, app, *self._options, env=at(url))
        return client_to(child)


THREE = (FLASK, FLASK_STREAM)
SERVERS = {
    "sync": Server(gunicorn, "-k", "sync", "-w", "2", at_once=False),
    "sync preload": Server(gunicorn, "-k", "sync", "-w", "2", "--preload", at_once=False),
    "gthread": Server(gunicorn, "-k", "gthread", "--threads", "4"),
    "gthread preload": Server(gunicorn, "-k", "gthread", "--threads", "4", "--preload", apps=THREE),
    "gevent": Server(gunicorn, "-k", "gevent"),
    "gevent flask": Server(gunicorn, "-k", "gevent", apps=THREE),
    "gevent preload": Server(gunicorn, "-k", "gevent", "--preload"),
    "uvicorn": Server(uvicorn, "--workers", "2", apps=(FASTAPI, FASTAPI_STREAM)),
    "uwsgi": Server(uwsgi_server, "--enable-threads", at_once=False),
    "uwsgi master": Server(uwsgi_server, "--master", "-p", "2", "--threads", "2", at_once=False),
}
EACH = [pytest.param(n, marks=needs_uwsgi) if "uwsgi" in n else n for n in SERVERS]


@pytest.fixture(scope="module")
def fabric():
    with Children() as children:
        _, url = children.synapse("--namespace", NAMESPACE)
        with EdgeWorker(url) as worker:
            yield children, url, worker


@pytest.fixture(scope="module")
def clients(fabric):
    """Return the client of an app under a server; each server is started at its first use."""
    children, url, _ = fabric
    started = {}

    def client(name, app):
        if (name, app) not in started:
            started[name, app] = SERVERS[name].client(children, app, url)
        return started[name, app]

    yield client
    for each in started.values():
        each.close()


@pytest.fixture
def worker(fabric):
    fabric[2].may_go_on.clear()
    return fabric[2]


def ask(client, prompt, path="/ask"):
    return client.post(path, json={"prompt": prompt})


@pytest.mark.parametrize("name", EACH)
def test_an_answer_that_takes_its_time_arrives(name, clients, worker):
    client = clients(name, SERVERS[name].asking)

    answers = [ask(client, f"slow {name}"), ask(client, "Hi")]

    assert [each.json().get("response") for each in answers] == [f"echo: slow {name}", "echo: Hi"]


@pytest.mark.parametrize("name", [n for n in SERVERS if SERVERS[n].at_once])
def test_a_request_does_not_wait_for_the_answer_to_another(name, clients, worker):
    client = clients(name, SERVERS[name].asking)

    with ThreadPoolExecutor(1) as pool:
        held = pool.submit(ask, client, f"gated {name}")
        worker.wait_started(f"gated {name}")
        quick = ask(client, "Hi")
        worker.may_go_on.set()

    assert quick.json() == {"response": "echo: Hi"}
    assert held.result().json() == {"response": f"echo: gated {name}"}


@pytest.mark.parametrize("name", EACH)
def test_a_stream_arrives_while_the_neuron_works(name, clients, worker):
    client = clients(name, SERVERS[name].streaming)

    with client.stream("POST", "/stream", json={"prompt": f"gated {name} stream"}) as answer:
        pieces = answer.iter_text()
        early = next(piece for piece in pieces if "event" in piece)
        worker.may_go_on.set()
        rest = "".join(pieces)

    assert "event: output" not in early
    assert f"echo: gated {name} stream" in rest


@pytest.mark.parametrize("name", EACH)
def test_a_client_that_leaves_its_stream_cancels_the_task(name, clients, worker):
    client, prompt = clients(name, SERVERS[name].streaming), f"held {name} stream"

    with client.stream("POST", "/stream", json={"prompt": prompt}) as answer:
        next(answer.iter_raw())
        left_at_s = time.perf_counter()
    took_s = worker.wait_cancelled(prompt) - left_at_s

    measured(f"{name}: stream cancelled after the hang-up", took_s)
    assert took_s < 1.0


@pytest.mark.parametrize("name", EACH)
def test_a_client_that_leaves_before_its_answer_cancels_the_task(name, clients, worker):
    client, prompt = clients(name, SERVERS[name].asking), f"held {name} answer"

    with contextlib.closing(http.client.HTTPConnection(client.base_url.netloc.decode())) as asking:
        headers = {"Content-Type": "application/json"}
        asking.request("POST", "/ask", json.dumps({"prompt": prompt}), headers)
        worker.wait_started(prompt)
    left_at_s = time.perf_counter()
    took_s = worker.wait_cancelled(prompt) - left_at_s

    measured(f"{name}: answer cancelled after the hang-up", took_s)
    assert took_s < 1.0


@pytest.mark.parametrize("name", ["sync preload", pytest.param("uwsgi master", marks=needs_uwsgi)])
def test_every_request_has_a_trace_of_its_own_in_all_processes(name, clients, worker):
    client = clients(name, SERVERS[name].asking)

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: ask(client, "fails"), range(40)))

    assert len({each.json()["trace_id"] for each in answers}) == 40


# -- apps by hand ---------------------------------------------------------------------------------

PAGE_APP = ROOT / "tests" / "support" / "page_flask_app:app"


FORKING = {
    "gunicorn": (gunicorn, "-w", "2", "--preload"),
    "uwsgi": (uwsgi_server, "--master", "-p", "2", "--enable-threads"),
}


@pytest.mark.parametrize("app", [PAGE_APP, "flask/flask_app:app"], ids=["page", "example"])
@pytest.mark.parametrize("name", ["gunicorn", pytest.param("uwsgi", marks=needs_uwsgi)])
def test_an_app_that_starts_its_dendrite_before_the_fork_says_so_at_once(name, app, fabric):
    children, url, _ = fabric
    start, *options = FORKING[name]
    server = start(children, app, *options, env=at(url))
    server.may_complain = True

    with client_to(server) as client:
        client.get("/")  # answered when the app is loaded
        asked_at_s = time.perf_counter()
        answer = ask(client, "Hi")
        took_s = time.perf_counter() - asked_at_s

    measured(f"{name}: refused after", took_s)
    assert took_s < 1.0
    assert answer.status_code in (500, 503)
    assert server.says("start a new one in each child process")


def test_the_app_of_the_page_answers_where_it_is_loaded_after_the_fork(fabric, worker):
    children, url, _ = fabric
    server = gunicorn(children, PAGE_APP, "-w", "2", env=at(url))

    with client_to(server) as client:
        assert ask(client, "Hi").json() == {"response": "echo: Hi"}


@pytest.mark.parametrize("app", [PAGE_APP, "flask/flask_app:app"], ids=["page", "example"])
@pytest.mark.parametrize("kind", ["gthread", "gevent"])
def test_an_app_by_hand_answers_behind_threads_of_any_kind(kind, app, fabric, worker):
    children, url, _ = fabric
    server = gunicorn(children, app, "-k", kind, "--threads", "4", env=at(url))

    with client_to(server) as client, ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda prompt: ask(client, prompt), ["slow", "Hi"]))

    assert [each.json() for each in answers] == [
        {"response": "echo: slow"},
        {"response": "echo: Hi"},
    ]
