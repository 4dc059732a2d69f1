"""The wire: frames, verbs, addresses and topics. Spec: docs/spec/01-wire.md. Pure.

Nobody else indexes into frames or builds topics. A directed message is two frames, `[head][body]`.

    head     version u8, flags u8, peer 16, count u8, then `count` items, then the address
    item     verb u8, flags u8, kind u8, number u32, task 16, trace 16, size u32
    body     the bodies of the items, one after the other

`number` is the remaining time in milliseconds on a TASK and the index of the reply on a REPLY.
A broadcast message is three frames, `[topic][header][body]`:

    header   publisher 16, sequence u64, caller 16, worker 16, and of a batch: `size u32` of each

The functions on the hot path use plain tuples and bytes.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Sequence
from struct import Struct
from typing import Any, Final, NamedTuple

from ..access.origin import instance_of as instance_of
from ..errors import VersionMismatch, WireError
from .addresses import MAX_ADDRESS_BYTES as MAX_ADDRESS_BYTES
from .addresses import address_of as address_of
from .addresses import checked_name as checked_name
from .addresses import read_address as read_address
from .topics import LIVE_TOPIC as LIVE_TOPIC
from .topics import MAX_TOPIC_BYTES as MAX_TOPIC_BYTES
from .topics import Topic as Topic
from .topics import instance_of_sync as instance_of_sync
from .topics import kind_topic as kind_topic
from .topics import read_topic as read_topic
from .topics import sync_topic as sync_topic
from .topics import trace_topic as trace_topic

VERSION: Final = 1
NOBODY: Final = bytes(16)
MAX_ITEMS: Final = 64
MAX_COALESCED_BYTES: Final = 256 * 1024
MAX_NUMBER: Final = 0xFFFF_FFFF

_FIXED = Struct(">BB16sB")
_ITEM = Struct(">BBBI16s16sI")
_SINGLE = Struct(">BB16sBBBBI16s16sI")
_HEADER = Struct(">16sQ16s16s")
_HEADER_PARTS = Struct(">16sQ32s")
_START: Final = bytes((VERSION, 0))
_PEER_AT = len(_START)
_COUNT_AT = _FIXED.size - 1
_SINGLE_BYTES = _SINGLE.size
HEADER_BYTES: Final = _HEADER.size
MAX_HEAD_BYTES: Final = _FIXED.size + MAX_ITEMS * _ITEM.size + MAX_ADDRESS_BYTES


class Verb(enum.IntEnum):
    """The purpose of an item."""

    HELLO = 1
    WELCOME = 2
    REFUSED = 3
    WHO = 4
    PING = 5
    REGISTER = 6
    DEREGISTER = 7
    HEARTBEAT = 8
    ROSTER = 9
    TASK = 10
    REPLY = 11
    CANCEL = 12
    BOUNCE = 13
    LOST = 14
    CLAIM = 15
    RESEND = 16
    GOING_AWAY = 17
    GOODBYE = 18
    WORKERS = 19
    PUBLISH = 20
    USERS = 21
    ROLE = 22


class ItemFlag(enum.IntFlag):
    """Bits of an item."""

    SETTLES = 1
    """On a REPLY: the last one of its task."""
    KEEP = 2
    """On a TASK: it runs on when its caller goes away."""
    SKIPS = 4
    """On a REPLY that is sent again: missing replies before it are no longer stored."""
    RUN = 8
    """On a TASK: its caller reads runs. On a REPLY: it is a run of replies."""


class Reason(enum.StrEnum):
    """Why something was not delivered; the body of a BOUNCE or a LOST."""

    NO_ROUTE = "no_route"
    BUSY = "busy"
    EXPIRED = "expired"
    BAD_ADDRESS = "bad_address"
    TOO_LARGE = "too_large"
    DUPLICATE = "duplicate"
    HELLO_FIRST = "hello_first"
    GOING_AWAY = "going_away"
    WORKER_LOST = "worker_lost"
    NOT_STARTED = "not_started"
    UNKNOWN = "unknown"
    REPLY_LOST = "reply_lost"
    REPLY_WAITS = "reply_waits"
    FORBIDDEN = "forbidden"


Item = tuple[int, int, int, int, bytes, bytes, int]
"""verb, flags, kind, number, task, trace, size: as on the wire."""

_SIZE: Final = 6

Single = tuple[bytes, int, int, int, int, bytes, bytes, int, bytes]
"""peer, verb, flags, kind, number, task, trace, size, address: a head with one item."""


class HeadFields(NamedTuple):
    """A `Single` with names, for code off the hot path."""

    peer: bytes
    verb: int
    flags: int
    kind: int
    number: int
    task: bytes
    trace: bytes
    size: int
    address: bytes


def pack(
    verb: int,
    size: int = 0,
    *,
    peer: bytes = NOBODY,
    flags: int = 0,
    kind: int = 0,
    number: int = 0,
    task: bytes = NOBODY,
    trace: bytes = NOBODY,
    address: bytes = b"",
) -> bytes:
    """Return a head with one item.

    Args:
        verb: One of `Verb`.
        size: Length of the body in bytes.
        peer: Instance id (16 bytes) of the caller, or of the sender.
        flags: Bits of `ItemFlag`.
        kind: The application's own type code, 0 to 255.
        number: Remaining milliseconds on a TASK, index of the reply on a REPLY.
        task: Task id, 16 bytes.
        trace: Trace id, 16 bytes.
        address: Its target, see `address_of`.
    """
    return _SINGLE.pack(VERSION, 0, peer, 1, verb, flags, kind, number, task, trace, size) + address


def start_of(peer: bytes) -> bytes:
    """Return the first part of a head, up to the count."""
    return _START + peer


pack_item: Final = _ITEM.pack
"""(verb, flags, kind, number, task, trace, size) -> one item of a head."""


def head_of(start: bytes, items: Sequence[bytes], address: bytes) -> bytes:
    """Return the head of items that are packed already, see `start_of` and `pack_item`."""
    return b"".join((start, bytes((len(items),)), *items, address))


def cut(head: bytes) -> tuple[bytes, bytes, bytes]:
    """Return a one-item `head` as start, item and address."""
    return head[:_COUNT_AT], head[_FIXED.size : _SINGLE_BYTES], head[_SINGLE_BYTES:]


def items_of(head: bytes, count: int) -> list[bytes]:
    """Return the items of a `head` with `count` of them, packed as they are."""
    ends = range(_FIXED.size, _FIXED.size + count * _ITEM.size, _ITEM.size)
    return [head[at : at + _ITEM.size] for at in ends]


def verb_of_item(item: bytes) -> int:
    """Return the verb of a packed item."""
    return item[0]


def is_single(head: bytes) -> bool:
    """Return whether a valid `head` has one item."""
    return head[_COUNT_AT] == 1


def pack_items(items: Sequence[Item], *, peer: bytes = NOBODY, address: bytes = b"") -> bytes:
    """Return a head with any number of items from 1 to 64."""
    return b"".join(
        (_FIXED.pack(VERSION, 0, peer, len(items)), *(_ITEM.pack(*i) for i in items), address)
    )


def unpack_single(head: bytes) -> Single | None:
    """Return the fields of a head with exactly one item, or None when it has several.

    Raises:
        WireError: `head` is invalid (`VersionMismatch` if only the version differs).
    """
    if len(head) < _SINGLE_BYTES:
        raise _short(head)
    if head[0] != VERSION:
        raise VersionMismatch(head[0])
    if head[_COUNT_AT] != 1:  # hot: ahead of the rest, which is unpacked for nothing else
        return None
    _, _, peer, _, verb, flags, kind, number, task, trace, size = _SINGLE.unpack_from(head)
    return peer, verb, flags, kind, number, task, trace, size, head[_SINGLE_BYTES:]


def fields_of(head: bytes) -> HeadFields | None:
    """Return the named fields of a head with exactly one item, or None when it has several.

    Raises:
        WireError: `head` is invalid (`VersionMismatch` if only the version differs).
    """
    single = unpack_single(head)
    return None if single is None else HeadFields._make(single)


def unpack_items(head: bytes) -> tuple[bytes, list[Item], bytes]:
    """Return peer, items and address of a head.

    Raises:
        WireError: `head` is invalid (`VersionMismatch` if only the version differs).
    """
    if len(head) < _SINGLE_BYTES:
        raise _short(head)
    version, _, peer, count = _FIXED.unpack_from(head)
    if version != VERSION:
        raise VersionMismatch(version)
    if not 1 <= count <= MAX_ITEMS:
        raise WireError("item_count", f"a message has 1 to {MAX_ITEMS} items, this one {count}")
    end = _FIXED.size + count * _ITEM.size
    if len(head) < end:
        raise _short(head)
    items = list(_ITEM.iter_unpack(head[_FIXED.size : end]))
    return peer, items, head[end:]


def _short(head: bytes) -> WireError:
    if head and head[0] != VERSION:
        return VersionMismatch(head[0])
    return WireError("short_head", f"a head of {len(head)} bytes is too short for its items")


def split_body(items: Iterable[Item], body: bytes) -> list[bytes]:
    """Cut `body` into one slice an item.

    Raises:
        WireError: The lengths do not add up.
    """
    slices, at = [], 0
    for item in items:
        size = item[_SIZE]  # hot: an index costs less here than unpacking seven fields
        slices.append(body[at : at + size])
        at += size
    if at != len(body):
        raise WireError("body_length", f"the items claim {at} bytes, the body has {len(body)}")
    return slices


def with_peer(head: bytes, peer: bytes) -> bytes:
    """Return `head` with another peer."""
    return head[:_PEER_AT] + peer + head[_COUNT_AT:]


def redirect(head: bytes, peer: bytes, address: bytes, count: int = 1) -> bytes:
    """Return a `head` with `count` items with another peer and another address."""
    end = _FIXED.size + count * _ITEM.size
    return head[:_PEER_AT] + peer + head[_COUNT_AT:end] + address


_NUMBER = Struct(">I")
_NUMBER_AT = _FIXED.size + 3


def with_number(head: bytes, number: int) -> bytes:
    """Return a one-item `head` with another number."""
    return head[:_NUMBER_AT] + _NUMBER.pack(number) + head[_NUMBER_AT + 4 :]


def split(head: bytes, body: bytes) -> list[tuple[bytes, bytes]]:
    """Return a message as messages with one item each.

    Raises:
        WireError: The message is invalid.
    """
    _, items, _ = unpack_items(head)
    return list(zip(unbundle(head), split_body(items, body), strict=True))


_BUNDLED = frozenset({int(Verb.TASK), int(Verb.REPLY), int(Verb.LOST)})


def is_bundled(head: bytes) -> bool:
    """Return whether messages with such a `head` may travel bundled."""
    return head[_FIXED.size] in _BUNDLED


def unbundle(head: bytes) -> list[bytes]:
    """Return a one-item head for each item of `head`.

    Raises:
        WireError: `head` is invalid.
    """
    _, items, address = unpack_items(head)
    start = head[:_COUNT_AT] + b"\x01"
    return [start + item + address for item in items_of(head, len(items))]


def bounced_whole(head: bytes, reason: Reason = Reason.HELLO_FIRST) -> bytes:
    """Return the head that sends a refused message back to its sender, whole.

    A BOUNCE with the reason goes in front of the original items; `unbounced` undoes it.

    Raises:
        WireError: `head` is invalid, or is full.
    """
    peer, items, address = unpack_items(head)
    if len(items) == MAX_ITEMS:
        raise WireError("item_count", "no room left for a BOUNCE in front")
    mark = (int(Verb.BOUNCE), 0, 0, 0, NOBODY, NOBODY, len(reason))
    return pack_items([mark, *items], peer=peer, address=address)


def unbounced(head: bytes) -> bytes:
    """Return the head that the sender had sent before it was bounced whole."""
    peer, items, address = unpack_items(head)
    return pack_items(items[1:], peer=peer, address=address)


# -- the broadcast plane -------------------------------------------------------------------------

Publication = tuple[bytes, bytes, Any]
"""topic, header, body: the frames of a broadcast message."""


def pack_header(publisher: bytes, sequence: int, caller: bytes, worker: bytes) -> bytes:
    """Return the header of a broadcast message."""
    return _HEADER.pack(publisher, sequence, caller, worker)


def unpack_header(header: bytes) -> tuple[bytes, int, bytes, bytes]:
    """Return publisher, sequence, caller and worker.

    Raises:
        WireError: It is not 56 bytes long.
    """
    if len(header) != HEADER_BYTES:
        raise WireError("bad_header", f"a header has {HEADER_BYTES} bytes, not {len(header)}")
    return _HEADER.unpack(header)


def cut_header(header: bytes) -> tuple[bytes, int, bytes]:
    """Return publisher, sequence, and caller with worker, of a valid header."""
    return _HEADER_PARTS.unpack_from(header)


def pack_sizes(header: bytes, sizes: Sequence[int]) -> bytes:
    """Return the header of a batch: that of the first message, and the sizes of the bodies."""
    return header + Struct(f">{len(sizes)}I").pack(*sizes)


def read_batch(header: bytes, body_bytes: int) -> tuple[bytes, tuple[int, ...]]:
    """Return the header of the first message of a batch, and the sizes of the bodies.

    Args:
        header: As it came.
        body_bytes: How long the body is; the sizes must add up to it.

    Raises:
        WireError: It is the header of no batch.
    """
    count, rest = divmod(len(header) - HEADER_BYTES, _NUMBER.size)
    if rest or not 2 <= count <= MAX_ITEMS:
        raise WireError("bad_header", f"a header of {len(header)} bytes belongs to no message")
    sizes = Struct(f">{count}I").unpack_from(header, HEADER_BYTES)
    if sum(sizes) != body_bytes:
        raise WireError(
            "body_length", f"the items claim {sum(sizes)} bytes, the body has {body_bytes}"
        )
    return header[:HEADER_BYTES], sizes
