"""The seats in the tables of the proxy: a query, and its answer page by page.

Spec: docs/spec/04-liveness.md. Pure. A query is a ROSTER with a small map; a page of the answer has
a list of seats and whether more follow.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import attrs
import msgpack

from ..errors import WireError
from . import greetings

PAGE_SEATS: Final = 100
PAGE_CLIENTS: Final = 100
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
        after: The number of the last seat or client that was received, 0 at first.
        clients: True to list clients and not seats; the other filters mean nothing then.
    """

    name: str = ""
    capability: str = ""
    after: int = 0
    clients: bool = False


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


@attrs.frozen
class ClientInfo:
    """One client as the proxy sees it.

    Args:
        name: Its name, for people.
        instance: Its instance id.
        state: `alive`, `stuck` (it has a seat that shows no life) or `away` (its connection broke).
        seats: How many names it serves.
        open: Tasks that it sent and that are not settled.
        calls: True once it asked to be told of workers, as clients do that send tasks.
        age_s: Since when this proxy knows it, in seconds.
        number: Grows with every client; a page goes on behind it.
    """

    name: str
    instance: bytes
    state: str
    seats: int
    open: int
    calls: bool
    age_s: float
    number: int


def pack_question(question: RosterQuery) -> bytes:
    """Return the body of a query."""
    fields = attrs.asdict(question)
    if not question.clients:  # as in the first version of this query
        del fields["clients"]
    return greetings.pack_map(fields)


def unpack_question(body: bytes) -> RosterQuery:
    """Return the query in a body.

    Raises:
        WireError: The query is invalid.
    """
    return question_of(greetings.unpack_map(body))


def question_of(fields: Mapping[str, Any]) -> RosterQuery:
    """Return the query in the map of a ROSTER.

    Raises:
        WireError: The query is invalid.
    """
    name, capability = fields.get("name", ""), fields.get("capability", "")
    after, clients = fields.get("after", 0), fields.get("clients", False)
    if clients.__class__ is not bool:
        raise WireError("bad_field", "clients must be true or false")
    if not isinstance(name, str) or not isinstance(capability, str):
        raise WireError("bad_field", "name and capability must be text")
    if after.__class__ is not int or not 0 <= after <= _MAX_AFTER:
        raise WireError("bad_field", f"after must be a count up to {_MAX_AFTER:,}")
    return RosterQuery(name, capability, after, clients)


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


def pack_clients(clients: list[ClientInfo], more: bool) -> bytes:
    """Return the body of an answer that lists clients."""
    rows = [attrs.asdict(each) for each in clients]
    packed: bytes = msgpack.packb({"clients": rows, "more": more}, use_bin_type=True)
    return packed


def unpack_clients(body: bytes) -> tuple[list[ClientInfo], bool]:
    """Return the clients of one page, and whether there are more.

    A proxy of before this query answers with a page of seats: no client, and no more.

    Raises:
        WireError: The answer is invalid.
    """
    try:
        answer: Any = msgpack.unpackb(body, raw=False, strict_map_key=True, max_ext_len=0)
        if isinstance(answer, list):
            return [], False
        return [_client_info(row) for row in answer["clients"]], bool(answer["more"])
    except (ValueError, TypeError, KeyError, msgpack.UnpackException) as error:
        raise WireError("bad_body", f"not a list of clients: {type(error).__name__}") from error


_CLIENT: Final = (str, bytes, str, int, int, bool, float, int)


def _client_info(row: Any) -> ClientInfo:
    fields = [row[each.name] for each in attrs.fields(ClientInfo)]
    if not all(value.__class__ is kind for value, kind in zip(fields, _CLIENT, strict=True)):
        raise TypeError("a field of a client is of the wrong kind")
    info = ClientInfo(*fields)
    if len(info.instance) != 16 or min(info.seats, info.open, info.number) < 0:
        raise ValueError("a field of a client is out of bounds")
    return info


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
