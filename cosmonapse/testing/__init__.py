"""Helpers for tests of user programs: a fabric and a provider that fail on demand.

Pytest gets the fixtures `cosmo_fabric`, `cosmo_synapse` and `cosmo_chat_server`. Everything
loads on use: pytest imports this package whenever it starts.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .chat_server import ChatServer, Recorded
    from .fabric import Fabric

if find_spec("pytest") is None:
    from ..errors import MissingExtra

    raise MissingExtra("pytest", "test")

__all__ = ["ChatServer", "Fabric", "Recorded"]

_HOMES: Mapping[str, str] = MappingProxyType(
    {"ChatServer": ".chat_server", "Fabric": ".fabric", "Recorded": ".chat_server"}
)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name], __name__), name)
