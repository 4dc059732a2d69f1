"""Check whether a user may subscribe to a topic. Spec: docs/spec/11-access.md. Pure."""

from __future__ import annotations

from ..errors import WireError
from ..wire import heads
from .tables import Tables


def check_subscription(tables: Tables, user: str, topic: bytes, parts: heads.Topic) -> None:
    """Do nothing if a user may subscribe to a topic.

    Args:
        tables: The state of the proxy.
        user: As the transport verified it.
        topic: The topic.
        parts: The same, parsed.

    Raises:
        WireError: It may not (`forbidden`).
    """
    access = tables.access
    if access is None:
        return
    namespace, kind, trace = parts
    grant = access.grant_of(user)
    if grant is None or not grant.may_enter(namespace):
        raise WireError("forbidden", f"{user!r} may not enter {namespace}")
    if kind is None and trace is None:
        if not access.owns(user, heads.instance_of_sync(topic)):
            raise WireError("forbidden", f"{user!r} asks for the sync of another")
    elif not grant.may_hear(kind):
        raise WireError("forbidden", f"{user!r} may not subscribe to {topic!r:.200}")
