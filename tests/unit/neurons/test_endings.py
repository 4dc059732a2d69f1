"""Why an answer ended, in one word for all providers."""

import pytest

from cosmonapse.neurons.endings import finish_reason, told_reason


@pytest.mark.parametrize(
    ("told", "word"),
    [
        ("stop", "stop"),
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("eos_token", "stop"),
        ("STOP", "stop"),
        ("length", "length"),
        ("max_tokens", "length"),
        ("model_length", "length"),
        ("model_context_window_exceeded", "length"),
        ("tool_use", "tool_calls"),
        ("function_call", "tool_calls"),
        ("content_filter", "content_filter"),
        ("SAFETY", "content_filter"),
        ("refusal", "refusal"),
        ("error", "error"),
        ("pause_turn", "pause_turn"),
        (None, None),
    ],
)
def test_every_provider_has_the_same_words(told, word):
    assert finish_reason(told) == word


@pytest.mark.parametrize("value", [None, "", " ", 7, True, [], {}])
def test_what_is_no_reason_is_none(value):
    assert told_reason(value) is None
    assert told_reason(" stop ") == "stop"
