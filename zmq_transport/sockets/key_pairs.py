"""New key pairs of CURVE, made by libzmq with the random numbers of the system."""

from __future__ import annotations

import zmq
from zmq.utils import z85

from ..access.curve_keys import KeyPair


def new_key_pair() -> KeyPair:
    """Return a new key pair."""
    public, secret = zmq.curve_keypair()
    return KeyPair(z85.decode(public), z85.decode(secret))


def public_of(secret: bytes) -> bytes:
    """Return the public key (32 bytes) of a secret key (32 bytes)."""
    return bytes(z85.decode(zmq.curve_public(z85.encode(secret))))
