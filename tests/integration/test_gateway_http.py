"""Neurons over plain HTTP: one gateway process, and clients as anybody has them."""

import asyncio
import http.client
import json
import os
import re
import subprocess
import threading
from collections import Counter

import httpx
import jsonschema
import pytest

from cosmonapse import Axon, Clarification, NeuronError, PermissionNeeded, Sessions
from support.gateways import serving
from support.node import gateway_node_or_skip
from support.processes import ROOT
from support.scraping import Scrape

PAGE = ROOT / "docs" / "gateways.md"
TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
INPUT = {
    "type": "object",
    "required": ["city"],
    "properties": {"city": {"type": "string"}, "stops": {"$ref": "#/$defs/Stops"}},
    "$defs": {"Stops": {"type": "array", "items": {"$ref": "#/$defs/Stop"}}, "Stop": {}},
}


class Workers:
    """The Neurons behind the gateway, and what they did."""

    def __init__(self):
        self.runs = Counter()
        self.cancelled = threading.Event()
        self.held = threading.Event()
        self.axons = [
            Axon(
                neuron_id="book",
                neuron_fn=self.book,
                capabilities=["travel", "book"],
                description="Books a room.\n\nAsks if it has to.",
                input=INPUT,
                output={"type": "object"},
            ),
            Axon(neuron_id="chat", neuron_fn=self.chat, context_fetcher=Sessions(":memory:")),
            Axon(neuron_id="worker", neuron_fn=self.work, capabilities=["plain"]),
        ]

    async def book(self, input, context):
        self.runs["book"] += 1
        if "nights" not in input and "clarification" not in input:
            raise Clarification("How many nights?", context={"least": 1})
        if "permission" not in input:
            raise PermissionNeeded("book a room", reason="it costs")
        return {"input": input, "trace_id": context.trace_id, "meta": context.task.meta}

    async def chat(self, input, context):
        return {"response": f"after {len(context)}"}

    async def work(self, input, context):
        does = input.get("does")
        self.runs[does] += 1
        if does == "fails":
            raise NeuronError("NO_GOOD", "it went wrong")
        if does == "holds":
            self.held.set()
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                self.cancelled.set()
                raise
        yield "one "
        yield "two"
        yield {"response": "one two", "meta": context.task.meta}


@pytest.fixture(scope="module")
def workers():
    return Workers()


@pytest.fixture(scope="module")
def gateway(url, workers):
    flags = ["--http", "--cors", "http://ui.example", "--metrics", "127.0.0.1:0"]
    with serving(url, *workers.axons, flags=flags) as running:
        yield running


@pytest.fixture
def client(gateway):
    with gateway.client() as made:
        yield made


def test_the_roster_has_one_entry_for_each_neuron_with_its_schemas(client):
    book, _, worker = client.get("/neurons").json()["neurons"]

    assert (book["id"], worker["id"]) == ("book", "worker")
    assert book["description"] == "Books a room.\n\nAsks if it has to."
    assert (book["state"], book["replicas"], book["input"]) == ("alive", 1, INPUT)
    assert worker["input"] is None
    assert client.get("/neurons?capability=plain").json()["neurons"] == [worker]


def test_one_neuron_is_shown_and_one_that_is_not_there_is_404(client):
    assert client.get("/neurons/book").json()["capabilities"] == ["book", "travel"]
    missing = client.get("/neurons/nobody")

    assert (missing.status_code, missing.json()["code"]) == (404, "NO_SUCH_NEURON")


def test_an_input_goes_in_and_the_output_comes_out(client):
    answer = client.post("/neurons/worker", json={}, headers={"traceparent": TRACEPARENT})

    assert answer.status_code == 200
    assert answer.json()["response"] == "one two"
    assert answer.json()["meta"]["traceparent"] == TRACEPARENT
    assert re.fullmatch(r"trc_\w{26}", answer.headers["x-request-id"])


def test_a_client_and_a_command_line_name_the_session_of_a_task(gateway, client, children):
    def asked(**query):
        return client.post("/neurons/chat", json={"prompt": "hi"}, params=query)

    said = [asked(context_ref="s1").json()["response"] for _ in range(2)]
    said.append(asked(context_ref='{"session": "s1", "last": 1}').json()["response"])
    words = ("dispatch", "chat", "hi", "--context-ref", "s1")
    told = children.cosmo(*words, "--url", gateway.url, "-n", gateway.namespace)
    assert told.wait() == 0, told.said
    said.append(json.loads(told.said)["response"])

    assert said == ["after 0", "after 2", "after 2", "after 6"]
    assert asked().json()["response"] == "after 0"
    assert asked(context_ref="s2").json()["response"] == "after 0"
    for wrong in ("", "{", '{"session": 3}', "s" * 257):
        refused = asked(context_ref=wrong)
        assert refused.status_code == 400, refused.text
        assert "session" in refused.json()["error"] or "context_ref" in refused.json()["error"]


