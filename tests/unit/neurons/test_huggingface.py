"""Hugging Face: where requests go, whose token they carry, and the text-generation API."""

import pytest

from cosmonapse.errors import NeuronError
from cosmonapse.neurons import Neuron
from cosmonapse.neurons.huggingface import generation_url


@pytest.fixture(autouse=True)
def _no_token(monkeypatch):
    monkeypatch.delenv("HF_TOKEN", raising=False)


def dialect(**settings):
    return Neuron(source="hf", **{"endpoint": "http://host", "model": "m", **settings}).dialect


def generation(**settings):
    return dialect(use_chat_api=False, **settings)


def test_both_names_mean_the_same():
    settings = {"endpoint": "http://host", "model": "m"}

    assert Neuron(source="hf", **settings).dialect == Neuron("huggingface", **settings).dialect


def test_the_token_is_the_one_given_or_that_of_the_environment(monkeypatch):
    assert dialect().headers() == {}

    monkeypatch.setenv("HF_TOKEN", "hf_environment")

    assert dialect().headers() == {"authorization": "Bearer hf_environment"}
    assert dialect(api_key="hf_given").headers() == {"authorization": "Bearer hf_given"}
    assert dialect(api_key="").headers() == {}


def test_the_settings_reach_the_body():
    body = dialect(max_new_tokens=7, temperature=0.5, stop="END").body({"prompt": "Why?"})

    assert body["max_tokens"] == 7
    assert body["temperature"] == 0.5
    assert body["stop"] == ["END"]


def test_512_tokens_are_asked_for_unless_told_otherwise():
    assert dialect().body({"prompt": "Why?"})["max_tokens"] == 512


@pytest.mark.parametrize(
    ("endpoint", "model", "url"),
    [
        ("http://host", None, "http://host"),
        ("http://host/", None, "http://host"),
        ("http://host/", "org/m 1", "http://host/models/org/m%201"),
        ("http://host/models/other", "m", "http://host/models/other"),
    ],
)
def test_text_generation_is_at_the_endpoint_or_at_the_model_under_it(endpoint, model, url):
    assert generation_url(endpoint, model) == url


def test_text_generation_gets_one_text_and_its_own_names():
    input = {"prompt": "Why?", "clarification": {"question": "What?", "answer": "All."}}

    assert generation(max_new_tokens=7, stop=["END"]).body(input) == {
        "inputs": "Why?\n\nWhat?\n\nAll.",
        "parameters": {"max_new_tokens": 7, "stop": ["END"], "return_full_text": False},
    }


def test_text_generation_refuses_what_is_not_text():
    with pytest.raises(NeuronError, match=r"BAD_INPUT.*content is a str"):
        generation().body({"messages": [{"role": "user", "content": [{"type": "image"}]}]})


def test_text_generation_never_streams():
    assert not generation(stream=True).stream
    assert generation().reader() is None


@pytest.mark.parametrize("answer", [[{"generated_text": "So."}], {"generated_text": "So."}])
def test_a_generated_text_is_read_in_both_forms(answer):
    assert generation().answer(answer) == {"response": "So.", "model": "m", "finish_reason": None}


@pytest.mark.parametrize(
    ("told", "reason"), [("eos_token", "stop"), ("stop_sequence", "stop"), ("length", "length")]
)
def test_why_a_generated_text_ended_is_in_the_output_where_it_is_told(told, reason):
    output = generation().answer({"generated_text": "So.", "details": {"finish_reason": told}})

    assert output["finish_reason"] == reason


@pytest.mark.parametrize("answer", [[], {}, 7, "text", [7], [{"generated_text": None}]])
def test_an_answer_without_generated_text_is_an_error(answer):
    with pytest.raises(NeuronError, match=r"PROVIDER_ERROR.* without generated_text"):
        generation().answer(answer)


def test_an_error_instead_of_a_generated_text_is_told():
    with pytest.raises(NeuronError, match="with an error: Model is loading"):
        generation().answer({"error": "Model is loading"})
