"""The package mcp, of the extra [mcp]: it takes seconds to import, so on a thread and on use."""

from __future__ import annotations

import importlib
import importlib.util
import logging

from ..runtime.extras import check_versions, missing_extra
from ..runtime.threads import in_thread


def check_installed() -> None:
    """Look for it without importing it.

    Raises:
        MissingExtra: It is not installed, or is older than 2.0, which has no mcp-types beside it.
    """
    if not all(importlib.util.find_spec(module) for module in ("mcp", "mcp_types")):
        raise missing_extra("mcp", "mcp")
    check_versions("mcp", "mcp")


async def load() -> None:
    """Import its client; the event loop turns meanwhile."""
    await in_thread(importlib.import_module, "mcp", name="import mcp")
    for module in ("stdio", "streamable_http"):
        log = logging.getLogger(f"mcp.client.{module}")
        if is_news not in log.filters:
            log.addFilter(is_news)


def is_news(record: logging.LogRecord) -> bool:
    """Return whether to log what the client of MCP says: of what is no message we tell.

    It writes a traceback for each such line, and not which server wrote it.
    """
    told = str(record.msg)
    return not (record.exc_info and ("parse JSONRPC" in told or "parsing JSON" in told))
