"""What all answers have in common: outputs, contents in parts, and the reading of events."""

import json
from typing import ClassVar

import attrs
import pytest

from cosmonapse.errors import NeuronError
from cosmonapse.neurons.answers import Answer, AnswerReader, Piece, output_of, text_of
from cosmonapse.neurons.faults import Faults
from cosmonapse.neurons.settings import ApiKey
from cosmonapse.neurons.sse import ServerEvent

FAULTS = Faults("vendor", ApiKey("sesame"))


@attrs.define
class WordReader(AnswerReader):
    """Takes events such as `{"word": "So"}`."""

    expected: ClassVar[str] = "a word"

    def _take(self, document):
        return Answer(text=text_of(document["word"]), reason=document.get("reason"))


def reader():
    return WordReader(faults=FAULTS, model="m")


def fed(words, *events):
    return [piece.text for event in events for piece in words.feed(ServerEvent(event))]


@pytest.mark.parametrize("usage", [None, 7, [], "many"])
def test_an_output_has_usage_only_when_it_was_told(usage):
    answer = Answer(text="So.", model="m", reason="stop", usage=usage)
    told = answer._replace(usage={"n": 1})

    assert output_of(answer, FAULTS) == {"response": "So.", "model": "m", "finish_reason": "stop"}
    assert output_of(told, FAULTS)["usage"] == {"n": 1}


def test_an_output_holds_valid_unicode_alone():
    half = "\ud83d"
    answer = Answer(text=half, reasoning=half, model=half, usage={half: [half]}, reason="stop")

    json.dumps(output_of(answer, FAULTS), ensure_ascii=False).encode()


def test_a_model_that_is_no_text_is_none():
    assert output_of(Answer(text="So.", model=["m"]), FAULTS)["model"] is None


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("So.", "So."),
        (None, ""),
        ([], ""),
        ([{"type": "text", "text": "S"}, {"type": "x"}, {"type": "text", "text": "o"}], "So"),
    ],
)
def test_the_text_of_a_content_is_all_its_text(content, text):
    assert text_of(content) == text


def test_a_content_of_another_form_is_refused():
    with pytest.raises(TypeError, match="int"):
        text_of(7)


def test_what_was_read_is_the_output():
    words = reader()

    tokens = fed(words, '{"word": "S"}', " ", '{"word": ""}', '{"word": "o", "reason": "stop"}')

    assert tokens == ["S", "o"]
    assert (words.piece_count, words.ended, words.complete) == (2, False, True)
    assert words.output() == {"response": "So", "model": "m", "finish_reason": "stop"}


def test_nothing_is_read_after_the_end_and_the_end_alone_completes_nothing():
    words = reader()

    assert fed(words, "[DONE]", '{"word": "late"}') == []
    assert (words.piece_count, words.ended, words.complete) == (0, True, False)


def test_halves_of_a_character_are_joined_and_one_that_stays_alone_is_replaced():
    words = reader()

    tokens = fed(words, r'{"word": "a\ud83d"}', r'{"word": "\udc0e"}', r'{"word": "b\ud83d"}')

    assert tokens == ["a", "🐎", "b"]
    assert words.end() == [Piece("\ufffd")]
    assert words.output()["response"] == "a🐎b\ufffd"


@pytest.mark.parametrize("event", ["broken", '{"message": "broken"}', '{"error": "broken"}'])
def test_an_event_that_is_called_an_error_is_one(event):
    with pytest.raises(NeuronError, match="vendor answered 200 with an error: broken"):
        reader().feed(ServerEvent(event, "error"))


@pytest.mark.parametrize("event", ["nonsense", "7", "{}", '{"word": 7}', '{"word": "sesame"'])
def test_an_event_of_another_form_is_shown_without_the_key(event):
    with pytest.raises(
        NeuronError, match="vendor answered 200 without a word in an event"
    ) as caught:
        reader().feed(ServerEvent(event))

    assert (caught.value.code, caught.value.recoverable) == ("PROVIDER_ERROR", False)
    assert "sesame" not in caught.value.message
