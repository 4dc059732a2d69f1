"""What `cosmo doctor` looks at beyond this machine: names, ports, answer, rights, multicast."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import stat
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final
from urllib.parse import urlsplit

import attrs

from .. import __version__
from ..configuration import Setting, checked_namespace, chosen, read_key
from ..dendrite import Dendrite
from ..errors import (
    AccessRefused,
    InvalidContext,
    InvalidKey,
    MissingExtra,
    RemoteError,
    SynapseRefused,
    SynapseUnreachable,
)
from ..keys import Key
from ..registry import NeuronRecord, SynapseState, differing
from ..runtime.loops import run
from ..runtime.threads import in_thread
from ..synapse import connect_synapse
from ..synapse.auto import found_on_lan
from ..synapse.nats.place import NatsPlace
from ..synapse.schemes import checked_url, is_on_nats, takes_key
from ..synapse.url import Endpoint, Endpoints, IpcEndpoint, is_auto, masked, parse_url
from ..synapse.zmq import Cause, lookup, remedy
from ..transport import Synapse
from .findings import BAD, OK, WARNING, Finding
from .nats_checks import server_at

_LOOKUP_S: Final = 5.0
_CONNECT_S: Final = 2.0
_SILENT: Final = f"no answer within {_CONNECT_S:g} s"
_ANSWER_S: Final = 4.0
_LAN_S: Final = 1.5
_CLOCKS_S: Final = 1.0
_MAX_ADDRESSES: Final = 8
_NAME: Final = "cosmo-doctor"
_BROADCAST_PORTS: Final = (2, 3)
_BLOCKED = (
    "let it through the firewall of that host: without this port no Signal is seen by watchers; "
    "a Synapse that was started with --port 0 has others"
)


Way = Callable[[str, Endpoint], list[Finding]]
"""(address, place) -> the findings about its ports there, that of directed messages first."""


@attrs.frozen
class Where:
    """Where this program would join, as far as that can be told.

    Args:
        url: The URL that counts.
        namespace: The namespace that counts.
        key: The key that counts.
    """

    url: Setting
    namespace: Setting
    key: Key | None

    @classmethod
    def chosen(cls, url: str | None, namespace: str | None, key: str | None) -> Where:
        """Return the settings that count for these options.

        Raises:
            InvalidContext: The context cannot be used.
            InvalidKey: The key cannot be used.
        """
        found = read_key(chosen("key", key))
        return cls(chosen("url", url, key=key), chosen("namespace", namespace), found)


def url(given: str | None, key: str | None) -> Iterator[Finding]:
    """Look at the URL, and where it comes from."""
    with contextlib.suppress(InvalidContext, InvalidKey):  # then another row says it
        setting = chosen("url", given, key=key)
        checked_url(setting.value)
        yield Finding("url", OK, f"{masked(setting.value)} ({setting.source})")


def namespace(given: str | None) -> Iterator[Finding]:
    """Look at the namespace, and where it comes from."""
    with contextlib.suppress(InvalidContext):  # then another row says it
        setting = chosen("namespace", given)
        yield Finding("namespace", OK, f"{checked_namespace(setting)} ({setting.source})")


def reachable(where: Where) -> Iterator[Finding]:
    """Look at the names and the ports on the way to the Synapse."""
    url = where.url.value
    if is_auto(url):
        yield Finding("address", OK, "looked for on the LAN; see multicast")
    elif is_on_nats(url):
        yield from _nats_servers(url)
    elif not takes_key(url):
        yield Finding("address", OK, "in this process, or of another package: nothing to reach")
    else:
        place = parse_url(url)
        if isinstance(place, IpcEndpoint):
            yield from _socket_file(place.path)
        else:
            yield from _places(place.places if isinstance(place, Endpoints) else (place,))


def _socket_file(path: str) -> Iterator[Finding]:
    try:
        facts = os.stat(path)
    except OSError as error:
        fix = f"start it with: cosmo synapse start --ipc {path}"
        yield Finding("address", BAD, f"{path}: {error.strerror}", fix)
        return
    mode = stat.S_IMODE(facts.st_mode)
    if not stat.S_ISSOCK(facts.st_mode):
        yield Finding("address", BAD, f"{path} is no socket", "see whether the path is right")
    elif not os.access(path, os.R_OK | os.W_OK):
        says = f"{path} is not for this user (mode {mode:04o}, uid {facts.st_uid})"
        fix = "start the Synapse with --ipc-mode 0660, and share its group"
        yield Finding("address", BAD, says, fix)
    else:
        yield Finding("address", OK, f"{path}, mode {mode:04o}")


def _nats_servers(url: str) -> Iterator[Finding]:
    parts = [urlsplit(each) for each in NatsPlace.of(url, chosen("creds").value).servers]
    yield from _places([Endpoint(each.hostname or "", each.port or 0) for each in parts], _on_nats)


def _on_nats(address: str, place: Endpoint) -> list[Finding]:
    """Return the finding about the port of a nats-server."""
    return [server_at(address, place, _CONNECT_S, _fault_of)]


def _places(places: Sequence[Endpoint], way: Way | None = None) -> Iterator[Finding]:
    """Look at each place of a URL; of several one that can be reached is enough."""
    rows = [list(_place(each, way or _way)) for each in places]
    has_way = any(all(row.level != BAD for row in each) for each in rows)
    for row in (row for each in rows for row in each):
        yield attrs.evolve(row, level=WARNING) if has_way and row.level == BAD else row


def _place(place: Endpoint, way: Way) -> Iterator[Finding]:
    try:
        found = run(_looked_up(place))
    except TimeoutError:
        fix = "ask whoever runs the name server, or use an address"
        yield Finding("name", BAD, f"{place.host}: no answer within {_LOOKUP_S:g} s", fix)
        return
    if not found:
        fix = "see whether the name is right, or use an address"
        yield Finding("name", BAD, f"{place.host} does not resolve", fix)
        return
    yield Finding("name", OK, f"{place.host} is {', '.join(found)}")
    with ThreadPoolExecutor(len(found)) as pool:
        ways = list(pool.map(lambda each: way(each, place), found[:_MAX_ADDRESSES]))
    has_way = any(each.level == OK for each, *_ in ways)
    for directed, *broadcast in ways:
        yield (
            attrs.evolve(directed, level=WARNING) if has_way and directed.level == BAD else directed
        )
        yield from broadcast


async def _looked_up(place: Endpoint) -> list[str]:
    """Return the addresses of a place, none if its name does not resolve.

    Raises:
        TimeoutError: The name server is silent; the thread that waits for it keeps nobody.
    """
    found = in_thread(lookup, place.host, place.port, name=f"lookup of {place.host}")
    addresses: list[str] = await asyncio.wait_for(found, _LOOKUP_S)
    return addresses


def _way(address: str, place: Endpoint) -> list[Finding]:
    """Return the findings about the three ports at an address, that of directed messages first."""
    port = place.port
    fault = _fault_at(address, port)
    if fault:
        fix = remedy(place.host, port, Cause.NO_ANSWER if fault == _SILENT else Cause.NOBODY)
        return [Finding("port", BAD, f"{_at(address, port)}: {fault}", fix)]
    found = [Finding("port", OK, f"{_at(address, port)} is open")]
    for each in (port + offset for offset in _BROADCAST_PORTS):
        fault = _fault_at(address, each)
        says = f"{_at(address, each)}{f': {fault}' if fault else ' is open'} (broadcasts)"
        found.append(Finding("port", WARNING if fault else OK, says, _BLOCKED if fault else ""))
    return found


def _at(address: str, port: int) -> str:
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def _fault_at(address: str, port: int) -> str:
    """Return why nothing can be reached at a port; empty if something listens."""
    try:
        socket.create_connection((address, port), _CONNECT_S).close()
    except OSError as error:
        return _fault_of(error)
    return ""


def _fault_of(error: OSError) -> str:
    return _SILENT if isinstance(error, TimeoutError) else error.strerror or str(error)


def answers(where: Where) -> Iterator[Finding]:
    """Look at whether the Synapse answers, lets this program in, and lets it hear broadcasts."""
    findings: list[Finding] = []

    async def main() -> None:
        began_s = time.monotonic()
        url = where.url.value
        key = where.key if takes_key(url) else None
        synapse = await connect_synapse(url, key=key, timeout_s=_ANSWER_S)
        took_ms = (time.monotonic() - began_s) * 1000
        findings.append(Finding("synapse", OK, f"it answers after {took_ms:.0f} ms"))
        await _join(synapse, where, findings)

    try:
        run(main())
    except (RemoteError, TimeoutError) as error:
        topic = "access" if isinstance(error, AccessRefused) else "synapse"
        findings.append(Finding(topic, BAD, str(error)))
    yield from findings


async def _join(synapse: Synapse, where: Where, findings: list[Finding]) -> None:
    """Join the namespace; add what the Synapse tells."""
    async with _dendrite(synapse, where) as dendrite:
        key = where.key if takes_key(where.url.value) else None
        who = f"as {key.name} " if key is not None else ""
        findings.append(Finding("access", OK, f"let in {who}to namespace {dendrite.namespace}"))
        began_ts = time.time()
        state = await dendrite.synapse_state()
        findings += told_by(state, began_ts, time.time())
        findings += await _version(dendrite, state)
        findings += cards(await dendrite.find_neurons())
    findings.append(await _broadcasts(synapse, where))


def _dendrite(synapse: Synapse, where: Where) -> Dendrite:
    return Dendrite(synapse=synapse, namespace=where.namespace.value, dendrite_id=_NAME)


def told_by(state: SynapseState, asked_ts: float, answered_ts: float) -> Iterator[Finding]:
    """Look at the state of a Synapse: its load, its clock, and the others of its fabric.

    Args:
        state: As it told.
        asked_ts: Our wall clock at the question, in seconds UTC.
        answered_ts: Our wall clock at the answer.
    """
    load = f"up for {state.uptime_s:,.0f} s, {state.connections:,} Dendrites in it"
    says = f"{load}; it is stopping" if state.draining else load
    yield Finding("synapse", WARNING if state.draining else OK, says)
    if state.ts is not None:
        ahead_s = max(asked_ts - state.ts, state.ts - answered_ts, 0.0)
        sign = "ahead of" if state.ts > answered_ts else "behind"
        if ahead_s > _CLOCKS_S:
            fix = "set both by NTP; times on screens differ so much, deadlines do not"
            says = f"that of the Synapse is {ahead_s:,.1f} s {sign} this one"
            yield Finding("clock", WARNING, says, fix)
        else:
            yield Finding("clock", OK, "as that of the Synapse")
    for peer in state.peers:
        yield _peer(peer)
    if state.warning:
        yield Finding("fabric", WARNING, state.warning)


def _peer(peer: Mapping[str, Any]) -> Finding:
    """Look at another Synapse of the fabric, as the one that was asked sees it."""
    says = f"{peer.get('url')} is {peer.get('role')}"
    if peer.get("role") in ("closed", "silent"):
        fix = "start it, or look at the network between the two: until then none stands by"
        return Finding("fabric", WARNING, says, fix)
    if peer.get("same_users") is False:
        fix = "copy the folder of keys: until then some are refused when it takes over"
        return Finding("fabric", WARNING, f"{says}, and allows other keys", fix)
    return Finding("fabric", OK, says)


async def _version(dendrite: Dendrite, state: SynapseState) -> list[Finding]:
    """Look at whether the Synapse and this program are of one version."""
    fix = "install the same version at both ends, and start the Synapse again"
    if state.release and state.release != __version__:
        says = f"it runs version {state.release}, this program {__version__}"
        return [Finding("synapse", WARNING, says, fix)]
    try:
        await dendrite.open_tasks()
    except SynapseRefused:
        return [Finding("synapse", WARNING, "it is of an older version than this program", fix)]
    return [Finding("synapse", OK, f"version {state.release}")] if state.release else []


def cards(records: Sequence[NeuronRecord]) -> Iterator[Finding]:
    """Look at whether the replicas of each Neuron have one card."""
    fix = "update the replicas that are older, or wait until the update is over"
    for neuron_id, digests in sorted(differing(records).items()):
        says = f"{neuron_id}: {len(digests)} versions of its card are live ({', '.join(digests)})"
        yield Finding("cards", WARNING, says, fix)
    if not differing(records) and any(each.card for each in records):
        yield Finding("cards", OK, "the replicas of each Neuron have the same one")


async def _broadcasts(synapse: Synapse, where: Where) -> Finding:
    """Listen to a type that is seldom: a Dendrite starts once its subscriptions are in force."""
    listener = _dendrite(synapse, where)
    listener.on_consensus(lambda signal: None)
    try:
        await listener.start(timeout_s=_ANSWER_S)
    except AccessRefused:
        return Finding("broadcasts", OK, "not heard: this key may not listen to them")
    except SynapseUnreachable as error:
        fix = error.hint if is_on_nats(where.url.value) else _BLOCKED
        return Finding("broadcasts", BAD, "they do not arrive here", fix)
    finally:
        await listener.stop()
    return Finding("broadcasts", OK, "they arrive here")


def multicast() -> Iterator[Finding]:
    """Look at whether Synapses can be found on the LAN, and which are."""
    try:
        found = found_on_lan(_LAN_S)
    except MissingExtra:
        yield Finding("multicast", OK, "cosmo find and --lan need the extra [lan]: not installed")
        return
    except SynapseUnreachable as error:
        yield Finding("multicast", WARNING, str(error))
        return
    says = ", ".join(each.url for each in found) or "no Synapse is announced on this network"
    yield Finding("multicast", OK, says)
