"""The folder of a Synapse with keys: its own pair, and who is allowed. Page: docs/keys.md.

    DIR/synapse.key          0600  public, secret, also = [further public keys, for a rotation]
    DIR/allowed/NAME.toml    0644  public = [...], namespaces = [...] (absent: every), may = [...]
    DIR/peers/NAME.toml      0644  public = [...]: another Synapse of the same fabric

One file a name, written in one step, with no secret in it.
"""

from __future__ import annotations

import difflib
import os
import shlex
from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final, Self

import attrs

from .defaults import MAX_PEERS
from .errors import InvalidKey
from .keys import (
    KEY_SUFFIX,
    SYNAPSE_NAME,
    UID_PREFIX,
    checked_key_name,
    public_key,
    public_text,
    secret_key,
    secret_text,
)
from .names import checked_name
from .rights import Rights
from .runtime.private_files import (
    about_file,
    check_folder,
    read_private,
    read_shown,
    replace,
    texts_of,
    toml_text,
    write_new,
)

MAX_MEMBERS: Final = 10_000
_ALLOWED = "allowed"
_PEERS = "peers"
_SUFFIX = ".toml"
_RING_FIELDS = frozenset({"public", "secret", "also"})
_MEMBER_FIELDS = frozenset({"public", "namespaces", "may"})
_PEER_FIELDS = frozenset({"public"})
_MAX_KEYS = 8


def default_folder() -> str:
    """Return where the folder is unless it is named: `$XDG_CONFIG_HOME/cosmonapse/keys`."""
    base = os.environ.get("XDG_CONFIG_HOME") or os.path.join(os.path.expanduser("~"), ".config")
    return os.path.join(base, "cosmonapse", "keys")


@attrs.frozen
class Member:
    """One who is allowed.

    Args:
        name: The name; `uid-1000` for a user of this machine.
        publics: The public keys, 32 bytes each; several during a rotation, none for a `uid-`.
        namespaces: Where it may be; None for everywhere.
        rights: What it may do.
    """

    name: str
    publics: tuple[bytes, ...]
    namespaces: tuple[str, ...] | None
    rights: Rights

    @property
    def user(self) -> str:
        """The name of the user in the transport: `uid:1000` for `uid-1000`."""
        return self.name.replace("-", ":", 1) if self.is_local else self.name

    @property
    def is_local(self) -> bool:
        """Whether it is a user of this machine, who comes over a Unix socket and has no key."""
        return self.name.startswith(UID_PREFIX)


