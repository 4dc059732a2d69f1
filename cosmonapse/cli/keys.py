"""The verb `keys` of `cosmo`: make keys, allow and revoke them, and show who is allowed."""

from __future__ import annotations

import contextlib
import os
import shlex
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

import attrs
import click
from click.shell_completion import CompletionItem

from ..errors import InvalidKey, RemoteError
from ..key_ring import (
    KeyRing,
    Member,
    default_folder,
    member_names,
    remove_member,
    write_member,
)
from ..keys import (
    KEY_SUFFIX,
    SYNAPSE_NAME,
    UID_PREFIX,
    Key,
    checked_key_name,
    fingerprint,
    key_text,
    public_key,
    public_text,
)
from ..names import checked_name
from ..rights import DEFAULT_ROLE, ROLES, WORDS, Rights, about
from ..runtime.printable import printable
from ..runtime.private_files import check_folder, read_private, texts_of, write_new
from ..synapse.access import access_of, new_pair
from ..synapse.connect import chosen_key
from ..synapse.schemes import checked_url
from . import keys_peer
from .connected import connected
from .drawing import aligned
from .fabric import as_json, fabric_options
from .hinted_group import HintedGroup
from .key_folder import ring_in

F = TypeVar("F", bound=Callable[..., Any])
_EVERY = "*"
"""Stands for every namespace."""
_TITLES = ("NAME", "CONNECTED", "FINGERPRINT", "MAY", "NAMESPACES")
_PEER_TITLES = ("PEER", "FINGERPRINT")


