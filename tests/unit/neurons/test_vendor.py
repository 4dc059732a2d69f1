"""The table of vendors: where each is asked, by what names, and with whose key."""

import pytest

from cosmonapse.neurons import Neuron

CHAT = "/v1/chat/completions"
URLS = {
    "openai": f"https://api.openai.com{CHAT}",
    "anthropic": "https://api.anthropic.com/v1/messages",
    "ollama": f"http://localhost:11434{CHAT}",
    "groq": f"https://api.groq.com/openai{CHAT}",
    "openrouter": f"https://openrouter.ai/api{CHAT}",
    "together": f"https://api.together.xyz{CHAT}",
    "mistral": f"https://api.mistral.ai{CHAT}",
}
VARIABLES = {
    "openai": "OPENAI_API_KEY",
    "anthropic": "ANTHROPIC_API_KEY",
    "groq": "GROQ_API_KEY",
    "openrouter": "OPENROUTER_API_KEY",
    "together": "TOGETHER_API_KEY",
    "mistral": "MISTRAL_API_KEY",
}
NEWER_NAME = {"openai", "groq"}
SILENT_ABOUT_USAGE = URLS.keys() - {"mistral", "anthropic"}


@pytest.fixture(autouse=True)
def _no_keys(monkeypatch):
    for variable in VARIABLES.values():
        monkeypatch.delenv(variable, raising=False)


def dialect(source, **settings):
    return Neuron(source=source, **{"model": "m", "api_key": "sesame", **settings}).dialect


def key_header(source, key):
    return {"x-api-key": key} if source == "anthropic" else {"authorization": f"Bearer {key}"}


@pytest.mark.parametrize(("source", "url"), URLS.items())
def test_each_vendor_is_asked_at_its_own_place_or_where_told(source, url):
    path = url[url.index("/v1/") :]

    assert dialect(source).url == url
    assert dialect(source, endpoint="http://host/v1").url == f"http://host{path}"


@pytest.mark.parametrize(("source", "variable"), VARIABLES.items())
def test_the_key_is_the_one_given_or_that_of_the_environment(monkeypatch, source, variable):
    monkeypatch.setenv(variable, "from-the-environment")

    given = dialect(source).headers()
    found = dialect(source, api_key=None).headers()

    assert given.items() >= key_header(source, "sesame").items()
    assert found.items() >= key_header(source, "from-the-environment").items()


@pytest.mark.parametrize("api_key", [None, "", " \n"])
@pytest.mark.parametrize(("source", "variable"), VARIABLES.items())
def test_a_missing_key_is_an_error_that_says_where_to_put_it(source, variable, api_key):
    with pytest.raises(ValueError, match=f"'{source}'.* set api_key, or .* {variable}$"):
        Neuron(source=source, model="m", api_key=api_key)


def test_ollama_needs_no_key_and_sends_one_that_is_set():
    assert dialect("ollama", api_key=None).headers() == {}
    assert dialect("ollama").headers() == {"authorization": "Bearer sesame"}


@pytest.mark.parametrize("source", URLS)
def test_the_settings_reach_the_body_by_the_vendors_names(source):
    body = dialect(source, temperature=0.5, stop="END").body({"prompt": "Why?"})

    most = "max_completion_tokens" if source in NEWER_NAME else "max_tokens"
    stop = "stop_sequences" if source == "anthropic" else "stop"
    usage = {"stream_options": {"include_usage": True}} if source in SILENT_ABOUT_USAGE else {}
    assert body == {
        "model": "m",
        "messages": [{"role": "user", "content": "Why?"}],
        most: 512,
        "temperature": 0.5,
        stop: ["END"],
        "stream": True,
        **usage,
    }


@pytest.mark.parametrize("source", URLS)
def test_a_model_is_required(source):
    with pytest.raises(
        TypeError, match=r"argument: 'model'; its arguments are model \(required\), api_key"
    ):
        Neuron(source=source, api_key="sesame")
    with pytest.raises(ValueError, match="model"):
        dialect(source, model="")


@pytest.mark.parametrize("source", URLS)
def test_a_wrong_setting_is_refused(source):
    with pytest.raises(TypeError, match=r"^model must be str and is a NoneType"):
        dialect(source, model=None)
    with pytest.raises(ValueError, match="endpoint must be a URL"):
        dialect(source, endpoint="host")


@pytest.mark.parametrize("source", URLS)
def test_neither_a_neuron_nor_its_settings_show_the_key(source):
    neuron = Neuron(source=source, model="m", api_key="sesame")

    assert (
        repr(neuron) == f"Neuron(source='{source}', url='{URLS[source]}', model='m', stream=True)"
    )
    assert "sesame" not in repr(neuron.dialect)
