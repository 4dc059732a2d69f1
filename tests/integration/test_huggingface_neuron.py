"""The Hugging Face Neuron against a stand-in server: real HTTP, real streams, real hang-ups."""

import asyncio
import inspect
import logging
import socket

import pytest
import pytest_asyncio

from cosmonapse.errors import NeuronError
from cosmonapse.neurons import Neuron
from cosmonapse.neurons.provider import ProviderNeuron
from cosmonapse.testing import ChatServer
from cosmonapse.testing.dialects import USAGE

KEY = "hf_secret0123456789"
TOKENS = ["echo: ", "What ", "is ", "a ", "Dendrite?"]
QUESTION = {"prompt": "What is a Dendrite?"}


@pytest.fixture(autouse=True)
def _no_token(direct, monkeypatch):
    """Keep a token of the environment out of the tests."""
    monkeypatch.delenv("HF_TOKEN", raising=False)


@pytest.fixture
def server():
    with ChatServer() as running:
        yield running


@pytest_asyncio.fixture
async def neuron_for(server):
    built: list[ProviderNeuron] = []

    def build(model="m", **settings):
        settings = {"endpoint": server.url, "api_key": KEY, "timeout_s": 5.0, **settings}
        built.append(Neuron(source="huggingface", model=model, **settings))
        return built[-1]

    yield build
    for neuron in built:
        await neuron.aclose()


async def items_of(neuron, input=QUESTION):
    return [item async for item in neuron(input, [])]


async def error_of(neuron, input=QUESTION):
    """Return the tokens before the error, and the error."""
    tokens = []

    async def collect():
        async for item in neuron(input, []):
            tokens.append(item)  # noqa: PERF401, what came before the error is wanted

    with pytest.raises(NeuronError) as caught:
        await collect()
    return tokens, caught.value


@pytest.mark.asyncio
async def test_a_plain_answer_is_the_output(server, neuron_for):
    neuron = neuron_for(stream=False, max_new_tokens=256)

    output = await neuron(QUESTION, [])

    assert output == {
        "response": "".join(TOKENS),
        "model": "m",
        "finish_reason": "stop",
        "usage": USAGE,
    }
    (request,) = server.requests
    assert request.path == "/v1/chat/completions"
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert request.headers["content-type"] == "application/json"
    assert request.json == {
        "model": "m",
        "messages": [{"role": "user", "content": "What is a Dendrite?"}],
        "max_tokens": 256,
        "stream": False,
    }


@pytest.mark.asyncio
async def test_a_streamed_answer_is_tokens_in_order_and_then_the_output(neuron_for):
    items = await items_of(neuron_for())

    output = {"response": "".join(TOKENS), "model": "m", "finish_reason": "stop", "usage": USAGE}
    assert items == [*TOKENS, output]


@pytest.mark.asyncio
async def test_text_beyond_ascii_survives_the_stream(neuron_for):
    *tokens, output = await items_of(neuron_for(), {"prompt": "žluťoučký 🐎 \u2028 x"})

    assert output["response"] == "".join(tokens) == "echo: žluťoučký 🐎 \u2028 x"


@pytest.mark.asyncio
async def test_the_first_token_is_there_before_the_last_is_sent(server, neuron_for):
    server.delay_s = 0.01
    tokens = neuron_for("slow")(QUESTION, [])

    first = await anext(tokens)
    server.delay_s = 0.0
    rest = [item async for item in tokens]

    assert [first, *rest[:-1]] == TOKENS


@pytest.mark.asyncio
async def test_calls_give_an_async_generator_or_a_coroutine(neuron_for):
    streamed = neuron_for()(QUESTION, [])
    plain = neuron_for(stream=False)(QUESTION, [])

    assert inspect.isasyncgen(streamed)
    assert inspect.iscoroutine(plain)
    plain.close()


