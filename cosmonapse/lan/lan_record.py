"""What a Synapse announces on the LAN, and how it is read. Spec: docs/spec/13-discovery.md. Pure.

Whoever is on the network can announce anything, so each value that is not as it should be is left
out, and no text reaches a terminal as it came.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Mapping
from typing import Final

import attrs

from ..defaults import MAX_PEERS
from ..runtime.printable import printable

SERVICE: Final = "_cosmo._tcp.local."
MAX_ADDRESSES: Final = 16
ID_BYTES: Final = 8
MAX_NAMESPACES_BYTES: Final = 200
_EVERY = "*"
_MORE = "+"
_LABEL_BYTES = 63
_SHOWN_CHARS = 80
_WIRE = re.compile(r"[0-9]{1,3}")
_ID = re.compile(r"[0-9a-f]{16}")
_IDS = re.compile(r"([0-9a-f]{16})*")
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+_-]{0,31}")
_FINGERPRINT = re.compile(r"[0-9a-f]{4}(-[0-9a-f]{4}){3}")
_NAME = re.compile(r"[A-Za-z0-9._-]{1,128}")
_UNFIT = re.compile(r"[^A-Za-z0-9-]+")


@attrs.frozen
class Record:
    """What one Synapse announces.

    Args:
        instance: The name under which it does.
        addresses: Its network addresses, 16 at most.
        port: The port of its directed plane.
        start_id: 16 hexadecimal digits, new at each start of the process; empty if it names none.
        wire: The version of the wire that it speaks; None if it names none.
        version: The version of its package; empty if it names none.
        namespaces: Those that it serves; None for any.
        has_more: Whether it serves further ones, for which there was no room.
        fingerprint: That of its public key; empty for one without keys.
        peers: The start ids of the other Synapses of its fabric, as far as it hears them.
    """

    instance: str
    addresses: tuple[str, ...]
    port: int
    start_id: str = ""
    wire: int | None = None
    version: str = ""
    namespaces: frozenset[str] | None = None
    has_more: bool = False
    fingerprint: str = ""
    peers: frozenset[str] = frozenset()

    def may_serve(self, namespace: str | None) -> bool:
        """Return whether it serves a namespace as far as it says; None stands for any."""
        return (
            namespace is None
            or self.namespaces is None
            or self.has_more
            or namespace in self.namespaces
        )

    @property
    def served(self) -> str:
        """The namespaces as a text."""
        if self.namespaces is None:
            return "any"
        return ", ".join([*sorted(self.namespaces), *(["..."] if self.has_more else [])])

    def names(self, other: Record) -> bool:
        """Return whether it says that another one is of its fabric."""
        return bool(other.start_id) and other.start_id in self.peers


def instance_of(host: str, port: int, start_id: str) -> str:
    """Return a name that no other Synapse on the network has, such as `studio-7070-3f2a`."""
    tail = f"-{port}-{start_id[:4]}"
    return (_UNFIT.sub("-", host.partition(".")[0]).strip("-") or "cosmo")[
        : _LABEL_BYTES - len(tail)
    ] + tail


def texts_of(record: Record) -> dict[str, str]:
    """Return the texts of the TXT record by key."""
    texts = {
        "txtvers": "1",
        "wire": str(record.wire),
        "version": record.version,
        "ns": _packed(record),
        "id": record.start_id,
    }
    if record.fingerprint:
        texts["key"] = record.fingerprint
    if record.peers:
        texts["peers"] = "".join(sorted(record.peers)[:MAX_PEERS])
    return texts


def record_of(
    instance: str, addresses: Iterable[str], port: int, texts: Mapping[bytes, bytes | None]
) -> Record | None:
    """Return what was announced; None if nothing could be connected to.

    Args:
        instance: The name, with or without the name of the service.
        addresses: As texts; those that are no addresses are left out.
        port: The port.
        texts: The TXT record. A value that is not as it should be counts as one that is missing.
    """
    usable = [each for each in dict.fromkeys(addresses) if _is_usable(each)][:MAX_ADDRESSES]
    if not usable or not 0 < port <= 65_535:
        return None
    namespaces, has_more = _namespaces_of(_text(texts, b"ns"))
    wire = _WIRE.fullmatch(_text(texts, b"wire"))
    peers = _ID.findall(_matching(_IDS, texts, b"peers"))
    return Record(
        instance=printable(instance.removesuffix("." + SERVICE))[:_SHOWN_CHARS],
        addresses=tuple(usable),
        port=port,
        start_id=_matching(_ID, texts, b"id"),
        wire=int(wire[0]) if wire else None,
        version=_matching(_VERSION, texts, b"version"),
        namespaces=namespaces,
        has_more=has_more,
        fingerprint=_matching(_FINGERPRINT, texts, b"key"),
        peers=frozenset(peers[:MAX_PEERS]),
    )


def _packed(record: Record) -> str:
    """Return the namespaces of a record, as many as there is room for."""
    if record.namespaces is None:
        return _EVERY
    packed: list[str] = []
    has_more = record.has_more
    for each in sorted(record.namespaces):
        if len(",".join([*packed, each, _MORE])) > MAX_NAMESPACES_BYTES:
            has_more = True
            break
        packed.append(each)
    return ",".join([*packed, *([_MORE] if has_more else [])])


def _namespaces_of(text: str) -> tuple[frozenset[str] | None, bool]:
    """Return the namespaces in a text, and whether there are more; any without a valid one."""
    parts = text.split(",")
    named = frozenset(each for each in parts if _NAME.fullmatch(each))
    has_more = _MORE in parts
    return (named, has_more) if named or has_more else (None, False)


def _text(texts: Mapping[bytes, bytes | None], key: bytes) -> str:
    """Return a value of a TXT record; empty for one that is missing or not ASCII."""
    value = texts.get(key)
    if not isinstance(value, bytes) or not value.isascii():
        return ""
    return value.decode("ascii")


def _matching(form: re.Pattern[str], texts: Mapping[bytes, bytes | None], key: bytes) -> str:
    text = _text(texts, key)
    return text if form.fullmatch(text) else ""


def _is_usable(text: str) -> bool:
    """Return whether a text is an address that one can connect to."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    inner = getattr(address, "ipv4_mapped", None) or address
    # It would lead to whatever listens on the reader's own machine.
    if inner.is_loopback or inner.is_multicast or inner.is_unspecified:
        return False
    scope = getattr(address, "scope_id", None)
    return scope is None or scope.isalnum()
