"""The OpenAI-compatible face of a gateway, by OpenAI's own client in Python."""

import asyncio
import contextlib
import json
import signal
from collections import Counter

import openai
import pytest

from cosmonapse import Axon, Dendrite, Neuron, synapse_from_url
from house.pages import blocks_of_section
from support.gateways import serving
from support.openai_neurons import TOOL_CALL, ChatNeurons

pytestmark = pytest.mark.usefixtures("direct")


@pytest.fixture(scope="module")
def neurons():
    return ChatNeurons()


@pytest.fixture(scope="module")
def gateway(url, neurons):
    with serving(url, *neurons.axons(), flags=["--openai"]) as running:
        yield running


@pytest.fixture(scope="module")
def client(gateway):
    """The client as a user makes it: with its own two retries."""
    with openai.OpenAI(base_url=f"{gateway.base_url}/v1", api_key=gateway.token) as made:
        yield made


def ask(client, text, model="chat", **settings):
    messages = [{"role": "user", "content": text}]
    return client.chat.completions.create(model=model, messages=messages, **settings)


def text_of(stream):
    return "".join(choice.delta.content or "" for chunk in stream for choice in chunk.choices)


# -- models ---------------------------------------------------------------------------------------


def test_the_models_are_the_neurons_and_their_capabilities(client):
    models = {model.id: model for model in client.models.list()}

    capabilities = {"capability:talk", "capability:write", "capability:talk+write"}
    assert set(models) == {"chat", "plain", "town", "book"} | capabilities
    assert models["chat"].owned_by == "cosmonapse"
    assert models["chat"].description == "Does what it is asked for"


@pytest.mark.parametrize("name", ["chat", "capability:talk", "capability:write+talk"])
def test_a_model_is_found_by_its_name(client, name):
    assert client.models.retrieve(name).id == name


@pytest.mark.parametrize("name", ["nobody", "capability:sing", "capability:", "a/b:c"])
def test_a_name_without_a_neuron_is_not_found(client, name):
    with pytest.raises(openai.NotFoundError) as caught:
        client.models.retrieve(name)

    assert caught.value.code == "model_not_found"


# -- answers --------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", ["chat", "capability:talk", "capability:talk+write"])
def test_a_plain_answer_has_the_text_of_the_output(client, model):
    answer = ask(client, "hello", model)

    assert answer.choices[0].message.content == "You said: hello"
    assert answer.choices[0].finish_reason == "stop"
    assert answer.model == model
    assert answer._request_id.startswith("trc_")
    assert answer.id.startswith("chatcmpl-")


def test_usage_and_end_are_those_of_the_neuron(client):
    answer = ask(client, "counted")

    assert answer.choices[0].finish_reason == "length"
    assert (answer.usage.prompt_tokens, answer.usage.total_tokens) == (3, 5)


def test_a_stream_has_the_texts_the_end_and_the_usage(client):
    chunks = list(ask(client, "counted", stream=True, stream_options={"include_usage": True}))

    assert text_of(chunks) == "Hello, world"
    assert [chunk.choices[0].finish_reason for chunk in chunks[:-1]][-1] == "length"
    assert chunks[-1].choices == []
    assert chunks[-1].usage.completion_tokens == 2


def test_a_stream_without_the_option_has_no_usage(client):
    chunks = list(ask(client, "counted", stream=True))

    assert all(chunk.usage is None and chunk.choices for chunk in chunks)


def test_many_texts_arrive_whole_and_in_order(client):
    assert text_of(ask(client, "many", stream=True)) == "".join(f"{at} " for at in range(200))


def test_reasoning_is_streamed_beside_the_content(client):
    chunks = list(ask(client, "reasons", stream=True))
    deltas = [chunk.choices[0].delta for chunk in chunks]

    assert "".join(getattr(delta, "reasoning_content", None) or "" for delta in deltas) == "because"
    assert text_of(chunks) == "therefore"


@pytest.mark.parametrize("stream", [False, True])
def test_tool_calls_pass_through(client, stream):
    answer = ask(client, "calls", stream=stream)
    chunks = list(answer) if stream else []
    choice = chunks[-2].choices[0] if stream else answer.choices[0]
    reason = chunks[-1].choices[0].finish_reason if stream else choice.finish_reason
    call = (choice.delta if stream else choice.message).tool_calls[0]

    assert reason == "tool_calls"
    assert (call.id, call.function.name) == ("c1", "add")
    assert call.function.arguments == TOOL_CALL["function"]["arguments"]


def test_what_a_client_asks_for_reaches_the_neuron(client):
    parts = [{"type": "text", "text": "shows"}]
    messages = [{"role": "system", "content": parts}, {"role": "user", "content": "shows"}]
    options = {"temperature": 0.5, "max_completion_tokens": 7, "stop": ["x"], "seed": 1}
    answer = client.chat.completions.create(
        model="chat", messages=messages, user="zoe", store=False, **options
    )

    assert json.loads(answer.choices[0].message.content)["seen"] == {
        "messages": messages,
        **options,
    }


