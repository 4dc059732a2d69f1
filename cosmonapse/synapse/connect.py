"""From a URL to a Synapse that answers."""

from __future__ import annotations

import os

from ..errors import InvalidKey, InvalidUrl
from ..keys import Key
from ..runtime.environment import KEY_VARIABLE, URL_VARIABLE, value_of
from ..runtime.log_fallback import give_warnings_a_time
from ..runtime.running_loop import running_loop
from ..runtime.uncaught import shorten_mistakes
from ..transport import Synapse
from .carriers import ZMTP, chosen_carrier
from .schemes import factory_for, takes_key
from .url import DEFAULT_URL

KeyLike = Key | str | os.PathLike[str]
"""A key, or the path of its file NAME.key."""


def read_key(key: KeyLike) -> Key:
    """Return a key.

    Raises:
        InvalidKey: Its file cannot be used; the text names the cause and the remedy.
    """
    return key if isinstance(key, Key) else Key.read(key)


def chosen_url(url: str | None, key: Key | None) -> str:
    """Return the URL to use: the given one, COSMO_URL, that of the key, else the default."""
    if url is not None:
        return url
    named = value_of(URL_VARIABLE)
    if named is not None:
        return named
    return DEFAULT_URL if key is None or key.url is None else key.url


def chosen_key(key: KeyLike | None = None) -> Key | None:
    """Return the key to use: the given one, else that of COSMO_KEY; None without either.

    Raises:
        InvalidKey: Its file cannot be used; the text names the cause and the remedy.
    """
    if key is not None:
        return read_key(key)
    path = value_of(KEY_VARIABLE)
    if path is None:
        return None
    try:
        return Key.read(path)
    except InvalidKey as error:
        raise InvalidKey(error.what, f"{error.reason} (it is in {KEY_VARIABLE})") from None


def synapse_from_url(
    url: str | None = None, *, carrier: str | None = None, key: KeyLike | None = None
) -> Synapse:
    """Return the Synapse behind a URL, not yet connected.

    Args:
        url: `cosmo://host[:port]` (an IPv6 address in brackets), `cosmo+ipc://path` for one on this
            machine, `memory://name` for one in this process, or a URL whose scheme an installed
            package adds. By default the variable COSMO_URL, else the `url` of the key, else
            `cosmo://127.0.0.1:7070`.
        carrier: What moves the directed messages of the first two: `zmtp`, which is our own, or
            `libzmq`. By default the variable COSMO_CARRIER, else `zmtp`. With a key over TCP it is
            `libzmq` in any case, as that encrypts.
        key: The path of a file NAME.key, or a `cosmonapse.keys.Key`, for a Synapse with keys. By
            default the file in the variable COSMO_KEY, else none. Over `cosmo+ipc` none is needed.

    Raises:
        InvalidUrl: The URL names no endpoint, or the package that adds its scheme is broken.
        InvalidCarrier: There is no such carrier.
        InvalidKey: The key cannot be used, or not with this URL or this carrier.
    """
    shorten_mistakes()
    give_warnings_a_time()
    named = chosen_carrier(carrier)
    given = value_of(URL_VARIABLE) if url is None else url
    is_of_use = key is not None or given is None or takes_key(given)
    used = chosen_key(key) if is_of_use else None
    whole = chosen_url(given, used)
    try:
        made = factory_for(whole, named, used)(whole)
    except InvalidUrl as error:
        if url is not None or given is None:
            raise
        raise InvalidUrl(error.url, f"{error.reason} (it is in {URL_VARIABLE})") from None
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
            package adds. By default the variable COSMO_URL, else the `url` of the key, else
            `cosmo://127.0.0.1:7070`.
        carrier: What moves the directed messages of the first two: `zmtp`, which is our own, or
            `libzmq`. By default the variable COSMO_CARRIER, else `zmtp`. With a key over TCP it is
            `libzmq` in any case, as that encrypts.
        key: The path of a file NAME.key, or a `cosmonapse.keys.Key`, for a Synapse with keys. By
            default the file in the variable COSMO_KEY, else none. Over `cosmo+ipc` none is needed.
        timeout_s: Maximum wait in seconds; a Synapse that starts meanwhile is found.
            None waits for ever, and logs every 10 s what was seen.

    Raises:
        InvalidUrl: The URL names no endpoint, or the package that adds its scheme is broken.
        InvalidCarrier: There is no such carrier.
        InvalidKey: The key cannot be used, or not with this URL or this carrier.
        SynapseUnreachable: No answer in time; the text names the cause and the remedy.
        SynapseRefused: A Synapse of another version answered.
        AccessRefused: The Synapse and the key do not fit; the text names what to run.
        DendriteProtocolError: No event loop of asyncio runs here, as under trio.
    """
    running_loop()
    synapse = synapse_from_url(url, carrier=carrier, key=key)
    await synapse.connect(timeout_s)
    return synapse
