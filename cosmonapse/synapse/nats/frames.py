"""How the frames of the fabric lie in NATS messages. Spec: docs/spec/14-nats.md, "Frames". Pure.

The first byte is a tag. Numbers are big-endian.

    DIRECTED     tag, length of the head u16, head, body
    PUBLICATION  tag, length of the topic u16, length of the header u32, topic, header, body
    SUBSCRIBE    tag, topic          UNSUBSCRIBE  tag, topic
    JOINS        tag, topic          LEAVES       tag, topic
    JOIN         tag                 ASK          tag
    READ         tag, messages u64, bytes u64: what the sender has read of the other end so far
    PIECE        tag, number u32, last u8, a part of one of the first two
"""

from __future__ import annotations

import enum
from struct import Struct, error
from typing import Any, Final, NamedTuple

from zmq_transport.errors import WireError


class Tag(enum.IntEnum):
    """What a message is."""

    DIRECTED = 1
    PUBLICATION = 2
    SUBSCRIBE = 3
    UNSUBSCRIBE = 4
    JOIN = 5
    JOINS = 6
    LEAVES = 7
    READ = 8
    PIECE = 9
    ASK = 10


COUNTED: Final = frozenset({int(Tag.DIRECTED), int(Tag.PUBLICATION), int(Tag.PIECE)})
"""The tags that need credit; all others are small and bounded by these."""
ASK: Final = bytes((Tag.ASK,))
JOIN: Final = bytes((Tag.JOIN,))
_DIRECTED = Struct(">BH")
_PUBLICATION = Struct(">BHI")
_READ = Struct(">BQQ")
_PIECE = Struct(">BIB")
PIECE_BYTES: Final = _PIECE.size
_MOST_NUMBER: Final = 2**32


class Totals(NamedTuple):
    """What one end has read of the other since the connection began."""

    messages: int
    size_bytes: int


class Piece(NamedTuple):
    """A part of a message.

    Args:
        number: Of the message, counted by its sender.
        is_last: Whether the message is whole now.
        part: The bytes.
    """

    number: int
    is_last: bool
    part: memoryview


def tag_of(data: bytes) -> int:
    """Return the tag of a message; 0 of an empty one."""
    return data[0] if data else 0


def pack_directed(head: bytes, body: Any) -> bytes:
    """Return a directed message."""
    return b"".join((_DIRECTED.pack(Tag.DIRECTED, len(head)), head, body))


def unpack_directed(data: bytes) -> tuple[bytes, bytes]:
    """Return head and body of a directed message.

    Raises:
        WireError: It is too short.
    """
    _, length = _unpacked(_DIRECTED, data)
    end = _DIRECTED.size + length
    if len(data) < end:
        raise _short(data)
    return data[_DIRECTED.size : end], data[end:]


def pack_publication(topic: bytes, header: bytes, body: Any) -> bytes:
    """Return a broadcast message."""
    sizes = _PUBLICATION.pack(Tag.PUBLICATION, len(topic), len(header))
    return b"".join((sizes, topic, header, body))


def unpack_publication(data: bytes) -> tuple[bytes, bytes, bytes]:
    """Return topic, header and body of a broadcast message.

    Raises:
        WireError: It is too short.
    """
    _, topic, header = _unpacked(_PUBLICATION, data)
    start = _PUBLICATION.size
    middle = start + topic
    end = middle + header
    if len(data) < end:
        raise _short(data)
    return data[start:middle], data[middle:end], data[end:]


def pack_topic(tag: Tag, topic: bytes) -> bytes:
    """Return one of the messages that say a topic."""
    return bytes((tag,)) + topic


def topic_in(data: bytes) -> bytes:
    """Return the topic of such a message."""
    return bytes(data[1:])


def pack_read(totals: Totals) -> bytes:
    """Return what was read so far."""
    return _READ.pack(Tag.READ, *totals)


def unpack_read(data: bytes) -> Totals:
    """Return what the other end has read so far.

    Raises:
        WireError: It has another length.
    """
    if len(data) != _READ.size:
        raise _short(data)
    return Totals(*_unpacked(_READ, data)[1:])


def pack_piece(number: int, part: Any, *, is_last: bool) -> bytes:
    """Return a part of a message."""
    return b"".join((_PIECE.pack(Tag.PIECE, number % _MOST_NUMBER, is_last), part))


def unpack_piece(data: bytes) -> Piece:
    """Return a part of a message.

    Raises:
        WireError: It is too short.
    """
    _, number, is_last = _unpacked(_PIECE, data)
    return Piece(number, bool(is_last), memoryview(data)[_PIECE.size :])


def _unpacked(form: Struct, data: bytes) -> tuple[Any, ...]:
    try:
        return form.unpack_from(data)
    except error:
        raise _short(data) from None


def _short(data: bytes) -> WireError:
    return WireError("bad_frame", f"{len(data):,} bytes are not a frame of tag {tag_of(data)}")