@pytest.mark.parametrize(
    ("model", "text", "seen"),
    [
        ("plain", "hi", {"prompt": "hi"}),
        ("town", "Oslo", {"city": "Oslo"}),
        ("book", '{"city": "Oslo", "nights": 2}', {"city": "Oslo", "nights": 2}),
    ],
)
def test_a_neuron_with_another_schema_gets_the_last_text(client, model, text, seen):
    messages = [
        {"role": "system", "content": "be brief"},
        {"role": "user", "content": "before"},
        {"role": "assistant", "content": "yes?"},
        {"role": "user", "content": [{"type": "text", "text": text}]},
    ]
    answer = client.chat.completions.create(model=model, messages=messages, temperature=0)

    assert json.loads(answer.choices[0].message.content) == seen


@pytest.mark.parametrize("stream", [False, True])
def test_a_question_is_the_text_of_the_assistant(client, stream):
    answer = ask(client, "asks", stream=stream)

    if stream:
        assert text_of(answer) == "Which one?"
    else:
        assert answer.choices[0].message.content == "Which one?"
        assert answer.choices[0].finish_reason == "stop"


# -- errors ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("text", "error", "status", "code", "param"),
    [
        ("fails", openai.InternalServerError, 502, "NO_GOOD", None),
        ("bad input", openai.BadRequestError, 400, "BAD_INPUT", "messages[0].content"),
        ("asks leave", openai.ConflictError, 409, "PERMISSION", None),
    ],
)
def test_a_failure_is_a_typed_error_and_runs_once(
    client, neurons, text, error, status, code, param, stream
):
    before = neurons.runs[text]
    with pytest.raises(error) as caught:
        ask(client, text, stream=stream)

    assert (caught.value.status_code, caught.value.code) == (status, code)
    assert caught.value.param == param
    assert caught.value.request_id.startswith("trc_")
    assert neurons.runs[text] == before + 1


def test_a_task_that_takes_too_long_runs_once(client, neurons):
    with pytest.raises(openai.InternalServerError) as caught:
        ask(client, "held: too long", extra_headers={"x-timeout-s": "0.4"})

    assert (caught.value.status_code, caught.value.code) == (504, "EXPIRED")
    assert neurons.runs["held: too long"] == 1
    neurons.wait_until(lambda it: not it.running)


def test_what_may_succeed_later_is_sent_again_by_the_client(client, neurons):
    with pytest.raises(openai.InternalServerError) as caught:
        ask(client, "overloaded")

    assert caught.value.status_code == 503
    assert caught.value.response.headers["retry-after"] == "1"
    assert neurons.runs["overloaded"] == 3


@pytest.mark.parametrize("model", ["nobody", "capability:sing", "gpt 4"])
@pytest.mark.parametrize("stream", [False, True])
def test_a_model_that_does_not_exist_is_404(client, model, stream):
    with pytest.raises(openai.NotFoundError) as caught:
        ask(client, "hello", model, stream=stream)

    assert (caught.value.code, caught.value.param) == ("model_not_found", "model")


@pytest.mark.parametrize(
    ("settings", "param"),
    [
        ({"n": 2}, "n"),
        ({"logprobs": True}, "logprobs"),
        ({"extra_headers": {"x-timeout-s": "a"}}, "x-timeout-s"),
    ],
)
def test_what_no_neuron_can_do_is_refused_by_name(client, neurons, settings, param):
    with pytest.raises(openai.BadRequestError) as caught:
        ask(client, "refused", **settings)

    assert caught.value.param == param
    assert not neurons.runs["refused"]


def test_a_text_for_a_neuron_of_other_values_says_what_it_takes(client):
    with pytest.raises(openai.BadRequestError, match="takes no chat but city, nights"):
        ask(client, "two nights in Oslo", "book")


def test_a_wrong_token_is_an_authentication_error(client):
    with pytest.raises(openai.AuthenticationError) as caught:
        client.with_options(api_key="wrong").models.list()

    assert caught.value.code == "invalid_api_key"


def test_what_the_gateway_does_not_serve_is_named(client):
    with pytest.raises(openai.NotFoundError, match="does not serve POST /v1/embeddings"):
        client.embeddings.create(model="chat", input="a")


def test_a_base_url_without_its_end_is_named_with_it(client, gateway):
    wrong = client.with_options(base_url=gateway.base_url)
    with pytest.raises(
        openai.NotFoundError, match=f"base URL of a client is {gateway.base_url}/v1"
    ):
        ask(wrong, "hello")
    with pytest.raises(openai.NotFoundError, match="is below /v1"):
        wrong.models.list()


