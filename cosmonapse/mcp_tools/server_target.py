"""What a server is: a command to start, or a URL. Pure."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from typing import Any, Protocol, runtime_checkable
from urllib.parse import urlsplit

import attrs

_OTHER_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")


@runtime_checkable
class PathLike(Protocol):
    """A path, as that of pathlib."""

    def __fspath__(self) -> str:
        """Return it as a text."""


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


def _text(what: str, value: Any) -> str:
    """Return a text for a process, or for a header; a path may stand for one."""
    if isinstance(value, str):
        return value
    if isinstance(value, PathLike):
        return value.__fspath__()
    raise TypeError(f"{what} of an MCP server must be a str, not a {type(value).__name__}")


def _header(name: str, value: Any) -> str:
    """Return the value of a header; no text of an error repeats it, as it may be a secret."""
    text = _text(f"the header {name}", value).strip()
    if not text.isascii() or not text.isprintable():
        raise ValueError(f"the header {name} must be one line of ASCII characters")
    return text


def target_from(
    given: str | PathLike | Sequence[str | PathLike],
    *,
    env: Mapping[str, str] | None,
    cwd: str | PathLike | None,
    headers: Mapping[str, str] | None,
    token: str | None,
) -> ServerTarget:
    """Return the target that a user has named.

    Raises:
        TypeError: A part of it is no text.
        ValueError: It is empty, is no command line or no URL, has a header of several lines, or has
            settings of the other kind.
    """
    if isinstance(given, PathLike):
        given = (given,)
    if isinstance(given, str) and given.lower().startswith(("http://", "https://")):
        if env or cwd:
            raise ValueError("env= and cwd= are for a command, and this is a URL")
        if not urlsplit(given).hostname:
            raise ValueError("the URL of an MCP server names a host: http://host/mcp")
        secret = {"Authorization": f"Bearer {token.strip()}"} if token else {}
        named = {**(headers or {}), **secret}
        return ServerTarget(url=given, headers={name: _header(name, named[name]) for name in named})
    if isinstance(given, str) and _OTHER_URL.match(given):
        scheme = given.partition("://")[0]
        raise ValueError(f"the URL of an MCP server is one of http or https, not {scheme}://...")
    if headers or token:
        raise ValueError("headers= and token= are for a URL, and this is a command")
    words = _words_of(given) if isinstance(given, str) else tuple(given or ())
    if not words:
        raise ValueError("name the command that starts the MCP server, or its URL")
    command = tuple(_text("each word of the command", word) for word in words)
    variables = {name: _text(f"the variable {name}", (env or {})[name]) for name in env or {}}
    return ServerTarget(
        command=command, env=variables, cwd=None if cwd is None else _text("cwd", cwd)
    )
