"""Why a server cannot be reached, in one line."""

import asyncio

import pytest

from cosmonapse.mcp_tools.server_faults import leaves, reason_of, refusal, with_last_lines


def test_the_first_leaf_that_is_no_cancellation_is_the_reason():
    inner = BaseExceptionGroup("in", [asyncio.CancelledError(), OSError("refused\n  at once")])
    group = BaseExceptionGroup("out", [inner, ValueError("later")])

    assert len(list(leaves(group))) == 3
    assert reason_of(group, None) == "refused at once"
    assert reason_of(KeyError(), None) == "KeyError"


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (FileNotFoundError(2, "no", "npx"), "no command 'npx'"),
        (FileNotFoundError(2, "no", "/srv/x"), "no folder /srv/x"),
        (PermissionError(13, "no", "npx"), "may not be run"),
    ],
)
def test_a_command_that_cannot_be_started_is_named(error, words):
    assert words in reason_of(error, "npx")


def test_what_the_server_wrote_last_is_part_of_the_reason():
    assert with_last_lines("it ended", []) == "it ended"
    assert with_last_lines("it ended", ["a", "b"]) == "it ended; it wrote: a | b"


class OfProtocol(Exception):
    def __init__(self, code, message):
        super().__init__(message)
        self.code = code


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OfProtocol(-32601, "Method not found"), "it has no tools"),
        (
            OfProtocol(-32700, "Failed to parse JSON response: 11 errors\nx"),
            "no message of MCP: name",
        ),
        (OfProtocol(-32603, "Other"), "Other"),
    ],
)
def test_what_is_no_server_of_tools_is_told_as_such(error, words):
    assert words in reason_of(error, None)


@pytest.mark.parametrize(
    ("status", "phrase", "told"),
    [
        (401, "Unauthorized", "it answered 401 Unauthorized: give the right token= or headers="),
        (405, "Not Allowed", "it answered 405 Not Allowed: name the URL of its streamable HTTP, "),
        (503, "", "it answered 503"),
    ],
)
def test_a_status_that_refuses_says_what_to_do(status, phrase, told):
    assert refusal(status, phrase).startswith(told)
