"""The package mcp, of the extra [mcp]: it takes seconds to import, so on a thread and on use."""

from __future__ import annotations

import importlib
import importlib.util
import logging

from ..errors import MissingExtra
from ..runtime.threads import in_thread

_NO_MESSAGE = (
    "an MCP server wrote a line to its standard output that is no message of MCP; it was ignored: "
    "what a server prints belongs on its standard error"
)


def check_installed() -> None:
    """Look for it without importing it.

    Raises:
        MissingExtra: It is not installed, or is older than 2.0, which has no mcp-types beside it.
    """
    for module, package in (("mcp", "mcp"), ("mcp_types", "mcp-types")):
        if importlib.util.find_spec(module) is None:
            raise MissingExtra(package, "mcp")


async def load() -> None:
    """Import its client; the event loop turns meanwhile."""
    await in_thread(importlib.import_module, "mcp", name="import mcp")
    log = logging.getLogger("mcp.client.stdio")
    if in_one_line not in log.filters:
        log.addFilter(in_one_line)


def in_one_line(record: logging.LogRecord) -> bool:
    """Let the client of MCP say of a line that is no message what to do, without a traceback."""
    if record.exc_info and "parse JSONRPC" in str(record.msg):
        record.msg, record.args, record.exc_info = _NO_MESSAGE, (), None
    return True
