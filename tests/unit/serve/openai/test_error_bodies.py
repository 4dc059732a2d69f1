import pytest

from cosmonapse import NeuronError, Signal, SignalType
from cosmonapse.edge.outcomes import answer_of
from cosmonapse.serve.openai.error_bodies import in_openai_form, not_found


def told(outcome):
    answer = in_openai_form(answer_of(outcome))
    return answer, answer.body["error"]


@pytest.mark.parametrize(
    ("code", "status", "kind", "retry"),
    [
        ("BAD_INPUT", 400, "invalid_request_error", "false"),
        ("ACCESS_DENIED", 403, "permission_error", "false"),
        ("OVERLOADED", 503, "server_error", "true"),
        ("WORKER_LOST", 502, "server_error", "true"),
        ("EXPIRED", 504, "server_error", "false"),
        ("NO_GOOD", 502, "server_error", "false"),
    ],
)
def test_an_error_says_by_its_code_whether_to_try_again(code, status, kind, retry):
    answer, error = told(NeuronError(code, "so it is"))

    assert (answer.status, answer.headers["x-should-retry"]) == (status, retry)
    assert (error["code"], error["type"], error["message"]) == (code, kind, "so it is")


def test_a_neuron_says_itself_whether_to_try_again_and_when():
    answer, _ = told(NeuronError("NO_GOOD", "no", recoverable=True, retry_after_s=2.5))

    assert answer.headers == {"x-should-retry": "true", "Retry-After": "3"}


@pytest.mark.parametrize(
    ("text", "param"),
    [
        ("nights: Input should be an integer", "nights"),
        ("stay.nights[0]: too many; city: missing", "stay.nights[0]"),
        ("the input is no object", None),
    ],
)
def test_a_bad_input_names_the_field_where_its_text_does(text, param):
    assert told(NeuronError("BAD_INPUT", text))[1]["param"] == param


def test_a_permission_cannot_be_given_in_a_chat_and_its_facts_are_there():
    asked = Signal(type=SignalType.PERMISSION, payload={"action": "delete it", "scope": "a"})
    answer, error = told(asked)

    assert answer.status == 409
    assert "delete it" in error["message"]
    assert (error["action"], error["scope"], error["code"]) == ("delete it", "a", "PERMISSION")


def test_a_time_out_and_a_failure_of_the_gateway_are_in_the_same_form():
    assert told(TimeoutError("late"))[1]["code"] == "EXPIRED"
    assert (
        told(RuntimeError("secret"))[1]["message"] == "this service failed; its log has the reason"
    )


def test_a_long_name_is_cut_where_it_is_told():
    assert len(not_found("x" * 10_000).body["error"]["message"]) < 500
