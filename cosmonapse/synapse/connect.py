"""From a URL to a Synapse that answers."""

from __future__ import annotations

from ..transport import Synapse
from .url import DEFAULT_URL, parse_url


def synapse_from_url(url: str = DEFAULT_URL) -> Synapse:
    """Return the Synapse behind a URL, not yet connected.

    Args:
        url: `cosmo://host[:port]`.

    Raises:
        InvalidUrl: The URL names no endpoint.
    """
    from .zmq import ZmqSynapse

    return ZmqSynapse(parse_url(url))


async def connect_synapse(url: str = DEFAULT_URL, *, timeout_s: float = 5.0) -> Synapse:
    """Return the Synapse behind a URL, once it has answered.

    Args:
        url: `cosmo://host[:port]`.
        timeout_s: How long it may take; a Synapse that starts meanwhile is found.

    Raises:
        InvalidUrl: The URL names no endpoint.
        SynapseUnreachable: Nobody answered in time; the text says what was seen and what to run.
        SynapseRefused: Somebody of another version answered.
    """
    synapse = synapse_from_url(url)
    await synapse.connect(timeout_s)
    return synapse