def test_capabilities_choose_who_answers(client):
    assert client.post("/capabilities/plain", json={}).json()["response"] == "one two"
    nobody = client.post("/capabilities/plain+travel", json={})

    assert (nobody.status_code, nobody.json()["code"]) == (503, "NO_CAPABLE_NEURON")
    assert nobody.headers["x-request-id"] == nobody.json()["trace_id"]


def test_a_failure_runs_once_and_has_the_status_of_its_code(client, workers):
    failed = client.post("/neurons/worker", json={"does": "fails"})

    assert failed.status_code == 502
    assert failed.json()["error"] == "it went wrong"
    assert failed.json()["trace_id"] == failed.headers["x-request-id"]
    assert workers.runs["fails"] == 1


def test_questions_are_409_and_answered_beside_the_input_of_the_next_post(client):
    asked = client.post("/neurons/book", json={"city": "Oslo"})

    assert asked.status_code == 409
    assert asked.json()["code"] == "CLARIFICATION"
    assert asked.json()["question"] == "How many nights?"

    answer = {"question": asked.json()["question"], "answer": 2}
    beside = {"city": "Oslo", "clarification": answer}
    where = f"/neurons/book?trace_id={asked.json()['trace_id']}"
    wanted = client.post(where, json=beside)

    assert (wanted.status_code, wanted.json()["code"]) == (409, "PERMISSION")
    assert wanted.json()["action"] == "book a room"

    granted = {**beside, "permission": {"action": "book a room", "granted": True}}
    done = client.post(where, json=granted, headers={"traceparent": TRACEPARENT})

    assert done.status_code == 200
    assert done.json()["input"] == granted
    assert done.json()["trace_id"] == asked.json()["trace_id"] == done.headers["x-request-id"]
    assert done.json()["meta"]["traceparent"] == TRACEPARENT


def test_a_stream_has_thoughts_and_the_output_as_events(client):
    events = client.post("/neurons/worker", json={}, headers={"accept": "text/event-stream"})

    assert events.headers["content-type"].startswith("text/event-stream")
    assert events.headers["x-request-id"] in events.text
    names = re.findall(r"^event: (\w+)$", events.text, re.MULTILINE)
    assert names == ["thought", "thought", "output"]
    last = re.search(r"^id: (.*)$", events.text, re.MULTILINE).group(1)
    again = {"accept": "text/event-stream", "last-event-id": last}
    assert client.post("/neurons/worker", json={}, headers=again).status_code == 204


def test_a_client_that_accepts_text_gets_the_bare_text(client):
    assert client.post("/neurons/worker", json={}, headers={"accept": "text/plain"}).text == (
        "one two"
    )


def test_a_question_has_its_status_in_place_of_a_stream_too(client):
    asked = client.post(
        "/neurons/book", json={"city": "X"}, headers={"accept": "text/event-stream"}
    )

    assert asked.status_code == 409
    assert asked.headers["x-request-id"] == asked.json()["trace_id"]


@pytest.mark.parametrize("accept", ["application/json", "text/event-stream"])
def test_a_client_that_hangs_up_cancels_before_the_first_token(gateway, workers, accept):
    workers.held.clear(), workers.cancelled.clear()
    place = httpx.URL(gateway.base_url)
    connection = http.client.HTTPConnection(place.host, place.port, timeout=10)
    headers = {"Content-Type": "application/json", "Accept": accept, **gateway.headers}
    connection.request("POST", "/neurons/worker", json.dumps({"does": "holds"}), headers)
    assert workers.held.wait(10)

    connection.close()

    assert workers.cancelled.wait(2)


def test_a_whole_trace_is_followed_from_another_connection(gateway, client):
    first = client.post("/neurons/book", json={"city": "Oslo"}).json()
    events = []
    with client.stream("GET", f"/traces/{first['trace_id']}/events") as stream:
        assert stream.status_code == 200
        lines = stream.iter_lines()
        with gateway.client() as other:
            other.post(f"/neurons/worker?trace_id={first['trace_id']}", json={})
        for line in lines:
            if line.startswith("event: "):
                events.append(line.removeprefix("event: "))
            if events[-1:] in (["agent_output"], ["error"]):
                break

    assert events[0] == "task"
    assert "agent_output" in events


