"""Answer roster queries from the routing tables. Spec: docs/spec/04-liveness.md. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any, Final

import msgpack

from ..wire.roster_messages import ALIVE, AWAY, PAGE_SEATS, SILENT, RosterQuery
from .routing import Seat

_TEXT_CHARS: Final = 128


def roster_page(query: RosterQuery, seats: Iterable[Seat]) -> bytes:
    """Return one packed page of the seats that match, and whether there are more."""
    matching = (
        seat
        for seat in seats
        if seat.number > query.after
        and (not query.name or seat.name == query.name)
        and (not query.capability or query.capability in seat.capabilities)
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
    """Return the numbers and short texts among the facts; a roster carries nothing else."""
    return {
        key: value
        for key, value in facts.items()
        if len(key) <= _TEXT_CHARS
        and (
            isinstance(value, (bool, int, float))
            or (isinstance(value, str) and len(value) <= _TEXT_CHARS)
        )
    }
