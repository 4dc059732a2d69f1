"""The example apps of every framework, as processes, over real HTTP."""

import json
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from support.edge import NAMESPACE, EdgeWorker, client_of, hang_up, start_app
from support.processes import Children, closed_port, measured

ASKING_BY_HAND = "flask/flask_app.py"
ASKING = {
    "flask": "flask/flask_helpers_app.py",
    "fastapi": "fastapi/app.py",
    "wsgi": "wsgi/app.py",
}
STREAMING = {
    "flask": "flask/streaming.py",
    "fastapi": "fastapi/streaming.py",
    "wsgi": "wsgi/app.py",
}
BY_HAND = "flask/streaming_by_hand.py"
FRAMEWORKS = list(ASKING)


class Apps:
    """All apps at once, each in a process of its own, in front of one worker."""

    def __init__(self, children, url):
        paths = {*ASKING.values(), *STREAMING.values(), BY_HAND, ASKING_BY_HAND}
        self.url = url
        self._processes = {path: start_app(children, path, url) for path in paths}
        self._clients = {}

    def client(self, path):
        if path not in self._clients:
            self._clients[path] = client_of(self._processes[path], path.split("/")[0])
        return self._clients[path]

    def asking(self, framework):
        return self.client(ASKING[framework])

    def streaming(self, framework):
        return self.client(STREAMING[framework])

    def close(self):
        for client in self._clients.values():
            client.close()


@pytest.fixture(scope="module")
def fabric():
    with Children() as children:
        _, url = children.synapse("--namespace", NAMESPACE)
        apps = Apps(children, url)
        with EdgeWorker(url) as worker:
            yield apps, worker
        apps.close()


@pytest.fixture
def apps(fabric):
    return fabric[0]


@pytest.fixture
def worker(fabric):
    fabric[1].may_go_on.clear()
    return fabric[1]


def ask(client, prompt, path="/ask"):
    return client.post(path, json={"prompt": prompt})


def events_of(text):
    """Return (name, data) of every event, comments left out."""
    blocks = [block for block in text.split("\n\n") if block.startswith("event: ")]
    pairs = [block.split("\n")[:2] for block in blocks]
    return [(n.removeprefix("event: "), json.loads(d.removeprefix("data: "))) for n, d in pairs]


# -- plain answers -------------------------------------------------------------------------------


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_an_output_is_the_answer(framework, apps, worker):
    answer = ask(apps.asking(framework), "Hi ☃")

    assert answer.status_code == 200
    assert answer.json() == {"response": "echo: Hi ☃"}


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_what_json_cannot_say_is_said_as_it_can(framework, apps, worker):
    assert ask(apps.asking(framework), "bytes").json() == {"data": "/wA=", "number": None}


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_an_error_has_the_status_of_its_code(framework, apps, worker):
    answer = ask(apps.asking(framework), "fails")

    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "1"
    body = answer.json()
    assert body.pop("trace_id").startswith("trc_")
    assert body == {"error": "come back later", "code": "OVERLOADED", "retry": True}


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_a_question_is_409_and_in_the_body(framework, apps, worker):
    answer = ask(apps.asking(framework), "asks")

    assert answer.status_code == 409
    assert answer.json()["question"] == "Which one?"
    assert answer.json()["trace_id"].startswith("trc_")


@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.parametrize("body", [b"no JSON", b"[1]", b"{}", b'{"prompt": '])
def test_a_body_that_is_no_question_is_the_clients_fault(body, framework, apps, worker):
    headers = {"Content-Type": "application/json"}
    answer = apps.asking(framework).post("/ask", content=body, headers=headers)

    assert answer.status_code == (422 if framework == "fastapi" else 400)
    assert answer.json()


@pytest.mark.parametrize("framework", ["flask", "wsgi"])
def test_what_any_page_can_make_a_browser_send_is_no_request(framework, apps, worker):
    answer = apps.asking(framework).post("/ask", content=b'{"prompt": "Hi"}')

    assert answer.status_code == 400
    assert "Content-Type: application/json" in answer.json()["error"]


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_who_is_not_there_and_what_takes_too_long_is_told(framework, apps, worker, children):
    _, empty = children.synapse("--namespace", NAMESPACE)
    alone = start_app(children, ASKING[framework], empty)
    hurried = start_app(children, ASKING[framework], apps.url, TIMEOUT_S="0.2")

    with client_of(hurried, framework) as client:
        late = ask(client, f"held {framework} late")
    with client_of(alone, framework) as client:
        nobody = ask(client, "Hi")

    assert (late.status_code, late.json()["code"]) == (504, "EXPIRED")
    assert "'worker'" in late.json()["error"]
    assert late.json()["trace_id"] in late.json()["error"]
    assert (nobody.status_code, nobody.json()["code"]) == (503, "NO_SUCH_NEURON")


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_a_task_that_is_late_while_the_synapse_is_away_is_503(framework, children):
    synapse, url = children.synapse("--namespace", NAMESPACE)
    app = start_app(children, ASKING[framework], url, TIMEOUT_S="2")
    with (
        EdgeWorker(url) as worker,
        client_of(app, framework) as client,
        ThreadPoolExecutor(1) as pool,
    ):
        assert ask(client, "Hi").status_code == 200
        running = pool.submit(ask, client, "held")
        worker.wait_started("held")
        synapse.kill()
        assert app.says("lost its Synapse")
        unsent = ask(client, "Hi")
        left = running.result()

    for answer, retry in ((unsent, True), (left, False)):
        assert (answer.status_code, answer.json()["code"]) == (503, "SYNAPSE_UNREACHABLE")
        assert answer.json()["retry"] is retry
        assert url not in answer.text
    assert app.says(f"the Synapse at {url} has been away for")


