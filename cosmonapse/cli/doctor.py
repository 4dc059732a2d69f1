"""`cosmo doctor`: why does it not work here? Each thing that matters, and what to do about it."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator

import attrs
import click

from ..errors import CosmonapseError
from ..runtime.environment import CONTEXT_VARIABLE, CREDS_VARIABLE
from . import local_checks, network_checks
from .fabric import as_json, complete_context
from .findings import BAD, Check, Finding, found_by, text_of
from .network_checks import Where
from .options import not_empty
from .variables import in_the_environment


@click.command()
@click.option("--url", metavar="URL", help="As of another verb: the URL to examine.")
@click.option(
    "--key", metavar="FILE", callback=not_empty, help="As of another verb: the key to show."
)
@click.option(
    "--creds",
    metavar="FILE",
    callback=not_empty,
    help="As of another verb: the credentials of NATS to show.",
)
@click.option("--namespace", "-n", metavar="NS", help="As of another verb: the namespace to join.")
@click.option(
    "--context",
    "name",
    metavar="NAME",
    shell_complete=complete_context,
    help="As of another verb: the context that counts, - for none.",
)
@click.option("--json", "as_lines", is_flag=True, help="Print one JSON object for each finding.")
def command(
    url: str | None,
    key: str | None,
    creds: str | None,
    namespace: str | None,
    name: str | None,
    as_lines: bool,
) -> int:
    """Examine this machine, its settings, and the way to the Synapse.

    It looks at versions, kernel and carrier, at variables, contexts and keys, at the limit of open
    files and the clock. Then it looks up the name of the Synapse, tries its ports, joins, and looks
    whether broadcasts arrive. What is not as it should be comes with what to do about it.

    It works where nothing else does, and prints no secret. Exit codes: 0 nothing is bad, 1
    something is.
    """
    given = {CONTEXT_VARIABLE: name, CREDS_VARIABLE: creds}
    with in_the_environment({each: value for each, value in given.items() if value is not None}):
        found: list[Finding] = []
        for finding in _findings(url, namespace, key, name):
            found.append(finding)
            if as_lines:
                click.echo(as_json(attrs.asdict(finding)))
    if not as_lines:
        click.echo(text_of(found))
    return 1 if any(each.level == BAD for each in found) else 0


def _findings(
    url: str | None, namespace: str | None, key: str | None, name: str | None
) -> Iterator[Finding]:
    checks: tuple[tuple[str, Check], ...] = (
        ("python", local_checks.versions),
        ("node", local_checks.node),
        ("kernel", local_checks.kernel),
        ("variables", local_checks.variables),
        ("context", lambda: local_checks.context(name)),
        ("key", lambda: local_checks.own_key(key)),
        ("keys folder", local_checks.key_folder),
        ("carrier", lambda: local_checks.carrier(key)),
        ("open files", local_checks.descriptors),
        ("clock", local_checks.clock),
        ("multicast", network_checks.multicast),
    )
    for topic, check in checks:
        yield from found_by(topic, check)
    yield from _on_the_way(url, namespace, key)


def _on_the_way(url: str | None, namespace: str | None, key: str | None) -> Iterator[Finding]:
    """Yield what is on the way to the Synapse; where the settings are wrong there is none."""
    settings = [
        *found_by("url", lambda: network_checks.url(url, key)),
        *found_by("namespace", lambda: network_checks.namespace(namespace)),
    ]
    yield from settings
    if any(each.level == BAD for each in settings):
        return
    try:
        where = Where.chosen(url, namespace, key)
    except CosmonapseError:
        return  # a row above says why
    checks: tuple[tuple[str, Callable[[Where], Iterable[Finding]]], ...] = (
        ("address", network_checks.reachable),
        ("synapse", network_checks.answers),
    )
    for topic, check in checks:
        rows = list(found_by(topic, functools.partial(check, where)))
        yield from rows
        if any(each.level == BAD for each in rows):
            return  # what comes behind would only say the same, and wait for it
