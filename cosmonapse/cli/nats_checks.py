"""What `cosmo doctor` looks at where a nats-server should be: its port, and its first words."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from typing import Any, Final

from ..synapse.url import Endpoint
from .findings import BAD, OK, WARNING, Finding

_WORD: Final = b"INFO "
_END: Final = b"\r\n"
_MAX_BYTES: Final = 64 * 1024
_LEAST_PAYLOAD: Final = 64 * 1024


def server_at(
    address: str, place: Endpoint, timeout_s: float, why: Callable[[OSError], str]
) -> Finding:
    """Return the finding about the port of a nats-server, at an address of its host.

    Args:
        address: The address.
        place: The host as the URL names it, and the port.
        timeout_s: How long to wait for a connection, and then for what it says.
        why: Returns what an error of the system means, for people.
    """
    at = f"[{address}]:{place.port}" if ":" in address else f"{address}:{place.port}"
    try:
        with socket.create_connection((address, place.port), timeout_s) as line:
            said = _first_words(line)
    except OSError as error:
        fix = f"start a nats-server on {place.host}, or see whether a firewall drops port "
        return Finding("port", BAD, f"{at}: {why(error)}", f"{fix}{place.port}")
    if said is None:
        # One that is set so speaks TLS at once, and waits for the client to begin.
        return Finding("port", OK, f"{at} is open, and says nothing before TLS")
    facts = _facts(said)
    if facts is None:
        fix = "see whether the port is right: that of clients, not that of a cluster or of HTTP"
        return Finding("port", BAD, f"{at}: no nats-server answers there, but something else", fix)
    return _about(at, facts)


def _first_words(line: socket.socket) -> bytes | None:
    """Return the first line that a server says, or less where it ends; None if it says nothing."""
    said = b""
    try:
        while _END not in said and len(said) < _MAX_BYTES:
            more = line.recv(4096)
            if not more:
                break
            said += more
    except TimeoutError:
        return said or None
    return said


def _facts(said: bytes) -> dict[str, Any] | None:
    """Return what a nats-server says of itself; None for one of another kind."""
    first, end, _ = said.partition(_END)
    if not end or not first.startswith(_WORD):
        return None
    try:
        facts = json.loads(first.removeprefix(_WORD))
    except (ValueError, RecursionError):
        return None
    return facts if isinstance(facts, dict) and "max_payload" in facts else None


def _about(at: str, facts: dict[str, Any]) -> Finding:
    payload = facts["max_payload"]
    size = f"{payload:,}" if isinstance(payload, int) else f"{payload!r:.20}"
    says = f"{at} is a nats-server {facts.get('version', '')!s:.20}, {size} bytes a message"
    wants = [
        text
        for key, text in (("auth_required", "credentials"), ("tls_required", "TLS"))
        if facts.get(key)
    ]
    if wants:
        says += f", wants {' and '.join(wants)}"
    if isinstance(payload, int) and payload < _LEAST_PAYLOAD:
        fix = "raise its max_payload: larger Signals travel in pieces, so more slowly"
        return Finding("port", WARNING, says, fix)
    return Finding("port", OK, says)
