"""The messages after a reconnect, page by page. Spec: docs/spec/09-resync.md. Pure.

A page is one directed message of at most 64 items. RESEND goes from a caller to the proxy ("this
task of mine is open") and from the proxy to workers ("do you have it?"). CLAIM lists the tasks of a
worker. WORKERS lists instances.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Sequence
from itertools import islice
from struct import Struct
from typing import Final, NamedTuple, TypeVar

from ..errors import WireError
from . import heads
from .heads import ItemFlag, Verb

Message = tuple[bytes, bytes]
"""head, body"""


class Opened(NamedTuple):
    """A task that is open at its caller.

    Attributes:
        task: Task id, 16 bytes.
        trace: Trace id, 16 bytes.
        next_index: Index of the next reply that its caller expects.
        left_ms: Remaining time in milliseconds.
        keep: True if it runs on when its caller goes away.
        address: Where it was sent, so that no other may claim it; empty if that is not said.
    """

    task: bytes
    trace: bytes
    next_index: int
    left_ms: int
    keep: bool
    address: bytes = b""


class Held(NamedTuple):
    """A task that a worker has, or had.

    Attributes:
        caller: Instance id of its caller, 16 bytes.
        task: Task id, 16 bytes.
        trace: Trace id, 16 bytes.
        seat: Name of the seat that it is for.
        claim: Its state, a `Claim`.
        left_ms: Remaining time in milliseconds.
        keep: True if it runs on when its caller goes away.
    """

    caller: bytes
    task: bytes
    trace: bytes
    seat: str
    claim: int
    left_ms: int
    keep: bool


class Asked(NamedTuple):
    """A task that a worker is asked about.

    Attributes:
        task: Task id, 16 bytes.
        next_index: Index of the first reply to send again.
    """

    task: bytes
    next_index: int


MAX_ASKED: Final = heads.MAX_ITEMS - 1
"""Tasks of one question: its answer has a claim for each, and the mark of its end."""
WORKERS_PAGE: Final = 1024
_ID_BYTES: Final = 16
_KEEP: Final = int(ItemFlag.KEEP)
_INDEX: Final = Struct(">I")
_MAX_ADDRESS_BYTES: Final = 1024
"""A longer address is not said, so that a page of them has room."""
_Row = TypeVar("_Row")


class ResendKind(enum.IntEnum):
    """The kind of an item of a RESEND from a caller."""

    OPEN = 0
    """One of the tasks that are open, in the list after a reconnect."""
    END = 1
    """The list is complete: a task that is missing in it is not open."""
    GAP = 2
    """Not part of a list: replies are missing."""


class Claim(enum.IntEnum):
    """The kind of an item of a CLAIM."""

    RUNNING = 0
    """It runs, or waits to run."""
    ANSWERED = 1
    """It has ended; its stored replies follow at once."""
    FORGOTTEN = 2
    """It has ended; its replies are no longer stored."""
    END = 3
    """The answer is complete: the worker never had a task that is missing in it."""


class WorkersFlag(enum.IntFlag):
    """The kind of a WORKERS, as bits."""

    FIRST = 1
    """A complete list begins; it replaces every earlier one."""
    LAST = 2
    """A complete list ends."""
    LEFT = 4
    """These are gone; their tasks have been reported."""
    UNCONFIRMED = 8
    """These count only if they have been workers of this proxy."""


def opened_pages(opened: Iterable[Opened]) -> list[Message]:
    """Return the pages with which a caller lists open tasks, without the end of the list."""
    return [_opened_page(ResendKind.OPEN, chunk) for chunk in _chunks(opened, MAX_ASKED)]


def gap_message(opened: Opened) -> Message:
    """Return the message of a caller that misses replies of one task."""
    return _opened_page(ResendKind.GAP, [opened])


def _opened_page(kind: ResendKind, chunk: Sequence[Opened]) -> Message:
    items: list[heads.Item] = []
    parts: list[bytes] = []
    for task, trace, next_index, left_ms, keep, address in chunk:
        is_said = kind == ResendKind.OPEN and len(address) <= _MAX_ADDRESS_BYTES
        part = _INDEX.pack(next_index) + (address if is_said else b"")
        number = min(left_ms, heads.MAX_NUMBER)
        items.append((Verb.RESEND, _KEEP * keep, kind, number, task, trace, len(part)))
        parts.append(part)
    return heads.pack_items(items), b"".join(parts)


END_OF_LIST: Final[Message] = (heads.pack(Verb.RESEND, kind=ResendKind.END), b"")


def read_opened(item: heads.Item, part: bytes) -> Opened:
    """Return one task of a list.

    Raises:
        WireError: It has no index, or an address that is none.
    """
    _, flags, kind, left_ms, task, trace, _ = item
    address = part[_INDEX.size :]
    if len(part) < _INDEX.size or (address and kind != ResendKind.OPEN):
        raise WireError("bad_list", f"an open task has {_INDEX.size} bytes of index")
    if address:
        heads.read_address(address)
    (next_index,) = _INDEX.unpack_from(part)
    return Opened(task, trace, next_index, left_ms, bool(flags & _KEEP), address)


def question_head(caller: bytes, asked: Sequence[Asked]) -> bytes:
    """Return the head of a question about at most 63 tasks; append its name to it."""
    items = [(Verb.RESEND, 0, 0, index, task, heads.NOBODY, 0) for task, index in asked]
    return heads.pack_items(items, peer=caller)


def read_question(head: bytes) -> tuple[bytes, bytes, list[Asked]]:
    """Return caller, name and tasks of a question.

    Raises:
        WireError: `head` is invalid.
    """
    caller, items, name = heads.unpack_items(head)
    return caller, name, [Asked(task, index) for _, _, _, index, task, _, _ in items]


def claim_pages(held: Iterable[Held]) -> list[Message]:
    """Return the pages with which a worker lists its tasks unasked."""
    return [_claims(chunk, b"") for chunk in _chunks(held, heads.MAX_ITEMS)]


def answer(held: Sequence[Held], name: bytes) -> Message:
    """Return the answer to the question of that name, with at most 63 claims."""
    return _claims(held, name)


def _claims(held: Sequence[Held], name: bytes) -> Message:
    items: list[heads.Item] = []
    parts: list[bytes] = []
    for caller, task, trace, seat, state, left_ms, keep in held:
        part = caller + seat.encode()
        number = min(left_ms, heads.MAX_NUMBER)
        items.append((Verb.CLAIM, _KEEP * keep, state, number, task, trace, len(part)))
        parts.append(part)
    if name:
        items.append((Verb.CLAIM, 0, Claim.END, 0, heads.NOBODY, heads.NOBODY, 0))
    return heads.pack_items(items, address=name), b"".join(parts)


def read_claim(item: heads.Item, part: bytes) -> Held:
    """Return one claim of a worker.

    Raises:
        WireError: Its state, caller or seat is missing or invalid.
    """
    _, flags, kind, left_ms, task, trace, _ = item
    if kind not in (Claim.RUNNING, Claim.ANSWERED, Claim.FORGOTTEN):
        raise WireError("bad_claim", f"a claim of kind {kind}")
    if len(part) < _ID_BYTES:
        raise WireError("bad_claim", "a claim names a caller")
    name, _ = heads.read_address(part[_ID_BYTES:])
    if name is None:
        raise WireError("bad_claim", "a claim names a seat")
    return Held(part[:_ID_BYTES], task, trace, name, kind, left_ms, bool(flags & _KEEP))


def workers_pages(
    instances: Iterable[bytes], *, complete: bool = True, unconfirmed: Iterable[bytes] = ()
) -> list[Message]:
    """Return a complete list of instances; at least one page, the last of them marked.

    Args:
        instances: 16 bytes each.
        complete: False to leave the mark of completeness off the last page.
        unconfirmed: More of them, which count only if they were workers of this proxy.
    """
    pages = [(chunk, int(WorkersFlag.UNCONFIRMED)) for chunk in _chunks(unconfirmed, WORKERS_PAGE)]
    pages += [(chunk, 0) for chunk in _chunks(instances, WORKERS_PAGE) or [[]]]
    last = len(pages) - 1
    return [
        _workers(
            chunk,
            kind
            | (WorkersFlag.FIRST if at == 0 else 0)
            | (WorkersFlag.LAST if at == last and complete else 0),
        )
        for at, (chunk, kind) in enumerate(pages)
    ]


def workers_messages(instances: Iterable[bytes], kind: int) -> list[Message]:
    """Return the messages about instances that came or left."""
    return [_workers(chunk, kind) for chunk in _chunks(instances, WORKERS_PAGE)]


WORKERS_REQUEST: Final[Message] = (heads.pack(Verb.WORKERS), b"")
"""The request of a client for the list of workers and its changes."""


def _workers(instances: Sequence[bytes], kind: int) -> Message:
    body = b"".join(instances)
    return heads.pack(Verb.WORKERS, len(body), kind=kind), body


def read_workers(body: bytes) -> list[bytes]:
    """Return the instances of a WORKERS.

    Raises:
        WireError: The list is too long, or cut off.
    """
    if len(body) % _ID_BYTES or len(body) > WORKERS_PAGE * _ID_BYTES:
        raise WireError("bad_workers", f"at most {WORKERS_PAGE} ids of {_ID_BYTES} bytes")
    return [body[at : at + _ID_BYTES] for at in range(0, len(body), _ID_BYTES)]


def _chunks(rows: Iterable[_Row], size: int) -> list[list[_Row]]:
    every = iter(rows)
    chunks = []
    while chunk := list(islice(every, size)):
        chunks.append(chunk)
    return chunks
