"""From a URL to a Synapse that answers."""

from __future__ import annotations

from ..transport import Synapse
from .memory import memory_synapse
from .url import DEFAULT_URL, memory_name, parse_url
from .zmq import ZmqSynapse


def synapse_from_url(url: str = DEFAULT_URL) -> Synapse:
    """Return the Synapse behind a URL, not yet connected.

    Args:
        url: `cosmo://host[:port]`, `cosmo+ipc://path` for one on this machine, or
            `memory://name` for one in this process.

    Raises:
        InvalidUrl: The URL names no endpoint.
    """
    name = memory_name(url)
    if name is not None:
        return memory_synapse(name)
    return ZmqSynapse(parse_url(url))


async def connect_synapse(url: str = DEFAULT_URL, *, timeout_s: float = 5.0) -> Synapse:
    """Return the Synapse behind a URL, once it has answered.

    Args:
        url: `cosmo://host[:port]`, `cosmo+ipc://path` for one on this machine, or
            `memory://name` for one in this process.
        timeout_s: How long it may take; a Synapse that starts meanwhile is found.

    Raises:
        InvalidUrl: The URL names no endpoint.
        SynapseUnreachable: Nobody answered in time; the text says what was seen and what to run.
        SynapseRefused: Somebody of another version answered.
    """
    synapse = synapse_from_url(url)
    await synapse.connect(timeout_s)
    return synapse