def _complete_name(
    context: click.Context, argument: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Return the names that are allowed and begin so."""
    with contextlib.suppress(InvalidKey):
        names = member_names(context.params.get("folder") or default_folder())
        return [CompletionItem(each) for each in names if each.startswith(incomplete)]
    return []


def _complete_words(
    context: click.Context, option: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Return the words and roles that begin so; after a comma, the next one."""
    before, comma, last = incomplete.rpartition(",")
    found = [each for each in (*ROLES, *WORDS) if each.startswith(last)]
    return [CompletionItem(before + comma + each, help=about(each)) for each in found]


_folder_option = click.option(
    "--dir",
    "folder",
    metavar="DIR",
    default=default_folder,
    show_default="$XDG_CONFIG_HOME/cosmonapse/keys",
    help="The folder of the Synapse's keys.",
)
_json_option = click.option("--json", "as_lines", is_flag=True, help="Print JSON.")
_name_argument = click.argument("name", shell_complete=_complete_name)


def _checked_words(
    context: click.Context, option: click.Parameter, given: tuple[str, ...]
) -> tuple[str, ...]:
    """Return what `--may` gives, once every word of it is one: before a folder is made for it."""
    if given:
        Rights.of(each.removeprefix("+") for each in _words_in(given))
    return given


def _checked_spaces(
    context: click.Context, option: click.Parameter, given: tuple[str, ...]
) -> tuple[str, ...]:
    """Return what `-n` gives, once each is the name of a namespace, or all is `*`."""
    for each in () if given == (_EVERY,) else given:
        checked_name("namespace", each.removeprefix("+"))
    return given


def _rights_options(function: F) -> F:
    """Add `--may` and `--namespace`."""
    may = click.option(
        "--may",
        metavar="WORDS|ROLE",
        multiple=True,
        shell_complete=_complete_words,
        callback=_checked_words,
        help=f"What it may do, such as watch,serve=invoice-*; or a role: {', '.join(ROLES)}. "
        f"By default {DEFAULT_ROLE}. 'allow --may +watch' adds to what it may do.",
    )
    namespaces = click.option(
        "--namespace",
        "-n",
        "namespaces",
        metavar="NS",
        multiple=True,
        callback=_checked_spaces,
        help="Only in this namespace; repeatable. By default, and with '*', in every one. "
        "'allow -n +NS' adds one.",
    )
    return may(namespaces(function))


@click.group(cls=HintedGroup)
def command() -> None:
    """Make keys, allow and revoke them.

    A Synapse with keys (`cosmo synapse start --keys DIR`) lets in whom this folder allows, and
    nobody else. It reads the folder again when it changes.
    """


command.add_command(keys_peer.command)


@command.command()
@click.argument("name")
@click.option("--own", is_flag=True, help="Make a key for yourself, where no Synapse runs.")
@click.option("--add", is_flag=True, help="A further key for a name that is allowed: to change it.")
@_folder_option
@_rights_options
@click.option("--out", metavar="FILE", help="Where to write it; by default NAME.key.")
@click.option("--url", metavar="URL", help="URL of the Synapse; it is written into the key file.")
def new(
    name: str,
    own: bool,
    add: bool,
    folder: str,
    may: tuple[str, ...],
    namespaces: tuple[str, ...],
    out: str | None,
    url: str | None,
) -> None:
    """Make a key, and allow it: NAME.key is all that its owner needs.

    With --own nothing is allowed yet: the public key is printed for whoever runs the Synapse.
    """
    checked_key_name(name)
    path = _checked_path(name, out)
    if url is not None:
        checked_url(url)
    public, secret = new_pair()
    if own:
        if may or namespaces or add:
            raise click.UsageError("--own goes without --may, -n and --add: who allows it says so")
        write_new(path, key_text(name, public, secret, (), url))
        click.echo(f"{path}: your key; it never leaves this machine\n")
        click.echo("send this line to whoever runs the Synapse:")
        click.echo(f"  cosmo keys allow {name} {public_text(public)}")
        return
    ring, is_new = ring_in(folder)
    if name in ring.members and not add:
        raise InvalidKey(
            f"the name {name!r}",
            f"it is allowed already: --add makes a further key for it, 'cosmo keys revoke {name}' "
            "ends it",
        )
    member = _changed(ring, name, public, may, namespaces)
    write_new(path, key_text(name, public, secret, ring.publics, url))
    try:
        _write(ring, member)
    except InvalidKey:
        os.unlink(path)  # a key that nobody allows is of no use
        raise
    if is_new:
        click.echo(f"{folder}: the keys of a new Synapse")
    click.echo(f"{path}: all that {name} needs; give it to {name} and to nobody else")
    click.echo(_described(member))
    if is_new:
        click.echo(f"  start     cosmo synapse start --keys {shlex.quote(folder)} --host 0.0.0.0")


@command.command()
@_name_argument
@click.argument("public", metavar="[cpk_...]", required=False)
@_folder_option
@_rights_options
def allow(
    name: str, public: str | None, folder: str, may: tuple[str, ...], namespaces: tuple[str, ...]
) -> None:
    """Allow a public key under a name, or change what a name may do.

    A name may have several keys: to replace one, allow the new one, hand it out, and revoke the old
    one. `uid-1000` is a user of this machine, who comes over a Unix socket and has no key.
    """
    key = None if public is None else public_key(public)
    is_local = name.startswith(UID_PREFIX)
    if is_local and key is not None:
        raise InvalidKey(f"the name {name!r}", "a uid has no key: the system says who it is")
    ring = KeyRing.read(folder) if key is None and not is_local else ring_in(folder)[0]
    if key is None and not is_local and name not in ring.members:
        raise InvalidKey(
            f"the name {name!r}", "it has no key yet: give one, cosmo keys allow NAME cpk_..."
        )
    member = _changed(ring, name, key, may, namespaces)
    _write(ring, member)
    click.echo(f"{name} is allowed; a Synapse that runs takes it within a second")
    click.echo(_described(member))
    if key is not None:
        click.echo(f"\nthe file {name}{KEY_SUFFIX} needs this line, if it has none:")
        synapses = ", ".join(f'"{public_text(each)}"' for each in ring.publics)
        click.echo(f"  synapse = [{synapses}]")


@command.command()
@_name_argument
@click.argument("public", metavar="[cpk_...]", required=False)
@_folder_option
def revoke(name: str, public: str | None, folder: str) -> None:
    """End a name, or one of its keys: a Synapse that runs cuts it off within a second."""
    if public is None and name in member_names(folder):
        remove_member(folder, name)  # whatever is in it
    else:
        key = None if public is None else public_key(public)
        member = KeyRing.read(folder).member(name)
        if key not in member.publics:
            raise InvalidKey(f"the key {public}", f"it is none of the keys of {name}")
        left = tuple(each for each in member.publics if each != key)
        if left:
            write_member(folder, Member(name, left, member.namespaces, member.rights))
            click.echo(f"that key of {name} is revoked; it has {len(left)} more")
            return
        remove_member(folder, name)
    click.echo(f"{name} is revoked")


@command.command("list")
@_folder_option
@fabric_options
@_json_option
def list_(folder: str, url: str, key: Key | None, namespace: str, as_lines: bool) -> None:
    """Show who is allowed, what they may do, and how many of their Dendrites are connected.

    The last needs a Synapse that answers, and a key that may watch there. It counts in the
    namespace of -n and in those that the names are limited to, in 20 at most, and shows ? for a
    name that may be in others and is in none of these. With --json one object for each name.
    """
    ring = KeyRing.read(folder)
    members = list(ring.members.values())
    spaces = [space for each in members for space in each.namespaces or ()]
    counts: Counter[str] | None = None
    counted: list[str] = []
    fault = _may_not_see(ring, chosen_key(key))
    try:
        if members and not fault:
            counts, counted = connected(url, key, [namespace, *spaces], members)
            _count_absent(counts, counted, members)
    except (RemoteError, TimeoutError) as error:
        fault = printable(str(error))
    if as_lines:
        for each in members:
            count = None if counts is None else counts.get(each.name)
            click.echo(as_json(_facts(each) | {"connected": count}))
        for name, publics in ring.peers.items():
            click.echo(as_json(_facts_of_peer(name, publics)))
        return
    click.echo(f"keys of the Synapse {fingerprint(ring.public)}, in {folder}")
    if ring.peers:
        click.echo(aligned(_peer_rows(ring)))
    if not members:
        click.echo("nobody is allowed yet: run 'cosmo keys new NAME'")
        return
    click.echo(aligned([_TITLES, *(_row(each, counts) for each in members)]))
    if fault:
        click.echo(f"who is connected is not known: {fault}")
    else:
        click.echo(f"connected: counted in {', '.join(counted)}; another one: -n NS")


@command.command()
@click.argument("name", metavar="[NAME|FILE]", default=SYNAPSE_NAME, shell_complete=_complete_name)
@_folder_option
@_json_option
def show(name: str, folder: str, as_lines: bool) -> None:
    """Show a name, a key file, or by default the Synapse's own public key. Never a secret."""
    if name.endswith(KEY_SUFFIX) or os.sep in name:
        facts = _facts_of_file(name)
    elif name == SYNAPSE_NAME:
        ring = KeyRing.read(folder)
        facts = {"folder": folder, "public": [public_text(each) for each in ring.own]}
        facts |= {"fingerprint": fingerprint(ring.public), "names": len(ring.members)}
        facts |= {"peers": [*ring.peers]} if ring.peers else {}
    else:
        facts = _facts(KeyRing.read(folder).member(name))
    if as_lines:
        click.echo(as_json(facts))
        return
    width = max(map(len, facts))
    for field, value in facts.items():
        shown = "\n".join(value) if isinstance(value, list) else str(value)
        click.echo(f"{field.ljust(width)}  {shown or '-'}".replace("\n", "\n" + " " * (width + 2)))


def _count_absent(counts: Counter[str], counted: list[str], members: Iterable[Member]) -> None:
    """Add 0 for each name that is nowhere, and nothing for one that may be where nobody looked."""
    for each in members:
        if (
            not each.is_local
            and each.namespaces is not None
            and set(each.namespaces) <= set(counted)
        ):
            counts.setdefault(each.name, 0)


def _may_not_see(ring: KeyRing, key: Key | None) -> str:
    """Return why a key may not see who is connected; empty if it may, or has another name here."""
    member = None if key is None else ring.members.get(key.name)
    if member is None or member.rights.may_hear(None):
        return ""
    return f"the key {member.name} may not watch"


def _checked_path(name: str, out: str | None) -> str:
    """Return where to write a key; its folder is checked before there is one.

    Raises:
        InvalidKey: Others could replace a file in that folder, so that nobody would read it.
    """
    path = out or name + KEY_SUFFIX
    if os.path.isdir(path):
        path = os.path.join(path, name + KEY_SUFFIX)
    check_folder(os.path.dirname(os.path.abspath(path)), path)
    return path


def _changed(
    ring: KeyRing,
    name: str,
    public: bytes | None,
    may: Sequence[str],
    namespaces: Sequence[str],
) -> Member:
    """Return the member of a name with a further key, and with other rights if some are given.

    Raises:
        InvalidKey: Another name has the key, or there are too many words.
    """
    before = ring.members.get(name)
    words = _added("--may", _words_in(may), () if before is None else before.rights.words)
    spaces = _spaces_given(before, namespaces)
    publics = () if before is None else before.publics
    if public is not None and public not in publics:
        owner = ring.owner_of(public)
        if owner is not None:
            raise InvalidKey(public_text(public), f"{owner} has that key: one key, one name")
        publics = (*publics, public)
    if before is None:
        rights = Rights.of(words or [DEFAULT_ROLE])
    else:
        rights = Rights.of(words) if words else before.rights
    return Member(name, publics, spaces, rights)


def _spaces_given(before: Member | None, given: Sequence[str]) -> tuple[str, ...] | None:
    """Return where a member may be after `-n`; None for every namespace."""
    had = None if before is None else before.namespaces
    if not given:
        return had
    added = _added("-n", given, had or ())
    is_everywhere = before is not None and had is None
    if added == [_EVERY] or (is_everywhere and any(_is_added(given))):
        return None
    return tuple(added)


def _words_in(given: Sequence[str]) -> list[str]:
    return [word.strip() for each in given for word in each.split(",")]


def _is_added(given: Sequence[str]) -> list[bool]:
    return [each.startswith("+") for each in given]


def _added(option: str, given: Sequence[str], before: Sequence[str]) -> list[str]:
    """Return what an option gives: in place of what was there, or with `+` beside it.

    Raises:
        BadParameter: Some have a `+` and some have not.
    """
    added = _is_added(given)
    if any(added) and not all(added):
        raise click.BadParameter(
            f"{option}: write + before all of them, to add them, or before none"
        )
    bare = [each.removeprefix("+") for each in given]
    return list(dict.fromkeys([*before, *bare])) if any(added) else bare


def _write(ring: KeyRing, member: Member) -> None:
    """Write a member that can stand beside the others."""
    access_of(attrs.evolve(ring, members={**ring.members, member.name: member}))
    write_member(ring.folder, member)


def _described(member: Member) -> str:
    return f"  may       {member.rights}\n  in        {_spaces(member)}"


def _spaces(member: Member) -> str:
    return (
        "every namespace" if member.namespaces is None else ", ".join(member.namespaces) or "none"
    )


def _peer_rows(ring: KeyRing) -> list[tuple[str, ...]]:
    """Return the table of the other Synapses of the fabric."""
    rows = [(name, ", ".join(map(fingerprint, ring.peers[name]))) for name in ring.peers]
    return [_PEER_TITLES, *rows]


def _facts_of_peer(name: str, publics: Sequence[bytes]) -> dict[str, Any]:
    return {
        "peer": name,
        "public": [public_text(each) for each in publics],
        "fingerprint": [fingerprint(each) for each in publics],
    }


def _row(member: Member, counts: Counter[str] | None) -> tuple[str, ...]:
    prints = ", ".join(map(fingerprint, member.publics)) or "(no key: a user of this machine)"
    count = None if counts is None else counts.get(member.name)
    shown = "?" if count is None else f"{count:,}"
    return member.name, shown, prints, str(member.rights), _spaces(member)


def _facts(member: Member) -> dict[str, Any]:
    return {
        "name": member.name,
        "public": [public_text(each) for each in member.publics],
        "fingerprint": [fingerprint(each) for each in member.publics],
        "may": list(member.rights.words),
        "namespaces": "every" if member.namespaces is None else list(member.namespaces),
    }


def _facts_of_file(path: str) -> dict[str, Any]:
    """Return what a key file says, but its secret; it may be one that has no Synapse yet."""
    values = read_private(path)
    public = public_key(values.get("public"))
    return {
        "name": printable(str(values.get("name", ""))),
        "public": public_text(public),
        "fingerprint": fingerprint(public),
        "synapse": [printable(each) for each in texts_of(values, "synapse")],
        "url": printable(str(values.get("url", ""))),
    }
