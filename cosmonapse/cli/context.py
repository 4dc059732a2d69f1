"""The verb `context` of `cosmo`: URL, namespace and key of a fabric under a name."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, TypeVar

import attrs
import click

from ..configuration import Contexts, Setting, context_in_use, named_context
from ..contexts import CONTEXT_FIELDS, NO_CONTEXT, Context, checked_context_name
from ..errors import InvalidContext, without_secrets
from ..keys import Key
from ..names import checked_name
from ..runtime.environment import CONTEXT_VARIABLE
from ..runtime.printable import printable
from ..synapse.schemes import checked_url
from ..synapse.url import masked
from .drawing import aligned
from .fabric import as_json, complete_context
from .hinted_group import HintedGroup
from .std_streams import complain

F = TypeVar("F", bound=Callable[..., Any])
_TITLES = ("", "NAME", "URL", "NAMESPACE", "KEY")

_json_option = click.option("--json", "as_lines", is_flag=True, help="Print JSON.")
_name_argument = click.argument("name", shell_complete=complete_context)


def _checked_key(path: str) -> str:
    """Return the whole path of the file of a key that can be used.

    Raises:
        InvalidKey: It cannot.
    """
    Key.read(path)
    return os.path.abspath(path)


_CHECKS: dict[str, Callable[[str], str]] = {
    "url": checked_url,
    "namespace": lambda value: checked_name("namespace", value),
}


def _checked(context: click.Context, option: click.Parameter, value: str | None) -> str | None:
    """Return what an option gives, checked as its own verb does; an empty text passes.

    Raises:
        LocalError: It is invalid.
    """
    return _CHECKS[option.name or ""](value) if value else value


def _value_options(function: F) -> F:
    """Add `--url`, `--namespace` and `--key`."""
    url = click.option("--url", metavar="URL", callback=_checked, help="URL of the Synapse.")
    namespace = click.option(
        "--namespace", "-n", metavar="NS", callback=_checked, help="The namespace."
    )
    key = click.option("--key", metavar="FILE", help="Your file NAME.key, which stays there.")
    return url(namespace(key(function)))


@click.group(cls=HintedGroup)
def command() -> None:
    """Name a fabric, and select one: URL, namespace and key for every program of this user.

    An argument and a variable (COSMO_URL, COSMO_NAMESPACE, COSMO_KEY) count before the context.
    'cosmo config show' tells where each value comes from.
    """


@command.command()
@click.argument("name")
@_value_options
@click.option("--force", is_flag=True, help="Replace a context of that name.")
@click.option("--select", "selects", is_flag=True, help="Select it as well.")
def add(
    name: str, url: str | None, namespace: str | None, key: str | None, force: bool, selects: bool
) -> None:
    """Add a context."""
    whole = _checked_key(key) if key else None
    new = Context(checked_context_name(name), url or None, namespace or None, whole)
    if not any((url, namespace, key)):
        raise click.UsageError("say at least one of --url, --namespace and --key")

    def by(contexts: Contexts) -> Contexts:
        if name in contexts.known and not force:
            raise InvalidContext(
                f"the name {name!r}",
                "there is such a context already: --force replaces it, "
                f"'cosmo context set {name}' changes a part of it",
            )
        added = contexts.having(new)
        return added.selecting(name) if selects else added

    _tell_change(Contexts.change(by), name)


@command.command("set")
@_name_argument
@_value_options
def set_(name: str, **values: str | None) -> None:
    """Change a part of a context; an empty value takes it out."""
    given: dict[str, Any] = {
        field: value or None for field, value in values.items() if value is not None
    }
    if not given:
        raise click.UsageError("say at least one of --url, --namespace and --key")
    if values["key"]:
        given["key"] = _checked_key(values["key"])

    def by(contexts: Contexts) -> Contexts:
        return contexts.having(attrs.evolve(contexts.get(name), **given))

    _tell_change(Contexts.change(by), name)


def _tell_change(contexts: Contexts, name: str) -> None:
    click.echo(f"context {name}: {_in_words(contexts.known[name])}")
    if contexts.selected != name:
        click.echo(f"  use it    cosmo context select {name}")
    _tell_variable(name)


def _in_words(context: Context) -> str:
    facts = _facts(context)
    said = [f"{each} {facts[each]}" for each in CONTEXT_FIELDS if facts[each] is not None]
    return printable(", ".join(said)) or "says nothing"


@command.command()
@click.argument("name", metavar="NAME|-", shell_complete=complete_context)
def select(name: str) -> None:
    """Select the context that counts from now on; - selects none."""
    wanted = None if name == NO_CONTEXT else name
    Contexts.change(lambda contexts: contexts.selecting(wanted))
    click.echo("no context is selected" if wanted is None else f"context {name} is selected")
    _tell_variable(wanted)


def _tell_variable(name: str | None) -> None:
    """Say so if a variable keeps what was selected from counting in this terminal."""
    setting = named_context()
    if setting.source.kind == "variable" and setting.value != name:
        value = setting.value or NO_CONTEXT
        complain(f"here {CONTEXT_VARIABLE}={printable(value)} counts before what is selected")


@command.command()
@_json_option
def ls(as_lines: bool) -> None:
    """Show the contexts; a star marks the one that counts. With --json one object for each."""
    contexts, used = Contexts.read(), named_context()
    if as_lines:
        for each in contexts.known.values():
            selected = {"selected": each.name == contexts.selected}
            click.echo(as_json(_facts(each) | selected | {"used": each.name == used.value}))
        return
    if not contexts.known:
        click.echo(f"no context is in {contexts.file}: add one with 'cosmo context add NAME'")
    else:
        rows = [_row(each, used) for each in contexts.known.values()]
        click.echo(aligned([_TITLES, *rows]))
    _tell_variable(contexts.selected)


def _row(context: Context, used: Setting) -> tuple[str, ...]:
    facts = _facts(context)
    said = [printable(str(facts[each] or "-")) for each in CONTEXT_FIELDS]
    return ("*" if context.name == used.value else "", context.name, *said)


def _facts(context: Context) -> dict[str, Any]:
    """Return what a context says; a password, which no URL may have, is masked."""
    url = None if context.url is None else masked(context.url)
    key = None if context.key is None else without_secrets(context.key)
    return attrs.asdict(context) | {"url": url, "key": key}


@command.command()
@_name_argument
def rm(name: str) -> None:
    """Remove a context; its key stays where it is."""
    was_selected = False

    def by(contexts: Contexts) -> Contexts:
        nonlocal was_selected
        was_selected = contexts.selected == name
        return contexts.without(name)

    Contexts.change(by)
    click.echo(f"context {name} is removed{', and none is selected now' if was_selected else ''}")


@command.command()
@click.argument("name", required=False, shell_complete=complete_context)
@_json_option
def show(name: str | None, as_lines: bool) -> None:
    """Show a context, by default the one that counts."""
    contexts = Contexts.read()
    if name is None:
        used = context_in_use()
        if used is None:
            raise click.ClickException("no context counts: 'cosmo context select NAME' selects one")
        name = used[0].name
    facts = _facts(contexts.get(name)) | {"selected": name == contexts.selected}
    if as_lines:
        click.echo(as_json(facts))
        return
    width = max(map(len, facts))
    for field, value in (facts | {"file": contexts.file}).items():
        shown = {True: "yes", False: "no", None: "-"}.get(value, value)
        click.echo(f"{field.ljust(width)}  {printable(str(shown))}")
