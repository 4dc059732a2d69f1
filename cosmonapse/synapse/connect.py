"""From a URL to a Synapse that answers."""

from __future__ import annotations

from ..runtime.running_loop import running_loop
from ..transport import Synapse
from .schemes import factory_for
from .url import DEFAULT_URL


def synapse_from_url(url: str = DEFAULT_URL) -> Synapse:
    """Return the Synapse behind a URL, not yet connected.

    Args:
        url: `cosmo://host[:port]` (an IPv6 address in brackets), `cosmo+ipc://path` for one on this
            machine, `memory://name` for one in this process, or a URL whose scheme an installed
            package adds.

    Raises:
        InvalidUrl: The URL names no endpoint, or the package that adds its scheme is broken.
    """
    return factory_for(url)(url)


async def connect_synapse(url: str = DEFAULT_URL, *, timeout_s: float | None = 5.0) -> Synapse:
    """Return the Synapse behind a URL, once it has answered.

    Args:
        url: `cosmo://host[:port]` (an IPv6 address in brackets), `cosmo+ipc://path` for one on this
            machine, `memory://name` for one in this process, or a URL whose scheme an installed
            package adds.
        timeout_s: Maximum wait in seconds; a Synapse that starts meanwhile is found.
            None waits for ever, and logs every 10 s what was seen.

    Raises:
        InvalidUrl: The URL names no endpoint, or the package that adds its scheme is broken.
        SynapseUnreachable: No answer in time; the text names the cause and the remedy.
        SynapseRefused: A Synapse of another version answered.
        DendriteProtocolError: No event loop of asyncio runs here, as under trio.
    """
    running_loop()
    synapse = synapse_from_url(url)
    await synapse.connect(timeout_s)
    return synapse
