"""The endpoint with a fabric that is played: what cannot be had at will from a real one."""

import asyncio
import json

import pytest

from cosmonapse import Signal, SignalType
from cosmonapse.cards import Card
from cosmonapse.errors import AccessRefused, SynapseUnreachable
from cosmonapse.registry import NeuronRecord
from cosmonapse.serve.gateway import GatewaySettings
from cosmonapse.serve.openai import chat_stream
from cosmonapse.serve.openai.chat_endpoint import ChatEndpoint
from cosmonapse.serve.openai.chunks import DONE, KEEP_ALIVE, ChatChunks
from cosmonapse.serve.openai.known_cards import KnownCards

AWAY = SynapseUnreachable("cosmo://a:1", "nobody listens", "start one")
ABSENT = Signal(
    type=SignalType.ERROR,
    payload={"code": "NO_SUCH_NEURON", "message": "no", "recoverable": True},
)
DONE_SIGNAL = Signal(type=SignalType.AGENT_OUTPUT, payload={"output": {"response": "hi"}})


class PlayedGateway:
    """A gateway whose fabric gives one outcome."""

    def __init__(self, outcome, rows=(), cards=None):
        self.settings = GatewaySettings()
        self.dendrite = self
        self.tasks = []
        self._outcome, self._rows, self._cards = outcome, rows, cards or {}

    async def dispatch_and_wait(self, **task):
        self.tasks.append(task)
        if isinstance(self._outcome, Exception):
            raise self._outcome
        return self._outcome

    async def neurons(self):
        if isinstance(self._rows, Exception):
            raise self._rows
        return self._rows

    async def cards(self, wait_s):
        if isinstance(self._cards, Exception):
            raise self._cards
        return self._cards


class PlayedReader:
    """A reader that is silent once, then has an output."""

    is_closed = False
    missed = 0

    def __init__(self):
        self._waits = iter([False, True])
        self._signals = iter([DONE_SIGNAL, None])

    async def wait(self, timeout_s):
        return next(self._waits)

    is_ready = True

    def take(self):
        return next(self._signals)

    async def yield_to_others(self):
        pass


async def answered(gateway, model="chat", **headers):
    body = {"model": model, "messages": [{"role": "user", "content": "hi"}]}
    requests = iter([{"type": "http.request", "body": json.dumps(body).encode()}])
    sent = []

    async def receive():
        return next(requests, None) or await asyncio.Event().wait()

    async def send(message):
        sent.append(message)

    raw = [(b"content-type", b"application/json"), *((k.encode(), v) for k, v in headers.items())]
    scope = {"type": "http", "method": "POST", "path": "/v1/chat/completions", "headers": raw}
    await ChatEndpoint(gateway, KnownCards(gateway))(scope, receive, send)
    told = {key.decode(): value.decode() for key, value in sent[0]["headers"]}
    return sent[0]["status"], told, json.loads(sent[1]["body"])


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("rows", "status", "code", "retry"),
    [
        ([], 404, "model_not_found", "false"),
        ([NeuronRecord(neuron_id="chat", state="stuck")], 503, "NO_SUCH_NEURON", "true"),
        (AWAY, 503, "NO_SUCH_NEURON", "true"),
    ],
)
async def test_a_neuron_that_takes_no_tasks_now_is_missing_only_if_the_roster_lacks_it(
    rows, status, code, retry
):
    got, headers, body = await answered(PlayedGateway(ABSENT, rows))

    assert (got, body["error"]["code"], headers["x-should-retry"]) == (status, code, retry)


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("raised", "status", "code"),
    [
        (AWAY, 503, "SYNAPSE_UNREACHABLE"),
        (AccessRefused("cosmo://a:1", "no right", ""), 403, "ACCESS_DENIED"),
        (TimeoutError("late"), 504, "EXPIRED"),
        (ZeroDivisionError(), 500, "INTERNAL_ERROR"),
    ],
)
async def test_whatever_goes_wrong_is_told_in_the_form_of_openai(raised, status, code):
    got, headers, body = await answered(PlayedGateway(raised))

    assert (got, body["error"]["code"]) == (status, code)
    assert headers["x-request-id"].startswith("trc_")


@pytest.mark.asyncio
async def test_a_task_has_the_input_of_the_card_the_time_and_the_trace_of_its_client():
    schema = {"type": "object", "properties": {"prompt": {"type": "string"}}}
    cards = {"chat": Card(neuron_id="chat", input=schema, capabilities=("talk",))}
    gateway = PlayedGateway(DONE_SIGNAL, cards=cards)
    parent = "00-" + "a" * 32 + "-" + "b" * 16 + "-01"
    await answered(gateway, **{"x-timeout-s": b"3", "traceparent": parent.encode()})
    await answered(gateway, "capability:talk")

    task, by_capability = gateway.tasks
    assert (task["neuron"], task["input"], task["timeout_s"]) == ("chat", {"prompt": "hi"}, 3.0)
    assert task["meta"]["traceparent"] == parent
    assert by_capability["capabilities"] == ("talk",)
    assert (by_capability["input"], by_capability["timeout_s"]) == ({"prompt": "hi"}, 120.0)


@pytest.mark.asyncio
async def test_a_roster_that_cannot_be_read_costs_no_answer():
    gateway = PlayedGateway(DONE_SIGNAL, cards=AWAY)
    status, _, body = await answered(gateway)

    assert (status, body["choices"][0]["message"]["content"]) == (200, "hi")


@pytest.mark.asyncio
async def test_a_silent_stream_is_kept_alive_by_comments():
    sent = []

    async def send(message):
        sent.append(message)

    await chat_stream.send_stream(PlayedReader(), ChatChunks("chatcmpl-1", 1, "chat"), send)

    pieces = [message["body"] for message in sent[1:]]
    assert pieces[1] == KEEP_ALIVE
    assert pieces[-1].endswith(DONE)
    assert [message.get("more_body", False) for message in sent[1:]] == [True, True, False]
