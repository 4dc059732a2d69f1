"""Settings: wrong ones die at birth, secret ones are not shown."""

import subprocess
import sys

import pytest

from cosmonapse.errors import MissingExtra
from cosmonapse.neurons import Neuron
from cosmonapse.neurons.settings import ApiKey, as_patterns

ENDPOINT = "http://host"


def test_an_unknown_source_is_refused_with_the_known_ones():
    with pytest.raises(
        ValueError, match="unknown source 'opnai'; the known ones are anthropic, groq, hf, hugg"
    ):
        Neuron(source="opnai")


def test_an_unknown_setting_is_refused_with_the_accepted_ones():
    with pytest.raises(
        TypeError, match=r"'modle'; its arguments are endpoint \(required\), api_key, max_"
    ):
        Neuron(source="hf", endpoint=ENDPOINT, modle="m")


def test_a_missing_setting_is_named():
    with pytest.raises(TypeError, match="missing a required argument: 'endpoint'; its arguments"):
        Neuron(source="hf", model="m")


@pytest.mark.parametrize(
    ("settings", "what"),
    [
        ({"endpoint": None}, "endpoint must be str and is a NoneType"),
        ({"model": 7}, "model must be str or None and is a int"),
        ({"use_chat_api": "no"}, "use_chat_api must be bool"),
        ({"api_key": b"sesame"}, "api_key must be str or None and is a bytes"),
        ({"max_new_tokens": "5"}, "max_new_tokens must be int"),
        ({"max_new_tokens": True}, "max_new_tokens must be int"),
        ({"temperature": "hot"}, "temperature must be int or float"),
        ({"stop": [7]}, "stop must be a str or a list of str"),
        ({"stream": None}, "stream must be bool"),
        ({"timeout_s": "60"}, "timeout_s must be int or float"),
    ],
)
def test_a_setting_of_the_wrong_type_is_refused(settings, what):
    with pytest.raises(TypeError, match=f"^{what}"):
        Neuron(source="hf", **{"endpoint": ENDPOINT, **settings})


@pytest.mark.parametrize(
    "settings",
    [
        {"max_new_tokens": 0},
        {"temperature": -0.1},
        {"temperature": float("nan")},
        {"timeout_s": 0},
        {"endpoint": ""},
        {"endpoint": "host:80"},
        {"endpoint": "ftp://host"},
        {"endpoint": "http://"},
        {"endpoint": "http://host:99999"},
        {"endpoint": "http://[::1"},
        {"endpoint": "http://ho st"},
    ],
)
def test_a_setting_out_of_range_is_refused(settings):
    with pytest.raises(ValueError, match=next(iter(settings))):
        Neuron(source="hf", **{"endpoint": ENDPOINT, **settings})


@pytest.mark.parametrize(
    "settings",
    [
        {"endpoint": "http://user:sesame@host"},
        {"endpoint": "http://host?key=sesame"},
        {"api_key": "sesame\nsesame"},
        {"api_key": "sésame"},
    ],
)
def test_a_refused_setting_is_not_shown(settings):
    with pytest.raises(ValueError, match="api_key") as caught:
        Neuron(source="hf", **{"endpoint": ENDPOINT, **settings})

    assert "same" not in str(caught.value)


def test_white_space_around_a_key_is_cut_off():
    assert ApiKey(" sesame\n").bearer() == {"authorization": "Bearer sesame"}


def test_a_key_is_sent_in_the_header_that_is_asked_for():
    assert ApiKey("sesame").header("x-api-key") == {"x-api-key": "sesame"}


def test_no_key_is_no_header_and_masks_nothing():
    assert not ApiKey("")
    assert ApiKey("").bearer() == ApiKey("").header("x-api-key") == {}
    assert ApiKey("").mask("text") == "text"


def test_a_neuron_and_a_key_do_not_show_the_key():
    neuron = Neuron(source="hf", endpoint="http://host/v1", model="m", api_key="sesame")

    url = "http://host/v1/chat/completions"
    assert repr(ApiKey("sesame")) == "ApiKey(***)"
    assert repr(neuron) == f"Neuron(source='huggingface', url='{url}', model='m', stream=True)"


def test_without_httpx_building_a_neuron_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "httpx", None)
    for module in ("provider", "vendor", "huggingface"):
        monkeypatch.delitem(sys.modules, f"cosmonapse.neurons.{module}", raising=False)

    with pytest.raises(MissingExtra, match=r"httpx .* cannot be imported.*\[llm\]"):
        Neuron(source="hf", endpoint=ENDPOINT)


def test_importing_the_package_does_not_import_httpx():
    script = "import sys, cosmonapse.neurons; sys.exit('httpx' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


def test_patterns_are_one_or_several_texts_that_can_match_an_id():
    assert as_patterns("fs.*") == ("fs.*",)
    assert as_patterns(["a", "b?"]) == ("a", "b?")
    assert as_patterns(None) == ()
    with pytest.raises(TypeError, match="tools must be a str or a list of str, not a int"):
        as_patterns(3)
    with pytest.raises(TypeError, match="tools must hold only str, not a int"):
        as_patterns([3])
    with pytest.raises(ValueError, match=r"patterns such as 'fs\.\*', not 'fs/\*'"):
        as_patterns(["fs/*"])
