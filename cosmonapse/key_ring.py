"""The folder of a Synapse with keys: its own pair, and who is allowed. Page: docs/keys.md.

    DIR/synapse.key          0600  public, secret, also = [further public keys, for a rotation]
    DIR/allowed/NAME.toml    0644  public = [...], namespaces = [...] (absent: every), may = [...]

One file a name, written in one step, with no secret in it.
"""

from __future__ import annotations

import difflib
import os
import shlex
from collections.abc import Iterable, Mapping
from typing import Any, Final, Self

import attrs

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
_SUFFIX = ".toml"
_RING_FIELDS = frozenset({"public", "secret", "also"})
_MEMBER_FIELDS = frozenset({"public", "namespaces", "may"})
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
    """

    folder: str
    public: bytes
    secret: bytes = attrs.field(repr=False)
    also: tuple[bytes, ...]
    members: Mapping[str, Member]

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
        """Return what the folder says now, and what is wrong with files of members.

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
        return attrs.evolve(
            self, public=own[0], secret=own[1], also=own[2], members=members
        ), faults

    @property
    def publics(self) -> tuple[bytes, ...]:
        """The public keys of the Synapse for a key file, the one in use first."""
        return self.public, *self.also

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
        return None


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


def stamp_of(folder: str) -> object:
    """Return a value that changes when something in the folder does. Never raises."""
    allowed = os.path.join(folder, _ALLOWED)
    found: list[object] = []
    try:
        paths = (folder, allowed, os.path.join(folder, SYNAPSE_NAME + KEY_SUFFIX))
        found += [_facts_of(os.stat(path)) for path in paths]
        with os.scandir(allowed) as entries:
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
    check_folder(allowed, allowed)
    files = [each for each in os.listdir(allowed) if not each.startswith(".")]
    names = sorted(each.removesuffix(_SUFFIX) for each in files if each.endswith(_SUFFIX))
    if len(names) > MAX_MEMBERS:
        raise InvalidKey(allowed, f"it has {len(names):,} files, the limit is {MAX_MEMBERS:,}")
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
        for public in publics:
            if public in owners:
                text = public_text(public)
                raise InvalidKey(text, f"{owners[public]} has that key too: one key, one name")
        return Member(name, publics, _namespaces_of(values), Rights.of(texts_of(values, "may")))


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
