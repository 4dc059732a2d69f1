"""Where a fabric is unless something says so, and how many Synapses it may have. Pure."""

from __future__ import annotations

from typing import Final

DEFAULT_HOST: Final = "127.0.0.1"
DEFAULT_PORT: Final = 7070
DEFAULT_URL: Final = f"cosmo://{DEFAULT_HOST}:{DEFAULT_PORT}"
DEFAULT_NAMESPACE: Final = "default"
MAX_PEERS: Final = 15
"""How many others a Synapse may know."""
