"""The subjects of the fabric on NATS. Spec: docs/spec/14-nats.md, "Subjects". Pure.

    cosmo.NS.up.ROUTER.USER.CONN    client -> its router
    cosmo.NS.down.USER.CONN         router -> one client; what `up` could not reach comes back there
    cosmo.NS.heard.USER.CONN        router -> the listening connection of one client
    cosmo.NS.t.TYPE                 router -> who listens to a type, such as AGENT_OUTPUT
    cosmo.NS.r.TRACE                router -> who listens to a trace
    cosmo.NS.subscribed             router -> publishers: topics that gained or lost their listeners
    cosmo._synapse, cosmo._who      the beats of the routers; the question for one
    cosmo._alive.ROUTER             routers probe each other
    cosmo._gone.ROUTER.WHO          where a router learns that nobody reads there

A namespace and a user are one token each: `.` becomes `~`, which no name contains.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from zmq_transport.errors import WireError
from zmq_transport.wire import heads

from ...signals import TYPE_OF_CODE

PREFIX: Final = "cosmo"
BEATS: Final = f"{PREFIX}._synapse"
WHO: Final = f"{PREFIX}._who"
NO_USER: Final = "-"
"""The token of a connection without a user."""
_DOT = "~"
_UP = re.compile(
    rf"{PREFIX}\.([A-Za-z0-9_~-]{{1,128}})\.up\.([0-9a-f]{{32}})\.([A-Za-z0-9_~-]{{1,128}})\.([0-9a-f]{{16}})"
)


class Up(NamedTuple):
    """What the subject of a message to a router says.

    Args:
        namespace: Where the client belongs.
        user: The user in the eyes of nats-server, as a token.
        connection: The connection, 16 hex digits.
    """

    namespace: str
    user: str
    connection: str


def token(name: str) -> str:
    """Return a name as one token of a subject."""
    return name.replace(".", _DOT)


def name_in(text: str) -> str:
    """Return the name that a token stands for."""
    return text.replace(_DOT, ".")


def up(namespace: str, router: bytes, user: str, connection: str) -> str:
    """Return where a client sends; `user` is a token."""
    return f"{PREFIX}.{token(namespace)}.up.{router.hex()}.{user}.{connection}"


def up_to(router: bytes) -> str:
    """Return the pattern of all that is sent to a router."""
    return f"{PREFIX}.*.up.{router.hex()}.*.*"


def read_up(subject: str) -> Up:
    """Return what the subject of a message to a router says.

    Raises:
        WireError: It is none.
    """
    match = _UP.fullmatch(subject)
    if match is None:
        raise WireError("bad_subject", f"not the subject of a client: {subject!r:.200}")
    namespace, _, user, connection = match.groups()
    return Up(name_in(namespace), user, connection)


def down(namespace: str, user: str, connection: str) -> str:
    """Return where a router sends to one client."""
    return f"{PREFIX}.{token(namespace)}.down.{user}.{connection}"


def heard(namespace: str, user: str, connection: str) -> str:
    """Return where a router sends to the listening connection of one client."""
    return f"{PREFIX}.{token(namespace)}.heard.{user}.{connection}"


def subscribed(namespace: str) -> str:
    """Return where publishers learn who listens."""
    return f"{PREFIX}.{token(namespace)}.subscribed"


def of_topic(topic: bytes) -> str:
    """Return the subject of a topic of a type or of a trace.

    Raises:
        WireError: It is invalid, or a sync topic, which has no subject.
    """
    namespace, kind, trace = heads.read_topic(topic)
    if kind is not None:
        known = TYPE_OF_CODE.get(kind)
        return f"{PREFIX}.{token(namespace)}.t.{kind if known is None else known.value}"
    if trace is not None:
        return f"{PREFIX}.{token(namespace)}.r.{trace.hex()}"
    raise WireError("bad_topic", "a sync topic has no subject")


def alive(router: bytes) -> str:
    """Return where a router is probed by the others."""
    return f"{PREFIX}._alive.{router.hex()}"


def gone(router: bytes, who: str) -> str:
    """Return where a router learns that nobody reads what it sent; `who` is one token."""
    return f"{PREFIX}._gone.{router.hex()}.{who}"
