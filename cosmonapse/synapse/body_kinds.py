"""Read what a body says of its own type, without reading the rest. Spec: docs/spec/07-signals.md.

The Synapse checks with it that a publication is of the type that its topic or its head says: a
reader believes the body.
"""

from __future__ import annotations

from typing import Final

import msgpack

_HEAD_BYTES: Final = 512
"""The first five fields of a Signal take 395 bytes at most: ids have 30 characters of any kind."""
_PLAIN_STARTS: Final = (b"\x99\xa11\xbe", b"\x9a\xa11\xbe")
_TRACE_AT: Final = 4 + 30
_PARENT_AT: Final = _TRACE_AT + 1 + 30
_AFTER_NIL: Final = _PARENT_AT + 1
_AFTER_TEXT: Final = _AFTER_NIL + 30
_SMALL: Final = 0x80
"""Ints below it are their own byte."""
_NIL: Final = 0xC0
_TEXT_30: Final = 0xBE
_FIELDS_AHEAD: Final = 4


def kind_of(body: bytes) -> int | None:
    """Return the type code in the bytes of a Signal; None if there is none.

    Args:
        body: The first 512 bytes are enough.
    """
    # What every client writes: a text of 30 bytes has a fixed place and a fixed length.
    if body[:4] in _PLAIN_STARTS and len(body) > _AFTER_NIL and body[_TRACE_AT] == _TEXT_30:
        parent = body[_PARENT_AT]
        at = _AFTER_NIL if parent == _NIL else _AFTER_TEXT
        if parent in (_NIL, _TEXT_30) and len(body) > at and body[at] < _SMALL:
            return body[at]
    return _unpacked_kind(bytes(body[:_HEAD_BYTES]))


def _unpacked_kind(body: bytes) -> int | None:
    unpacker = msgpack.Unpacker(raw=False, max_buffer_size=_HEAD_BYTES, max_ext_len=0)
    unpacker.feed(body)
    try:
        if unpacker.read_array_header() <= _FIELDS_AHEAD:
            return None
        for _ in range(_FIELDS_AHEAD):
            unpacker.skip()
        code = unpacker.unpack()
    except (ValueError, msgpack.UnpackException):
        return None
    # A reader finds the type by what is equal to its code.
    return int(code) if isinstance(code, (int, float)) and code == code // 1 else None
