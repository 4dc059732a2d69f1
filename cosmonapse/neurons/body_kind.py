"""The kind of a body, by its first bytes: events, a JSON document, or text. Pure.

A header is no proof: proxies and error paths of providers send other things under it.
"""

from __future__ import annotations

from enum import Enum

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_FIELDS = (b"data", b"event", b"id", b"retry")
_MAX_BLANK_BYTES = 4096


class BodyKind(Enum):
    """The kind of a body."""

    EVENTS = "events"
    DOCUMENT = "document"
    TEXT = "text"


def kind_of(start: bytes, ended: bool) -> BodyKind | None:
    """Return the kind of a body that begins with `start`; None if more bytes must tell.

    Args:
        start: The first bytes.
        ended: Whether they are the whole body.
    """
    if _BYTE_ORDER_MARK.startswith(start) and not ended:
        return None
    text = start.removeprefix(_BYTE_ORDER_MARK).lstrip()
    if text[:1] in (b"{", b"["):
        return BodyKind.DOCUMENT
    if not text:
        return BodyKind.TEXT if ended or len(start) > _MAX_BLANK_BYTES else None
    name = text.replace(b"\r", b"\n").partition(b"\n")[0].partition(b":")[0]
    if len(name) < len(text) or ended:
        return BodyKind.EVENTS if not name or name in _FIELDS else BodyKind.TEXT
    return None if any(field.startswith(name) for field in _FIELDS) else BodyKind.TEXT
