"""What a client saw on the way to its proxy, for the text of an error. Pure."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from typing import Final

import attrs

from ..errors import Cause
from ..sockets.endpoints import Endpoint

MAX_LEADERS: Final = 16
"""So many proxies that others name are shown."""


class Fault(enum.Enum):
    """How an attempt to connect failed."""

    CLOSED_PORT = enum.auto()
    """The connection was refused at once."""
    NO_ANSWER = enum.auto()
    """No connection within the limit."""
    STRANGER = enum.auto()
    """A connection, but no handshake."""
    STANDBY = enum.auto()
    """A proxy that lets nobody in, as another one leads."""


@attrs.frozen
class Diagnosis:
    """What was seen.

    Args:
        cause: Its kind, for the program.
        text: For people.
    """

    cause: Cause
    text: str


@attrs.define
class FailedAttempts:
    """The failed attempts of one socket since it was last connected.

    Attributes:
        faults: The last fault of each address.
        attempts_count: How many attempts failed.
        stranger: What answered in place of a proxy, for people; empty if nothing did.
        leaders: Where the proxies that stand by say that another one is, as URLs.
    """

    faults: dict[Endpoint, Fault] = attrs.Factory(dict)
    attempts_count: int = 0
    stranger: str = ""
    leaders: tuple[str, ...] = ()

    def add(self, address: Endpoint, fault: Fault) -> None:
        """Record a failed attempt."""
        self.faults.pop(address, None)
        self.faults[address] = fault
        self.attempts_count += 1

    def add_standby(self, address: Endpoint, leaders: Sequence[str]) -> None:
        """Record that the proxy at `address` does not lead, and where it says that others are."""
        self.add(address, Fault.STANDBY)
        self.leaders = tuple(dict.fromkeys([*leaders, *self.leaders]))[:MAX_LEADERS]

    def forget(self, address: Endpoint) -> None:
        """Forget the fault of an address: it is connected, which a standby may be as well."""
        if self.faults.get(address) is not Fault.STANDBY:
            self.faults.pop(address, None)

    def clear(self) -> None:
        """Forget everything: a proxy let this client in."""
        self.faults.clear()
        self.attempts_count = 0
        self.stranger = ""
        self.leaders = ()

    def diagnosis(self, unresolved: Sequence[str] = ()) -> Diagnosis:
        """Return what was seen; the address that came nearest to a proxy gives the cause.

        Args:
            unresolved: The names that have no address, beside those that have one.
        """
        found = self._found()
        if not unresolved:
            return found
        return Diagnosis(found.cause, f"{found.text}, and {nameless(unresolved).text}")

    def _found(self) -> Diagnosis:
        if not self.faults:
            return Diagnosis(Cause.NO_ANSWER, "no connection came about yet")
        standbys = _listed(self.faults, Fault.STANDBY)
        if standbys:
            return self._with_standbys(standbys)
        return self._without_standbys()

    def _with_standbys(self, standbys: str) -> Diagnosis:
        does = "stand by and let" if " and " in standbys else "stands by and lets"
        text = f"{standbys} {does} nobody in"
        if self.leaders:
            text += f", the others of its fabric are {' and '.join(self.leaders)}"
        if any(fault is not Fault.STANDBY for fault in self.faults.values()):
            text += f"; {self._without_standbys().text}"
        return Diagnosis(Cause.STANDBY, text)

    def _without_standbys(self) -> Diagnosis:
        if Fault.STRANGER in self.faults.values():
            what = self.stranger or "something that does not speak our protocol (or hangs)"
            where = _listed(self.faults, Fault.STRANGER)
            return Diagnosis(Cause.STRANGER, f"{what} answers at {where}, not a proxy")
        silent = _listed(self.faults, Fault.NO_ANSWER)
        closed = _listed(self.faults, Fault.CLOSED_PORT)
        tries = f"({self.attempts_count} tries)"
        if not closed:
            return Diagnosis(Cause.NO_ANSWER, f"{silent} does not accept a connection {tries}")
        if not silent:
            return Diagnosis(Cause.NOBODY, f"no process listens at {closed} {tries}")
        text = f"no process listens at {closed}, and {silent} does not accept a connection {tries}"
        return Diagnosis(Cause.NOBODY, text)


def nameless(names: Sequence[str]) -> Diagnosis:
    """Return what to say of names that do not resolve, at least one."""
    if len(names) == 1:
        return Diagnosis(Cause.NAME, f"the name {names[0]} does not resolve")
    return Diagnosis(Cause.NAME, f"the names {' and '.join(names)} do not resolve")


def _listed(faults: dict[Endpoint, Fault], wanted: Fault) -> str:
    return " and ".join(str(address) for address, fault in faults.items() if fault is wanted)