def test_a_synapse_that_is_not_there_is_503_and_not_shown(children):
    url = f"cosmo://127.0.0.1:{closed_port()}"
    app = start_app(children, ASKING["flask"], url)

    with client_of(app, "flask") as client:
        answer = client.post("/ask", json={"prompt": "Hi"}, timeout=15.0)

    assert (answer.status_code, answer.json()["code"]) == (503, "SYNAPSE_UNREACHABLE")
    assert url not in answer.text
    assert app.says(url)


def test_the_dependency_of_fastapi_is_the_dendrite(apps, worker):
    assert apps.asking("fastapi").get("/neurons").json() == ["worker"]


BODIES = [{"prompt": "Hi"}, {"prompt": "bytes"}, {"prompt": "fails"}, {"prompt": "asks"}, {}, [1]]


@pytest.mark.parametrize("body", BODIES, ids=str)
def test_the_app_by_hand_and_the_one_with_the_helpers_answer_the_same(body, apps, worker):
    by_hand = apps.client(ASKING_BY_HAND).post("/ask", json=body)
    helped = apps.asking("flask").post("/ask", json=body)

    told, expected = by_hand.json(), helped.json()
    assert by_hand.status_code == helped.status_code
    assert by_hand.headers.get("Retry-After") == helped.headers.get("Retry-After")
    assert told.keys() == expected.keys()
    assert {**told, "trace_id": None} == {**expected, "trace_id": None}


# -- streams -------------------------------------------------------------------------------------


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_events_arrive_while_the_neuron_still_works(framework, apps, worker):
    body = {"prompt": f"gated {framework}"}
    with apps.streaming(framework).stream("POST", "/stream", json=body) as answer:
        pieces = answer.iter_text()
        early = next(piece for piece in pieces if "event" in piece)
        worker.may_go_on.set()
        rest = "".join(pieces)

    assert answer.headers["Content-Type"] == "text/event-stream; charset=utf-8"
    assert events_of(early) == [("thought", {"delta": "one\n", "seq": 0})]
    assert events_of(rest) == [
        ("thought", {"delta": "two", "seq": 1}),
        ("output", {"response": f"echo: gated {framework}"}),
    ]


@pytest.mark.parametrize("path", ["flask/streaming.py", "fastapi/streaming.py", BY_HAND])
def test_bare_texts_arrive_while_the_neuron_still_works(path, apps, worker):
    route = "/stream" if path == BY_HAND else "/text"
    with apps.client(path).stream("POST", route, json={"prompt": f"gated {path}"}) as answer:
        pieces = answer.iter_text()
        early = next(pieces)
        worker.may_go_on.set()
        rest = "".join(pieces)

    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert (early, rest) == ("one\n", "two")


@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.parametrize(("prompt", "status"), [("fails", 503), ("asks", 409)])
def test_a_stream_that_is_refused_at_once_has_its_own_status(
    prompt, status, framework, apps, worker
):
    answer = ask(apps.streaming(framework), prompt, "/stream")

    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_a_stream_that_fails_half_way_ends_with_an_error_event(framework, apps, worker):
    answer = ask(apps.streaming(framework), "late failure", "/stream")

    assert answer.status_code == 200
    name, data = events_of(answer.text)[-1]
    assert (name, data["code"], data["error"]) == ("error", "NO_GOOD", "it went wrong half way")


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_a_client_that_hangs_up_while_the_neuron_is_silent_cancels_the_task(
    framework, apps, worker
):
    prompt = f"held {framework} stream"
    with apps.streaming(framework).stream("POST", "/stream", json={"prompt": prompt}) as answer:
        next(answer.iter_raw())
        hung_up_at_s = time.perf_counter()

    took_s = worker.wait_cancelled(prompt) - hung_up_at_s

    measured(f"{framework}: stream cancelled after the hang-up", took_s)
    assert took_s < 1.0


@pytest.mark.parametrize("framework", ["flask", "fastapi"])
def test_a_client_that_hangs_up_instead_of_waiting_cancels_the_task(framework, apps, worker):
    prompt = f"held {framework} answer"
    client = apps.asking(framework)

    hung_up_at_s = hang_up(
        client.base_url, "/ask", {"prompt": prompt}, when=lambda: worker.wait_held(prompt)
    )
    took_s = worker.wait_cancelled(prompt) - hung_up_at_s

    measured(f"{framework}: answer cancelled after the hang-up", took_s)
    assert took_s < 1.0
