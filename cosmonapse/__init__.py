"""Cosmonapse: a peer-to-peer messaging fabric for agents, on ZeroMQ.

Agents are plain functions (Neurons). An Axon gives one an id and capabilities; a Dendrite is the
client that hosts Axons and dispatches TASKs; the Synapse is one small proxy on the LAN.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .runtime.lazy import loaded_on_use

if TYPE_CHECKING:
    from .axon import Axon
    from .axon_source import AxonSource
    from .cards import Card
    from .dendrite import Dendrite
    from .dendrite.caller.pathway import Pathway
    from .dendrite.caller.retry import RetryStrategy, default_retry_on
    from .dendrite.worker.context import TaskContext
    from .edge import BlockingDendrite, TextStream
    from .errors import (
        CODES,
        AccessRefused,
        BadSignal,
        Clarification,
        CosmonapseError,
        DendriteProtocolError,
        Escalation,
        InsecureBind,
        InvalidCarrier,
        InvalidContext,
        InvalidKey,
        InvalidName,
        InvalidUrl,
        LocalError,
        MemoryFileError,
        MissingExtra,
        NeedsAnswer,
        NeuronError,
        PathwayClosedError,
        PermissionNeeded,
        PortInUse,
        Question,
        RegistryStoreError,
        RemoteError,
        SeveralSynapses,
        SignalTooLarge,
        SynapseAway,
        SynapseRefused,
        SynapseUnreachable,
        ToolServerUnreachable,
        UnencodableValue,
    )
    from .ids import new_event_id, new_trace_id
    from .keys import Key
    from .mcp_tools import McpServer
    from .memory import MemoryStore, Sessions, SqliteMemory, engram
    from .neuron_decorator import neuron
    from .neurons import Neuron
    from .registry import DendriteRecord, NeuronRecord, SynapseState, TaskRecord
    from .signals import Directed, Signal, SignalType
    from .stores import MemoryRegistryStore, RegistryStore, SqliteRegistryStore
    from .synapse import MemorySynapse, SynapseServer, connect_synapse, synapse_from_url
    from .tool_definitions import ToolDefinitions

__version__ = "0.1.0"

__all__ = [
    "CODES",
    "AccessRefused",
    "Axon",
    "AxonSource",
    "BadSignal",
    "BlockingDendrite",
    "Card",
    "Clarification",
    "CosmonapseError",
    "Dendrite",
    "DendriteProtocolError",
    "DendriteRecord",
    "Directed",
    "Escalation",
    "InsecureBind",
    "InvalidCarrier",
    "InvalidContext",
    "InvalidKey",
    "InvalidName",
    "InvalidUrl",
    "Key",
    "LocalError",
    "McpServer",
    "MemoryFileError",
    "MemoryRegistryStore",
    "MemoryStore",
    "MemorySynapse",
    "MissingExtra",
    "NeedsAnswer",
    "Neuron",
    "NeuronError",
    "NeuronRecord",
    "Pathway",
    "PathwayClosedError",
    "PermissionNeeded",
    "PortInUse",
    "Question",
    "RegistryStore",
    "RegistryStoreError",
    "RemoteError",
    "RetryStrategy",
    "Sessions",
    "SeveralSynapses",
    "Signal",
    "SignalTooLarge",
    "SignalType",
    "SqliteMemory",
    "SqliteRegistryStore",
    "SynapseAway",
    "SynapseRefused",
    "SynapseServer",
    "SynapseState",
    "SynapseUnreachable",
    "TaskContext",
    "TaskRecord",
    "TextStream",
    "ToolDefinitions",
    "ToolServerUnreachable",
    "UnencodableValue",
    "connect_synapse",
    "default_retry_on",
    "engram",
    "neuron",
    "new_event_id",
    "new_trace_id",
    "synapse_from_url",
]

__getattr__, __dir__ = loaded_on_use(
    __name__,
    {
        ".axon": ("Axon",),
        ".axon_source": ("AxonSource",),
        ".cards": ("Card",),
        ".dendrite.worker.context": ("TaskContext",),
        ".dendrite": ("Dendrite",),
        ".edge": ("BlockingDendrite", "TextStream"),
        ".errors": (
            "CODES",
            "AccessRefused",
            "BadSignal",
            "Clarification",
            "CosmonapseError",
            "DendriteProtocolError",
            "Escalation",
            "InsecureBind",
            "InvalidKey",
            "InvalidName",
            "InvalidCarrier",
            "InvalidContext",
            "InvalidUrl",
            "LocalError",
            "MemoryFileError",
            "MissingExtra",
            "NeedsAnswer",
            "NeuronError",
            "PathwayClosedError",
            "PermissionNeeded",
            "PortInUse",
            "Question",
            "RegistryStoreError",
            "RemoteError",
            "SeveralSynapses",
            "SignalTooLarge",
            "SynapseRefused",
            "SynapseAway",
            "SynapseUnreachable",
            "ToolServerUnreachable",
            "UnencodableValue",
        ),
        ".ids": ("new_event_id", "new_trace_id"),
        ".keys": ("Key",),
        ".mcp_tools": ("McpServer",),
        ".memory": ("MemoryStore", "Sessions", "SqliteMemory", "engram"),
        ".neuron_decorator": ("neuron",),
        ".neurons": ("Neuron",),
        ".dendrite.caller.pathway": ("Pathway",),
        ".registry": ("DendriteRecord", "NeuronRecord", "SynapseState", "TaskRecord"),
        ".dendrite.caller.retry": ("RetryStrategy", "default_retry_on"),
        ".signals": ("Directed", "Signal", "SignalType"),
        ".stores": ("MemoryRegistryStore", "RegistryStore", "SqliteRegistryStore"),
        ".tool_definitions": ("ToolDefinitions",),
        ".synapse": ("MemorySynapse", "SynapseServer", "connect_synapse", "synapse_from_url"),
    },
)
