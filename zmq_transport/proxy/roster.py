"""Answer roster queries from the routing tables. Spec: docs/spec/04-liveness.md. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any, Final

import msgpack

from ..wire import roster_messages
from ..wire.roster_messages import (
    ALIVE,
    AWAY,
    PAGE_CLIENTS,
    PAGE_SEATS,
    SILENT,
    ClientInfo,
    RosterQuery,
)
from .ledger import Ledger
from .peers import Peer
from .routing import Routes, Seat

PAGE_BYTES: Final = 256 * 1024
"""Limit of the rows of one page."""
MAX_TOLD: Final = 64
"""Capabilities of one seat that a page tells."""
_TEXT_CHARS: Final = 128


def roster_page(query: RosterQuery, routes: Routes) -> bytes:
    """Return one packed page of the seats that match, and whether there are more.

    It has at most 100 seats and 256 KiB, and its cost does not depend on the number of seats ahead
    of it.
    """
    rows: list[bytes] = []
    size, more = 0, False
    for seat in _matching(query, routes):
        row: bytes = msgpack.packb(_row(seat), use_bin_type=True)
        size += len(row)
        more = len(rows) == PAGE_SEATS or size > PAGE_BYTES
        if more:
            break
        rows.append(row)
    packer = msgpack.Packer(autoreset=False)
    packer.pack_array_header(2)
    packer.pack_array_header(len(rows))
    return b"".join((packer.bytes(), *rows, msgpack.packb(more)))


def _matching(query: RosterQuery, routes: Routes) -> Iterator[Seat]:
    """Yield the seats that match, by way of the fewest that may."""
    if not query.name and not query.capability:
        yield from routes.after(query.after)
        return
    found = routes.named(query.name) if query.name else routes.offering(query.capability)
    for seat in found:
        if seat.number > query.after and (
            not query.capability or query.capability in seat.capabilities
        ):
            yield seat


def clients_page(query: RosterQuery, peers: Iterator[Peer], ledger: Ledger, now_s: float) -> bytes:
    """Return one packed page of clients, and whether there are more.

    Args:
        query: Where to go on.
        peers: The clients of a namespace behind that place, oldest first.
        ledger: The open tasks.
        now_s: Monotonic clock.
    """
    page = list(islice(peers, PAGE_CLIENTS + 1))
    infos = [
        _client(peer, len(ledger.open_of(peer.instance)), now_s) for peer in page[:PAGE_CLIENTS]
    ]
    return roster_messages.pack_clients(infos, len(page) > PAGE_CLIENTS)


def _client(peer: Peer, open_count: int, now_s: float) -> ClientInfo:
    state = ALIVE if all(seat.available for seat in peer.seats.values()) else SILENT
    return ClientInfo(
        name=peer.name,
        instance=peer.instance,
        state=state if peer.absent_at_s is None else AWAY,
        seats=len(peer.seats),
        open=open_count,
        calls=peer in peer.namespace.callers,
        age_s=now_s - peer.since_s,
        number=peer.number,
    )


def _row(seat: Seat) -> list[Any]:
    peer, facts = seat.peer, seat.facts
    state = ALIVE if seat.available else SILENT
    if len(seat.capabilities) > MAX_TOLD:  # 04-liveness, "Roster": so that the rest is not unsaid
        facts = {**facts, "capabilities": len(seat.capabilities)}
    return [
        seat.name,
        _told(seat),
        peer.name,
        peer.instance,
        state if peer.absent_at_s is None else AWAY,
        len(seat.open),
        facts,
        seat.vitals,
        seat.number,
    ]


def _told(seat: Seat) -> list[str]:
    """Return the first of the capabilities of a seat, by name."""
    if seat.told is None:
        seat.told = sorted(seat.capabilities)[:MAX_TOLD]
    return seat.told


def short_facts(facts: Mapping[str, Any]) -> dict[str, Any]:
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