@pytest.mark.parametrize(
    ("how", "status", "code"),
    [
        ({"content": b"[1]"}, 400, "BAD_REQUEST"),
        ({"content": b"{"}, 400, "BAD_REQUEST"),
        ({"params": {"timeout_s": "soon"}, "content": b"{}"}, 400, "BAD_REQUEST"),
        ({"params": {"timeout_s": "nan"}, "content": b"{}"}, 400, "BAD_REQUEST"),
        ({"params": {"trace_id": "no"}, "content": b"{}"}, 400, "BAD_SIGNAL"),
        ({"content": b"{}", "headers": {"content-type": "text/plain"}}, 400, "BAD_REQUEST"),
        ({"content": b" " * (16 * 1024 * 1024 + 1)}, 413, "TOO_LARGE"),
    ],
)
def test_a_request_that_cannot_be_a_task_has_one_line(client, how, status, code):
    headers = {"content-type": "application/json", **how.pop("headers", {})}
    answer = client.post("/neurons/worker", headers=headers, **how)

    assert (answer.status_code, answer.json()["code"]) == (status, code)


@pytest.mark.parametrize("trace_id", ["a\nb", "\n\r\n_" + 26 * "0", "\u20ac", " ", 500 * "x"])
@pytest.mark.parametrize("accept", ["application/json", "text/event-stream"])
def test_a_trace_id_that_is_none_is_told_in_no_header(gateway, client, trace_id, accept):
    answer = client.post(
        "/neurons/worker", params={"trace_id": trace_id}, json={}, headers={"accept": accept}
    )

    assert answer.status_code == 400
    assert "trace_id must be 'trc_'" in answer.json()["error"]
    assert re.fullmatch("trc_[0-9a-v]{26}", answer.headers["x-request-id"])
    assert "Traceback" not in gateway.process.said


def test_a_path_that_is_not_there_and_a_wrong_method_are_json(client):
    assert client.get("/nothing").json()["code"] == "NOT_FOUND"
    assert client.delete("/neurons").json()["code"] == "METHOD_NOT_ALLOWED"


def test_a_path_that_is_not_there_names_those_that_are(client):
    text = client.get("/").json()["error"]

    assert text.startswith(
        "Not Found: GET /; this gateway serves /capabilities, /healthz, /neurons"
    )


def test_a_body_without_a_length_is_cut_at_the_limit(gateway):
    pieces = (b" " * 1024 * 1024 for _ in range(64))
    with gateway.client() as client:
        answer = client.post(
            "/neurons/worker", content=pieces, headers={"content-type": "application/json"}
        )

    assert answer.status_code == 413


def test_a_client_that_sends_all_before_it_reads_learns_that_it_is_too_much(gateway):
    place = httpx.URL(gateway.base_url)
    connection = http.client.HTTPConnection(place.host, place.port, timeout=10)
    headers = {**gateway.headers, "Content-Type": "application/json"}
    connection.request("POST", "/neurons/worker", b" " * 17 * 1024 * 1024, headers)
    refused = connection.getresponse()
    told = json.load(refused)
    connection.request("POST", "/neurons/worker", b"{}", headers)
    answered = connection.getresponse().status
    connection.close()

    assert (refused.status, told["code"]) == (413, "TOO_LARGE")
    assert answered == 200


def test_what_anybody_may_read_takes_no_body_of_a_stranger(gateway):
    with gateway.client(headers={}) as client:
        assert client.post("/healthz", content=b"{}").status_code == 401
        assert client.request("GET", "/readyz", content=b"{}").status_code == 413


def test_a_client_that_leaves_within_its_body_costs_no_traceback(gateway, client):
    place = httpx.URL(gateway.base_url)
    connection = http.client.HTTPConnection(place.host, place.port, timeout=10)
    connection.putrequest("POST", "/neurons/worker")
    for name, value in {**gateway.headers, "Content-Length": "10"}.items():
        connection.putheader(name, value)
    connection.endheaders(b"{")
    connection.close()

    assert client.get("/healthz").status_code == 200
    assert "Traceback" not in gateway.process.said