@pytest.mark.asyncio
@pytest.mark.parametrize("model", ["ok", "no-done"])
async def test_streamed_calls_share_one_connection(server, neuron_for, model):
    neuron = neuron_for(model)

    for _ in range(5):
        await items_of(neuron)

    assert (len(server.requests), server.connections) == (5, 1)


@pytest.mark.asyncio
@pytest.mark.parametrize("model", ["ok", "429"])
async def test_plain_calls_share_one_connection(server, neuron_for, model):
    neuron = neuron_for(model, stream=False)

    for _ in range(5):
        await asyncio.gather(neuron(QUESTION, []), return_exceptions=True)

    assert (len(server.requests), server.connections) == (5, 1)


@pytest.mark.asyncio
async def test_many_calls_at_once_each_get_their_own_answer(neuron_for):
    neuron = neuron_for()

    answers = await asyncio.gather(
        *(items_of(neuron, {"prompt": f"number {number}"}) for number in range(20))
    )

    assert [items[-1]["response"] for items in answers] == [
        f"echo: number {number}" for number in range(20)
    ]


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("model", "message", "recoverable"),
    [
        ("400", "answered 400: max_tokens is too large", False),
        ("401", "answered 401: Invalid username or password.", False),
        ("404", "answered 404: no such model", False),
        ("429", "answered 429: Rate limit reached", True),
        ("500", "answered 500: The model crashed", True),
        ("503", "answered 503: Model is loading", True),
        ("malformed", 'answered 200 without JSON: {"choices": [{"mess', False),
        ("page", "answered 200 without JSON: <html>Please log in</html>", False),
    ],
)
async def test_a_refusal_keeps_the_status_and_the_providers_words(
    neuron_for, model, message, recoverable
):
    tokens, error = await error_of(neuron_for(model))

    assert tokens == []
    assert (error.code, error.recoverable) == ("PROVIDER_ERROR", recoverable)
    assert error.message == f"huggingface {message}"


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("model", "token_count"),
    [("cut-off", 2), ("ends-early", 1)],
)
async def test_a_stream_that_is_cut_off_says_after_how_many_tokens(neuron_for, model, token_count):
    tokens, error = await error_of(neuron_for(model))

    assert tokens == TOKENS[:token_count]
    assert (error.code, error.recoverable) == ("PROVIDER_UNREACHABLE", True)
    assert f"cut off after {token_count} tokens" in error.message


@pytest.mark.asyncio
async def test_a_plain_answer_that_is_cut_off_may_be_asked_for_again(neuron_for):
    with pytest.raises(NeuronError, match="PROVIDER_UNREACHABLE") as caught:
        await neuron_for("cut-off", stream=False)(QUESTION, [])

    assert caught.value.recoverable


@pytest.mark.asyncio
async def test_nonsense_in_a_stream_is_an_error_after_the_good_tokens(neuron_for):
    tokens, error = await error_of(neuron_for("nonsense-in-stream"))

    assert tokens == TOKENS[:1]
    assert error.code == "PROVIDER_ERROR"
    assert '{"choices": [{"delta"' in error.message


@pytest.mark.asyncio
async def test_a_server_that_ignores_stream_is_understood(neuron_for):
    items = await items_of(neuron_for("plain"))

    text = "".join(TOKENS)
    assert items == [
        text,
        {"response": text, "model": "plain", "finish_reason": "stop", "usage": USAGE},
    ]


@pytest.mark.asyncio
async def test_a_server_that_stays_open_after_the_last_event_is_not_waited_for(neuron_for):
    async with asyncio.timeout(3):
        items = await items_of(neuron_for("stays-open"))

    assert [items[0], items[1]["response"]] == ["all", "all"]


@pytest.mark.asyncio
@pytest.mark.parametrize("stream", [True, False])
async def test_an_answer_without_end_is_refused(server, neuron_for, stream):
    server.tokens = ["x" * 100] * 20

    _, error = await error_of(neuron_for("ok" if stream else "plain", max_answer_bytes=1000))

    assert error.code == "PROVIDER_ERROR"
    assert "huggingface answered more than 1,000 bytes; raise max_answer_bytes" in error.message


