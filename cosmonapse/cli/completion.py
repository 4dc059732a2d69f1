"""`cosmo completion`: the completion script for a shell."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class


@click.command()
@click.argument("shell", type=click.Choice(["bash", "fish", "zsh"]))
@click.pass_context
def command(context: click.Context, shell: str) -> None:
    """Print a script that completes verbs and options of cosmo with the Tab key.

    \b
    bash: eval "$(cosmo completion bash)"    in ~/.bashrc
    zsh:  eval "$(cosmo completion zsh)"     in ~/.zshrc
    fish: cosmo completion fish | source     in ~/.config/fish/config.fish
    """
    found = get_completion_class(shell)
    if found is None:
        raise click.ClickException(f"the installed click cannot complete for {shell}: update click")
    root = context.find_root().command
    click.echo(found(root, {}, "cosmo", "_COSMO_COMPLETE").source())
