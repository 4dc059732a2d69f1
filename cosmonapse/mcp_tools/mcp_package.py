"""The package mcp, of the extra [mcp]: it takes seconds to import, so on a thread and on use."""

from __future__ import annotations

import importlib
import importlib.util

from ..errors import MissingExtra
from ..runtime.threads import in_thread


def check_installed() -> None:
    """Look for it without importing it.

    Raises:
        MissingExtra: It is not installed.
    """
    if importlib.util.find_spec("mcp") is None:
        raise MissingExtra("mcp", "mcp")


async def load() -> None:
    """Import its client; the event loop turns meanwhile."""
    await in_thread(importlib.import_module, "mcp", name="import mcp")
