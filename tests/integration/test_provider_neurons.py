"""Every vendor's Neuron against a stand-in server: real HTTP, real streams, real hang-ups."""

import asyncio
import logging

import pytest
import pytest_asyncio

from cosmonapse.errors import NeuronError
from cosmonapse.neurons import Neuron
from cosmonapse.neurons.provider import ProviderNeuron
from cosmonapse.testing import ChatServer
from cosmonapse.testing.dialects import MESSAGES_USAGE, USAGE

KEY = "sk-secret0123456789"
TOKENS = ["echo: ", "What ", "is ", "a ", "Dendrite?"]
QUESTION = {"prompt": "What is a Dendrite?"}
CHAT_VENDORS = ["openai", "ollama", "groq", "openrouter", "together", "mistral"]
VENDORS = [*CHAT_VENDORS, "anthropic"]
# By its model's name the stand-in is as strict about unknown keys as this vendor is.
MODELS = {"mistral": "strict"}


pytestmark = pytest.mark.usefixtures("direct")


@pytest.fixture(scope="module")
def running():
    with ChatServer() as server:
        yield server


@pytest.fixture
def server(running):
    running.requests.clear()
    running.connections = 0
    return running


@pytest_asyncio.fixture
async def neuron_for(server):
    built: list[ProviderNeuron] = []

    def build(source, model=None, **settings):
        settings = {"endpoint": server.url, "api_key": KEY, "timeout_s": 5.0, **settings}
        model = model or MODELS.get(source, "m")
        built.append(Neuron(source=source, model=model, **settings))
        return built[-1]

    yield build
    for neuron in built:
        await neuron.aclose()


async def items_of(neuron, input=QUESTION):
    return [item async for item in neuron(input, [])]


async def error_of(neuron):
    """Return the tokens before the error, and the error."""
    tokens = []

    async def collect():
        async for item in neuron(QUESTION, []):
            tokens.append(item)  # noqa: PERF401, what came before the error is wanted

    with pytest.raises(NeuronError) as caught:
        await collect()
    return tokens, caught.value


def expected_output(source):
    output = {"response": "".join(TOKENS), "model": MODELS.get(source, "m")}
    if source == "anthropic":
        reason = {"finish_reason": "stop", "native_finish_reason": "end_turn"}
        return {**output, **reason, "usage": MESSAGES_USAGE}
    return {**output, "finish_reason": "stop", "usage": USAGE}


@pytest.mark.asyncio
@pytest.mark.parametrize("source", VENDORS)
async def test_a_plain_answer_is_the_output(neuron_for, source):
    assert await neuron_for(source, stream=False)(QUESTION, []) == expected_output(source)


@pytest.mark.asyncio
@pytest.mark.parametrize("source", VENDORS)
async def test_a_streamed_answer_is_tokens_in_order_and_then_the_output(neuron_for, source):
    assert await items_of(neuron_for(source)) == [*TOKENS, expected_output(source)]


@pytest.mark.asyncio
@pytest.mark.parametrize("source", CHAT_VENDORS)
async def test_chat_completions_are_asked_for_with_the_key(server, neuron_for, source):
    await items_of(neuron_for(source))

    (request,) = server.requests
    assert request.path == "/v1/chat/completions"
    assert request.headers["authorization"] == f"Bearer {KEY}"


@pytest.mark.asyncio
async def test_messages_are_asked_for_with_key_and_version(server, neuron_for):
    messages = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "What is a Dendrite?"},
    ]

    await items_of(neuron_for("anthropic"), {"messages": messages})

    (request,) = server.requests
    assert request.path == "/v1/messages"
    assert request.headers["x-api-key"] == KEY
    assert request.headers["anthropic-version"] == "2023-06-01"
    assert "authorization" not in request.headers
    assert (request.json["system"], request.json["messages"]) == ("Be brief.", messages[1:])


@pytest.mark.asyncio
@pytest.mark.parametrize("source", VENDORS)
async def test_a_refusal_keeps_the_status_and_the_providers_words(neuron_for, source):
    tokens, error = await error_of(neuron_for(source, "429"))

    assert tokens == []
    assert (error.code, error.recoverable) == ("PROVIDER_ERROR", True)
    assert error.message == f"{source} answered 429: Rate limit reached"


