"""The release of this package, as those who find or ask a Synapse are told."""

from __future__ import annotations

import functools
from importlib.metadata import PackageNotFoundError, version


@functools.cache
def release() -> str:
    """Return the version of this package; empty for a copy that was not installed."""
    try:
        return version("cosmonapse")
    except PackageNotFoundError:
        return ""
