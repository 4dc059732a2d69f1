"""The lines of a log: one a record, whatever is in it."""

import json
import logging
import re
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from cosmonapse.telemetry.log_fields import MAX_RECORD, MAX_TEXT
from cosmonapse.telemetry.log_lines import JsonFormatter, TextFormatter


def record(message="hello", *arguments, exc_info=None, **extra):
    made = logging.LogRecord("my.app", logging.WARNING, "f", 1, message, arguments, exc_info)
    vars(made).update(extra)
    return made


def as_json(*given, **more):
    line = JsonFormatter().format(record(*given, **more))
    assert "\n" not in line
    assert line.isascii()
    return json.loads(line, parse_constant=pytest.fail)


def raised(error):
    try:
        raise error
    except type(error):
        return sys.exc_info()


def test_a_record_is_an_object_with_its_time_in_utc_and_its_extra_fields():
    found = as_json("hello %s", "you", user="ben", counts={"a": 1}, created=0.5)

    assert found == {
        "ts": "1970-01-01T00:00:00.500000Z",
        "level": "WARNING",
        "logger": "my.app",
        "message": "hello you",
        "user": "ben",
        "counts": {"a": 1},
    }


def test_the_task_is_named_where_there_is_one():
    task = {"trace_id": "trc_1", "neuron": "echo", "otel_trace_id": "-", "otel_span_id": "-"}

    assert as_json(**task)["trace_id"] == "trc_1"
    assert "otel_trace_id" not in as_json(**task)
    assert "trace_id" not in as_json(**task | {"trace_id": "-"})
    assert TextFormatter().format(record(**task)).endswith("my.app: hello [trc_1 echo]")
    assert TextFormatter().format(record()).endswith("my.app: hello")


def test_an_exception_is_its_type_its_text_and_its_traceback():
    error = as_json(exc_info=raised(ValueError("no")))["error"]

    assert (error["type"], error["message"]) == ("ValueError", "no")
    assert error["traceback"].startswith("Traceback")
    assert error["traceback"].endswith("ValueError: no")


class Bad:
    """A value whose every text raises."""

    def __repr__(self):
        raise RuntimeError("no repr")


class BadError(Exception):
    def __str__(self):
        raise RuntimeError("no text")


class BadMapping(dict):
    def items(self):
        raise RuntimeError("no items")


def test_values_and_exceptions_without_a_text_break_no_line():
    assert as_json(value=Bad())["value"] == "<Bad: its repr raised RuntimeError>"
    assert as_json(exc_info=raised(BadError()))["error"]["message"] == ""
    assert as_json(value=BadMapping(a=1))["unreadable"] == "RuntimeError"
    assert "BadError" in TextFormatter().format(record(exc_info=raised(BadError())))


def test_arguments_that_do_not_fit_are_said_and_nothing_is_lost():
    assert as_json("%d of", "x")["message"] == "'%d of' (its arguments do not fit: TypeError)"


def test_what_is_huge_is_cut_with_a_count():
    found = as_json(
        "x" * (MAX_TEXT + 1234), items=list(range(100)), exc_info=raised(ValueError("y" * 100_000))
    )

    assert found["message"].endswith("x... (1,234 characters cut)")
    assert found["items"][-1] == "... (36 more)"
    assert len(found["error"]["traceback"]) < MAX_TEXT + 100
    assert found["error"]["traceback"].startswith("Traceback")


WIDE = ["q" * MAX_TEXT] * 64


@pytest.mark.parametrize(
    "extra",
    [
        {"z": [WIDE] * 64},
        {"z": {i: {j: {"k": WIDE} for j in range(64)} for i in range(64)}},
        {"z": [[[[2**1000] * 64] * 64] * 64] * 64},
        {f"z{i}": "q" * MAX_TEXT for i in range(1000)},
        {f"z{i}": None for i in range(100_000)},
    ],
    ids=["lists", "objects", "numbers", "fields", "names"],
)
def test_a_record_as_a_whole_is_bounded_and_says_what_is_missing(extra):
    found = as_json(**extra)

    assert len(json.dumps(found)) < MAX_RECORD + MAX_TEXT
    assert " more" in json.dumps(found)


def test_what_comes_ahead_of_a_huge_value_is_whole():
    found = as_json(user="ben", z=[WIDE] * 64, last="late")

    assert found["user"] == "ben"
    assert found["..."] == "1 more"


def test_a_name_of_ours_is_not_taken_by_an_extra_field():
    found = as_json(level="mine", ts=3)

    assert (found["level"], found["level_"], found["ts_"]) == ("WARNING", "mine", 3)


ANY = some.recursive(
    some.none() | some.booleans() | some.integers() | some.floats() | some.text() | some.binary(),
    lambda each: some.lists(each) | some.dictionaries(some.text() | some.integers(), each),
    max_leaves=6,
)


@settings(max_examples=40)
@given(message=some.text(some.characters(exclude_categories=())), value=ANY)
def test_every_record_is_one_object_that_strict_readers_take(message, value):
    line = JsonFormatter().format(record("%s", message, value=value))

    assert "\n" not in line
    found = json.loads(line, parse_constant=pytest.fail)
    assert found["logger"] == "my.app"
    json.dumps(found, ensure_ascii=False).encode("utf-8")  # no half of a character


def test_in_a_text_nothing_looks_like_a_record_of_its_own_or_controls_a_terminal():
    text = TextFormatter().format(record("one\n2026 ERROR fake: two\x1b[2J", exc_info=None))

    first, second = text.split("\n")
    assert re.fullmatch(r"[\d-]+ [\d:,]+ WARNING my\.app: one", first)
    assert second == r"  2026 ERROR fake: two\x1b[2J"
