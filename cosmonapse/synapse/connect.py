"""From a URL to a Synapse that answers."""

from __future__ import annotations

from ..errors import InvalidUrl
from ..runtime.environment import URL_VARIABLE, value_of
from ..runtime.log_fallback import give_warnings_a_time
from ..runtime.running_loop import running_loop
from ..runtime.uncaught import shorten_mistakes
from ..transport import Synapse
from .carriers import chosen_carrier
from .schemes import factory_for
from .url import DEFAULT_URL


def synapse_from_url(url: str | None = None, *, carrier: str | None = None) -> Synapse:
    """Return the Synapse behind a URL, not yet connected.

    Args:
        url: `cosmo://host[:port]` (an IPv6 address in brackets), `cosmo+ipc://path` for one on this
            machine, `memory://name` for one in this process, or a URL whose scheme an installed
            package adds. By default the variable COSMO_URL, else `cosmo://127.0.0.1:7070`.
        carrier: What moves the directed messages of the first two: `zmtp`, which is our own, or
            `libzmq`. By default the variable COSMO_CARRIER, else `zmtp`.

    Raises:
        InvalidUrl: The URL names no endpoint, or the package that adds its scheme is broken.
        InvalidCarrier: There is no such carrier.
    """
    shorten_mistakes()
    give_warnings_a_time()
    carrier = chosen_carrier(carrier)
    if url is not None:
        return factory_for(url, carrier)(url)
    url = value_of(URL_VARIABLE)
    if url is None:
        return factory_for(DEFAULT_URL, carrier)(DEFAULT_URL)
    try:
        return factory_for(url, carrier)(url)
    except InvalidUrl as error:
        raise InvalidUrl(error.url, f"{error.reason} (it is in {URL_VARIABLE})") from None


async def connect_synapse(
    url: str | None = None, *, carrier: str | None = None, timeout_s: float | None = 5.0
) -> Synapse:
    """Return the Synapse behind a URL, once it has answered.

    Args:
        url: `cosmo://host[:port]` (an IPv6 address in brackets), `cosmo+ipc://path` for one on this
            machine, `memory://name` for one in this process, or a URL whose scheme an installed
            package adds. By default the variable COSMO_URL, else `cosmo://127.0.0.1:7070`.
        carrier: What moves the directed messages of the first two: `zmtp`, which is our own, or
            `libzmq`. By default the variable COSMO_CARRIER, else `zmtp`.
        timeout_s: Maximum wait in seconds; a Synapse that starts meanwhile is found.
            None waits for ever, and logs every 10 s what was seen.

    Raises:
        InvalidUrl: The URL names no endpoint, or the package that adds its scheme is broken.
        InvalidCarrier: There is no such carrier.
        SynapseUnreachable: No answer in time; the text names the cause and the remedy.
        SynapseRefused: A Synapse of another version answered.
        DendriteProtocolError: No event loop of asyncio runs here, as under trio.
    """
    running_loop()
    synapse = synapse_from_url(url, carrier=carrier)
    await synapse.connect(timeout_s)
    return synapse
