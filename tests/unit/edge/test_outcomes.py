"""The table from outcomes to HTTP, row by row."""

import json

import pytest

from cosmonapse import errors
from cosmonapse.edge.outcomes import (
    BadRequest,
    answer_of,
    is_outcome,
    json_object,
    mark,
    to_json,
    trace_of,
)
from cosmonapse.signals import Signal, SignalType

TRACE = "trc_" + "a" * 26


def signal(type, **payload):
    return Signal(type=type, payload=payload, trace_id=TRACE)


def error(code, recoverable=True):
    return signal(SignalType.ERROR, code=code, message="why", recoverable=recoverable)


@pytest.mark.parametrize(
    "outcome",
    [
        signal(SignalType.AGENT_OUTPUT, output={"n": 1}),
        signal(SignalType.FINAL, result={"n": 1}),
        {"n": 1},
    ],
)
def test_an_output_is_200(outcome):
    answer = answer_of(outcome)

    assert (answer.status, answer.content) == (200, b'{"n": 1}')


@pytest.mark.parametrize("code", [*errors.CODES, "NO_GOOD"])
def test_an_error_has_the_status_of_its_code_and_says_so_in_its_body(code):
    answer = answer_of(error(code))

    assert answer.status == errors.facts_of(code).http_status
    assert answer.body == {"error": "why", "code": code, "retry": True, "trace_id": TRACE}
    assert answer.log == "no"


def test_only_an_overload_says_when_to_come_back():
    said = {code: dict(answer_of(error(code)).headers) for code in errors.CODES}

    assert said.pop("OVERLOADED") == {"Retry-After": "1"}
    assert not any(said.values())


def test_the_wait_that_an_error_asks_for_is_passed_on_in_whole_seconds():
    raised = errors.NeuronError("PROVIDER_ERROR", "why")
    raised.retry_after_s = 1.2

    answer = answer_of(raised)

    assert dict(answer.headers) == {"Retry-After": "2"}
    assert answer.body["retry_after_s"] == 2


AWAY = errors.away_text("cosmo://secret:7070", 3.0)


@pytest.mark.parametrize(
    ("outcome", "retry"),
    [
        (TimeoutError(f"no reply from 'worker' within 3 s: {AWAY}; it may have run"), False),
        (errors.SynapseAway("cosmo://secret:7070", 3.0, "the TASK"), True),
        (signal(SignalType.ERROR, code="EXPIRED", message=AWAY, recoverable=False), False),
        (signal(SignalType.ERROR, code="SYNAPSE_AWAY", message=AWAY, recoverable=True), True),
    ],
)
def test_a_task_that_is_late_while_the_synapse_is_away_is_503(outcome, retry):
    answer = answer_of(outcome)

    assert (answer.status, answer.body["code"]) == (503, "SYNAPSE_UNREACHABLE")
    assert answer.body["retry"] is retry
    assert answer.log == "line"
    assert b"secret" not in answer.content


def test_a_service_without_the_right_key_is_403_and_says_no_more_than_that():
    answer = answer_of(errors.AccessRefused("cosmo://secret:7070", "secret", "run secret"))

    assert (answer.status, answer.body["code"]) == (403, "ACCESS_DENIED")
    assert answer.body["retry"] is False
    assert answer.log == "line"
    assert b"secret" not in answer.content


def test_a_task_without_the_right_is_403():
    answer = answer_of(errors.NeuronError("ACCESS_DENIED", "may not send TASKs there"))

    assert (answer.status, answer.body["retry"]) == (403, False)


def group(*errors):
    return ExceptionGroup("unhandled errors in a TaskGroup", errors)


def test_a_group_of_outcomes_names_them_all_and_has_the_status_of_the_worst():
    busy = errors.NeuronError("OVERLOADED", "busy")
    broken = errors.NeuronError("NO_GOOD", "broken")
    late = TimeoutError("late")
    mark(late, TRACE)

    answer = answer_of(group(busy, group(broken, late)))
    one = answer_of(group(busy))

    assert (answer.status, answer.body["code"]) == (502, "NO_GOOD")
    assert answer.body["error"] == "busy; broken; late"
    assert one == answer_of(busy)


def test_a_group_with_anything_else_in_it_is_a_failure_of_the_service():
    mixed = group(errors.NeuronError("NO_GOOD", "why"), KeyError("SECRET"))

    answer = answer_of(mixed)

    assert (answer.status, answer.body["code"], answer.log) == (500, "INTERNAL_ERROR", "traceback")
    assert b"SECRET" not in answer.content
    assert not is_outcome(mixed)


@pytest.mark.parametrize(
    ("type", "payload"),
    [
        (SignalType.CLARIFICATION, {"question": "Which?", "context": {"a": 1}}),
        (SignalType.PERMISSION, {"action": "delete", "scope": "all", "reason": "old"}),
        (SignalType.ESCALATION, {"reason": "too hard", "target": "boss"}),
    ],
)
def test_a_question_is_409_with_what_is_asked(type, payload):
    asked = signal(type, **payload)

    answer = answer_of(asked)

    assert answer.status == 409
    assert answer.body == {
        "error": f"the Neuron sent {type.value} instead of an output",
        "code": type.value,
        "retry": False,
        "trace_id": TRACE,
        **payload,
    }
    assert answer_of(errors.NeedsAnswer(asked)) == answer


