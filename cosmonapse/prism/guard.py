"""Access control of Prism: read-only, and only for its own pages on this machine. Pure.

A foreign page in the same browser must not read anything: its `Origin` is foreign, and a foreign
name that resolves to this machine (DNS rebinding) is a foreign `Host`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

import attrs

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
HEADERS: Mapping[str, str] = MappingProxyType(
    {
        "content-security-policy": POLICY,
        "x-content-type-options": "nosniff",
        "cache-control": "no-store",
        "referrer-policy": "no-referrer",
        "cross-origin-resource-policy": "same-origin",
        "cross-origin-opener-policy": "same-origin",
    }
)
"""The headers of every answer."""
METHODS = ("GET", "HEAD")
_FOREIGN_SITES = ("cross-site", "same-site")


@attrs.frozen
class Refusal:
    """The answer to a request that is refused.

    Args:
        status: The HTTP status.
        text: One line for the client: what is wrong, and what to do.
    """

    status: int
    text: str


class Guard:
    """Checks each request before it is handled.

    Args:
        port: The port of Prism.
    """

    def __init__(self, port: int) -> None:
        self._home = f"http://127.0.0.1:{port}"
        self._hosts = frozenset(f"{name}:{port}" for name in ("127.0.0.1", "localhost", "[::1]"))
        self._origins = frozenset(f"http://{host}" for host in self._hosts)

    def refusal(
        self, method: str, path: str, headers: Iterable[tuple[bytes, bytes]]
    ) -> Refusal | None:
        """Return the refusal of a request; None if it is allowed."""
        if method not in METHODS:
            return Refusal(405, f"Prism is read-only: use GET, not {method[:20]}")
        said: dict[bytes, list[str]] = {}
        for name, value in headers:
            said.setdefault(name.lower(), []).append(value.decode("latin-1").lower())
        hosts = said.get(b"host", [])
        if len(hosts) != 1 or hosts[0] not in self._hosts:
            return self._foreign("Host", hosts)
        if any(origin not in self._origins for origin in said.get(b"origin", [])):
            return self._foreign("Origin", said[b"origin"])
        if path.startswith("/api/") and any(
            site in _FOREIGN_SITES for site in said.get(b"sec-fetch-site", [])
        ):
            return self._foreign("Sec-Fetch-Site", said[b"sec-fetch-site"])
        return None

    def _foreign(self, header: str, values: list[str]) -> Refusal:
        given = ", ".join(values)[:100] or "nothing"
        return Refusal(
            403,
            f"Prism answers to this machine alone, and {header} is {given!a}: open {self._home}",
        )
