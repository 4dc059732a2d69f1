"""Values of a payload as JSON, and back."""

import json
import math

import pytest

from cosmonapse.recordings.plain_values import from_plain, to_plain


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        ({"a": [1, 1.5, "x", None, True]}, {"a": [1, 1.5, "x", None, True]}),
        (b"hi", {"$bytes": "aGk="}),
        (math.inf, {"$float": "inf"}),
        (-math.inf, {"$float": "-inf"}),
        (2**53, {"$int": "9007199254740992"}),
        ({"$bytes": "aGk="}, {"$dict": {"$bytes": "aGk="}}),
        ({"$other": 1}, {"$dict": {"$other": 1}}),
        ({"$bytes": 1, "b": 2}, {"$bytes": 1, "b": 2}),
    ],
)
def test_a_value_is_the_same_behind_json(value, plain):
    assert to_plain(value) == plain
    assert from_plain(json.loads(json.dumps(to_plain(value)))) == value


def test_nan_comes_back():
    assert math.isnan(from_plain(to_plain(math.nan)))


@pytest.mark.parametrize(
    "plain",
    [
        {"$bytes": "no base 64!"},
        {"$bytes": 7},
        {"$int": "9" * 25},
        {"$int": 1},
        {"$float": "1.0"},
        {"$dict": 3},
        {"$new": 1},
        {"$float": []},
    ],
)
def test_what_is_no_such_value_is_refused(plain):
    with pytest.raises((ValueError, TypeError)):
        from_plain({"deep": [plain]})


def test_what_no_signal_carries_is_refused():
    with pytest.raises(TypeError, match="no Signal carries a complex"):
        to_plain({"a": 1j})
