"""Every manner of a provider, good or bad, over real HTTP: what arrives, and what is an error."""

import asyncio
import itertools
import json

import pytest
import pytest_asyncio

from cosmonapse import NeuronError, RetryStrategy, SignalType
from cosmonapse.neurons import Neuron
from cosmonapse.testing import ChatServer
from cosmonapse.testing.chat_manners import BEHAVIOURS, CHARACTER, CRASH, LARGE_EVENT_CHARS
from cosmonapse.testing.dialects import REFUSAL, TOOL

QUESTION = {"prompt": "What is a Dendrite?"}
TEXT = "echo: What is a Dendrite?"
SOURCES = ["openai", "anthropic"]
each_source = pytest.mark.parametrize("source", SOURCES)
each_way = pytest.mark.parametrize("stream", [True, False], ids=["streamed", "whole"])

WHOLE = {
    "ok": TEXT,
    "sparse": TEXT,
    "reasoning": TEXT,
    "reasoning-content": TEXT,
    "stream-as-json": TEXT,
    "json-as-stream": TEXT,
    "no-done": TEXT,
    "no-blank-line": TEXT,
    "stays-open": "all",
    "length": TEXT,
    "split-character": CHARACTER,
    "split-bytes": CHARACTER,
    "half-character": "\ufffda\ufffd",
}
NO_REASON = ("empty-reason", "done-only", "ends-early", "cut-off")
CRASHES = (
    "error-event",
    "error-event-text",
    "json-in-stream",
    "json-line-in-stream",
    "text-in-stream",
    "json-for-stream",
    "text-for-stream",
)
CUT = ("ok", "sparse", "reasoning", "split-character", "split-bytes", "no-blank-line", "refusal")
UNUSABLE = {
    "filtered": "",
    "filtered-empty": "",
    "refusal": REFUSAL,
    "tool-calls": TOOL,
    "error-reason": "failed in the middle",
}


pytestmark = pytest.mark.usefixtures("direct")


@pytest.fixture(scope="module")
def running():
    with ChatServer() as server:
        yield server


@pytest.fixture
def server(running):
    running.piece_bytes = None
    yield running
    running.piece_bytes = None


@pytest_asyncio.fixture
async def neuron_for(server):
    built = []

    def build(source, model, **settings):
        settings = {"endpoint": server.url, "api_key": "sk-secret", "timeout_s": 5.0, **settings}
        built.append(Neuron(source=source, model=model, **settings))
        return built[-1]

    yield build
    for neuron in built:
        await neuron.aclose()


async def answer_of(neuron, context=None):
    """Return the streamed texts, and the output or the error."""
    texts = []
    try:
        if not neuron.dialect.stream:
            return texts, await neuron(QUESTION, context)
        async for item in neuron(QUESTION, context):
            if isinstance(item, dict):
                return texts, item
            texts.append(item)
    except NeuronError as error:
        return texts, error
    raise AssertionError("the neuron ended without an output")


@pytest.mark.asyncio
@each_source
@pytest.mark.parametrize("manner", WHOLE)
async def test_what_a_provider_may_send_arrives(neuron_for, source, manner):
    texts, output = await answer_of(neuron_for(source, manner))

    assert "".join(texts) == output["response"] == WHOLE[manner]
    expected = "length" if manner in ("length", "no-done") else "stop"
    assert output["finish_reason"] == expected
    json.dumps(output, ensure_ascii=False).encode()


@pytest.mark.asyncio
@each_source
@pytest.mark.parametrize("manner", [*CUT, "done-only", *CRASHES, "nonsense-in-stream"])
async def test_it_is_the_same_wherever_the_bytes_are_cut(server, neuron_for, source, manner):
    neuron = neuron_for(source, manner)
    texts, expected = await answer_of(neuron)

    for size in (1, 3, 7, 64):
        server.piece_bytes = size
        pieces, result = await answer_of(neuron)

        assert (pieces, str(result)) == (texts, str(expected)), size


