"""The tools of MCP servers, each behind an Axon."""

from .tool_server import McpServer

__all__ = ["McpServer"]
