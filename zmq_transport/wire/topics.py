"""Build and parse topics of the broadcast plane. Spec: docs/spec/05-broadcast.md.

Pure. Part of the wire; other modules import it from `heads`.
"""

from __future__ import annotations

import re
from typing import Final

from ..errors import WireError

MAX_TOPIC_BYTES: Final = 512

LIVE_TOPIC: Final = b"~live/"
"""The sentinel: a publisher that receives its subscription is connected to the far end.

XSUB sends its subscriptions to a new connection in byte order, and `~` sorts after every name. So
the sentinel arrives after all other subscriptions.
"""


def kind_topic(namespace: str, kind: int) -> bytes:
    """Return the topic of all messages of one kind."""
    return b"%s/t/%d/" % (namespace.encode(), kind)


def trace_topic(namespace: str, trace: bytes) -> bytes:
    """Return the topic of all messages of one trace."""
    return b"%s/r/%s/" % (namespace.encode(), trace.hex().encode())


def sync_topic(namespace: str, instance: bytes, turn: int) -> bytes:
    """Return a topic whose subscription the proxy answers at once, with a message on it."""
    return b"%s/_sync/%s-%d/" % (namespace.encode(), instance.hex().encode(), turn)


def instance_of_sync(topic: bytes) -> bytes:
    """Return the instance id in a valid sync topic."""
    _, _, rest = topic.partition(b"/_sync/")
    return bytes.fromhex(rest[:32].decode())


_TOPIC = re.compile(
    rb"([A-Za-z0-9._-]{1,128})/(?:t/(0|[1-9][0-9]{0,2})|r/([0-9a-f]{32})|(_sync)/[0-9a-f]{32}-[0-9]{1,9})/"
)

Topic = tuple[str, int | None, bytes | None]
"""namespace, kind, trace: one of the last two is set, or neither for a sync topic."""


def read_topic(topic: bytes) -> Topic:
    """Parse a topic.

    Raises:
        WireError: The topic is invalid, or over 512 bytes.
    """
    if len(topic) > MAX_TOPIC_BYTES:
        raise WireError("long_topic", f"a topic has at most {MAX_TOPIC_BYTES} bytes")
    match = _TOPIC.fullmatch(topic)
    if match is None:
        raise WireError("bad_topic", f"not a topic of this protocol: {topic!r:.200}")
    namespace, kind, trace, _ = match.groups()
    if kind is not None and int(kind) > 255:
        raise WireError("bad_topic", f"a kind is at most 255, not {int(kind)}")
    return (
        namespace.decode(),
        None if kind is None else int(kind),
        None if trace is None else bytes.fromhex(trace.decode()),
    )
