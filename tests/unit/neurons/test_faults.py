"""What a provider's failures become."""

import json

import pytest

from cosmonapse.neurons.faults import EXCERPT_CHARS, MESSAGE_CHARS, Faults
from cosmonapse.neurons.settings import ApiKey

FAULTS = Faults("vendor", ApiKey("se/sa\\me"))


@pytest.mark.parametrize("status", [301, 400, 401, 403, 404, 422, 408, 409, 429, 500, 503])
def test_the_status_decides_whether_trying_again_may_help(status):
    error = FAULTS.refused(status, b"")

    assert error.code == "PROVIDER_ERROR"
    assert error.recoverable is (status in {408, 409, 429, 500, 503})
    assert error.message == f"vendor answered {status}: (nothing)"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"error": "no"}, "no"),
        ({"error": {"message": "no", "type": "x"}}, "no"),
        ({"error": {"kind": 7}}, '{"kind": 7}'),
        ({"error": ["a", "b"]}, '["a", "b"]'),
        ({"message": "no"}, "no"),
        ({"detail": "no"}, "no"),
        ({"detail": [{"msg": "no"}]}, '[{"msg": "no"}]'),
        ({"other": "no"}, '{"other": "no"}'),
        (["no"], '["no"]'),
    ],
)
def test_the_providers_own_message_is_found(body, message):
    error = FAULTS.refused(400, json.dumps(body).encode())

    assert error.message == f"vendor answered 400: {message}"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b" <html>no</html>\n", "<html>no</html>"),
        (b"\xff\xfe", "\ufffd\ufffd"),
        (b"[" * 100_000, "[" * EXCERPT_CHARS),
        (b"x" * 5000, "x" * EXCERPT_CHARS),
    ],
)
def test_a_body_that_is_no_json_is_cut_short(body, message):
    assert FAULTS.refused(400, body).message == f"vendor answered 400: {message}"


def test_a_long_message_is_cut_short():
    body = json.dumps({"error": "x" * 5000}).encode()

    assert len(FAULTS.refused(400, body).message) == MESSAGE_CHARS


@pytest.mark.parametrize(
    "body",
    [
        json.dumps({"error": r"bad key se/sa\me"}),
        json.dumps({"other": r"bad key se/sa\me"}),
        json.dumps({"other": r"bad key se/sa\me"}).replace("/", r"\/"),
        r"bad key se/sa\me",
        "x" * (EXCERPT_CHARS - 4) + r"se/sa\me",
    ],
)
def test_no_message_shows_the_key_or_half_of_it(body):
    message = FAULTS.refused(401, body.encode()).message

    assert "se/" not in message
    assert r"se\/" not in message


@pytest.mark.parametrize(
    ("error", "message", "recoverable"),
    [
        ("no", "an error: no", False),
        ({"message": "no"}, "an error: no", False),
        ({"message": "no", "code": "of_tomorrow"}, "an error: no", False),
        ({"message": "no", "code": 1000}, "an error: no", False),
        ({"message": "no", "code": True, "type": []}, "an error: no", False),
        ({"message": "no", "type": "overloaded_error"}, "an error 529: no", True),
        ({"message": "no", "code": None, "type": "server_error"}, "an error 500: no", True),
        ({"message": "no", "type": "invalid_request_error"}, "an error: no", False),
        ({"message": "no", "code": 429}, "an error 429: no", True),
        ({"message": "no", "code": "429"}, "an error 429: no", True),
        ({"message": "no", "status": 503}, "an error 503: no", True),
        (
            {"message": "no", "type": "tokens", "code": "rate_limit_exceeded"},
            "an error 429: no",
            True,
        ),
        ({"message": "no", "http_status_code": 422}, "an error 422: no", False),
    ],
)
def test_an_error_in_an_answer_of_status_200_is_found(error, message, recoverable):
    fault = FAULTS.reported({"error": error})

    assert fault.message == f"vendor answered 200 with {message}"
    assert fault.recoverable is recoverable


def test_an_answer_that_is_an_error_as_a_whole_is_found():
    fault = FAULTS.reported({"object": "error", "message": "no", "code": 503})

    assert fault.message == "vendor answered 200 with an error 503: no"


@pytest.mark.parametrize(
    "document",
    [None, 7, "error", [], {}, {"error": None}, {"choices": "error"}, {"choices": [{}]}],
)
def test_an_answer_without_an_error_has_none(document):
    assert FAULTS.reported(document) is None


def test_an_unreachable_provider_is_named_with_the_reason():
    error = FAULTS.unreachable("http://host", ConnectionError(r"refused se/sa\me"))

    assert (error.code, error.recoverable) == ("PROVIDER_UNREACHABLE", True)
    assert error.message == "vendor at http://host is unreachable: ConnectionError: refused ***"


def test_an_answer_that_was_cut_off_tells_how_much_came():
    error = FAULTS.cut_off(3, "reset")

    assert (error.code, error.recoverable) == ("PROVIDER_UNREACHABLE", True)
    assert error.message == "the answer of vendor was cut off after 3 tokens: reset"


def test_the_type_of_an_error_may_stand_beside_its_text():
    fault = FAULTS.reported({"error": "no", "error_type": "overloaded"})

    assert fault.message == "vendor answered 200 with an error 429: no"


@pytest.mark.parametrize(
    ("text", "message", "recoverable"),
    [
        ("no", "an error: no", True),
        ('{"error": {"message": "no", "code": 503}}', "an error 503: no", True),
        ('{"message": "no"}', "an error: no", False),
        ('{"kind": 7}', 'an error: {"kind": 7}', False),
        ("[1]", "an error: [1]", True),
        ("half \ud83d", "an error: half \ufffd", True),
        (r"bad se/sa\me", "an error: bad ***", True),
    ],
)
def test_an_error_in_any_form_keeps_the_providers_words(text, message, recoverable):
    fault = FAULTS.said(text)

    assert fault.message == f"vendor answered 200 with {message}"
    assert fault.recoverable is recoverable


@pytest.mark.parametrize(
    ("facts", "message", "recoverable"),
    [
        (("refusal", "refusal", "", ""), "refused to answer (finish_reason refusal)", False),
        (("stop", "stop", "No.", "x"), "refused to answer (finish_reason stop): No.", False),
        (
            ("content_filter", "SAFETY", "", "So"),
            "stopped the answer by a content filter (finish_reason SAFETY): So",
            False,
        ),
        (
            ("error", "error", "", ""),
            "failed in the middle of the answer (finish_reason error)",
            True,
        ),
    ],
)
def test_an_end_that_is_a_failure_says_which_and_what_came(facts, message, recoverable):
    fault = FAULTS.failed_end(*facts)

    assert (fault.message, fault.recoverable) == (f"vendor {message}", recoverable)


def test_nothing_but_tool_calls_names_them():
    assert "nothing but tool calls (search, pay)," in FAULTS.only_tools(("search", "pay")).message
    assert "nothing but tool calls," in FAULTS.only_tools(()).message
    assert "neither a text nor the name of a tool" in FAULTS.only_tools((), runs_tools=True).message


def test_a_refusal_may_say_when_to_come_back():
    assert FAULTS.refused(429, b"", 7.0).retry_after_s == 7.0
    assert FAULTS.refused(429, b"").retry_after_s is None


def test_a_proxy_between_is_named():
    answered = FAULTS.refused(502, b"no", proxy="the proxy http://p:1").message
    unreachable = FAULTS.unreachable("http://host", OSError("no"), "the proxy http://p:1").message

    assert answered == "vendor answered 502 through the proxy http://p:1: no"
    assert "http://host is unreachable through the proxy http://p:1: OSError" in unreachable
