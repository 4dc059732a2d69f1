"""Everything that can go wrong below the application, as one tree. Pure.

TransportError
├── LocalTransportError        the program at hand can mend it
│   ├── InvalidName            a name outside the alphabet
│   ├── MessageTooLarge        over the limit, refused before it leaves
│   ├── IllegalTransition      an event that the state of a session does not expect
│   ├── LinkClosed             use after close
│   └── EndpointInUse          somebody else listens there
└── RemoteTransportError       the far end, or the way there
    ├── WireError              bytes that are no message of ours
    │   └── VersionMismatch    a message of another version of the wire
    ├── Unreachable            nobody answered in time
    └── Refused                the far end answered no
"""

from __future__ import annotations


def shown(value: object, most: int = 100) -> str:
    """Return `value` as an error may show it: at most `most` characters, a container by its kind.

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
    """The program at hand did something that it can mend."""


class RemoteTransportError(TransportError):
    """The far end, or the way there, failed."""


class InvalidName(LocalTransportError, ValueError):
    """A name outside `[A-Za-z0-9._-]{1,128}`.

    Attributes:
        what: Which name it is.
        value: What was given.
    """

    def __init__(self, what: str, value: object) -> None:
        super().__init__(
            f"{what} must be 1 to 128 characters out of A-Z a-z 0-9 . _ - and is {shown(value)}"
        )
        self.what = what
        self.value = value


class MessageTooLarge(LocalTransportError, ValueError):
    """A body over the limit; nothing of it left.

    Attributes:
        size: Its length in bytes.
        limit: The limit in bytes.
    """

    def __init__(self, size: int, limit: int) -> None:
        super().__init__(f"the body has {size:,} bytes, the limit is {limit:,}")
        self.size = size
        self.limit = limit


class IllegalTransition(LocalTransportError, RuntimeError):
    """An event that the current state does not expect."""


class LinkClosed(LocalTransportError, RuntimeError):
    """The link was used after it was closed."""


class EndpointInUse(LocalTransportError, OSError):
    """Somebody else listens there.

    Attributes:
        endpoint: Where we wanted to listen.
    """

    def __init__(self, endpoint: str, reason: str) -> None:
        super().__init__(f"cannot listen on {endpoint}: {reason}")
        self.endpoint = endpoint
        self.reason = reason


class WireError(RemoteTransportError, ValueError):
    """Bytes that are no message of ours.

    Attributes:
        reason: A short word for counters, such as `short_head`.
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
        super().__init__("version", f"the message is of wire version {theirs}, we speak 1")
        self.theirs = theirs


class Unreachable(RemoteTransportError, ConnectionError):
    """Nobody answered in time.

    Attributes:
        endpoint: Where we knocked.
        reason: What was seen on the way there.
    """

    def __init__(self, endpoint: str, reason: str) -> None:
        super().__init__(f"{endpoint}: {reason}")
        self.endpoint = endpoint
        self.reason = reason


class Refused(RemoteTransportError, ConnectionError):
    """The far end answered no, for good.

    Attributes:
        endpoint: Where we knocked.
        reason: Its own words.
    """

    def __init__(self, endpoint: str, reason: str) -> None:
        super().__init__(f"{endpoint} refused: {reason}")
        self.endpoint = endpoint
        self.reason = reason
