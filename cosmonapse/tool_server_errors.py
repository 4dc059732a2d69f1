"""What is raised where an MCP server cannot be reached. Pure."""

from __future__ import annotations

from .error_roots import RemoteError


class ToolServerUnreachable(RemoteError, ConnectionError):
    """An MCP server could not be started, or did not list its tools.

    Attributes:
        name: Its id, or its program or URL.
        reason: Why, in one line.
        may_pass: Whether it may be over by itself; False if its command cannot be run.
    """

    def __init__(self, name: str, reason: str, may_pass: bool = True) -> None:
        super().__init__(f"the MCP server {name} cannot be used: {reason}")
        self.name = name
        self.reason = reason
        self.may_pass = may_pass
