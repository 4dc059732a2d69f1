"""From keys and words to what the transport takes. Page: docs/keys.md."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

import attrs

import zmq_transport as wire_side

from ..errors import InvalidKey
from ..key_ring import KeyRing, Member
from ..keys import Key
from ..names import checked_name
from ..rights import Rights

GivenRights = Iterable[str] | Rights | wire_side.Grant
"""What a user may do: words, or the same for the transport."""
_OWNER_ROLE: Final = "admin"
_FIXES: Final = MappingProxyType(
    {
        "unlisted": "where the keys of the Synapse are, run 'cosmo keys allow {user} cpk_...' with "
        "the public key that 'cosmo keys show' prints here",
        "namespace": "where the keys of the Synapse are, run 'cosmo keys allow {user} -n +{what}'",
        "serve": "where the keys of the Synapse are, run 'cosmo keys allow {user} --may "
        "+serve={what}'",
        "instance": 'if your key file says another name, write name = "{user}" into it: the '
        "Synapse lists the key under that; else start again, with a new instance id",
        "revoked": "'cosmo keys list' shows what it may do now, where the keys of the Synapse are",
    }
)
"""What to do about a refusal, by its kind."""


def new_pair() -> tuple[bytes, bytes]:
    """Return the public and the secret key of a new pair, 32 bytes each."""
    pair = wire_side.new_key_pair()
    return pair.public, pair.secret


def client_keys_of(key: Key) -> wire_side.ClientKeys:
    """Return a key as the transport takes it.

    Raises:
        InvalidKey: Its public key does not belong to its secret key.
    """
    pair = _pair_of(f"the key of {key.name}", key.public, key.secret)
    return wire_side.ClientKeys(key.name, pair, key.synapse)


def proxy_keys_of(ring: KeyRing) -> wire_side.ProxyKeys:
    """Return the folder of a Synapse as the transport takes it.

    Raises:
        InvalidKey: Its public key does not belong to its secret key, or see `access_of`.
    """
    pair = _pair_of(f"the key of the Synapse in {ring.folder}", ring.public, ring.secret)
    return wire_side.ProxyKeys(pair, access_of(ring))


def access_of(ring: KeyRing) -> wire_side.Access:
    """Return who may do what; the user who runs this process may do everything over a Unix socket.

    Raises:
        InvalidKey: Two names have the same tag, so that nobody could tell them apart.
    """
    tags: dict[bytes, str] = {}
    for member in ring.members.values():
        other = tags.setdefault(wire_side.tag_of(member.user), member.name)
        if other != member.name:
            raise InvalidKey(
                f"the name {member.name!r}",
                f"its short form is that of {other!r}: choose another name for one of them",
            )
    users = {public: each.user for each in ring.members.values() for public in each.publics}
    grants = {each.user: grant_of(each.rights, each) for each in ring.members.values()}
    # With the words for it: a Dendrite looks at them before it sends.
    everything = attrs.evolve(wire_side.EVERYTHING, may=Rights.of([_OWNER_ROLE]).words)
    grants |= {f"uid:{os.geteuid()}": everything}
    # Another Synapse reports, and may do nothing else.
    for name, publics in ring.peers.items():
        users |= dict.fromkeys(publics, wire_side.proxy_user(name))
        grants[wire_side.proxy_user(name)] = wire_side.NOTHING
    return wire_side.Access(users, grants, _FIXES)


def access_of_rights(rights: Mapping[str, GivenRights]) -> wire_side.Access:
    """Return who may do what, for a Synapse without keys whose users are given.

    Raises:
        InvalidName: The name of a user is not a valid name.
        InvalidKey: A right is unknown.
    """
    grants = {checked_name("user", user): _grant_given(given) for user, given in rights.items()}
    return wire_side.Access({}, grants, _FIXES)


def _grant_given(given: GivenRights) -> wire_side.Grant:
    if isinstance(given, wire_side.Grant):
        return given
    return grant_of(given if isinstance(given, Rights) else Rights.of(given))


def user_tag(user: str) -> bytes:
    """Return the 4 bytes with which the instance ids of a user with a key end."""
    return wire_side.tag_of(user)


def grant_of(rights: Rights, member: Member | None = None) -> wire_side.Grant:
    """Return rights as the transport takes them, in the namespaces of a member, else in all."""
    namespaces = None if member is None else member.namespaces
    return wire_side.Grant(
        namespaces=None if namespaces is None else frozenset(namespaces),
        dispatches=rights.dispatches,
        serves=rights.serves,
        hears=None if rights.hears is None else frozenset(each.code for each in rights.hears),
        watches=rights.watches,
        publishes=frozenset(each.code for each in rights.publishes),
        inspects=rights.inspects,
        may=rights.words,
    )


def _pair_of(what: str, public: bytes, secret: bytes) -> wire_side.KeyPair:
    if wire_side.public_of(secret) != public:
        raise InvalidKey(what, "its public key does not belong to its secret key: make a new one")
    return wire_side.KeyPair(public, secret)