@pytest.mark.asyncio
@each_source
@pytest.mark.parametrize("manner", ["split-character", "error-event"])
async def test_a_cut_at_every_byte_changes_nothing(server, neuron_for, source, manner):
    neuron = neuron_for(source, manner)
    texts, expected = await answer_of(neuron)

    for size in range(1, 130):
        server.piece_bytes = size
        pieces, result = await answer_of(neuron)

        assert (pieces, str(result)) == (texts, str(expected)), size


@pytest.mark.asyncio
@each_source
@pytest.mark.parametrize("manner", NO_REASON)
async def test_an_end_without_a_reason_is_no_success(neuron_for, source, manner):
    _, error = await answer_of(neuron_for(source, manner))

    assert (error.code, error.recoverable) == ("PROVIDER_UNREACHABLE", True)
    assert f"the answer of {source} was cut off after" in error.message


@pytest.mark.asyncio
@each_source
@pytest.mark.parametrize("manner", CRASHES)
async def test_a_failure_in_any_form_is_an_error_in_the_providers_words(neuron_for, source, manner):
    texts, error = await answer_of(neuron_for(source, manner))

    assert texts == ([] if manner.endswith("for-stream") else ["echo: "])
    assert error.code == "PROVIDER_ERROR"
    assert error.message.endswith(f": {CRASH}")


@pytest.mark.asyncio
@each_source
@each_way
@pytest.mark.parametrize("manner", UNUSABLE)
async def test_an_end_that_is_no_answer_is_never_a_bare_empty_text(
    neuron_for, source, stream, manner
):
    _, error = await answer_of(neuron_for(source, manner, stream=stream))

    assert error.code == "PROVIDER_ERROR"
    assert error.recoverable is (manner == "error-reason")
    assert UNUSABLE[manner] in error.message


@pytest.mark.asyncio
@each_source
@each_way
async def test_the_length_is_visible_under_one_name(neuron_for, source, stream):
    _, output = await answer_of(neuron_for(source, "length", stream=stream))

    assert output["finish_reason"] == "length"
    native = {"openai": None, "anthropic": "max_tokens"}[source]
    assert output.get("native_finish_reason") == native


@pytest.mark.asyncio
@each_source
@pytest.mark.parametrize("manner", ["stream-as-json", "json-as-stream"])
@each_way
async def test_the_bytes_decide_what_it_is_and_not_the_header(neuron_for, source, manner, stream):
    _, output = await answer_of(neuron_for(source, manner, stream=stream))

    assert (output["response"], output["finish_reason"]) == (TEXT, "stop")


@pytest.mark.asyncio
@each_source
async def test_a_stream_that_stays_open_after_its_reason_is_not_waited_for(neuron_for, source):
    neuron = neuron_for(source, "stays-open-without-done", timeout_s=60.0)

    async with asyncio.timeout(30):
        texts, output = await answer_of(neuron)

    assert (texts, output["response"]) == (["all"], "all")


@pytest.mark.asyncio
@each_source
async def test_an_event_of_several_mib_arrives_up_to_the_setting(server, neuron_for, source):
    texts, output = await answer_of(neuron_for(source, "large-event"))
    _, refused = await answer_of(neuron_for(source, "large-event", max_answer_bytes=1 << 20))

    assert len(output["response"]) == len(texts[0]) == LARGE_EVENT_CHARS
    assert "more than 1,048,576 bytes; raise max_answer_bytes" in refused.message


@pytest.mark.asyncio
@each_source
@pytest.mark.parametrize("manner", ["reasoning", "reasoning-content"])
async def test_reasoning_streams_as_marked_thoughts_beside_the_response(
    cosmo_fabric, neuron_for, source, manner
):
    await cosmo_fabric.worker(neuron_for(source, manner), neuron_id="chat")
    caller = await cosmo_fabric.dendrite()

    async with await caller.dispatch(neuron="chat", input=QUESTION) as pathway:
        signals = [signal async for signal in pathway]
        texts = [text async for text in pathway.thoughts()]

    thoughts = [each.payload for each in signals if each.type is SignalType.THOUGHT_DELTA]
    marked = [each["delta"] for each in thoughts if each.get("kind") == "reasoning"]
    assert marked == ["Hm, ", "so.", " Done."]
    assert [each["seq"] for each in thoughts] == list(range(len(thoughts)))
    assert "".join(texts) == signals[-1].output["response"] == TEXT
    assert "reasoning" not in signals[-1].output