@pytest.mark.parametrize(
    ("path", "status", "text"),
    [
        ("/v1", 404, "does not serve OPTIONS /v1: of OpenAI's API it has"),
        ("/v1/models", 405, "/v1/models takes GET, not OPTIONS"),
        ("/models", 404, "is below /v1"),
    ],
)
def test_a_probe_of_a_path_has_the_form_of_openai(gateway, path, status, text):
    with gateway.client() as client:
        answer = client.options(path)

    assert answer.status_code == status
    assert text in answer.json()["error"]["message"]


def test_a_slash_at_the_end_of_a_path_asks_the_same(gateway):
    messages = [{"role": "user", "content": "hello"}]
    with gateway.client() as client:
        listed = client.get("/v1/models/")
        said = client.post("/v1/chat/completions/", json={"model": "chat", "messages": messages})

    assert listed.json()["object"] == "list"
    assert said.json()["choices"][0]["message"]["content"] == "You said: hello"


def test_a_failure_in_the_middle_of_a_stream_raises_in_the_client(client, neurons):
    stream = ask(client, "fails late", stream=True)

    with pytest.raises(openai.APIError, match="it went wrong half way") as caught:
        text_of(stream)

    assert caught.value.code == "NO_GOOD"
    assert neurons.runs["fails late"] == 1


# -- hanging up -----------------------------------------------------------------------------------


@pytest.mark.parametrize("stream", [False, True])
def test_a_client_that_leaves_before_the_first_token_cancels(client, neurons, stream):
    text = f"held: {stream}"
    with contextlib.suppress(openai.APITimeoutError), contextlib.ExitStack() as left:
        answer = ask(client.with_options(timeout=0.5, max_retries=0), text, stream=stream)
        left.enter_context(answer)
        neurons.wait_until(lambda it: it.running)

    neurons.wait_until(lambda it: not it.running)
    assert neurons.runs[text] == 1


def test_a_client_that_leaves_in_the_middle_cancels(client, neurons):
    with ask(client, "one and held", stream=True) as stream:
        while not next(stream).choices[0].delta.content:
            pass

    neurons.wait_until(lambda it: not it.running)
    assert neurons.runs["one and held"] == 1


# -- many streams, the end of the gateway, and our own client --------------------------------------


def test_of_many_streams_those_that_hang_up_leave_nothing_running(gateway, neurons):
    async def one(client, at):
        text = "one and held: a" if at % 5 == 0 else "many"
        messages = [{"role": "user", "content": text}]
        stream = await client.chat.completions.create(model="chat", messages=messages, stream=True)
        said = ""
        async for chunk in stream:
            said += chunk.choices[0].delta.content or ""
            if said == "one":
                await stream.close()
                return text
        return len(said.split())

    async def all_of_them():
        # Its own limit for a connection is 5 s, too little for 40 at once on a busy machine.
        settings = {"base_url": f"{gateway.base_url}/v1", "timeout": 120.0}
        async with openai.AsyncOpenAI(**settings, api_key=gateway.token) as client:
            return await asyncio.gather(*(one(client, at) for at in range(40)))

    ended = asyncio.run(all_of_them())

    assert Counter(ended) == {"one and held: a": 8, 200: 32}
    neurons.wait_until(lambda it: not it.running)


@pytest.mark.asyncio
async def test_our_own_neuron_of_openai_asks_through_a_gateway(gateway):
    settings = {"endpoint": gateway.base_url, "api_key": gateway.token, "stream": True}
    neuron = Neuron(source="openai", model="chat", **settings)
    async with Dendrite(
        synapse=synapse_from_url(gateway.url), namespace=gateway.namespace, dendrite_id="second"
    ) as other:
        await other.add_axon(Axon(neuron_id="second", neuron_fn=neuron))
        output = (
            await other.dispatch_and_wait(neuron="second", input={"prompt": "counted"})
        ).output
        await neuron.aclose()

    assert (output["response"], output["finish_reason"]) == ("Hello, world", "length")
    assert output["usage"]["total_tokens"] == 5


def test_the_end_of_a_gateway_ends_a_stream_with_an_error(url):
    neurons = ChatNeurons()
    with serving(url, *neurons.axons(), flags=["--openai"]) as gateway:
        base_url = f"{gateway.base_url}/v1"
        with openai.OpenAI(base_url=base_url, api_key=gateway.token) as client:
            stream = ask(client, "one and held", stream=True)
            neurons.wait_until(lambda it: it.running)
            gateway.process.send(signal.SIGTERM)
            with pytest.raises(openai.APIError) as caught:
                text_of(stream)
        neurons.wait_until(lambda it: not it.running)

    assert caught.value.code == "NOT_READY"


def test_the_program_on_the_page_lists_models_and_streams(gateway, monkeypatch, capsys):
    monkeypatch.setenv("COSMO_TOKEN", gateway.token)
    (program,) = blocks_of_section("gateways.md", "OpenAI", "python")

    exec(compile(program.replace("http://127.0.0.1:8080", gateway.base_url), "page", "exec"), {})

    assert capsys.readouterr().out.endswith("'town']\nYou said: hello")
