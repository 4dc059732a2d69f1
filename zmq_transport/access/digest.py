"""A digest of who may do what, to compare the lists of two proxies.

Spec: docs/spec/12-failover.md, "Reports". Pure.
"""

from __future__ import annotations

from collections.abc import Collection
from hashlib import blake2b
from typing import Any, Final

import msgpack

from .origin import has_tag
from .rights import Access, Grant

DIGEST_BYTES: Final = 16


def digest_of(access: Access) -> bytes:
    """Return 16 bytes that are equal where names, public keys, namespaces and rights are."""
    # Users of one machine, and the proxies themselves, are others on each.
    users = sorted((key, user) for key, user in access.users.items() if has_tag(user))
    grants = [(user, _facts_of(access.grants[user])) for user in sorted(access.grants)]
    named = [each for each in grants if has_tag(each[0])]
    packed: bytes = msgpack.packb([users, named], use_bin_type=True)
    return blake2b(packed, digest_size=DIGEST_BYTES, person=b"users").digest()


def _facts_of(grant: Grant) -> list[Any]:
    return [
        _sorted(grant.namespaces),
        _sorted(grant.dispatches),
        _sorted(grant.serves),
        _sorted(grant.hears),
        grant.watches,
        _sorted(grant.publishes),
        grant.inspects,
        _sorted(grant.may),
    ]


def _sorted(values: Collection[Any] | None) -> list[Any] | None:
    return None if values is None else sorted(values)
