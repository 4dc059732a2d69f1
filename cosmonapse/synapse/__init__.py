"""Where Dendrites meet: URLs, connecting, and the transports behind them."""

from .connect import connect_synapse, synapse_from_url

__all__ = ["connect_synapse", "synapse_from_url"]
