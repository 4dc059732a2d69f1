"""The seats in the tables of the proxy: a query, and its answer page by page.

Spec: docs/spec/04-liveness.md. Pure. A query is a ROSTER with a small map; a page of the answer has
a list of seats and whether more follow.
"""

from __future__ import annotations

from typing import Any, Final

import attrs
import msgpack

from ..errors import WireError
from . import greetings

PAGE_SEATS: Final = 100
_MAX_AFTER: Final = 1 << 31
ALIVE: Final = "alive"
SILENT: Final = "stuck"
AWAY: Final = "away"


@attrs.frozen
class RosterQuery:
    """The filter of a query, and its position.

    Args:
        name: Only seats of this name, or empty for any.
        capability: Only seats that offer it, or empty for any.
        after: The number of the last seat that was received, 0 at first.
    """

    name: str = ""
    capability: str = ""
    after: int = 0


@attrs.frozen
class SeatInfo:
    """One seat as the proxy sees it.

    Args:
        name: The name it serves.
        capabilities: Its capabilities.
        client: The display name of its client.
        instance: The instance id of its client.
        state: `alive`, `stuck` (connected, without heartbeats) or `away` (its connection broke).
        open: Tasks that the proxy has given it and that are not settled.
        facts: The facts of its REGISTER.
        vitals: The facts of its last message of presence.
        number: Grows with every seat of the namespace; the next page begins after it.
    """

    name: str
    capabilities: tuple[str, ...]
    client: str
    instance: bytes
    state: str
    open: int
    facts: dict[str, Any]
    vitals: dict[str, Any]
    number: int


def pack_question(question: RosterQuery) -> bytes:
    """Return the body of a query."""
    return greetings.pack_map(attrs.asdict(question))


def unpack_question(body: bytes) -> RosterQuery:
    """Return the query in a body.

    Raises:
        WireError: The query is invalid.
    """
    fields = greetings.unpack_map(body)
    name, capability = fields.get("name", ""), fields.get("capability", "")
    after = fields.get("after", 0)
    if not isinstance(name, str) or not isinstance(capability, str):
        raise WireError("bad_field", "name and capability must be text")
    if after.__class__ is not int or not 0 <= after <= _MAX_AFTER:
        raise WireError("bad_field", f"after must be a count up to {_MAX_AFTER:,}")
    return RosterQuery(name, capability, after)


def unpack_answer(body: bytes) -> tuple[list[SeatInfo], bool]:
    """Return the seats of one page, and whether there are more.

    Raises:
        WireError: The answer is invalid.
    """
    try:
        rows, more = msgpack.unpackb(body, raw=False, strict_map_key=True, max_ext_len=0)
        return [_seat_info(*row) for row in rows], bool(more)
    except (ValueError, TypeError, msgpack.UnpackException) as error:
        raise WireError("bad_body", f"not a roster: {type(error).__name__}") from error


_ROW: Final = (str, list, str, bytes, str, int, dict, dict, int)


def _seat_info(*row: Any) -> SeatInfo:
    if len(row) != len(_ROW) or not all(map(isinstance, row, _ROW)):
        raise TypeError("a seat is a row of nine fields")
    name, capabilities, client, instance, state, held, facts, vitals, number = row
    if len(instance) != 16 or held < 0 or number < 0 or not _all_text(capabilities):
        raise ValueError("a field of a seat is out of bounds")
    return SeatInfo(name, tuple(capabilities), client, instance, state, held, facts, vitals, number)


def _all_text(values: list[Any]) -> bool:
    """Return whether a list has only text."""
    return all(isinstance(value, str) for value in values)
