"""`cosmo find`: the Synapses that are announced on the LAN."""

from __future__ import annotations

from typing import Any

import click

from ..lan.choice import NOTHING_FOUND, Found
from ..synapse.auto import found_on_lan
from .drawing import aligned
from .fabric import as_json
from .options import no_nan
from .std_streams import complain

_TITLES = ("URL", "ANSWERS", "NAMESPACES", "VERSION", "KEY", "NAME")
_NOBODY_THERE = 3


@click.command()
@click.option(
    "--timeout",
    "timeout_s",
    type=click.FloatRange(0.3, 60.0),
    default=1.5,
    show_default=True,
    callback=no_nan,
    help="How long to look, in seconds.",
)
@click.option("--json", "as_lines", is_flag=True, help="Print one JSON object for each Synapse.")
def command(timeout_s: float, as_lines: bool) -> int:
    """Show the Synapses that are announced on this network.

    Each is asked whether it answers. KEY is the fingerprint of its key: compare it with that of
    'cosmo keys list' where it runs. What is announced is not proven: a key file decides whom a
    program trusts.

    Needs the extra [lan]. Exit code 3 if none answers.
    """
    found = found_on_lan(timeout_s)
    if as_lines:
        for each in found:
            click.echo(as_json(_facts(each)))
    elif found:
        click.echo(aligned([_TITLES, *map(_row, found)]))
    if not found:
        complain(f"no Synapse is announced on this network: {NOTHING_FOUND}")
    return 0 if any(each.answers for each in found) else _NOBODY_THERE


def _row(found: Found) -> tuple[str, ...]:
    record = found.record
    return (
        found.url,
        "yes" if found.answers else "no",
        record.served,
        record.version or "?",
        record.fingerprint or "no key",
        record.instance,
    )


def _facts(found: Found) -> dict[str, Any]:
    record = found.record
    return {
        "url": found.url,
        "answers": found.answers,
        "name": record.instance,
        "namespaces": None if record.namespaces is None else sorted(record.namespaces),
        "more_namespaces": record.has_more,
        "version": record.version or None,
        "wire": record.wire,
        "fingerprint": record.fingerprint or None,
        "id": record.start_id or None,
        "peers": sorted(record.peers),
        "addresses": list(record.addresses),
        "port": record.port,
    }