@pytest.mark.asyncio
async def test_an_overloaded_provider_may_be_asked_again(neuron_for):
    _, streamed = await error_of(neuron_for("anthropic", "529"))
    with pytest.raises(NeuronError) as caught:
        await neuron_for("anthropic", "529", stream=False)(QUESTION, [])

    assert streamed.recoverable
    assert caught.value.recoverable
    assert streamed.message == caught.value.message == "anthropic answered 529: Overloaded"


@pytest.mark.asyncio
@pytest.mark.parametrize(("source", "status"), [("openai", 503), ("anthropic", 529)])
async def test_an_error_among_the_tokens_comes_after_them(neuron_for, source, status):
    tokens, error = await error_of(neuron_for(source, "error-in-stream"))

    assert tokens == TOKENS[:1]
    assert (error.code, error.recoverable) == ("PROVIDER_ERROR", True)
    assert f"an error {status}: overloaded" in error.message


@pytest.mark.asyncio
@pytest.mark.parametrize("source", VENDORS)
@pytest.mark.parametrize(("model", "token_count"), [("cut-off", 2), ("ends-early", 1)])
async def test_a_stream_that_is_cut_off_says_so(neuron_for, source, model, token_count):
    tokens, error = await error_of(neuron_for(source, model))

    assert tokens == TOKENS[:token_count]
    assert (error.code, error.recoverable) == ("PROVIDER_UNREACHABLE", True)
    assert f"answer of {source} was cut off after {token_count} tokens" in error.message


@pytest.mark.asyncio
async def test_a_message_without_its_last_event_is_whole_with_its_stop_reason(neuron_for):
    *tokens, output = await items_of(neuron_for("anthropic", "no-done"))

    assert tokens == TOKENS
    assert output["usage"] == MESSAGES_USAGE


@pytest.mark.asyncio
async def test_nonsense_among_the_events_of_a_message_is_an_error(neuron_for):
    tokens, error = await error_of(neuron_for("anthropic", "nonsense-in-stream"))

    assert tokens == TOKENS[:1]
    assert "anthropic answered 200 without what its type promises" in error.message


@pytest.mark.asyncio
@pytest.mark.parametrize("source", ["openai", "anthropic"])
@pytest.mark.parametrize("stream", [True, False])
async def test_calls_share_one_connection(server, neuron_for, source, stream):
    neuron = neuron_for(source, stream=stream)

    for _ in range(3):
        await (items_of(neuron) if stream else neuron(QUESTION, []))

    assert (len(server.requests), server.connections) == (3, 1)


@pytest.mark.asyncio
@pytest.mark.parametrize("source", VENDORS)
@pytest.mark.parametrize("model", ["echo-key", "error-in-stream"])
async def test_the_key_is_never_shown(neuron_for, caplog, source, model):
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, "cosmonapse")
    neuron = neuron_for(source, model)

    _, error = await error_of(neuron)

    assert "***" in error.message
    assert KEY not in f"{error!r} {error} {neuron!r} {neuron.dialect!r} {caplog.text}"


@pytest.mark.asyncio
async def test_a_message_that_stays_open_after_its_end_is_not_waited_for(neuron_for):
    async with asyncio.timeout(3):
        *tokens, output = await items_of(neuron_for("anthropic", "stays-open"))

    assert (tokens, output["response"]) == (["all"], "all")


@pytest.mark.asyncio
@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("source", ["openai", "anthropic"])
async def test_messages_of_the_context_reach_the_model(source, stream, neuron_for, server):
    chat = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "hello"}]
    neuron = neuron_for(source, stream=stream)

    if stream:
        assert [item async for item in neuron(QUESTION, chat)]
    else:
        assert await neuron(QUESTION, chat)

    asked = {"role": "user", "content": QUESTION["prompt"]}
    assert server.requests[-1].json["messages"] == [*chat, asked]
