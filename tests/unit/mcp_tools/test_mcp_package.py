"""What the client of MCP logs, in the words of this project."""

import logging

from cosmonapse.mcp_tools.mcp_package import in_one_line


def record(message):
    error = ValueError("Invalid JSON")
    return logging.LogRecord("mcp", logging.ERROR, "", 0, message, (), (ValueError, error, None))


def test_a_line_that_is_no_message_is_one_line_that_says_what_to_do():
    noise = record("Failed to parse JSONRPC message from server")

    assert in_one_line(noise)
    assert noise.exc_info is None
    assert "belongs on its standard error" in noise.getMessage()


def test_what_else_the_client_logs_stays_as_it_is():
    other = record("Something else")

    assert in_one_line(other)
    assert other.exc_info is not None
    assert other.getMessage() == "Something else"
