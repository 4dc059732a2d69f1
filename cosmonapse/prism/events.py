"""Server-sent events of Prism, as bytes. Pure.

Spec: https://html.spec.whatwg.org/multipage/server-sent-events.html, section 9.2.
Data is JSON on one line, so no text of a Signal can end an event or start another field.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from .record import record_of
from .ring import Kept

KEEP_ALIVE = b": keep-alive\n\n"
_encode = json.JSONEncoder(
    ensure_ascii=False, check_circular=False, allow_nan=False, separators=(",", ":")
).encode


def to_json(value: Any) -> bytes:
    """Return a value as JSON in UTF-8, on one line.

    Raises:
        ValueError: It holds NaN or an infinity, which JSON cannot represent.
    """
    return _encode(value).encode("utf-8", "backslashreplace")


def event(name: str, data: Any, number: int | None = None) -> bytes:
    """Return an event; a page that reconnects sends the `number` of the last one it received."""
    id_line = b"" if number is None else b"id: %d\n" % number
    return b"event: %b\n%bdata: %b\n\n" % (name.encode(), id_line, to_json(data))


def event_of_parts(name: str, key: str, parts: Iterable[bytes], more: dict[str, Any]) -> bytes:
    """Return an event whose data has a list of values that are JSON already, and further keys."""
    rest = to_json(more)
    return b'event: %b\ndata: {"%b":[%b],%b\n\n' % (
        name.encode(),
        key.encode(),
        b",".join(parts),
        rest[1:],
    )


def signals_event(records: Sequence[dict[str, Any]]) -> bytes:
    """Return the event of some records, the oldest first; at least one."""
    return event("signals", records, records[-1]["n"])


def past_event(kept: Sequence[Kept]) -> bytes:
    """Return the event of Signals of the ring, the oldest first; at least one."""
    return signals_event([record_of(each.number, each.decoded()) for each in kept])
