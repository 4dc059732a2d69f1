"""The keys of CURVE, as raw bytes. Spec: docs/spec/11-access.md. Pure.

A secret is never part of a `repr`.
"""

from __future__ import annotations

from typing import Final

import attrs

KEY_BYTES: Final = 32
_IS_KEY = attrs.validators.and_(
    attrs.validators.instance_of(bytes),
    attrs.validators.min_len(KEY_BYTES),
    attrs.validators.max_len(KEY_BYTES),
)


@attrs.frozen
class KeyPair:
    """A key pair of CURVE.

    Args:
        public: 32 bytes.
        secret: 32 bytes.

    Raises:
        ValueError: A key has another length.
        TypeError: A key is not bytes.
    """

    public: bytes = attrs.field(validator=_IS_KEY)
    secret: bytes = attrs.field(repr=False, validator=_IS_KEY)


@attrs.frozen
class ClientKeys:
    """All that a client needs to join a proxy with keys.

    Args:
        user: The name under which the proxy lists the key.
        pair: The key pair of the client.
        proxies: The public keys that the proxy may have, at least one: during a rotation two.
    """

    user: str
    pair: KeyPair
    proxies: tuple[bytes, ...] = attrs.field(validator=attrs.validators.min_len(1))
