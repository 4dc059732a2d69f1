"""What the errors of the MCP client mean to the caller of a tool."""

import pytest

from cosmonapse.errors import Clarification, NeuronError
from cosmonapse.mcp_tools.call_failures import failure_of, is_connection_lost, lost_during_call

CLOSED, TIMED_OUT, NEEDS_VISIT = -32000, -32001, -32042
PAGE = {"message": "Sign in", "url": "https://example.com/in", "elicitationId": "1"}


@pytest.mark.parametrize(
    ("code", "message", "has_ended", "is_lost"),
    [
        (CLOSED, "Connection closed", False, True),
        (CLOSED, "SSE stream ended without a response", False, True),
        (CLOSED, "anything", True, True),
        (CLOSED, "an error of the server that has the same code", False, False),
        (-32603, "Connection closed", True, False),
    ],
)
def test_a_lost_connection_is_told_from_an_error_of_the_server(code, message, has_ended, is_lost):
    assert is_connection_lost(code, message, has_ended) is is_lost


def test_a_call_whose_connection_was_lost_may_be_tried_again():
    error = lost_during_call("fs")

    assert (error.code, error.recoverable) == ("TOOL_UNREACHABLE", True)
    assert "the MCP server fs went away" in error.message


def test_a_timeout_of_the_client_is_ours_only_after_our_deadline():
    late = failure_of(TIMED_OUT, "Timed out", None, is_late=True)
    early = failure_of(TIMED_OUT, "Timed out", None, is_late=False)

    assert isinstance(late, TimeoutError)
    assert (early.code, early.message) == ("TOOL_ERROR", "Timed out")


def test_a_page_that_the_user_must_visit_is_a_question():
    asked = failure_of(NEEDS_VISIT, "visit", {"elicitations": [PAGE]}, is_late=False)

    assert isinstance(asked, Clarification)
    assert asked.payload == {"question": "Sign in", "context": {"url": "https://example.com/in"}}


@pytest.mark.parametrize("data", [None, [], "x", {}, {"elicitations": None}, {"elicitations": [5]}])
def test_an_error_that_names_no_page_is_the_error_of_the_tool(data):
    error = failure_of(NEEDS_VISIT, "visit", data, is_late=False)

    assert isinstance(error, NeuronError)
    assert (error.code, error.message) == ("TOOL_ERROR", "visit")
