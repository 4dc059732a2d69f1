"""Who is here, as the proxy's tables say: a question, and answers page by page.

Spec: docs/spec/04-liveness.md. Pure. A question is a ROSTER with a small map; the answer carries a
list of seats and where to go on.
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
    """What a client wants to know.

    Args:
        name: Only seats of this name, or empty for any.
        capability: Only seats that offer it, or empty for any.
        after: The number of the last seat that it has been told of, 0 at first.
    """

    name: str = ""
    capability: str = ""
    after: int = 0


@attrs.frozen
class SeatInfo:
    """One seat as the proxy sees it.

    Args:
        name: The name it serves.
        capabilities: What it offers.
        client: The name of its client, for people.
        instance: The instance id of its client.
        state: `alive`, `stuck` (connected, but it shows no life) or `away` (its connection broke).
        open: Tasks that the proxy has given it and that are not settled.
        facts: What its owner said when it registered.
        vitals: What its owner said last.
        number: Grows with every seat of the namespace; a page goes on behind it.
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
    """Return the body of a question."""
    return greetings.pack_map(attrs.asdict(question))


def unpack_question(body: bytes) -> RosterQuery:
    """Return what is asked.

    Raises:
        WireError: It is no question.
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
        WireError: It is no answer.
    """
    try:
        rows, more = msgpack.unpackb(body, raw=False, strict_map_key=True, max_ext_len=0)
        return [_seat_info(*row) for row in rows], bool(more)
    except (ValueError, TypeError, msgpack.UnpackException) as error:
        raise WireError("bad_body", f"no roster: {type(error).__name__}") from error


_ROW: Final = (str, list, str, bytes, str, int, dict, dict, int)


def _seat_info(*row: Any) -> SeatInfo:
    if len(row) != len(_ROW) or not all(map(isinstance, row, _ROW)):
        raise TypeError("a seat is a row of nine fields")
    name, capabilities, client, instance, state, held, facts, vitals, number = row
    if len(instance) != 16 or held < 0 or number < 0 or not _all_text(capabilities):
        raise ValueError("a field of a seat is out of bounds")
    return SeatInfo(name, tuple(capabilities), client, instance, state, held, facts, vitals, number)


def _all_text(values: list[Any]) -> bool:
    """Tell whether a list holds text only."""
    return all(isinstance(value, str) for value in values)
