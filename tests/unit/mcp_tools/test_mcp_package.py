"""What of the log of the client of MCP is passed on."""

import logging

import pytest

from cosmonapse.mcp_tools.mcp_package import is_news


def record(message):
    error = ValueError("Invalid JSON")
    return logging.LogRecord("mcp", logging.ERROR, "", 0, message, (), (ValueError, error, None))


@pytest.mark.parametrize(
    ("message", "passes"),
    [
        ("Failed to parse JSONRPC message from server", False),
        ("Error parsing JSON response", False),
        ("Something else", True),
    ],
)
def test_what_is_no_message_is_left_to_our_own_line(message, passes):
    assert is_news(record(message)) is passes
