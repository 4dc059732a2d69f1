"""The errors of the transport, as one tree. Pure.

TransportError
├── LocalTransportError        this program can prevent it
│   ├── InvalidName            a name outside the alphabet
│   ├── MessageTooLarge        over the limit, refused before it leaves
│   ├── IllegalTransition      an event that is invalid in the state of a session
│   ├── LinkClosed             use after close
│   └── EndpointInUse          another process listens there
└── RemoteTransportError       the far end, or the connection to it
    ├── WireError              malformed bytes
    │   └── VersionMismatch    a message of another version of the wire
    ├── ZmtpFault              bytes that break ZMTP: their connection must end
    ├── Unreachable            no answer within the timeout
    └── Refused                the far end refused
        └── AccessRefused      it does not let this key in, or not do this
"""

from __future__ import annotations

import enum


class Cause(enum.Enum):
    """The cause why a proxy is out of reach, for a program with texts of its own."""

    NAME = enum.auto()
    """Its name does not resolve."""
    NOBODY = enum.auto()
    """The connection was refused: no process listens there."""
    NO_ANSWER = enum.auto()
    """No connection came about: the host is off, or a firewall drops it."""
    BARRED = enum.auto()
    """This user may not write to the Unix socket."""
    STRANGER = enum.auto()
    """Another program or another kind of socket answers."""
    SLOW = enum.auto()
    """Connected, but an answer did not come in time."""
    STANDBY = enum.auto()
    """A proxy that stands by answers, and none that leads."""
    BROADCAST = enum.auto()
    """The directed port answers, but a broadcast port does not."""


class AccessFault(enum.Enum):
    """What stands between a client and a proxy with keys, for a program with texts of its own."""

    NEEDS_KEY = enum.auto()
    """The proxy has keys, and this client has none."""
    NO_KEYS = enum.auto()
    """This client has a key, and the proxy has none: it is not the one that the key is for."""
    UNLISTED = enum.auto()
    """The proxy does not list the key of this client."""
    OTHER_PROXY = enum.auto()
    """The proxy has another public key than the client expects."""
    RIGHTS = enum.auto()
    """The proxy says itself what it refuses."""


def shown(value: object, most: int = 100) -> str:
    """Return `value` as text for an error: at most `most` characters, a container by its type.

    The value may come from the network; the `repr` of a deep container would exhaust the stack.
    """
    if isinstance(value, (str, bytes)):
        return repr(value[:most])
    if value is None or isinstance(value, (bool, int, float)):
        return repr(value)
    return f"a {type(value).__name__}"


class TransportError(Exception):
    """Root of every error this package raises by itself."""


class LocalTransportError(TransportError):
    """This program did something invalid."""


class RemoteTransportError(TransportError):
    """The far end failed, or the connection to it."""


class InvalidName(LocalTransportError, ValueError):
    """A name outside `[A-Za-z0-9._-]{1,128}`.

    Attributes:
        what: The name's role, such as `namespace`.
        value: The value that was given.
    """

    def __init__(self, what: str, value: object) -> None:
        super().__init__(
            f"{what} must be 1 to 128 characters out of A-Z a-z 0-9 . _ -, not {shown(value)}"
        )
        self.what = what
        self.value = value


class MessageTooLarge(LocalTransportError, ValueError):
    """A body over the limit; nothing was sent.

    Attributes:
        size: Its length in bytes.
        limit: The limit in bytes.
    """

    def __init__(self, size: int, limit: int) -> None:
        super().__init__(f"the body has {size:,} bytes, the limit is {limit:,}")
        self.size = size
        self.limit = limit


class IllegalTransition(LocalTransportError, RuntimeError):
    """An event that is invalid in the current state."""


class LinkClosed(LocalTransportError, RuntimeError):
    """The link was used after it was closed."""


class EndpointInUse(LocalTransportError, OSError):
    """Another process listens there, or the endpoint cannot be used.

    Attributes:
        endpoint: The endpoint to listen at.
        reason: Why it cannot be used.
    """

    def __init__(self, endpoint: str, reason: str) -> None:
        super().__init__(f"cannot listen on {endpoint}: {reason}")
        self.endpoint = endpoint
        self.reason = reason


class WireError(RemoteTransportError, ValueError):
    """Malformed bytes.

    Attributes:
        reason: A short word that selects a counter, such as `short_head`; see `wire.drops`.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


class VersionMismatch(WireError):
    """A message of another version of the wire.

    Attributes:
        theirs: The version that the message carries.
    """

    def __init__(self, theirs: int) -> None:
        super().__init__(
            "version", f"the message is of wire version {theirs}, this end speaks version 1"
        )
        self.theirs = theirs


class ZmtpFault(RemoteTransportError):
    """Bytes that break ZMTP, or an end of it that is none of ours; the connection must end.

    Attributes:
        reason: A short word for programs, such as `not_zmtp`.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


class Unreachable(RemoteTransportError, ConnectionError):
    """No answer within the timeout.

    Attributes:
        endpoint: The endpoint.
        reason: The result of the attempt, as far as it is known.
        cause: The kind of that reason.
    """

    def __init__(self, endpoint: str, reason: str, cause: Cause = Cause.SLOW) -> None:
        super().__init__(f"{endpoint}: {reason}")
        self.endpoint = endpoint
        self.reason = reason
        self.cause = cause


class Refused(RemoteTransportError, ConnectionError):
    """The far end refused.

    Attributes:
        endpoint: The endpoint.
        reason: The reason that the far end gave.
    """

    def __init__(self, endpoint: str, reason: str) -> None:
        super().__init__(f"{endpoint} refused: {reason}")
        self.endpoint = endpoint
        self.reason = reason


class AccessRefused(Refused):
    """The far end does not let this client in, or does not let it do something.

    Attributes:
        endpoint: The endpoint.
        reason: What was refused, with the name of the key.
        fix: What to do about it; empty if the far end did not say.
        fault: The kind of the reason.
    """

    def __init__(
        self,
        endpoint: str,
        reason: str,
        fix: str = "",
        fault: AccessFault = AccessFault.RIGHTS,
    ) -> None:
        super().__init__(endpoint, reason)
        self.fix = fix
        self.fault = fault