@attrs.frozen
class KeyRing:
    """What a folder of keys says.

    Args:
        folder: The folder.
        public: The public key of the Synapse, 32 bytes.
        secret: Its secret key, 32 bytes. It is no part of the `repr`.
        also: Further public keys that key files shall name: the next one, or the last one.
        members: Those who are allowed, by name.
        peers: By name, the public keys of the other Synapses of the same fabric.
    """

    folder: str
    public: bytes
    secret: bytes = attrs.field(repr=False)
    also: tuple[bytes, ...]
    members: Mapping[str, Member]
    peers: Mapping[str, tuple[bytes, ...]] = attrs.field(factory=dict)

    @classmethod
    def read(cls, folder: str | os.PathLike[str]) -> Self:
        """Return what a folder says.

        Raises:
            InvalidKey: It is not there, is not whole, or others may change it; the text names the
                file, and what to run.
        """
        named = os.fspath(folder)
        ring = cls(named, *_own_keys_in(named), {})
        ring, faults = ring.reread()
        if faults:
            raise faults[0]
        return ring

    def reread(self) -> tuple[Self, list[InvalidKey]]:
        """Return what the folder says now, and what is wrong with files of members and peers.

        One whose file is broken stays as it was, so that a mistake in one file keeps no other
        change from being in force.

        Raises:
            InvalidKey: The folder itself cannot be used.
        """
        members: dict[str, Member] = {}
        owners: dict[bytes, str] = {}
        faults: list[InvalidKey] = []
        own = _own_keys_in(self.folder)
        for name in member_names(self.folder):
            try:
                member = _member_in(self.folder, name, owners)
            except InvalidKey as error:
                faults.append(error)
                before = self.members.get(name)
                if before is None or not owners.keys().isdisjoint(before.publics):
                    continue
                member = before
            members[name] = member
            owners |= dict.fromkeys(member.publics, name)
        peers = self._peers_now(owners | dict.fromkeys((own[0], *own[2]), SYNAPSE_NAME), faults)
        public, secret, also = own
        return attrs.evolve(
            self, public=public, secret=secret, also=also, members=members, peers=peers
        ), faults

    def _peers_now(
        self, owners: dict[bytes, str], faults: list[InvalidKey]
    ) -> dict[str, tuple[bytes, ...]]:
        """Return the other Synapses; add what is wrong with their files."""
        peers: dict[str, tuple[bytes, ...]] = {}
        for name in peer_names(self.folder):
            try:
                publics = _peer_in(self.folder, name, owners)
            except InvalidKey as error:
                faults.append(error)
                publics = self.peers.get(name, ())
                if not publics or not owners.keys().isdisjoint(publics):
                    continue
            peers[name] = publics
            owners |= dict.fromkeys(publics, name)
        return peers

    @property
    def own(self) -> tuple[bytes, ...]:
        """The public keys of the Synapse, the one in use first."""
        return self.public, *self.also

    @property
    def publics(self) -> tuple[bytes, ...]:
        """The public keys of the Synapse and its peers for a key file, the one in use first."""
        of_peers = (each for publics in self.peers.values() for each in publics)
        return tuple(dict.fromkeys((*self.own, *of_peers)))

    def member(self, name: str) -> Member:
        """Return the member of a name.

        Raises:
            InvalidKey: Nobody has it; the text names the one that was probably meant.
        """
        found = self.members.get(name)
        if found is not None:
            return found
        near = difflib.get_close_matches(name, self.members, 1)
        guess = f"did you mean {near[0]!r}? " if near else ""
        raise InvalidKey(f"the name {name!r}", f"{guess}'cosmo keys list' shows who is allowed")

    def owner_of(self, public: bytes) -> str | None:
        """Return the name that has a public key; None if nobody has."""
        for each in self.members.values():
            if public in each.publics:
                return each.name
        return next((name for name, publics in self.peers.items() if public in publics), None)


def make_folder(folder: str, public: bytes, secret: bytes) -> None:
    """Make the folder of a Synapse, with its pair in it.

    Raises:
        InvalidKey: It has a pair already, or it cannot be written.
    """
    allowed = os.path.join(folder, _ALLOWED)
    try:
        os.makedirs(folder, 0o700, exist_ok=True)
        os.makedirs(allowed, 0o700, exist_ok=True)
    except OSError as error:
        raise InvalidKey(folder, f"cannot make the folder: {error.strerror}") from None
    check_folder(folder, folder)
    text = toml_text({"public": public_text(public), "secret": secret_text(secret)})
    write_new(os.path.join(folder, SYNAPSE_NAME + KEY_SUFFIX), text)


def write_member(folder: str, member: Member) -> None:
    """Write the file of a member, or replace it, in one step.

    Raises:
        InvalidKey: The name is none, it has over 8 keys, or it cannot be written.
    """
    _checked_member_name(member.name)
    if len(member.publics) > _MAX_KEYS:
        raise InvalidKey(
            member.name, f"it has {_MAX_KEYS} keys already: revoke one with 'cosmo keys revoke'"
        )
    lines: dict[str, Iterable[str]] = {}
    if not member.is_local:
        lines["public"] = map(public_text, member.publics)
    if member.namespaces is not None:
        lines["namespaces"] = member.namespaces
    lines["may"] = member.rights.words
    replace(_file_of(folder, member.name), toml_text(lines), 0o644)


def remove_member(folder: str, name: str) -> None:
    """Remove the file of a member.

    Raises:
        InvalidKey: It cannot be removed.
    """
    path = _file_of(folder, _checked_member_name(name))
    try:
        os.unlink(path)
    except OSError as error:
        raise InvalidKey(path, str(error.strerror)) from None


