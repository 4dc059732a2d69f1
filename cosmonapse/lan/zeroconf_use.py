"""The optional package `zeroconf`, which speaks multicast DNS; loaded at its first use."""

from __future__ import annotations

import importlib
from typing import Any

from ..errors import MissingExtra


def zeroconf() -> Any:
    """Return the package.

    Raises:
        MissingExtra: It is not installed.
    """
    try:
        return importlib.import_module("zeroconf")
    except ModuleNotFoundError:
        raise MissingExtra("zeroconf", "lan") from None
