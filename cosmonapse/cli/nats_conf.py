"""The verb `synapse nats-conf` of `cosmo`: a configuration of nats-server with rights."""

from __future__ import annotations

import os
import re
import secrets
from typing import Any

import attrs
import click

from ..runtime.addresses import addresses, beyond_loopback, is_every
from ..runtime.private_files import write_new
from ..synapse.nats.server_conf import (
    DEFAULT_PORT,
    ROUTE_PORT,
    ServerPlace,
    ServerUser,
    is_variable,
    server_conf,
)
from .std_streams import complain

_PASSWORD_BYTES = 24
_EVERYWHERE = "0.0.0.0"
_HOST = re.compile(r"\[?[A-Za-z0-9._:-]{1,255}\]?")


def _parted(
    context: click.Context, option: click.Parameter, given: tuple[str, ...]
) -> dict[str, str]:
    """Return what NAME=VALUE say, by name.

    Raises:
        BadParameter: One is something else, or a name stands in two.
    """
    found: dict[str, str] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not (name and equals and value):
            raise click.BadParameter(f"expected {option.metavar}")  # not what is there: a secret?
        if name in found:
            raise click.BadParameter(f"it names {name!r:.140} twice: write all in one")
        found[name] = value
    return found


def _hosts(context: click.Context, option: click.Parameter, given: Any) -> Any:
    """Return the address of a host, or those of several.

    Raises:
        BadParameter: One is something else.
    """
    for each in given if isinstance(given, tuple) else filter(None, (given,)):
        if not _HOST.fullmatch(each):
            raise click.BadParameter(f"expected the name or the address of a host: {each!r:.100}")
    return given


@click.command("nats-conf")
@click.option(
    "--user",
    "users",
    metavar="NAME=NS[,NS...]",
    multiple=True,
    required=True,
    callback=_parted,
    help="A user, and the namespaces where it may join, * for every one; repeatable.",
)
@click.option(
    "--password",
    "passwords",
    metavar="NAME=$VARIABLE",
    multiple=True,
    callback=_parted,
    help="Take the password of this user from the environment of nats-server; repeatable. "
    "By default it is a random one.",
)
@click.option(
    "--synapse",
    metavar="NAME",
    default="synapse",
    show_default=True,
    help="The user for every Synapse, which may do everything of the fabric.",
)
@click.option(
    "--host",
    callback=_hosts,
    help=f"Address to listen on.  [default: 127.0.0.1; with --cluster {_EVERYWHERE}]",
)
@click.option(
    "--port", type=click.IntRange(1, 65_535), default=DEFAULT_PORT, show_default=True, help="Port."
)
@click.option(
    "--cluster",
    metavar="HOST",
    multiple=True,
    callback=_hosts,
    help="A server of a cluster; name each of them, also this one. The same file is for all.",
)
@click.option(
    "--cluster-port",
    type=click.IntRange(1, 65_535),
    default=ROUTE_PORT,
    show_default=True,
    help="Port of each for the others.",
)
@click.option("--tls-cert", metavar="FILE", default="", help="Certificate to show to clients.")
@click.option("--tls-key", metavar="FILE", default="", help="Its key.")
@click.option("--out", metavar="FILE", help="Write it there, and print the URLs.")
def command(
    users: dict[str, str],
    passwords: dict[str, str],
    synapse: str,
    host: str | None,
    port: int,
    cluster: tuple[str, ...],
    cluster_port: int,
    tls_cert: str,
    tls_key: str,
    out: str | None,
) -> None:
    """Write a configuration for nats-server, with rights for each namespace.

    A user may join its namespaces, and sees and sends nothing elsewhere, nor in the name of another
    user. The passwords are in the file, which only this user may read.
    """
    if bool(tls_cert) != bool(tls_key):
        raise click.UsageError("give both --tls-cert and --tls-key, or none of them")
    whole = [os.path.abspath(each) if each else "" for each in (tls_cert, tls_key)]
    at = (host or (_EVERYWHERE if cluster else "127.0.0.1")).removeprefix("[").removesuffix("]")
    place = ServerPlace(at, port, cluster, cluster_port, *whole)
    everybody = _users(users, passwords, synapse)
    text = server_conf(place, everybody, secrets.token_urlsafe(_PASSWORD_BYTES))
    if beyond_loopback(at) and not tls_cert:
        complain(
            "without --tls-cert and --tls-key what comes from other machines, passwords too, can "
            "be read on the way"
        )
    if out is None:
        click.echo(text, nl=False)
        return
    write_new(out, text)
    click.echo("\n".join(_told(out, place, everybody)))


def _users(named: dict[str, str], passwords: dict[str, str], synapse: str) -> list[ServerUser]:
    """Return everybody, the Synapses first.

    Raises:
        UsageError: A name or a password cannot be used.
    """
    if synapse in named:
        raise click.UsageError(f"{synapse} is the user of the Synapses: choose another --user")
    for name, password in passwords.items():
        if name != synapse and name not in named:
            raise click.UsageError(f"--password names {name!r:.140}, which no --user names")
        if not is_variable(password):
            raise click.UsageError(
                "--password takes the name of a variable, as '$BEN_PASSWORD' (in single quotes): "
                "on a command line others could read a password"
            )
    wanted: dict[str, tuple[str, ...] | None] = {synapse: None}
    wanted |= {name: tuple(spaces.split(",")) for name, spaces in named.items()}
    try:
        return [
            ServerUser(name, passwords.get(name) or secrets.token_urlsafe(_PASSWORD_BYTES), spaces)
            for name, spaces in wanted.items()
        ]
    except ValueError as error:
        raise click.UsageError(str(error)) from None


def _told(out: str, place: ServerPlace, users: list[ServerUser]) -> list[str]:
    if is_every(place.host):
        place = attrs.evolve(place, host=next(iter(addresses(place.host)), "HOST"))
    width = max(len(each.name) for each in users)
    lines = [f"{out} is written, for this user alone", f"  start it   nats-server -c {out}"]
    for each in users:
        use = "cosmo synapse start URL" if each.namespaces is None else ", ".join(each.namespaces)
        lines.append(f"  {each.name.ljust(width)}  {place.url_for(each)}  {use}")
    return lines
