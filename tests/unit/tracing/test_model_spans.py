"""The spans of calls to models, by a stand-in for a provider."""

import asyncio

import pytest
from opentelemetry import trace
from opentelemetry.trace import SpanKind, StatusCode

from cosmonapse import Axon, Dendrite, MemorySynapse, Neuron, NeuronError
from cosmonapse.telemetry import model_calls
from cosmonapse.telemetry import span_names as names
from cosmonapse.testing import ChatServer
from cosmonapse.tracing import disable, enable
from cosmonapse.tracing.model_spans import ModelSpans
from support.spans import Spans

pytestmark = pytest.mark.asyncio
MARKER = "THE-SECRET-PROMPT"


class Traced:
    """A worker with one model behind it, and a caller; both traced."""

    def __init__(self, server, *, capture_content=False, **settings):
        self.spans = Spans()
        self._synapse = MemorySynapse()
        self.worker = Dendrite(synapse=self._synapse, role="worker", dendrite_id="worker")
        self.caller = Dendrite(synapse=self._synapse, dendrite_id="caller")
        settings = {"source": "openai", "api_key": "no-key", "model": "a-model", **settings}
        self.neuron = Neuron(endpoint=server.url, **settings)
        self.worker.attach_axon(Axon(neuron_id="model", neuron_fn=self.neuron))
        enable(self.worker, self.spans.provider, capture_content=capture_content)

    async def __aenter__(self):
        await self.worker.start()
        await self.caller.start()
        return self

    async def __aexit__(self, *error):
        await self.caller.stop()
        await self.worker.stop()
        await self.neuron.aclose()
        disable(self.worker)

    async def ask(self, prompt=MARKER):
        return await self.caller.ask(neuron="model", input={"prompt": prompt}, timeout_s=20.0)


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with ChatServer() as server:
        yield server


@pytest.mark.parametrize("stream", [True, False], ids=["streamed", "whole"])
async def test_an_answer_says_what_it_was_and_what_it_took(server, stream):
    server.answers("an answer")

    async with Traced(server, stream=stream) as traced:
        await traced.ask()

    span, run = traced.spans.one("chat a-model"), traced.spans.one("invoke_agent model")
    assert span.parent.span_id == run.context.span_id
    assert span.kind is SpanKind.CLIENT
    said = dict(span.attributes)
    assert said.pop(names.SERVER_PORT) > 0
    assert said.pop(names.INPUT_TOKENS) > 0
    assert said.pop(names.OUTPUT_TOKENS) > 0
    assert said == {
        names.RESPONSE_ID: "chatcmpl-1",
        names.OPERATION: "chat",
        names.PROVIDER: "openai",
        names.REQUEST_MODEL: "a-model",
        names.RESPONSE_MODEL: "a-model",
        names.FINISH_REASONS: ("stop",),
        names.SERVER_ADDRESS: "127.0.0.1",
    }


async def test_the_messages_of_another_api_say_the_same(server):
    server.answers("an answer")

    async with Traced(server, source="anthropic") as traced:
        await traced.ask()

    said = traced.spans.one("chat a-model").attributes
    assert said[names.PROVIDER] == "anthropic"
    assert said[names.RESPONSE_ID] == "msg_1"
    assert said[names.INPUT_TOKENS] > 0


@pytest.mark.parametrize(
    ("manner", "code"), [("401", "PROVIDER_ERROR"), ("cut-off", "PROVIDER_UNREACHABLE")]
)
async def test_a_refusal_and_an_answer_that_is_cut_off_set_the_code(server, manner, code):
    server.behaves(manner)

    async with Traced(server) as traced:
        with pytest.raises(NeuronError):
            await traced.ask()

    span = traced.spans.one("chat a-model")
    assert span.status.status_code is StatusCode.ERROR
    assert span.status.description == span.attributes[names.ERROR_TYPE] == code
    assert names.RESPONSE_MODEL not in span.attributes


async def test_prompt_and_answer_are_nowhere_unless_they_are_asked_for(server):
    server.answers(MARKER, MARKER)
    async with Traced(server) as traced:
        await traced.ask()
    assert MARKER not in traced.spans.everything_said()

    async with Traced(server, capture_content=True) as traced:
        await traced.ask()

    said = traced.spans.one("chat a-model").attributes
    assert MARKER in said[names.INPUT_MESSAGES]
    assert MARKER in said[names.OUTPUT_MESSAGES]


async def test_a_prompt_goes_to_the_provider_of_the_dendrite_that_runs_it_alone(server):
    server.answers("an answer", "an answer")
    elsewhere, other = Spans(), Dendrite(synapse=MemorySynapse())

    async with Traced(server) as traced:
        enable(other, elsewhere.provider, capture_content=True)
        await traced.ask()
        disable(other)
        await traced.ask()

    assert len(traced.spans.named("chat a-model")) == 2
    assert MARKER not in traced.spans.everything_said()
    assert not elsewhere.all


async def test_a_run_that_goes_on_after_disable_tells_of_no_model(server):
    server.answers("an answer")
    begun, goes_on = asyncio.Event(), asyncio.Event()

    async def slow(input, context):
        begun.set()
        await goes_on.wait()
        facts = model_calls.CallFacts("x", None, "https://x.test", {})
        return {"is_untold": model_calls.begun(facts) is None}

    async with Traced(server, capture_content=True) as traced:
        await traced.worker.add_axon(Axon(neuron_id="slow", neuron_fn=slow))
        asked = asyncio.ensure_future(traced.caller.ask(neuron="slow", input={}))
        await begun.wait()
        disable(traced.worker)
        goes_on.set()

        assert await asked == {"is_untold": True}
        await traced.ask()

    assert model_calls.LISTENER.get() is None
    assert not traced.spans.named("chat a-model")


async def test_what_a_provider_says_without_bounds_does_not_get_into_a_span():
    spans = Spans()
    call = ModelSpans(spans.tracer, True).begin(
        model_calls.CallFacts("mistral", None, "https://x.test/v1/messages", {})
    )

    usage = {"prompt_tokens": 10**30, "completion_tokens": True}
    call.answered({"model": "\ud800", "finish_reason": "x" * 9_999, "usage": usage}, "y" * 9_999)

    said = spans.one("chat").attributes
    assert said[names.RESPONSE_MODEL] == "?"
    assert said[names.RESPONSE_ID] == "y" * 256
    assert said[names.FINISH_REASONS] == ("x" * 256,)
    assert len(said[names.OUTPUT_MESSAGES]) < 1_000
    assert not {names.INPUT_TOKENS, names.OUTPUT_TOKENS} & set(said)


async def test_text_generation_is_another_operation(server):
    server.answers("an answer")

    async with Traced(server, source="huggingface", use_chat_api=False) as traced:
        await traced.ask()

    said = traced.spans.one("text_completion a-model").attributes
    assert said[names.OPERATION] == "text_completion"
    assert said[names.PROVIDER] == "huggingface"


async def test_it_is_current_while_the_request_is_sent_and_not_after():
    spans = Spans()

    call = ModelSpans(spans.tracer, False).begin(
        model_calls.CallFacts("mistral", None, "https://x.test/v1/messages", {})
    )
    with call.asking():
        inside = trace.get_current_span().get_span_context().span_id
    call.answered({"usage": "none"}, None)

    span = spans.one("chat")
    assert inside == span.context.span_id
    assert not trace.get_current_span().get_span_context().is_valid
    assert span.attributes[names.PROVIDER] == "mistral_ai"
    assert span.attributes[names.SERVER_PORT] == 443