@pytest.mark.asyncio
async def test_a_silent_provider_is_given_up(server, neuron_for):
    server.delay_s = 60.0

    tokens, error = await error_of(neuron_for("slow", timeout_s=0.1))

    assert tokens == []
    assert "cut off after 0 tokens: ReadTimeout" in error.message


@pytest.mark.asyncio
async def test_a_port_where_nobody_listens_is_unreachable(neuron_for):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"

        _, error = await error_of(neuron_for(endpoint=url))

    assert (error.code, error.recoverable) == ("PROVIDER_UNREACHABLE", True)
    assert f"huggingface at {url}/v1/chat/completions is unreachable: Connect" in error.message


@pytest.mark.asyncio
async def test_stopping_early_hangs_up(server, neuron_for):
    server.delay_s = 0.01
    server.tokens = ["x"] * 10_000
    tokens = neuron_for("slow")(QUESTION, [])
    await anext(tokens)

    await tokens.aclose()

    assert await asyncio.to_thread(server.aborted.wait, 5)


@pytest.mark.asyncio
async def test_cancelling_hangs_up(server, neuron_for):
    server.delay_s = 0.01
    server.tokens = ["x"] * 10_000
    neuron = neuron_for("slow")
    started = asyncio.Event()

    async def consume():
        async for _ in neuron(QUESTION, []):
            started.set()

    task = asyncio.create_task(consume())
    await started.wait()

    task.cancel()

    assert await asyncio.to_thread(server.aborted.wait, 5)
    assert task.cancelled()


@pytest.mark.asyncio
async def test_bad_input_is_refused_before_anything_is_sent(server, neuron_for):
    _, error = await error_of(neuron_for(), {"override": "x"})
    _, unsendable = await error_of(
        neuron_for(), {"messages": [{"role": "user", "content": [b"x"]}]}
    )

    assert (error.code, unsendable.code) == ("BAD_INPUT", "BAD_INPUT")
    assert server.connections == 0


@pytest.mark.asyncio
@pytest.mark.parametrize("model", ["echo-key", "error-in-stream"])
async def test_the_key_is_never_shown_even_when_the_provider_repeats_it(neuron_for, caplog, model):
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, "cosmonapse")
    neuron = neuron_for(model)

    _, error = await error_of(neuron)

    assert "Bearer ***" in error.message
    assert KEY not in f"{error!r} {error} {neuron!r} {neuron.dialect!r} {caplog.text}"


@pytest.mark.asyncio
async def test_text_generation_is_asked_and_read(server, neuron_for):
    neuron = neuron_for(use_chat_api=False)

    output = await neuron(QUESTION, [])

    assert output == {"response": "".join(TOKENS), "model": "m", "finish_reason": None}
    assert server.requests[0].path == "/models/m"
    assert server.requests[0].json["inputs"] == "What is a Dendrite?"


@pytest.mark.asyncio
async def test_a_closed_neuron_opens_a_new_client_when_it_is_called_again(server, neuron_for):
    neuron = neuron_for()

    await items_of(neuron)
    await neuron.aclose()
    await neuron.aclose()
    await items_of(neuron)

    assert server.connections == 2


@pytest.mark.asyncio
async def test_a_second_event_loop_is_refused_while_the_first_runs(neuron_for):
    neuron = neuron_for(stream=False)
    await neuron(QUESTION, [])

    with pytest.raises(RuntimeError, match="one Neuron per loop"):
        await asyncio.to_thread(asyncio.run, neuron(QUESTION, []))


def test_a_neuron_outlives_the_loop_of_its_first_call(server):
    neuron = Neuron(source="hf", endpoint=server.url, model="m", stream=False)

    async def call_and_close():
        output = await neuron(QUESTION, [])
        await neuron.aclose()
        return output

    assert asyncio.run(call_and_close()) == asyncio.run(call_and_close())
