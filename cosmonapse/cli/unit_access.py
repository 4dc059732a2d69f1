"""Whether the user of a unit may read what the unit needs. What cannot work is refused here."""

from __future__ import annotations

import os
import pwd
import shlex
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import Final, Self

import attrs
import click

from ..keys import KEY_SUFFIX, SYNAPSE_NAME

ENTER: Final = 1
READ: Final = 4
_OWN_KEY: Final = SYNAPSE_NAME + KEY_SUFFIX


@attrs.frozen
class Account:
    """A user, as the kernel sees one.

    Args:
        name: The name; None for a user that systemd invents.
        uid: The number; None for an invented one, who owns nothing.
        groups: The numbers of its groups.
    """

    name: str | None = None
    uid: int | None = None
    groups: frozenset[int] = frozenset()

    @classmethod
    def of(cls, name: str | None) -> Self:
        """Return the user of that name; for None one who has only what everybody has.

        Raises:
            UsageError: There is no such user.
        """
        if name is None:
            return cls()
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            raise click.UsageError(f"there is no user {name!r:.80}: give --as USER") from None
        groups = frozenset(os.getgrouplist(entry.pw_name, entry.pw_gid))
        return cls(entry.pw_name, entry.pw_uid, groups)

    @classmethod
    def own(cls) -> Self:
        """Return whom this process runs as."""
        uid = os.geteuid()
        return cls(f"the user {uid}", uid, frozenset((os.getegid(), *os.getgroups())))

    def may(self, rights: int, facts: os.stat_result) -> bool:
        """Return whether a mode gives this user all of some rights: `ENTER`, `READ` or both."""
        if self.uid == 0:
            return True
        if facts.st_uid == self.uid:
            given = facts.st_mode >> 6
        elif facts.st_gid in self.groups:
            given = facts.st_mode >> 3
        else:
            given = facts.st_mode
        return given & rights == rights


def closed_part(path: str, account: Account, rights: int) -> str | None:
    """Return what of a path is closed to a user: a folder on the way or its end; None for nothing.

    Raises:
        OSError: A part of it is not there.
    """
    named = Path(path)
    for each in reversed(named.parents):
        if not _is_open(str(each), account, ENTER):
            return str(each)
    return None if _is_open(path, account, rights) else path


def _is_open(path: str, account: Account, rights: int) -> bool:
    facts = os.stat(path)
    return account.may(rights, facts) or _has_list(path)


def _has_list(path: str) -> bool:
    """Return whether a list of access may let in more users than the mode says."""
    try:
        return "system.posix_acl_access" in os.listxattr(path)
    except OSError:
        return False


def check_paths(account: Account, wanted: Iterable[tuple[str, int]]) -> None:
    """Check that a user may use paths.

    Args:
        account: Whom the unit runs as.
        wanted: Whole paths, each with the rights that it takes.

    Raises:
        UsageError: One is closed to this user, or is not there.
    """
    for path, rights in wanted:
        try:
            closed = closed_part(path, account, rights)
        except OSError as error:
            raise click.UsageError(f"{path}: {error.strerror}") from None
        if closed is None:
            continue
        if account.name is None:
            raise click.UsageError(
                f"{closed} is closed to other users, and the unit runs as one: move the "
                "program, as to /opt, or give --as USER"
            )
        raise click.UsageError(
            f"{closed} is closed to {account.name}, whom the unit runs as: open it, move what is "
            "in it, as to /opt, or give --as USER"
        )


def check_keys(folder: str, account: Account) -> None:
    """Check that a Synapse that runs as a user can use a folder of keys.

    Raises:
        UsageError: It would refuse the folder.
    """
    own = os.path.join(folder, _OWN_KEY)
    check_paths(account, [(folder, ENTER | READ), (own, READ)])
    for path, owners in ((folder, (account.uid, 0)), (own, (account.uid,))):
        facts = os.stat(path)
        if facts.st_uid not in owners:
            raise click.UsageError(
                f"{path} belongs to {_name_of(facts.st_uid)}, and the unit runs as {account.name}: "
                f"run: sudo chown -R {account.name} {shlex.quote(folder)}"
            )
    if os.stat(own).st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise click.UsageError(f"others may read or write {own}: run: chmod 600 {shlex.quote(own)}")


def _name_of(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"the user {uid}"
