"""What one user may do at a proxy. Spec: docs/spec/11-access.md. Pure.

The transport knows kinds and names, not what they mean: an application makes the grants.
"""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Final

import attrs


@attrs.frozen
class Grant:
    """What one user may do. None stands for everything.

    Args:
        namespaces: Where it may be.
        dispatches: Globs of the seats that it may send TASKs to; empty for none.
        serves: Globs of the seats that it may register; empty for none.
        hears: The kinds that it may subscribe to.
        watches: True if it may subscribe to traces.
        publishes: The kinds that it may publish or hand over.
        inspects: True if it may ask for the state of the whole proxy.
        may: The same in the words of the application; WELCOME tells them to the client.
    """

    namespaces: frozenset[str] | None = None
    dispatches: tuple[str, ...] | None = None
    serves: tuple[str, ...] | None = None
    hears: frozenset[int] | None = None
    watches: bool = True
    publishes: frozenset[int] | None = None
    inspects: bool = True
    may: tuple[str, ...] = ()

    def may_enter(self, namespace: str) -> bool:
        """Tell whether the user may be in a namespace."""
        return self.namespaces is None or namespace in self.namespaces

    def may_dispatch_to(self, name: str) -> bool:
        """Tell whether the user may send a TASK to a seat of that name."""
        return _matches(self.dispatches, name)

    def may_serve(self, name: str) -> bool:
        """Tell whether the user may register a seat of that name."""
        return _matches(self.serves, name)

    def may_hear(self, kind: int | None) -> bool:
        """Tell whether the user may subscribe to a kind; None stands for a trace."""
        return self.watches if kind is None else self.hears is None or kind in self.hears

    def may_publish(self, kind: int) -> bool:
        """Tell whether the user may publish a kind."""
        return self.publishes is None or kind in self.publishes


def _matches(globs: tuple[str, ...] | None, name: str) -> bool:
    return globs is None or any(fnmatchcase(name, each) for each in globs)


EVERYTHING: Final = Grant()
"""The grant of everybody at a proxy without keys."""


@attrs.frozen
class Access:
    """Who may do what at one proxy with keys. It never changes: a proxy is given another one.

    Args:
        users: By public key (32 bytes), the name of the user. Several keys may have one name.
        grants: By the name of a user, what it may do. One without a grant may do nothing. Those
            named `uid:1000` come over a Unix socket.
    """

    users: Mapping[bytes, str]
    grants: Mapping[str, Grant]

    def user_of(self, public_key: bytes) -> str | None:
        """Return the user of a key; None if the key is not listed."""
        return self.users.get(public_key)

    def grant_of(self, user: str) -> Grant | None:
        """Return what a user may do; None if the user is not listed."""
        return self.grants.get(user)
