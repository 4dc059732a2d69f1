"""A group of verbs that names the one that was meant, where there is none of that name."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from types import MappingProxyType

import click

_MEANT: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        **dict.fromkeys(("ls", "list"), ("ls", "list")),
        **dict.fromkeys(("rm", "remove", "delete", "del"), ("rm", "revoke")),
        **dict.fromkeys(("add", "create", "make", "new"), ("add", "new", "allow")),
        **dict.fromkeys(("use", "switch", "choose"), ("select",)),
        **dict.fromkeys(("get", "view", "inspect", "print", "current"), ("show",)),
        **dict.fromkeys(("edit", "change", "update", "rename"), ("set", "allow")),
        **dict.fromkeys(("run", "serve", "up"), ("start",)),
    }
)
"""What people type, and the verbs that do it, of which a group has one."""


class HintedGroup(click.Group):
    """Fails with one line for a verb that does not exist, as `cosmo` itself does."""

    def resolve_command(
        self, context: click.Context, arguments: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the verb; name the one that was meant if there is none."""
        name = arguments[0]
        if name not in self.commands and not name.startswith("-"):
            path = context.command_path
            meant = self._meant(name)
            guess = f": did you mean '{path} {meant}'?" if meant else ""
            raise click.UsageError(f"there is no verb '{path} {name:.80}'{guess}", context)
        return super().resolve_command(context, arguments)

    def _meant(self, name: str) -> str | None:
        """Return the verb that was probably meant; None if none is near."""
        known = [each for each in _MEANT.get(name.lower(), ()) if each in self.commands]
        near = known or difflib.get_close_matches(name.lower(), self.commands, 1, 0.6)
        return near[0] if near else None
