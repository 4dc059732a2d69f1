"""The life of a gateway: no Synapse yet, SIGTERM with clients, and what it refuses to start as."""

import asyncio
import http.client
import json
import resource
import signal
import threading
import time

import httpx
import pytest

from cosmonapse import Axon
from support.gateways import TOKEN, base_url_of, serving, start_gateway
from support.processes import closed_port, room_s

ENDED_S = 1.0


class Held:
    """A Neuron that speaks once and then waits until it is let go."""

    def __init__(self):
        self.running = threading.Semaphore(0)
        self.may_go_on = threading.Event()

    async def __call__(self, input, context):
        yield "one"
        self.running.release()
        await asyncio.to_thread(self.may_go_on.wait, 10)
        yield "two"

    def axon(self):
        return Axon(neuron_id="held", neuron_fn=self.__call__)


@pytest.fixture
def held():
    made = Held()
    yield made
    made.may_go_on.set()


def streaming(gateway, chunks):
    """Read a stream to its end in a thread."""

    def read():
        headers = {"accept": "text/event-stream"}
        with (
            gateway.client() as client,
            client.stream("POST", "/neurons/held", json={}, headers=headers) as stream,
        ):
            chunks.extend(stream.iter_text())

    thread = threading.Thread(target=read)
    thread.start()
    return thread


def test_sigterm_ends_open_streams_within_a_second_with_a_last_event(url, held):
    with serving(url, held.axon()) as gateway:
        chunks = []
        thread = streaming(gateway, chunks)
        assert held.running.acquire(timeout=10)

        began_s = time.perf_counter()
        gateway.process.send(signal.SIGTERM)
        code = gateway.process.wait()
        took_s = time.perf_counter() - began_s
        thread.join(10)

    assert code == 0
    assert took_s < ENDED_S + room_s()
    last = "".join(chunks).strip().split("\n\n")[-1]
    assert last.startswith("event: error")
    assert json.loads(last.split("data: ")[1].split("\n")[0])["code"] in (
        "NOT_READY",
        "CANCELLED",  # the end of the task was there first
    )


async def wide(input, context):
    for _ in range(50):
        yield "x" * 200_000


def test_sigterm_waits_for_no_client_that_does_not_read_its_stream(url):
    with serving(url, Axon(neuron_id="wide", neuron_fn=wide)) as gateway:
        place = httpx.URL(gateway.base_url)
        connection = http.client.HTTPConnection(place.host, place.port, timeout=10)
        headers = {"accept": "text/event-stream", "content-type": "application/json"}
        connection.request("POST", "/neurons/wide", "{}", {**gateway.headers, **headers})
        assert connection.getresponse().status == 200  # and no more is read

        began_s = time.perf_counter()
        gateway.process.send(signal.SIGTERM)
        code = gateway.process.wait()
        took_s = time.perf_counter() - began_s
        connection.close()

    assert code == 0
    assert took_s < 2 * ENDED_S  # far from the 10 s that plain calls have


def test_a_plain_call_may_end_after_sigterm(url, held):
    with serving(url, held.axon()) as gateway, gateway.client() as client:
        answers = []
        thread = threading.Thread(
            target=lambda: answers.append(client.post("/neurons/held", json={}))
        )
        thread.start()
        assert held.running.acquire(timeout=10)

        gateway.process.send(signal.SIGTERM)
        held.may_go_on.set()
        code = gateway.process.wait()
        thread.join(10)

    assert (code, answers[0].status_code) == (0, 200)


def test_a_second_signal_ends_plain_calls_with_503(url, held):
    with serving(url, held.axon()) as gateway, gateway.client() as client:
        answers = []
        thread = threading.Thread(
            target=lambda: answers.append(client.post("/neurons/held", json={}))
        )
        thread.start()
        assert held.running.acquire(timeout=10)

        gateway.process.send(signal.SIGTERM)
        assert gateway.process.says("ending")
        gateway.process.send(signal.SIGINT)
        code = gateway.process.wait()
        thread.join(10)

    assert (code, answers[0].status_code) == (0, 503)


def test_without_a_synapse_it_listens_answers_503_and_joins_once_there_is_one(children):
    port = closed_port()
    gateway = start_gateway(children, f"cosmo://127.0.0.1:{port}", "later", "--http")
    with httpx.Client(
        base_url=base_url_of(gateway),
        trust_env=False,
        headers={"Authorization": f"Bearer {TOKEN}"},
    ) as client:
        early = client.get("/neurons")
        assert (early.status_code, early.headers["retry-after"]) == (503, "1")
        assert client.get("/healthz").json() == {"ok": True, "connected": False}
        assert client.get("/readyz").status_code == 503

        gateway.says(f"no Synapse answers at cosmo://127.0.0.1:{port} yet")

        children.synapse(port=port)
        gateway.line("  connected")

        assert client.get("/neurons").json() == {"neurons": []}
        assert client.get("/readyz").status_code == 200


def test_it_raises_the_soft_limit_of_open_files_above_the_connections_that_it_keeps(children):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (1_024, hard))
    try:
        gateway = start_gateway(children, "cosmo://127.0.0.1:1", "x", "--http")
        base_url_of(gateway)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

    assert resource.prlimit(gateway.pid, resource.RLIMIT_NOFILE)[0] > 1_024


@pytest.mark.parametrize(
    ("flags", "env", "text"),
    [
        ([], {}, "name what to serve: --http, --openai, --mcp or --a2a"),
        (["--http", "--host", "0.0.0.0"], {"COSMO_TOKEN": ""}, "needs a token"),
        (["--http", "--cors", "*"], {"COSMO_TOKEN": ""}, "needs a token"),
        (["--http"], {"COSMO_TOKEN": "two words"}, "COSMO_TOKEN must be one line"),
        (["--http", "--token-file", "/no/such/file"], {}, "there is no"),
    ],
)
def test_what_it_cannot_be_started_as_is_one_line_and_exit_2(children, flags, env, text):
    gateway = start_gateway(children, "cosmo://127.0.0.1:1", "x", *flags, env=env)

    assert gateway.wait() == 2
    assert text in gateway.said
    assert len(gateway.err) == 1


def test_a_token_file_that_others_may_read_is_refused(children, tmp_path):
    file = tmp_path / "token"
    file.write_text("secret\n")
    file.chmod(0o644)
    gateway = start_gateway(
        children, "cosmo://127.0.0.1:1", "x", "--http", "--token-file", str(file)
    )

    assert gateway.wait() == 2
    assert "chmod 600" in gateway.said
