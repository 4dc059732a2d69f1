"""Where a fabric is unless something says so. Pure."""

from __future__ import annotations

from typing import Final

DEFAULT_HOST: Final = "127.0.0.1"
DEFAULT_PORT: Final = 7070
DEFAULT_URL: Final = f"cosmo://{DEFAULT_HOST}:{DEFAULT_PORT}"
DEFAULT_NAMESPACE: Final = "default"
