"""Cosmonapse: a peer-to-peer messaging fabric for agents, on ZeroMQ.

Agents are plain functions (Neurons). An Axon gives one an id and capabilities; a Dendrite is the
client that hosts Axons and dispatches TASKs; the Synapse is one small proxy on the LAN.
"""

from .axon import Axon
from .context import TaskContext
from .dendrite import Dendrite
from .errors import (
    CODES,
    BadSignal,
    CosmonapseError,
    DendriteProtocolError,
    InvalidName,
    InvalidUrl,
    LocalError,
    MissingExtra,
    NeedsAnswer,
    NeuronError,
    PortInUse,
    RemoteError,
    SignalTooLarge,
    SynapseRefused,
    SynapseUnreachable,
    UnencodableValue,
)
from .ids import new_event_id, new_trace_id
from .neurons import Neuron
from .registry import NeuronRecord
from .signals import Directed, Signal, SignalType
from .synapse import MemorySynapse, SynapseServer, connect_synapse, synapse_from_url

__version__ = "0.1.0"

__all__ = [
    "CODES",
    "Axon",
    "BadSignal",
    "CosmonapseError",
    "Dendrite",
    "DendriteProtocolError",
    "Directed",
    "InvalidName",
    "InvalidUrl",
    "LocalError",
    "MemorySynapse",
    "MissingExtra",
    "NeedsAnswer",
    "Neuron",
    "NeuronError",
    "NeuronRecord",
    "PortInUse",
    "RemoteError",
    "Signal",
    "SignalTooLarge",
    "SignalType",
    "SynapseRefused",
    "SynapseServer",
    "SynapseUnreachable",
    "TaskContext",
    "UnencodableValue",
    "connect_synapse",
    "new_event_id",
    "new_trace_id",
    "synapse_from_url",
]
