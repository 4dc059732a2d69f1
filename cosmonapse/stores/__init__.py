"""Stores: records of Axons beyond the live roster."""

from .memory import MemoryRegistryStore
from .port import RegistryStore
from .recorder import Recorder
from .sqlite import SqliteRegistryStore

__all__ = ["MemoryRegistryStore", "Recorder", "RegistryStore", "SqliteRegistryStore"]
