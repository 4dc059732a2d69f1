"""The flags of `cosmo serve`: each mistake is one line that says what to do."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import SplitResult, urlsplit

import click
from click.core import ParameterSource

from ..configuration import chosen_for_process
from ..errors import InvalidName
from ..names import checked_name
from ..runtime.environment import TOKEN_VARIABLE
from ..runtime.private_files import read_secret

_OWN_FLAGS = {"tools": ("--tools", "mcp"), "a2a_agent": ("--a2a-agent", "a2a")}
"""The parameters that only one face uses: the flag, and the face."""
_HTTP_FLAGS = {
    "host": "--host",
    "port": "--port",
    "hosts": "--allow-host",
    "origins": "--cors",
    "base_url": "--base-url",
    "grace_s": "--grace",
    "metrics": "--metrics",
}
_HOST = re.compile(r"[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]").fullmatch


def check_flags(faces: Sequence[str], given: Mapping[str, Any]) -> None:
    """Check what would otherwise have no effect.

    Raises:
        UsageError: A flag of a face that is not served, or what is no origin, URL or name.
    """
    for setting, (flag, face) in _OWN_FLAGS.items():
        if given[setting] and face not in faces:
            raise click.UsageError(f"{flag} is for --{face}: add --{face}, or leave {flag} out")
    for origin in given["origins"]:
        if origin not in ("*", "null") and not _is_origin(origin):
            raise click.UsageError(
                f"--cors {origin}: an origin is a scheme and a host, with its port if it has one, "
                "and no path, such as http://localhost:3000"
            )
    for name in given["hosts"]:
        if _HOST(name) is None:
            raise click.UsageError(
                f"--allow-host {name}: give one whole name, without a port, such as "
                "agents.example; repeat it for others"
            )
    base_url = given["base_url"]
    if base_url is not None and _web_parts(base_url).scheme not in ("http", "https"):
        raise click.UsageError(
            f"--base-url {base_url}: give http:// or https:// and what follows, such as "
            "https://agents.example"
        )
    agent = given["a2a_agent"]
    if agent is not None:
        try:
            checked_name("neuron_id", agent)
        except InvalidName as error:
            raise click.UsageError(f"--a2a-agent: {error}") from None


def check_stdio(faces: Sequence[str], context: click.Context) -> None:
    """Check what a gateway on stdin and stdout was given.

    Args:
        faces: What it shall serve.
        context: Of the verb; it knows what stood on the command line.

    Raises:
        UsageError: Another face, or a flag that only HTTP uses.
    """
    if len(faces) > 1:
        raise click.UsageError("--mcp=stdio goes alone: run a second gateway for the others")
    for setting, flag in _HTTP_FLAGS.items():
        if context.get_parameter_source(setting) is ParameterSource.COMMANDLINE:
            raise click.UsageError(
                f"{flag} is for HTTP: leave it out, or give --mcp in place of --mcp=stdio"
            )


def _is_origin(text: str) -> bool:
    parts = _web_parts(text)
    return bool(parts.scheme) and not parts.path.strip("/")


def _web_parts(text: str) -> SplitResult:
    """Return the parts of a URL that names a host and a path at most; else empty ones."""
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        return urlsplit("")
    is_fit = parts.hostname and not parts.query and not parts.fragment and "@" not in parts.netloc
    return parts if is_fit else urlsplit("")


def token_of(path: str | None) -> str:
    """Return the token; empty for none.

    Raises:
        InvalidKey: The file cannot be used.
        UsageError: It is no token.
    """
    where = TOKEN_VARIABLE if path is None else path
    text = (chosen_for_process("token").value or "") if path is None else read_secret(path)
    if path is None and not text:
        return ""
    if not text.isascii() or not text.isprintable() or " " in text or not text:
        raise click.UsageError(
            f"the token in {where} must be one line of printable ASCII without spaces: "
            "make one by 'openssl rand -hex 32'"
        )
    return text


def check_token(host: str, origins: Sequence[str], token: str, *, is_beyond: bool) -> None:
    """Check that a gateway has a token where it needs one.

    Raises:
        UsageError: It has none.
    """
    if is_beyond and not token:
        raise click.UsageError(
            f"--host {host} is reached by other machines, and needs a token: "
            "openssl rand -hex 32 > token; chmod 600 token; add --token-file token"
        )
    if "*" in origins and not token:
        raise click.UsageError("--cors '*' lets every page use it, and needs a token: --token-file")
