"""The verb `config` of `cosmo`: which value of each setting counts, and where it comes from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import attrs
import click

from ..configuration import (
    Setting,
    candidates,
    check_given_context,
    checked_namespace,
    context_in_use,
    context_names,
    read_key,
)
from ..contexts import NO_CONTEXT
from ..errors import InvalidContext, LocalError, without_secrets
from ..keys import Key
from ..runtime.environment import CONTEXT_VARIABLE
from ..runtime.printable import printable
from ..synapse.carriers import CARRIERS, DEFAULT_CARRIER, ZMTP, chosen_carrier
from ..synapse.schemes import checked_url
from ..synapse.url import masked
from .drawing import aligned
from .fabric import as_json, complete_context
from .hinted_group import HintedGroup
from .options import not_empty
from .std_streams import complain
from .variables import in_the_environment

_TITLES = ("SETTING", "VALUE", "FROM", "INSTEAD OF")
_USAGE = 2


@attrs.define
class _Row:
    """One setting: the values that it is given, the one that counts first, and what is wrong."""

    name: str
    found: list[Setting]
    fault: str = ""

    @property
    def value(self) -> Any:
        return self.found[0].value if self.found else None

    @property
    def shadowed(self) -> list[Setting]:
        return [each for each in self.found[1:] if each.source.kind != "default"]


@click.group(cls=HintedGroup)
def command() -> None:
    """Show which settings count."""


@command.command()
@click.option("--url", metavar="URL", help="As of another verb: the URL that would count.")
@click.option(
    "--key",
    metavar="FILE",
    callback=not_empty,
    help="As of another verb: the key that would count.",
)
@click.option(
    "--namespace", "-n", metavar="NS", help="As of another verb: the namespace that would count."
)
@click.option(
    "--context",
    "name",
    metavar="NAME",
    shell_complete=complete_context,
    help="As of another verb: the context that would count, - for none.",
)
@click.option(
    "--creds",
    metavar="FILE",
    callback=not_empty,
    help="As of another verb: the credentials of NATS that would count.",
)
@click.option("--json", "as_lines", is_flag=True, help="Print one JSON object for each setting.")
def show(
    url: str | None,
    key: str | None,
    namespace: str | None,
    name: str | None,
    creds: str | None,
    as_lines: bool,
) -> int:
    """Show each setting: its value, where it comes from, and what it counts before.

    The order is: an option, a variable, the context, the file of the key, the default. Never a
    secret is printed. Exit codes: 0, or 2 if a value cannot be used; stderr tells why.
    """
    rows = [*_rows(url, key, namespace, name), _Row("creds", list(candidates("creds", creds)))]
    if as_lines:
        for each in rows:
            click.echo(as_json(_facts(each)))
    else:
        click.echo(aligned([_TITLES, *map(_cells, rows)]))
    faults = list(dict.fromkeys(each.fault for each in rows if each.fault))
    for fault in faults:
        complain(f"cosmo: {printable(fault)}")
    return _USAGE if faults else 0


def _rows(
    url: str | None, key: str | None, namespace: str | None, name: str | None
) -> Iterator[_Row]:
    context = _checked("context", context_names(name), _check_context)
    yield context
    with in_the_environment({} if name is None else {CONTEXT_VARIABLE: name}):
        fault = context.fault
        where = _checked("url", candidates("url", url, key=key), _check_url, fault)
        yield where
        found = candidates("namespace", namespace)
        yield _checked("namespace", found, checked_namespace, fault)
        keyed = _checked("key", candidates("key", key), read_key, fault)
        yield keyed
        carrier = _checked("carrier", candidates("carrier"), _check_carrier, fault)
        yield _with_key(carrier, keyed, where)


def _checked(
    name: str, found: Iterator[Setting], check: Callable[[Setting], object], of_context: str = ""
) -> _Row:
    """Return the row of a setting; a source that does not count may be broken.

    Args:
        name: Its name.
        found: The values that it is given.
        check: Raises a LocalError for one that cannot be used.
        of_context: The fault of the context, which is told in the same words here.
    """
    row = _Row(name, [])

    def text(error: LocalError) -> str:
        return of_context if of_context and isinstance(error, InvalidContext) else str(error)

    try:
        for each in found:
            row.found.append(each)
    except LocalError as error:
        row.fault = "" if row.found else text(error)
    if row.found:
        try:
            check(row.found[0])
        except LocalError as error:
            row.fault = text(error)
    return row


def _check_context(setting: Setting) -> object:
    if setting.source.kind != "argument":
        return context_in_use()
    if setting.value is not None:
        check_given_context(setting.value)
    return setting.value


def _check_url(setting: Setting) -> object:
    return checked_url(setting.value)


def _check_carrier(setting: Setting) -> object:
    return chosen_carrier()


def _with_key(carrier: _Row, keyed: _Row, where: _Row) -> _Row:
    """Return the row of the carrier; a key over TCP chooses it, as only one of them encrypts."""
    is_tcp = str(where.value).lower().startswith("cosmo://")
    if keyed.value is not None and is_tcp:
        encrypts = next(each for each in CARRIERS if each != ZMTP)
        file = "" if isinstance(keyed.value, Key) else str(keyed.value)
        carrier.found.insert(0, Setting.of(encrypts, "key", file=file))
    return carrier


def _shown(name: str, value: Any) -> str | None:
    """Return a value for people: never a password, never a secret key."""
    if value is None:
        return DEFAULT_CARRIER if name == "carrier" else None
    return without_secrets(masked(str(value)) if name == "url" else str(value))


def _facts(row: _Row) -> dict[str, Any]:
    return {
        "setting": row.name,
        **_described(row.name, row.found[0] if row.found else None),
        "instead_of": [_described(row.name, each) for each in row.shadowed],
        "fault": row.fault or None,
    }


def _described(name: str, setting: Setting | None) -> dict[str, Any]:
    if setting is None:
        return {"value": None, "source": None, "name": None, "file": None}
    source = setting.source
    return {
        "value": _shown(name, setting.value),
        "source": source.kind,
        "name": source.name or None,
        "file": without_secrets(source.file) or None,
    }


def _cells(row: _Row) -> tuple[str, ...]:
    if not row.found:
        return row.name, "?", "-", "-"
    value = _shown(row.name, row.value)
    instead = [
        f"{_shown(row.name, each.value) or NO_CONTEXT} ({each.source})" for each in row.shadowed
    ]
    texts = (value or "-", str(row.found[0].source), "; ".join(instead) or "-")
    return row.name, *(printable(without_secrets(each)) for each in texts)
