"""The contexts of the command `nats`, the CLI of NATS: servers and credentials under a name."""

from __future__ import annotations

import difflib
import json
import os
from typing import Any, Final

from .credentials import FILES, Credentials, read_text, whole_path

_DEFAULT_SERVERS: Final = "nats://127.0.0.1:4222"
_UNKNOWN: Final = ("nsc", "socks_proxy", "user_jwt", "user_seed", "windows_cert_store")
"""What a context may say and we do not do; going on without it would only fail later."""


def read_cli_context(name: str) -> tuple[str, Credentials]:
    """Return the servers of a context, as their URLs with commas between, and its credentials.

    Args:
        name: The name of the context, as `nats context ls` shows it.

    Raises:
        ValueError: There is none, or it cannot be used; the text names the fault, never a secret.
    """
    if not name or "/" in name or name.startswith("."):
        raise ValueError("it is no name of a context")
    folder = _folder()
    path = os.path.join(folder, f"{name}.json")
    if not os.path.exists(path):
        raise ValueError(f"there is no {path}{_guess(name, folder)}")
    try:
        facts = json.loads(read_text(path))
    except (json.JSONDecodeError, RecursionError):
        raise ValueError(f"{path} is not JSON as 'nats context save' writes it") from None
    if not isinstance(facts, dict):
        raise ValueError(f"{path} is not JSON as 'nats context save' writes it")  # noqa: TRY004
    for field in _UNKNOWN:
        if facts.get(field):
            raise ValueError(f"{path} says {field}, which is not supported here: name creds in it")
    return _text(facts, "url", path) or _DEFAULT_SERVERS, _credentials(facts, path)


def _credentials(facts: dict[str, Any], path: str) -> Credentials:
    names = ("user", "password", "token", *FILES, "inbox_prefix")
    said = {name: _text(facts, name, path) for name in names}
    files = {name: whole_path(said[name]) if said[name] else "" for name in FILES}
    if said["user"]:  # which counts first for that command, too
        files |= {"creds": "", "nkey": ""}
    return Credentials(
        user=said["user"],
        password=said["password"] if said["user"] else None,
        token=said["token"],
        tls_first=facts.get("tls_first") is True,
        inbox_prefix=said["inbox_prefix"],
        **files,
    )


def _text(facts: dict[str, Any], field: str, path: str) -> str:
    value = facts.get(field) or ""
    if not isinstance(value, str):
        raise ValueError(f"{path}: {field} must be a text")  # noqa: TRY004  # as for every fault
    return value


def _folder() -> str:
    """Return where that command keeps them, on every system."""
    base = os.environ.get("XDG_CONFIG_HOME") or os.path.join(os.path.expanduser("~"), ".config")
    return os.path.join(base, "nats", "context")


def _guess(name: str, folder: str) -> str:
    try:
        known = [each.removesuffix(".json") for each in os.listdir(folder)]
    except OSError:
        return ""
    near = difflib.get_close_matches(name, known, 1)
    return f": did you mean {near[0]!r}?" if near else ""
