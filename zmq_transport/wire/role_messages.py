"""What proxies of one fabric report to each other: the body of a ROLE.

Spec: docs/spec/12-failover.md, "Reports". Pure.
"""

from __future__ import annotations

import enum
from typing import Any, Final

import attrs

from ..errors import WireError, shown
from .greetings import pack_map, unpack_map

MAX_REPORT_BYTES: Final = 1024
MAX_TERM: Final = 2**53 - 1
"""A term above it is no term: so the next one is always a number that a report can carry."""
_ID_BYTES: Final = 16
_MAX_CLIENTS: Final = 2**32


class ProxyRole(enum.StrEnum):
    """What a proxy is in its fabric."""

    STANDBY = "standby"
    LEADER = "leader"
    LEAVING = "leaving"
    """A leader that drains."""


@attrs.frozen
class RoleReport:
    """The fields of a ROLE.

    Args:
        id: 16 random bytes, of this start of the process.
        term: Of a leader, or of one that leaves, the term that it leads; else the highest that it
            knows.
        role: What it is.
        asked: True if a client asks it as `alone`, or did so in the last second.
        answer: True if it answers a report; an answer is not answered.
        clients: How many clients it has.
        users: A digest of its list of users, 16 bytes; empty without keys.
    """

    id: bytes
    term: int
    role: ProxyRole
    asked: bool = False
    answer: bool = False
    clients: int = 0
    users: bytes = b""


def pack_report(report: RoleReport) -> bytes:
    """Return the body of a ROLE."""
    fields: dict[str, Any] = {"id": report.id, "term": report.term, "role": report.role.value}
    if report.asked:
        fields["asked"] = True
    if report.answer:
        fields["answer"] = True
    fields["clients"] = report.clients
    if report.users:
        fields["users"] = report.users
    return pack_map(fields)


def unpack_report(body: bytes) -> RoleReport:
    """Return the fields of a ROLE.

    Raises:
        WireError: It has over 1,024 bytes, or a field is missing or wrong; the text names it.
    """
    if len(body) > MAX_REPORT_BYTES:
        raise WireError(
            "long_body", f"{len(body):,} bytes where at most {MAX_REPORT_BYTES:,} belong"
        )
    fields = unpack_map(body)
    return RoleReport(
        id=_bytes16(fields.get("id"), "id"),
        term=_count(fields.get("term"), "term", MAX_TERM),
        role=_role(fields.get("role")),
        asked=fields.get("asked") is True,
        answer=fields.get("answer") is True,
        clients=_count(fields.get("clients"), "clients", _MAX_CLIENTS),
        users=_bytes16(fields["users"], "users") if fields.get("users") else b"",
    )


def _role(value: object) -> ProxyRole:
    try:
        return ProxyRole(value)  # type: ignore[arg-type]  # what is no text is no role either
    except ValueError:
        known = ", ".join(ProxyRole)
        raise WireError("bad_field", f"role must be one of {known}, not {shown(value)}") from None


def _bytes16(value: object, key: str) -> bytes:
    if isinstance(value, bytes) and len(value) == _ID_BYTES:
        return value
    raise WireError("bad_field", f"{key} must be 16 bytes of type bin")


def _count(value: object, key: str, most: int) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= most:
        return value
    raise WireError("bad_field", f"{key} must be a count of at most {most:,}, not {shown(value)}")
