"""What one user may do at a proxy. Spec: docs/spec/11-access.md. Pure.

The transport knows kinds and names, not what they mean: an application makes the grants.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from fnmatch import fnmatchcase
from types import MappingProxyType
from typing import Any, Final

import attrs

from .origin import TAG_BYTES, has_tag, tag_of


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

    def covers(self, other: Grant) -> bool:
        """Tell whether nothing is lost by having this grant in place of another."""
        return (
            _contains(self.namespaces, other.namespaces)
            and _contains(self.dispatches, other.dispatches)
            and _contains(self.serves, other.serves)
            and _contains(self.hears, other.hears)
            and _contains(self.publishes, other.publishes)
            and self.watches >= other.watches
            and self.inspects >= other.inspects
        )


def _contains(mine: Collection[Any] | None, other: Collection[Any] | None) -> bool:
    """Tell whether one part of a grant holds another; None stands for everything."""
    if mine is None or "*" in mine:
        return True
    return other is not None and set(other) <= set(mine)


def _matches(globs: tuple[str, ...] | None, name: str) -> bool:
    return globs is None or any(fnmatchcase(name, each) for each in globs)


REFUSALS: Final = frozenset({"unlisted", "namespace", "instance", "serve", "revoked"})
"""The kinds of refusals: not listed, not in that namespace, another key's instance id, no right to
serve that name, and a right that was taken away while connected."""

EVERYTHING: Final = Grant()
"""The grant of everybody at a proxy without keys."""
NOTHING: Final = Grant(
    namespaces=frozenset(),
    dispatches=(),
    serves=(),
    hears=frozenset(),
    watches=False,
    publishes=frozenset(),
    inspects=False,
)
"""The grant of another proxy, which reports and is no client."""


@attrs.frozen
class Access:
    """Who may do what at one proxy with keys. It never changes: a proxy is given another one.

    Args:
        users: By public key (32 bytes), the name of the user. Several keys may have one name.
        grants: By the name of a user, what it may do. One without a grant may do nothing. Those
            named `uid:1000` come over a Unix socket.
        fixes: What to do about a refusal, by its kind (one of `REFUSALS`), in the words of the
            application: `{user}` and `{what}` stand for the user and for what it asked for.

    Attributes:
        tags: The tags of all users that have one, see `origin.tag_of`.

    Raises:
        ValueError: Two names have the same tag.
    """

    users: Mapping[bytes, str]
    grants: Mapping[str, Grant]
    fixes: Mapping[str, str] = MappingProxyType({})
    tags: frozenset[bytes] = attrs.field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        names: dict[bytes, str] = {}
        for user in filter(has_tag, self.grants):
            other = names.setdefault(tag_of(user), user)
            if other != user:
                raise ValueError(f"the names {other} and {user} have one tag: change one of them")
        object.__setattr__(self, "tags", frozenset(names))

    def user_of(self, public_key: bytes) -> str | None:
        """Return the user of a key; None if the key is not listed."""
        return self.users.get(public_key)

    def grant_of(self, user: str) -> Grant | None:
        """Return what a user may do; None if the user is not listed."""
        return self.grants.get(user)

    def owns(self, user: str, instance: bytes) -> bool:
        """Tell whether an instance id is one of a user, as far as the id tells.

        Spec: 11-access, "Instance ids".
        """
        tag = instance[-TAG_BYTES:]
        return tag == tag_of(user) if has_tag(user) else tag not in self.tags

    def users_in(self, namespace: str) -> list[str]:
        """Return the users that have a tag and may enter a namespace, in order."""
        return sorted(
            user
            for user, grant in self.grants.items()
            if has_tag(user) and grant.may_enter(namespace)
        )

    def fix_for(self, refusal: str, user: str, what: str = "") -> str:
        """Return what to do about a refusal; an empty text if the application did not say."""
        text = self.fixes.get(refusal, "")
        return text.replace("{user}", user).replace("{what}", what)
