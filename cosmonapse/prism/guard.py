"""Access control of Prism: read-only, and only for its own pages under its own names. Pure.

A foreign page in the same browser must not read anything: its `Origin` is foreign, and a foreign
name that resolves to this machine (DNS rebinding) is a foreign `Host`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

import attrs

from ..http_server.bound_address import LOOPBACK, BoundAddress, in_url, plain_address

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
class EarlyAnswer:
    """The answer to a request that goes no further.

    Args:
        status: The HTTP status.
        text: What the client reads; for a refusal one line: what is wrong, and what to do.
        headers: Headers of this answer alone.
        media_type: What the text is.
    """

    status: int
    text: str
    headers: Mapping[str, str] = attrs.field(factory=dict, repr=False)
    media_type: str = "text/plain"


class Guard:
    """Checks each request before it is handled.

    Args:
        bound: What Prism listens on.
    """

    def __init__(self, bound: BoundAddress) -> None:
        self._bound = bound
        self._authorities = bound.authorities

    def refusal(
        self, method: str, path: str, headers: Iterable[tuple[bytes, bytes]], local: str = LOOPBACK
    ) -> EarlyAnswer | None:
        """Return the refusal of a request; None if it is allowed.

        Args:
            method: GET, or what else was sent.
            path: The path, decoded.
            headers: Its headers, in any case of letters.
            local: The address of ours that the connection came to.
        """
        if method not in METHODS:
            text = f"Prism is read-only: use GET, not {method[:20]}"
            return EarlyAnswer(405, text, {"allow": ", ".join(METHODS)})
        said: dict[bytes, list[str]] = {}
        for name, value in headers:
            said.setdefault(name.lower(), []).append(value.decode("latin-1").lower())
        # An address cannot be rebound, so the one that the connection came to is ours for sure.
        at = plain_address(local)
        allowed = self._authorities | self._bound.authorities_of(in_url(at))
        hosts = said.get(b"host", [])
        if len(hosts) != 1 or hosts[0] not in allowed:
            return self._foreign("Host", hosts, at)
        origins = {f"http://{each}" for each in allowed}
        if any(origin not in origins for origin in said.get(b"origin", [])):
            return self._foreign("Origin", said[b"origin"], at)
        if path.startswith("/api/") and any(
            site in _FOREIGN_SITES for site in said.get(b"sec-fetch-site", [])
        ):
            return self._foreign("Sec-Fetch-Site", said[b"sec-fetch-site"], at)
        return None

    def _foreign(self, header: str, values: list[str], at: str) -> EarlyAnswer:
        given = ", ".join(values)[:100] or "nothing"
        bound = self._bound
        url = bound.url_at(at) if bound.is_every else bound.url
        whom = "under its own names" if bound.is_beyond_loopback else "to this machine"
        return EarlyAnswer(
            403, f"Prism answers {whom} alone, and {header} is {given!a}: open {url.rstrip('/')}"
        )
