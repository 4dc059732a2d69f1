"""The optional package `zeroconf`, which speaks multicast DNS; loaded at its first use."""

from __future__ import annotations

import importlib
from typing import Any

from ..runtime.extras import missing_extra


def zeroconf() -> Any:
    """Return the package.

    Raises:
        MissingExtra: It is not installed, or too old.
    """
    try:
        return importlib.import_module("zeroconf")
    except ImportError as error:
        raise missing_extra("zeroconf", "lan", error) from None