def test_the_openapi_document_names_each_card_and_its_references_resolve(client):
    document = client.get("/openapi.json").json()

    schema = document["paths"]["/neurons/book"]["post"]["requestBody"]["content"]
    reference = {"$ref": "#/components/schemas/book.input"}
    assert schema["application/json"]["schema"] == reference
    checks = jsonschema.Draft202012Validator({**document, **reference})
    assert [each.validator for each in checks.iter_errors({"city": 1, "stops": 1})] == [
        "type",
        "type",
    ]


def test_curl_reaches_a_neuron(gateway):
    command = ("curl", "-sS", "--noproxy", "*", f"{gateway.base_url}/neurons/worker")
    headers = (
        "-H",
        f"Authorization: Bearer {gateway.token}",
        "-H",
        "Content-Type: application/json",
    )
    ran = subprocess.run(
        [*command, *headers, "-d", "{}"], capture_output=True, text=True, timeout=20, check=True
    )

    assert json.loads(ran.stdout)["response"] == "one two"


def test_without_its_token_or_under_a_foreign_name_nothing_is_told(gateway):
    with gateway.client(headers={}) as client:
        assert client.get("/neurons").status_code == 401
        assert client.get("/healthz").json() == {"ok": True, "connected": True}
        openai = client.get("/v1/models").json()["error"]
        assert openai["code"] == "invalid_api_key"
    with gateway.client() as client:
        rebound = client.get("/neurons", headers={"host": "evil.example"})
        assert rebound.json()["code"] == "FOREIGN_HOST"
        foreign = client.get("/neurons", headers={"origin": "http://evil.example"})
        assert foreign.json()["code"] == "FOREIGN_ORIGIN"


def test_refused_requests_are_in_the_metrics(gateway):
    where = gateway.process.line("  metrics").text
    before = Scrape(where).value("cosmonapse_events_total", side="gateway", event="refused.token")

    with gateway.client(headers={}) as client:
        client.get("/neurons")

    after = Scrape(where).value("cosmonapse_events_total", side="gateway", event="refused.token")
    assert after == before + 1


def test_a_page_of_a_named_origin_may_ask_and_read(gateway):
    origin = {"origin": "http://ui.example"}
    asks = {
        **origin,
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization,content-type",
    }
    with gateway.client(headers={}) as client:
        before = client.options("/neurons/worker", headers=asks)
        refused = client.get("/neurons", headers=origin)
    with gateway.client() as client:
        answer = client.post("/neurons/worker", json={}, headers=origin)

    assert before.status_code == 204
    assert before.headers["access-control-allow-headers"] == "authorization,content-type"
    assert refused.status_code == 401
    assert refused.headers["access-control-allow-origin"] == "http://ui.example"
    assert answer.headers["access-control-allow-origin"] == "http://ui.example"
    assert "x-request-id" in answer.headers["access-control-expose-headers"]


def blocks_of(language):
    """Return the blocks in a language of the section about plain HTTP of the page."""
    section = PAGE.read_text().partition("\n## Plain HTTP\n")[2].partition("\n## ")[0]
    return re.findall(rf"```{language}\n(.*?)```", section, flags=re.DOTALL)


def test_the_line_for_curl_on_the_page_reaches_a_neuron(gateway):
    line = (
        blocks_of("console")[0]
        .removeprefix("$ ")
        .replace("http://127.0.0.1:8080", gateway.base_url)
    )
    env = {**os.environ, "COSMO_TOKEN": gateway.token, "NO_PROXY": "127.0.0.1"}
    ran = subprocess.run(
        ["sh", "-c", line], env=env, capture_output=True, text=True, timeout=20, check=True
    )

    assert json.loads(ran.stdout)["question"] == "How many nights?"


def test_the_answers_on_the_page_are_answers(client):
    clarification, permission = (json.loads(each) for each in blocks_of("json"))
    asked = client.post("/neurons/book", json=clarification)
    both = {**clarification, **permission}

    assert asked.json()["action"] == permission["permission"]["action"]
    assert client.post("/neurons/book", json=both).json()["input"] == both


def test_the_program_for_a_browser_on_the_page_reads_the_stream(gateway):
    node = gateway_node_or_skip()
    (program,) = blocks_of("javascript")
    program = program.replace("http://127.0.0.1:8080", gateway.base_url)
    program = program.replace("TOKEN", gateway.token).replace("/book", "/worker")
    ran = subprocess.run(
        [node, "--input-type=module", "-e", program], capture_output=True, text=True, timeout=30
    )

    assert ran.stdout.splitlines()[:2] == ["one ", "two"], ran.stderr
    assert json.loads(ran.stdout.splitlines()[2])["response"] == "one two"
