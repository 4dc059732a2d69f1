"""What all answers have in common: outputs, contents in parts, and the reading of events."""

from typing import ClassVar

import attrs
import pytest

from cosmonapse.errors import NeuronError
from cosmonapse.neurons.answers import AnswerReader, output_of, text_of
from cosmonapse.neurons.faults import Faults
from cosmonapse.neurons.settings import ApiKey


@attrs.define
class WordReader(AnswerReader):
    """Takes events such as `{"word": "So"}`."""

    expected: ClassVar[str] = "a word"

    def _take(self, document):
        return document["word"]


def reader():
    return WordReader(faults=Faults("vendor", ApiKey("sesame")), model="m")


@pytest.mark.parametrize("usage", [None, 7, [], "many"])
def test_an_output_has_usage_only_when_it_was_told(usage):
    assert output_of("So.", "m", usage) == {"response": "So.", "model": "m"}
    assert output_of("So.", "m", {"n": 1})["usage"] == {"n": 1}


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("So.", "So."),
        (None, ""),
        ([], ""),
        ([{"type": "text", "text": "S"}, {"type": "x"}, {"type": "text", "text": "o"}], "So"),
        (7, 7),
    ],
)
def test_the_text_of_a_content_is_all_its_text(content, text):
    assert text_of(content) == text


def test_what_was_read_is_the_output():
    words = reader()

    tokens = [
        words.feed(event) for event in ['{"word": "S"}', " ", '{"word": ""}', '{"word": "o"}']
    ]

    assert tokens == ["S", "", "", "o"]
    assert (words.token_count, words.ended, words.complete) == (2, False, False)
    assert words.output() == {"response": "So", "model": "m"}


def test_nothing_is_read_after_the_end():
    words = reader()

    assert [words.feed("[DONE]"), words.feed('{"word": "late"}')] == ["", ""]
    assert (words.token_count, words.ended, words.complete) == (0, True, True)


@pytest.mark.parametrize("event", ["nonsense", "7", "{}", '{"word": 7}', '{"word": "sesame"'])
def test_an_event_of_another_form_is_shown_without_the_key(event):
    with pytest.raises(
        NeuronError, match="vendor answered 200 without a word in an event"
    ) as caught:
        reader().feed(event)

    assert (caught.value.code, caught.value.recoverable) == ("PROVIDER_ERROR", False)
    assert "sesame" not in caught.value.message
