"""Memory for agents: sessions of a chat, and entries that are recalled by their words."""

from .memory_axon import engram
from .port import MemoryStore
from .sessions import Sessions
from .sqlite_memory import SqliteMemory

__all__ = ["MemoryStore", "Sessions", "SqliteMemory", "engram"]
