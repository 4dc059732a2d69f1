"""The open tasks in the tables of the proxy: a query, and its answer page by page.

Spec: docs/spec/04-liveness.md, "Open tasks". Pure. The query is a ROSTER with a small map; the
answer has a list of tasks, whether more follow, and where the next query goes on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

import attrs
import msgpack

from ..errors import WireError
from . import greetings

PAGE_TASKS: Final = 100
MAX_PLACE_BYTES: Final = 64
RUNNING: Final = "running"
PARKED: Final = "parked"
WANTED: Final = "wanted"


@attrs.frozen
class TasksQuery:
    """A question for open tasks.

    Args:
        after: The place that the answer before named; empty at first.
    """

    after: bytes = b""


@attrs.frozen
class OpenTaskInfo:
    """One open task as the proxy sees it.

    Args:
        task: Task id, 16 bytes.
        trace: Trace id, 16 bytes.
        caller: The instance id of its caller.
        caller_name: The name of its caller; empty if that has left.
        user: The user of its caller; empty without keys, and if the caller has left.
        address: Where it was sent; empty if that is not known.
        state: `running`: a worker has it; `parked`: it waits for a worker since the start of the
            proxy; `wanted`: the workers are asked which of them has it.
        worker: The instance id of its worker; empty if none has it.
        worker_name: The name of that client; empty likewise.
        seat: The name of the seat that has it; empty likewise.
        cancelled: True once its caller sent CANCEL.
        age_ms: Since when this proxy knows it.
        left_ms: Until its deadline, 0 at least; None if that is not known.
        size_bytes: Length of its body; None if that is not known.
    """

    task: bytes
    trace: bytes
    caller: bytes
    caller_name: str
    user: str
    address: str
    state: str
    worker: bytes
    worker_name: str
    seat: str
    cancelled: bool
    age_ms: int
    left_ms: int | None = None
    size_bytes: int | None = None


_KEYS: Final = {each.name: each.name for each in attrs.fields(OpenTaskInfo)} | {
    "size_bytes": "bytes"
}
_MAY_LACK: Final = ("left_ms", "size_bytes")
_IDS: Final = ("task", "trace", "caller")
_KINDS: Final = {
    **dict.fromkeys((*_IDS, "worker"), bytes),
    **dict.fromkeys(("caller_name", "user", "address", "state", "worker_name", "seat"), str),
    "cancelled": bool,
    **dict.fromkeys(("age_ms", *_MAY_LACK), int),
}


@attrs.frozen
class TasksPage:
    """One page of an answer.

    Args:
        tasks: The tasks.
        after: Where the next question goes on; None if nothing follows.
    """

    tasks: tuple[OpenTaskInfo, ...]
    after: bytes | None = None


def pack_tasks_query(query: TasksQuery) -> bytes:
    """Return the body of a query.

    The first one has no key that an older proxy would refuse: that answers with a page of seats.
    """
    fields: dict[str, Any] = {"tasks": True}
    if query.after:
        fields["after"] = query.after
    return greetings.pack_map(fields)


def asks_for_tasks(fields: Mapping[str, Any]) -> bool:
    """Tell whether the map of a ROSTER asks for tasks.

    Raises:
        WireError: That cannot be told.
    """
    tasks = fields.get("tasks", False)
    if tasks.__class__ is not bool:
        raise WireError("bad_field", "tasks must be true or false")
    return bool(tasks)


def tasks_query_of(fields: Mapping[str, Any]) -> TasksQuery:
    """Return the query in the map of a ROSTER that asks for tasks.

    Raises:
        WireError: It is invalid.
    """
    after = fields.get("after", b"")
    if after.__class__ is not bytes or len(after) > MAX_PLACE_BYTES:
        raise WireError("bad_field", f"after must be at most {MAX_PLACE_BYTES} bytes")
    return TasksQuery(after)


def pack_task(info: OpenTaskInfo) -> bytes:
    """Return a row of a page; what is not known is left out."""
    fields = {key: getattr(info, name) for name, key in _KEYS.items()}
    for name in _MAY_LACK:
        if fields[_KEYS[name]] is None:
            del fields[_KEYS[name]]
    packed: bytes = msgpack.packb(fields, use_bin_type=True)
    return packed


def pack_tasks(rows: Iterable[bytes], after: bytes | None) -> bytes:
    """Return the body of an answer with these rows.

    Args:
        rows: Of `pack_task`.
        after: Where the next question goes on; None if nothing follows.
    """
    rows = list(rows)
    packer = msgpack.Packer(autoreset=False, use_bin_type=True)
    packer.pack_map_header(2 if after is None else 3)
    packer.pack("tasks")
    packer.pack_array_header(len(rows))
    end = {"more": after is not None} | ({} if after is None else {"after": after})
    rest = b"".join(msgpack.packb(each) for pair in end.items() for each in pair)
    return b"".join((packer.bytes(), *rows, rest))


def unpack_tasks(body: bytes) -> TasksPage | None:
    """Return one page of tasks; None from a proxy that does not know the question.

    Raises:
        WireError: The answer is invalid.
    """
    try:
        answer: Any = msgpack.unpackb(body, raw=False, strict_map_key=True, max_ext_len=0)
        if isinstance(answer, list):
            return None
        tasks = tuple(_info(row) for row in answer["tasks"])
        after = _after(answer["after"]) if answer["more"] else None
    except (ValueError, TypeError, KeyError, msgpack.UnpackException) as error:
        raise WireError("bad_body", f"not a list of tasks: {type(error).__name__}") from error
    return TasksPage(tasks, after)


def _after(place: Any) -> bytes:
    if place.__class__ is not bytes or not 0 < len(place) <= MAX_PLACE_BYTES:
        raise TypeError("the place of the next page is no short bytes")
    return bytes(place)


def _info(row: Any) -> OpenTaskInfo:
    fields = {name: row[key] for name, key in _KEYS.items() if name not in _MAY_LACK or key in row}
    if not all(value.__class__ is _KINDS[name] for name, value in fields.items()):
        raise TypeError("a field of a task is of the wrong kind")
    info = OpenTaskInfo(**fields)
    if any(len(fields[name]) != 16 for name in _IDS) or len(info.worker) not in (0, 16):
        raise ValueError("an id of a task has not 16 bytes")
    if min(info.age_ms, info.left_ms or 0, info.size_bytes or 0) < 0:
        raise ValueError("a count of a task is below 0")
    return info
