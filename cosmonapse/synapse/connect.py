"""From a URL to a Synapse that answers."""

from __future__ import annotations

from ..configuration import KeyLike as KeyLike
from ..configuration import Source, chosen, read_key
from ..errors import InvalidKey, InvalidUrl, SynapseUnreachable
from ..keys import Key
from ..runtime.log_fallback import give_warnings_a_time
from ..runtime.running_loop import running_loop
from ..runtime.uncaught import shorten_mistakes
from ..transport import Synapse
from .carriers import ZMTP, chosen_carrier
from .schemes import factory_for, takes_key


def chosen_key(key: KeyLike | None = None) -> Key | None:
    """Return the key to use: the given one, else that of COSMO_KEY, else that of the context.

    Raises:
        InvalidContext: The context cannot be used.
        InvalidKey: Its file cannot be used; the text names the cause and the remedy.
    """
    return read_key(chosen("key", key))


def synapse_from_url(
    url: str | None = None, *, carrier: str | None = None, key: KeyLike | None = None
) -> Synapse:
    """Return the Synapse behind a URL, not yet connected.

    Args:
        url: `cosmo://host[:port]` (an IPv6 address in brackets), `cosmo+ipc://path` for one on this
            machine, `memory://name` for one in this process, or a URL whose scheme an installed
            package adds. By default the variable COSMO_URL, else the context, else the `url` of the
            key, else `cosmo://127.0.0.1:7070`.
        carrier: What moves the directed messages of the first two: `zmtp`, which is our own, or
            `libzmq`. By default the variable COSMO_CARRIER, else `zmtp`. With a key over TCP it is
            `libzmq` in any case, as that encrypts.
        key: The path of a file NAME.key, or a `cosmonapse.keys.Key`, for a Synapse with keys. By
            default the file in the variable COSMO_KEY, else that of the context, else none. Over
            `cosmo+ipc` none is needed.

    Raises:
        InvalidUrl: The URL names no endpoint, or the package that adds its scheme is broken.
        InvalidCarrier: There is no such carrier.
        InvalidContext: The context cannot be used; the text names the cause and the remedy.
        InvalidKey: The key cannot be used, or not with this URL or this carrier.
    """
    shorten_mistakes()
    give_warnings_a_time()
    named = chosen_carrier(carrier)
    setting = chosen("url", url, key=key)
    whole = setting.value
    used = chosen_key(key) if key is not None or takes_key(whole) else None
    try:
        made = factory_for(whole, named, used)(whole)
    except InvalidUrl as error:
        raise InvalidUrl(error.url, error.reason + setting.source.blame) from None
    if key is not None and not takes_key(whole):
        scheme = whole.partition(":")[0]
        raise InvalidKey("a key", f"a Synapse at {scheme}:// has none: leave 'key' out")
    if used is not None and carrier == ZMTP and whole.lower().startswith("cosmo://"):
        raise InvalidKey(
            f"the key of {used.name}",
            f"the carrier {ZMTP!r} does not encrypt: leave 'carrier' out, or name 'libzmq'",
        )
    return made


async def connect_synapse(
    url: str | None = None,
    *,
    carrier: str | None = None,
    key: KeyLike | None = None,
    timeout_s: float | None = 5.0,
) -> Synapse:
    """Return the Synapse behind a URL, once it has answered.

    Args:
        url: `cosmo://host[:port]` (an IPv6 address in brackets), `cosmo+ipc://path` for one on this
            machine, `memory://name` for one in this process, or a URL whose scheme an installed
            package adds. By default the variable COSMO_URL, else the context, else the `url` of the
            key, else `cosmo://127.0.0.1:7070`.
        carrier: What moves the directed messages of the first two: `zmtp`, which is our own, or
            `libzmq`. By default the variable COSMO_CARRIER, else `zmtp`. With a key over TCP it is
            `libzmq` in any case, as that encrypts.
        key: The path of a file NAME.key, or a `cosmonapse.keys.Key`, for a Synapse with keys. By
            default the file in the variable COSMO_KEY, else that of the context, else none. Over
            `cosmo+ipc` none is needed.
        timeout_s: Maximum wait in seconds; a Synapse that starts meanwhile is found.
            None waits for ever, and logs every 10 s what was seen.

    Raises:
        InvalidUrl: The URL names no endpoint, or the package that adds its scheme is broken.
        InvalidCarrier: There is no such carrier.
        InvalidContext: The context cannot be used; the text names the cause and the remedy.
        InvalidKey: The key cannot be used, or not with this URL or this carrier.
        SynapseUnreachable: No answer in time; the text names the cause and the remedy.
        SynapseRefused: A Synapse of another version answered.
        AccessRefused: The Synapse and the key do not fit; the text names what to run.
        DendriteProtocolError: No event loop of asyncio runs here, as under trio.
    """
    running_loop()
    source = Source("argument") if url is not None else chosen("url", key=key).source
    synapse = synapse_from_url(url, carrier=carrier, key=key)
    try:
        await synapse.connect(timeout_s)
    except SynapseUnreachable as error:
        raise with_origin(error, source) from None  # its cause is in the text
    return synapse


def with_origin(error: SynapseUnreachable, source: Source) -> SynapseUnreachable:
    """Return the error, with the file that the URL stands in: whoever sees it gave none."""
    if not source.file:
        return error
    return SynapseUnreachable(error.url, error.reason, f"{error.hint}; the URL is of the {source}")