def write_peer(folder: str, name: str, publics: Collection[bytes]) -> None:
    """Write the file of another Synapse, or replace it, in one step; without keys remove it.

    Raises:
        InvalidKey: The name is none, it has over 8 keys, there are too many, or it cannot be
            written.
    """
    path = os.path.join(folder, _PEERS, checked_key_name(name) + _SUFFIX)
    others = [each for each in peer_names(folder) if each != name]
    if len(publics) > _MAX_KEYS or len(others) >= MAX_PEERS:
        most = f"{_MAX_KEYS} keys" if len(publics) > _MAX_KEYS else f"{MAX_PEERS} peers"
        raise InvalidKey(name, f"there are {most} already, and that is the limit")
    try:
        if not publics:
            os.unlink(path)
            return
        os.makedirs(os.path.dirname(path), 0o700, exist_ok=True)
    except OSError as error:
        raise InvalidKey(path, str(error.strerror)) from None
    replace(path, toml_text({"public": map(public_text, publics)}), 0o644)


def peer_names(folder: str) -> list[str]:
    """Return the names of the other Synapses of the same fabric.

    Raises:
        InvalidKey: Others may write the folder of their files.
    """
    peers = os.path.join(folder, _PEERS)
    if not os.path.isdir(peers):
        return []
    return _names_in(peers, MAX_PEERS)


def _peer_in(folder: str, name: str, owners: Mapping[bytes, str]) -> tuple[bytes, ...]:
    """Return the public keys of another Synapse.

    Raises:
        InvalidKey: The file is not whole, others may write it, or its key is that of another.
    """
    path = os.path.join(folder, _PEERS, name + _SUFFIX)
    with about_file(path):
        checked_key_name(name)
    values = read_shown(path)
    with about_file(path):
        _check_fields(values, _PEER_FIELDS, ("public",))
        publics = tuple(map(public_key, texts_of(values, "public")))
        if not 1 <= len(publics) <= _MAX_KEYS:
            raise InvalidKey(
                "the line 'public'", f"it has {len(publics)} keys, expected 1 to {_MAX_KEYS}"
            )
        _check_owners(publics, owners)
        return publics


def stamp_of(folder: str) -> object:
    """Return a value that changes when something in the folder does. Never raises."""
    allowed = os.path.join(folder, _ALLOWED)
    found: list[object] = []
    try:
        paths = (folder, allowed, os.path.join(folder, SYNAPSE_NAME + KEY_SUFFIX))
        found += [_facts_of(os.stat(path)) for path in paths]
        peers = os.path.join(folder, _PEERS)
        for each_folder in (allowed, *([peers] if os.path.isdir(peers) else ())):
            with os.scandir(each_folder) as entries:
                found += sorted((each.name, *_facts_of(each.stat())) for each in entries)
    except OSError as error:
        found.append(error.errno)
    return tuple(found)


def _facts_of(facts: os.stat_result) -> tuple[int, ...]:
    return (
        facts.st_ino,
        facts.st_mode,
        facts.st_uid,
        facts.st_size,
        facts.st_mtime_ns,
        facts.st_ctime_ns,
    )


def _file_of(folder: str, name: str) -> str:
    return os.path.join(folder, _ALLOWED, name + _SUFFIX)


def _how_to_make(folder: str) -> str:
    option = "" if folder == default_folder() else f" --dir {shlex.quote(folder)}"
    return f"make one with 'cosmo keys new NAME{option}'"


