"""The keys of one client, and the public key of the proxy that it expects at the moment. Pure.

Spec: docs/spec/11-access.md, Rotation.
"""

from __future__ import annotations

from ..access.curve_keys import ClientKeys, KeyPair


class Curve:
    """What the sockets of one client show and expect.

    Args:
        keys: The keys of the client. While the proxy changes its own, it may have either of two.
    """

    def __init__(self, keys: ClientKeys) -> None:
        self._keys = keys
        self._at = 0

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
        return self._keys.proxies[self._at]

    def expect_next(self) -> None:
        """Expect the next public key of the proxy, after an attempt that may have had another."""
        self._at = (self._at + 1) % len(self._keys.proxies)