@pytest.mark.asyncio
@each_source
async def test_without_streaming_the_reasoning_is_in_the_output(neuron_for, source):
    _, output = await answer_of(neuron_for(source, "reasoning", stream=False))

    assert (output["response"], output["reasoning"]) == (TEXT, "Hm, so.")


@pytest.mark.asyncio
@each_source
async def test_an_answer_in_one_piece_to_a_streamed_request_has_its_reasoning_too(
    server, neuron_for, source
):
    thoughts = []

    class Context(list):
        async def think(self, text, *, kind=None):
            thoughts.append((text, kind))

    neuron = neuron_for(source, "json-reasoning")
    texts, output = await answer_of(neuron, Context())

    assert thoughts == [("Hm, so.", "reasoning")]
    assert ("".join(texts), output["response"]) == (TEXT, TEXT)
    assert "reasoning" not in output


@pytest.mark.asyncio
@each_source
async def test_a_redirect_names_its_target_without_secrets(neuron_for, source):
    _, error = await answer_of(neuron_for(source, "redirect"))

    assert "answered 307, a redirect to https://elsewhere.example/v1/" in error.message
    assert "set endpoint" in error.message
    assert "secret" not in error.message


@pytest.mark.asyncio
@each_source
@each_way
@pytest.mark.parametrize("manner", ["429", "429-date"])
async def test_the_wait_that_a_provider_asks_for_is_shown(
    server, neuron_for, monkeypatch, source, stream, manner
):
    monkeypatch.setattr(server, "retry_after_s", 30)

    _, error = await answer_of(neuron_for(source, manner, stream=stream))

    assert error.recoverable
    assert 20.0 <= error.retry_after_s <= 30.0  # a date has whole seconds
    assert error.retry_after_s == 30.0 or manner == "429-date"


@pytest.mark.asyncio
@pytest.mark.parametrize("manner", ["429", "429-date"])
async def test_a_retry_waits_as_long_as_the_provider_asks(cosmo_fabric, neuron_for, manner):
    pauses = []
    with ChatServer(retry_after_s=2).behaves(manner) as limited:
        await cosmo_fabric.worker(neuron_for("openai", "m", endpoint=limited.url), neuron_id="chat")
        caller = await cosmo_fabric.dendrite()

        reply = await caller.dispatch_and_wait(
            neuron="chat",
            input=QUESTION,
            retry=RetryStrategy(
                max_attempts=2, backoff=0, on_retry=lambda *facts: pauses.append(facts)
            ),
        )

    ((attempt, outcome, pause_s),) = pauses
    assert (attempt, reply.output["response"]) == (1, TEXT)
    assert pause_s == outcome.payload["retry_after_s"]
    assert 0.0 <= pause_s <= 2.0  # a date has whole seconds, and one may pass while it is written
    assert pause_s == 2.0 or manner == "429-date"


@pytest.mark.asyncio
async def test_a_provider_that_asks_for_too_long_a_wait_is_not_asked_again(
    cosmo_fabric, neuron_for
):
    with ChatServer("429", retry_after_s=3600) as limited:
        await cosmo_fabric.worker(neuron_for("openai", "m", endpoint=limited.url), neuron_id="chat")
        caller = await cosmo_fabric.dendrite()

        with pytest.raises(NeuronError) as caught:
            await caller.ask(neuron="chat", input=QUESTION, timeout_s=20, retry=RetryStrategy())

    assert caught.value.retry_after_s == 3600.0
    assert len(limited.requests) == 1


def test_every_manner_is_tried():
    tried = set(itertools.chain(WHOLE, NO_REASON, CRASHES, UNUSABLE))
    elsewhere = {"slow", "plain", "strict", "nonsense-in-stream", "malformed", "page", "echo-key"}
    alone = {"large-event", "stays-open-without-done", "redirect", "error-in-stream"}
    alone |= {"429-date", "json-reasoning", "tool-loop", "tool-loop-varied"}
    statuses = {name for name in BEHAVIOURS if name.isdigit()}

    assert tried | elsewhere | alone | statuses == set(BEHAVIOURS)
