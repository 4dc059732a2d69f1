"""The verb `keys peer` of `cosmo`: let another Synapse of the same fabric report to this one."""

from __future__ import annotations

import click

from ..errors import InvalidKey
from ..key_ring import KeyRing, default_folder, write_peer
from ..keys import checked_key_name, fingerprint, public_key, public_text
from .key_folder import ring_in


@click.command("peer")
@click.argument("name")
@click.argument("public", metavar="[cpk_...]", required=False)
@click.option("--remove", is_flag=True, help="It is no peer any more.")
@click.option(
    "--dir",
    "folder",
    metavar="DIR",
    default=default_folder,
    show_default="$XDG_CONFIG_HOME/cosmonapse/keys",
    help="The folder of the Synapse's keys.",
)
def command(name: str, public: str | None, remove: bool, folder: str) -> None:
    """Let another Synapse of the same fabric report to this one, under a name of your choice.

    Run it at each of them with the public key of the other, which 'cosmo keys show' prints there.
    Key files that are made from then on name both Synapses.
    """
    checked_key_name(name)
    if remove:
        ring = KeyRing.read(folder)
        if public is not None:
            raise click.UsageError("--remove takes a name alone")
        if name not in ring.peers:
            raise InvalidKey(f"the name {name!r}", "no peer has it: 'cosmo keys list' shows them")
        write_peer(folder, name, ())
        click.echo(f"{name} is no peer any more; a Synapse that runs cuts it off within a second")
        return
    if public is None:
        raise click.UsageError("give the public key of that Synapse: cosmo keys peer NAME cpk_...")
    key = public_key(public)
    ring, is_new = ring_in(folder)
    if is_new:
        click.echo(f"{folder}: the keys of this Synapse, made now")
    _add(ring, name, key)


def _add(ring: KeyRing, name: str, public: bytes) -> None:
    """Add a key of another Synapse, and tell what else is to be done."""
    owner = "the Synapse itself" if public in ring.own else ring.owner_of(public)
    if owner is not None and public not in ring.peers.get(name, ()):
        raise InvalidKey(public_text(public), f"{owner} has that key: one key, one name")
    publics = tuple(dict.fromkeys((*ring.peers.get(name, ()), public)))
    write_peer(ring.folder, name, publics)
    click.echo(f"{name} is a peer, fingerprint {fingerprint(public)}; it may report here")
    click.echo("  start     cosmo synapse start --keys --peer URL, with the URL of the other")
    click.echo(f"  there     cosmo keys peer NAME {public_text(ring.public)}")
    known = KeyRing.read(ring.folder).publics
    synapses = ", ".join(f'"{public_text(each)}"' for each in known)
    click.echo("\nkey files that were made before need this line in place of theirs:")
    click.echo(f"  synapse = [{synapses}]")
