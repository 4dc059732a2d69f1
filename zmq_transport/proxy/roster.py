"""Answer roster queries from the routing tables. Spec: docs/spec/04-liveness.md. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
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
from .routing import Seat

_TEXT_CHARS: Final = 128
_COUNT_ANEW_S: Final = 1.0
_FEW: Final = 10_000


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


class OpenTaskCounter:
    """How many open tasks each caller has; counted only when somebody asks."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._counts: Counter[bytes] = Counter()
        self._at_s = float("-inf")

    def counts(self, now_s: float) -> Counter[bytes]:
        """Return the counts by instance id; those of a large ledger may be a second old.

        Nothing is counted when a task is sent or settled, so that a task does not cost more.
        """
        if len(self._ledger) <= _FEW or now_s - self._at_s >= _COUNT_ANEW_S:
            self._counts = Counter(entry.caller for entry in self._ledger)
            self._at_s = now_s
        return self._counts


def clients_page(
    query: RosterQuery, peers: Iterable[Peer], open_of: Mapping[bytes, int], now_s: float
) -> bytes:
    """Return one packed page of clients, and whether there are more.

    Args:
        query: Where to go on.
        peers: The clients of a namespace, oldest first.
        open_of: How many tasks of each instance are open.
        now_s: Monotonic clock.
    """
    matching = (peer for peer in peers if peer.number > query.after)
    page = list(islice(matching, PAGE_CLIENTS + 1))
    infos = [_client(peer, open_of.get(peer.instance, 0), now_s) for peer in page[:PAGE_CLIENTS]]
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
