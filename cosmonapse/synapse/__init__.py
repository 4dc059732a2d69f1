"""Where Dendrites meet: URLs, connecting, and the built-in transports."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..runtime.lazy import loaded_on_use

if TYPE_CHECKING:
    from .connect import connect_synapse, synapse_from_url
    from .memory import MemorySynapse
    from .server import SynapseServer

__all__ = ["MemorySynapse", "SynapseServer", "connect_synapse", "synapse_from_url"]

__getattr__, __dir__ = loaded_on_use(
    __name__,
    {
        ".connect": ("connect_synapse", "synapse_from_url"),
        ".memory": ("MemorySynapse",),
        ".server": ("SynapseServer",),
    },
)
