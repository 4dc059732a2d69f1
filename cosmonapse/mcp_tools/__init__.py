"""The tools of MCP servers, each behind an Axon."""

from .tool_server import McpServer
from .unreachable import ToolServerUnreachable

__all__ = ["McpServer", "ToolServerUnreachable"]