@pytest.mark.parametrize(
    ("raised", "status", "code"),
    [
        (TimeoutError("late"), 504, "EXPIRED"),
        (BadRequest("no JSON"), 400, "BAD_REQUEST"),
        (errors.InvalidName("neuron", "a b"), 400, "BAD_REQUEST"),
        (errors.UnencodableValue("payload.input", "it is a set"), 400, "BAD_REQUEST"),
        (errors.BadSignal("trace_id is none"), 400, "BAD_SIGNAL"),
        (errors.SignalTooLarge(2, 1), 413, "TOO_LARGE"),
    ],
)
def test_what_the_client_can_mend_is_told_in_its_own_words(raised, status, code):
    answer = answer_of(raised, TRACE)

    assert answer.status == status
    assert answer.body == {"error": str(raised), "code": code, "retry": False, "trace_id": TRACE}


@pytest.mark.parametrize(
    ("raised", "status", "code", "log"),
    [
        (errors.SynapseUnreachable("SECRET", "", ""), 503, "SYNAPSE_UNREACHABLE", "line"),
        (errors.SynapseRefused("SECRET", "SECRET"), 503, "SYNAPSE_REFUSED", "line"),
        (errors.DendriteProtocolError("SECRET"), 503, "NOT_READY", "traceback"),
        (errors.InvalidCarrier("SECRET"), 503, "NOT_READY", "line"),
        (errors.InvalidContext("SECRET", "SECRET"), 503, "NOT_READY", "line"),
        (errors.InvalidKey("SECRET", "SECRET"), 503, "NOT_READY", "line"),
        (errors.InvalidUrl("SECRET", "SECRET"), 503, "NOT_READY", "line"),
        (errors.MissingExtra("SECRET", "SECRET"), 500, "INTERNAL_ERROR", "traceback"),
        (RuntimeError("SECRET"), 500, "INTERNAL_ERROR", "traceback"),
        (KeyError("SECRET"), 500, "INTERNAL_ERROR", "traceback"),
    ],
)
def test_what_the_service_has_to_mend_is_logged_and_not_shown(raised, status, code, log):
    answer = answer_of(raised)

    assert (answer.status, answer.body["code"], answer.log) == (status, code, log)
    assert b"SECRET" not in answer.content


def test_a_signal_that_settles_nothing_is_a_failure_of_the_service():
    assert answer_of(signal(SignalType.TASK, input={})).status == 500


def test_a_marked_error_is_ours_and_knows_its_trace():
    ours, foreign = TimeoutError("late"), TimeoutError("of a database")

    mark(ours, TRACE)

    assert (is_outcome(ours), is_outcome(foreign)) == (True, False)
    assert trace_of(ours) == answer_of(ours).body["trace_id"] == TRACE
    assert is_outcome(errors.NeuronError("NO_GOOD", "why"))


def test_json_of_what_json_cannot_say():
    value = {"b": b"\xff", "f": [float("nan"), float("-inf"), 1.5], "t": (1, "☃"), "s": "\ud800"}

    text = to_json(value)

    assert text == '{"b": "/w==", "f": [null, null, 1.5], "t": [1, "☃"], "s": "\\ud800"}'.encode()
    assert json.loads(text)["s"] == "\ud800"


def test_the_path_of_a_value_that_cannot_be_sent_is_that_in_the_body_of_the_client():
    error = errors.UnencodableValue("payload.input.seed", "the int has over 64 bits")

    assert answer_of(error).body["error"].startswith("seed cannot be sent: the int has over 64")


@pytest.mark.parametrize(
    "kind", ["application/json", "Application/JSON; charset=utf-8", "a/b+json"]
)
def test_a_json_object_is_read(kind):
    assert json_object(b'{"prompt": "Hi", "n": 0}', kind, "prompt", "n") == {"prompt": "Hi", "n": 0}


@pytest.mark.parametrize(
    ("raw", "kind", "says"),
    [
        (b"{}", None, "Content-Type: application/json"),
        (b"{}", "text/plain", "Content-Type: application/json"),
        (b" \n", "application/json", "is empty: send a JSON object"),
        (b'{"a":\n 1,}', "application/json", "not valid JSON: .* at line 2, column 4"),
        (b"\xff", "application/json", "not valid JSON: it is not in UTF-8, at byte 0"),
        (b"[" * 100_000, "application/json", "not valid JSON: it is nested too deep"),
        (b"9" * 5_000, "application/json", "not valid JSON: .* too many digits"),
        (b'{"a": NaN}', "application/json", "not valid JSON: it has NaN, which is no number"),
        ('{"a": 1}'.encode("utf-16"), "application/json", "not valid JSON: it is not in UTF-8"),
        (b"[1]", "application/json", "a JSON object, not an array"),
        (b'"a"', "application/json", "a JSON object, not a string"),
        (b"false", "application/json", "a JSON object, not true or false"),
        (b"null", "application/json", "a JSON object, not null"),
        (b"1.5", "application/json", "a JSON object, not a number"),
        (b'{"b": ""}', "application/json", "lacks a, b"),
    ],
)
def test_what_is_no_json_object_is_refused_with_the_reason(raw, kind, says):
    with pytest.raises(BadRequest, match=says):
        json_object(raw, kind, *("a", "b") if raw.startswith(b"{") else ())
