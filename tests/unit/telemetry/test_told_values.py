"""What others say, within the bounds of an attribute."""

import pytest

from cosmonapse.telemetry.told_values import told_attempt, told_count, told_text


@pytest.mark.parametrize(
    ("value", "text"),
    [("stop", "stop"), ("x" * 3_000_000, "x" * 256), ("\ud800", "?"), (None, "None")],
)
def test_a_text_is_cut_and_can_be_encoded(value, text):
    assert told_text(value) == text


@pytest.mark.parametrize(
    ("value", "count", "attempt"),
    [
        (0, 0, None),
        (1, 1, 1),
        (2**31 - 1, 2**31 - 1, 2**31 - 1),
        (2**31, 2**31, None),
        (2**63 - 1, 2**63 - 1, None),
        (2**63, None, None),
        (-1, None, None),
        (True, None, None),
        (1.0, None, None),
        ("1", None, None),
    ],
)
def test_a_count_and_an_attempt_are_numbers_that_an_exporter_can_encode(value, count, attempt):
    assert told_count(value) == count
    assert told_attempt(value) == attempt
    assert not isinstance(told_count(value), bool)
