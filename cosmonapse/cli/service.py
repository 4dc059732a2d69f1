"""The verb `service` of `cosmo`: a Synapse, a worker or a gateway as a unit of systemd."""

from __future__ import annotations

from pathlib import Path

import click

from .hinted_group import HintedGroup
from .service_plan import Asked, gateway_unit, synapse_unit, worker_unit
from .unit_files import is_ours, links_to, our_units, unit_path, write_unit

_PLANS = {"synapse": synapse_unit, "worker": worker_unit, "serve": gateway_unit}
_user_option = click.option(
    "--user", "for_user", is_flag=True, help="A unit of your own, which needs no rights of root."
)


@click.group(cls=HintedGroup)
def command() -> None:
    """Run a Synapse, a worker or a gateway as a service of systemd."""


@command.command(context_settings={"ignore_unknown_options": True})
@click.argument("kind", type=click.Choice([*_PLANS]))
@click.argument("arguments", metavar="[MODULE:NAME]... [OPTIONS OF IT]", nargs=-1)
@_user_option
@click.option("--name", metavar="NAME", help="Name of the unit.  [default: by what it runs]")
@click.option(
    "--as",
    "run_as",
    metavar="USER",
    help="Whom a unit of the system runs as; else who runs sudo, else a user of its own.",
)
@click.option("--dry-run", is_flag=True, help="Print the unit, and write nothing.")
@click.option("--force", is_flag=True, help="Replace a unit that is there with another text.")
def install(
    kind: str,
    arguments: tuple[str, ...],
    for_user: bool,
    name: str | None,
    run_as: str | None,
    dry_run: bool,
    force: bool,
) -> int:
    """Write a unit that starts it at boot, watches it and starts it again.

    Further options are those of 'cosmo synapse start', 'cosmo worker' or 'cosmo serve'. It runs
    this Python in the current folder. For example:
    cosmo service install worker app --user --workers 2
    """
    asked = Asked(name, for_user, run_as)
    unit = _PLANS[kind](arguments, asked)
    try:
        text = unit.text()
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    if dry_run:
        click.echo(text, nl=False)
        return 0
    path = unit_path(unit.name, for_user)
    has_changed = write_unit(path, text, replaces=force)
    click.echo(f"{'wrote' if has_changed else 'unchanged'}  {path}")
    for each in _next_steps(unit.name, for_user, has_changed):
        click.echo(each)
    return 0


def _next_steps(name: str, for_user: bool, has_changed: bool) -> list[str]:
    user = " --user" if for_user else ""
    reload = [f"  next   systemctl{user} daemon-reload"] if has_changed else []
    linger = ["         loginctl enable-linger", ""] if for_user else []
    return [
        *reload,
        f"{'         ' if reload else '  next   '}systemctl{user} enable --now {name}",
        *linger[:1],
        f"  state  systemctl{user} status {name}",
        f"  log    journalctl{user} -u {name} -f",
    ]


@command.command()
@click.argument("name")
@_user_option
@click.option("--force", is_flag=True, help="Remove it though it is enabled, with its links.")
def uninstall(name: str, for_user: bool, force: bool) -> int:
    """Remove a unit that 'install' wrote."""
    path = _our_path(name, for_user)
    links, user = links_to(path), " --user" if for_user else ""
    if links and not force:
        raise click.ClickException(
            f"it is enabled: run 'systemctl{user} disable --now {path.stem}' first"
        )
    try:
        for each in (*links, path):
            each.unlink()
    except PermissionError:
        raise click.ClickException(f"{path} cannot be removed: run it with sudo") from None
    click.echo(f"removed  {path}")
    click.echo(f"  next   systemctl{user} daemon-reload")
    return 0


@command.command()
@click.argument("name", required=False)
@_user_option
def show(name: str | None, for_user: bool) -> int:
    """Print a unit that 'install' wrote; without NAME list them."""
    if name is not None:
        click.echo(_our_path(name, for_user).read_text(encoding="utf-8"), nl=False)
        return 0
    found = our_units(for_user)
    for each in found:
        click.echo(f"{each.stem}  {each}{'  enabled' if links_to(each) else ''}")
    if not found:
        click.echo("no unit was written by 'cosmo service install'")
    return 0


def _our_path(name: str, for_user: bool) -> Path:
    path = unit_path(name, for_user)
    if not path.is_file():
        raise click.ClickException(f"there is no {path}: 'cosmo service show' lists the units")
    if not is_ours(path):
        raise click.ClickException(f"{path} was not written by 'cosmo service install'")
    return path
