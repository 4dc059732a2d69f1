"""What a server is: a command to start, or a URL. Pure."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

import attrs

_OTHER_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")


@attrs.frozen
class ServerTarget:
    """Where the server is.

    Attributes:
        command: The program and its arguments; empty for a URL.
        url: The URL; empty for a command.
        env: Variables for the process, beside the few that it inherits.
        cwd: The folder that it starts in; None for the current one.
        headers: HTTP headers for a URL.
    """

    command: tuple[str, ...] = ()
    url: str = attrs.field(default="", repr=False)
    env: Mapping[str, str] = attrs.field(factory=dict, repr=False)
    cwd: str | None = None
    headers: Mapping[str, str] = attrs.field(factory=dict, repr=False)

    @property
    def program(self) -> str | None:
        """The program; None for a URL."""
        return self.command[0] if self.command else None

    def __str__(self) -> str:
        """Return it for logs: arguments, user, password and query of a URL may be secrets."""
        if self.program is not None:
            return self.program
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def _words_of(line: str) -> tuple[str, ...]:
    try:
        return tuple(shlex.split(line))
    except ValueError as error:
        raise ValueError(
            f"the command of the MCP server is no command line: {str(error).lower()}; give it as a "
            "list of program and arguments instead"
        ) from None


def target_from(
    given: str | Sequence[str],
    *,
    env: Mapping[str, str] | None,
    cwd: str | None,
    headers: Mapping[str, str] | None,
    token: str | None,
) -> ServerTarget:
    """Return the target that a user has named.

    Raises:
        ValueError: It is empty, is no command line, or has settings of the other kind.
    """
    if isinstance(given, str) and given.lower().startswith(("http://", "https://")):
        if env or cwd:
            raise ValueError("env= and cwd= are for a command, and this is a URL")
        secret = {"Authorization": f"Bearer {token}"} if token else {}
        return ServerTarget(url=given, headers={**(headers or {}), **secret})
    if isinstance(given, str) and _OTHER_URL.match(given):
        scheme = given.partition("://")[0]
        raise ValueError(f"the URL of an MCP server is one of http or https, not {scheme}://...")
    if headers or token:
        raise ValueError("headers= and token= are for a URL, and this is a command")
    command = _words_of(given) if isinstance(given, str) else tuple(given or ())
    if not command:
        raise ValueError("name the command that starts the MCP server, or its URL")
    return ServerTarget(command=command, env=dict(env or {}), cwd=cwd)
