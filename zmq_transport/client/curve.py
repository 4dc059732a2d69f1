"""The keys of one client, and the public key of the proxy that it expects at the moment. Pure.

Spec: docs/spec/11-access.md, Rotation; docs/spec/12-failover.md.
"""

from __future__ import annotations

from typing import Final

from ..access.curve_keys import ClientKeys, KeyPair
from ..sockets.endpoints import Endpoint

MAX_ADDRESSES: Final = 256
"""Of so many it is known which key is good there; those of a name may change for ever."""


class Curve:
    """What the sockets of one client show and expect, and which key was good at which address.

    Args:
        keys: The keys of the client. While the proxy changes its own, it may have either of two;
            proxies that stand by for each other have one each.
    """

    def __init__(self, keys: ClientKeys) -> None:
        self._keys = keys
        self._address: Endpoint | None = None
        self._expected: dict[Endpoint | None, int] = {}
        self._good: dict[Endpoint | None, int] = {}
        self._failed_count = 0

    @property
    def user(self) -> str:
        """The name under which the proxy lists the key."""
        return self._keys.user

    @property
    def pair(self) -> KeyPair:
        """The key pair of the client."""
        return self._keys.pair

    @property
    def proxy(self) -> bytes:
        """The public key to expect in the next attempt, 32 bytes."""
        return self._keys.proxies[self._index()]

    def turn_to(self, address: Endpoint) -> None:
        """Take what is expected from now on for that of the proxy at `address`."""
        if address != self._address:
            self._address = address
            self._failed_count = 0
        for known in (self._expected, self._good):
            if len(known) > MAX_ADDRESSES:
                del known[next(iter(known))]

    def expect_next(self) -> bool:
        """Expect the next public key there, after an attempt that may have had another.

        Returns:
            False if each of them had its turn there since the last `turn_to`.
        """
        count = len(self._keys.proxies)
        self._expected[self._address] = (self._index() + 1) % count
        self._failed_count += 1
        return self._failed_count % count != 0

    def on_good(self) -> None:
        """Record that the proxy there has the key that was expected."""
        self._good[self._address] = self._expected[self._address] = self._index()
        self._failed_count = 0

    def _index(self) -> int:
        if self._address in self._expected:
            return self._expected[self._address]
        # Of those that stand by for each other each has a key of its own.
        taken = set(self._good.values())
        free = [at for at in range(len(self._keys.proxies)) if at not in taken]
        return free[0] if free else 0
