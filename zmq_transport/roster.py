"""Who is here, as the proxy's tables say: a question, and answers page by page.

Spec: docs/spec/04-liveness.md. Pure. A question is a ROSTER with a small map; the answer carries a
list of seats and where to go on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any, Final

import attrs
import msgpack

from . import bodies
from .errors import WireError
from .routing import Seat

PAGE_SEATS: Final = 100
_TEXT_CHARS: Final = 128
_MAX_AFTER: Final = 1 << 31
ALIVE: Final = "alive"
SILENT: Final = "stuck"
AWAY: Final = "away"


@attrs.frozen
class Question:
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


def pack_question(question: Question) -> bytes:
    """Return the body of a question."""
    return bodies.pack_map(attrs.asdict(question))


def unpack_question(body: bytes) -> Question:
    """Return what is asked.

    Raises:
        WireError: It is no question.
    """
    fields = bodies.unpack_map(body)
    name, capability = fields.get("name", ""), fields.get("capability", "")
    after = fields.get("after", 0)
    if not isinstance(name, str) or not isinstance(capability, str):
        raise WireError("bad_field", "name and capability must be text")
    if after.__class__ is not int or not 0 <= after <= _MAX_AFTER:
        raise WireError("bad_field", f"after must be a count up to {_MAX_AFTER:,}")
    return Question(name, capability, after)


def answer(question: Question, seats: Iterable[Seat]) -> bytes:
    """Return one page of the seats that match, and whether there are more."""
    matching = (
        seat
        for seat in seats
        if seat.number > question.after
        and (not question.name or seat.name == question.name)
        and (not question.capability or question.capability in seat.capabilities)
    )
    page = list(islice(matching, PAGE_SEATS + 1))
    rows = [_row(seat) for seat in page[:PAGE_SEATS]]
    packed: bytes = msgpack.packb([rows, len(page) > PAGE_SEATS], use_bin_type=True)
    return packed


def _row(seat: Seat) -> list[Any]:
    peer = seat.peer
    state = ALIVE if seat.available else SILENT
    return [
        seat.name,
        sorted(seat.capabilities),
        peer.name,
        peer.instance,
        state if peer.absent_at_s is None else AWAY,
        len(seat.open),
        _short(seat.facts),
        _short(seat.vitals),
        seat.number,
    ]


def _short(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return the plain facts: numbers, and text that is not long; the rest is not for a roster."""
    return {
        key: value
        for key, value in facts.items()
        if len(key) <= _TEXT_CHARS
        and (
            isinstance(value, (bool, int, float))
            or (isinstance(value, str) and len(value) <= _TEXT_CHARS)
        )
    }


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
