"""Where Dendrites meet: URLs, connecting, and the transports behind them."""

from .connect import connect_synapse, synapse_from_url
from .memory import MemorySynapse
from .server import SynapseServer

__all__ = ["MemorySynapse", "SynapseServer", "connect_synapse", "synapse_from_url"]
