"""What is raised where an MCP server cannot be reached. Pure."""

from __future__ import annotations

from .error_roots import RemoteError


class ToolServerUnreachable(RemoteError, ConnectionError):
    """An MCP server could not be started, or did not list its tools.

    Attributes:
        name: Its id, or its program or URL.
        reason: Why, in one line.
    """

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"the MCP server {name} cannot be used: {reason}")
        self.name = name
        self.reason = reason