def _own_keys_in(folder: str) -> tuple[bytes, bytes, tuple[bytes, ...]]:
    """Return the public and the secret key of the Synapse, and its further public keys.

    Raises:
        InvalidKey: The folder or the file is not there, is not whole, or others may change it.
    """
    path = os.path.join(folder, SYNAPSE_NAME + KEY_SUFFIX)
    if not os.path.isdir(folder):
        raise InvalidKey(folder, f"there is no such folder: {_how_to_make(folder)}")
    if not os.path.lexists(path):
        raise InvalidKey(folder, f"it has no {SYNAPSE_NAME}{KEY_SUFFIX}: {_how_to_make(folder)}")
    values = read_private(path)
    with about_file(path):
        _check_fields(values, _RING_FIELDS, ("public", "secret"))
        also = tuple(map(public_key, texts_of(values, "also")))
        return public_key(values["public"]), secret_key(values["secret"]), also


def member_names(folder: str) -> list[str]:
    """Return the names of those who are allowed.

    Raises:
        InvalidKey: The folder of their files is not there, others may write it, or it has too many.
    """
    allowed = os.path.join(folder, _ALLOWED)
    if not os.path.isdir(allowed):
        raise InvalidKey(folder, f"it has no folder {_ALLOWED}: {_how_to_make(folder)}")
    return _names_in(allowed, MAX_MEMBERS)


def _names_in(folder: str, most: int) -> list[str]:
    """Return the names of the files of a folder.

    Raises:
        InvalidKey: Others may write it, or it has too many.
    """
    check_folder(folder, folder)
    files = [each for each in os.listdir(folder) if not each.startswith(".")]
    names = sorted(each.removesuffix(_SUFFIX) for each in files if each.endswith(_SUFFIX))
    if len(names) > most:
        raise InvalidKey(folder, f"it has {len(names):,} files, the limit is {most:,}")
    return names


def _member_in(folder: str, name: str, owners: Mapping[bytes, str]) -> Member:
    """Return the member of a file.

    Raises:
        InvalidKey: It is not whole, others may write it, or one of those before has its key.
    """
    path = _file_of(folder, name)
    with about_file(path):
        _checked_member_name(name)
    values = read_shown(path)
    is_local = name.startswith(UID_PREFIX)
    with about_file(path):
        _check_fields(values, _MEMBER_FIELDS, ("may",) if is_local else ("public", "may"))
        publics = tuple(map(public_key, texts_of(values, "public")))
        if bool(publics) == is_local or len(publics) > _MAX_KEYS:
            wanted = "no key: a uid is one over a Unix socket" if is_local else f"1 to {_MAX_KEYS}"
            raise InvalidKey("the line 'public'", f"it has {len(publics)} keys, expected {wanted}")
        _check_owners(publics, owners)
        return Member(name, publics, _namespaces_of(values), Rights.of(texts_of(values, "may")))


def _check_owners(publics: Iterable[bytes], owners: Mapping[bytes, str]) -> None:
    for public in publics:
        if public in owners:
            text = public_text(public)
            raise InvalidKey(text, f"{owners[public]} has that key too: one key, one name")


def _namespaces_of(values: Mapping[str, Any]) -> tuple[str, ...] | None:
    if "namespaces" not in values:
        return None
    return tuple(checked_name("namespace", each) for each in texts_of(values, "namespaces"))


def _checked_member_name(name: str) -> str:
    """Return a name of a key, or `uid-` and a number.

    Raises:
        InvalidName: It is neither.
        InvalidKey: It is neither.
    """
    digits = name.removeprefix(UID_PREFIX)
    if digits == name:
        return checked_key_name(name)
    if digits.isascii() and digits.isdigit() and str(int(digits[:11])) == digits:
        return name
    raise InvalidKey(f"the name {name!r:.200}", f"after {UID_PREFIX} comes the number of a user")


def _check_fields(values: Mapping[str, Any], known: frozenset[str], needed: Iterable[str]) -> None:
    """Check the lines of a file: a misspelled one must not pass for one that is absent.

    Raises:
        InvalidKey: One is unknown or missing.
    """
    for each in values:
        if each not in known:
            near = difflib.get_close_matches(each, known, 1)
            guess = f": did you mean {near[0]!r}?" if near else ""
            raise InvalidKey(f"the line {each!r:.100}", f"there is no such line{guess}")
    for each in needed:
        if each not in values:
            raise InvalidKey(f"the line {each!r}", "it is missing")
