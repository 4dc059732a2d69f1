"""Access control of a gateway: Host, Origin, the token, and what browsers ask first. Pure.

A page of another origin in a browser on this machine must not run a Neuron: its `Origin` is named
by no `--cors`, and a foreign name that resolves to this machine (DNS rebinding) is a foreign
`Host`. An address in `Host` cannot be rebound, so beyond loopback each passes, as behind a NAT.
"""

from __future__ import annotations

import hmac
import ipaddress
import re
from collections.abc import Iterable, Mapping

import attrs

EXPOSED = "x-request-id, x-should-retry, mcp-session-id, retry-after"
"""Headers that pages may read. Without `x-should-retry` OpenAI's client repeats each 5xx there."""
METHODS = "GET, POST, DELETE, OPTIONS"
OPEN_PATHS = frozenset({"/healthz", "/readyz"})
"""To be read without a token and under any `Host`: a probe has neither."""
_AGENT_CARD = re.compile(r"(/a2a/[^/]+)?/\.well-known/agent-card\.json").fullmatch
_READING = frozenset({"GET", "HEAD"})
_LOOPBACK_NAMES = frozenset({"127.0.0.1", "localhost", "[::1]"})
_BEARER = b"bearer "
_MAX_AGE_S = "600"
_DEFAULT_PORTS = {"http": ":80", "https": ":443"}
_HEADER_NAMES = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~, -]{1,2000}").fullmatch
_NO_TOKEN = "send the token of this gateway: Authorization: Bearer TOKEN"
_WRONG_TOKEN = "that is not the token of this gateway"

RawHeaders = Iterable[tuple[bytes, bytes]]


@attrs.frozen
class Refusal:
    """The answer to a request that goes no further; without a text it is no error.

    Args:
        status: The HTTP status.
        code: A word for programs.
        text: What is wrong, and what to do.
        headers: Beside those of its form.
        counter: What counts it; empty for none.
        may_retry: Whether the same request may be sent again: it has done nothing.
    """

    status: int
    code: str = ""
    text: str = ""
    headers: Mapping[str, str] = attrs.field(factory=dict)
    counter: str = ""
    may_retry: bool = False


@attrs.frozen
class Admitted:
    """A request that goes on.

    Args:
        origin: The origin that may read the answer; empty for a request of no other origin.
        is_open: Whether anybody may send it: it must cost next to nothing, so it has no body.
    """

    origin: str = ""
    is_open: bool = False


_PLAIN = Admitted()
_OPEN = Admitted(is_open=True)


def _lowered(given: Iterable[str]) -> frozenset[str]:
    return frozenset(map(str.lower, given))


@attrs.frozen(kw_only=True)
class Admission:
    """Checks each request before any face sees it.

    Args:
        token: What clients must send as `Authorization: Bearer`; empty for none.
        hosts: Names in `Host` that mean this gateway, beside those of loopback.
        origins: Origins whose pages may read answers, such as `https://chat.example`; `*` for all.
        is_beyond_loopback: Whether other machines reach it.
    """

    token: str = attrs.field(default="", repr=False)
    hosts: frozenset[str] = attrs.field(default=frozenset(), converter=_lowered)
    origins: frozenset[str] = attrs.field(default=frozenset(), converter=_lowered)
    is_beyond_loopback: bool = False
    _secret: bytes = attrs.field(init=False, repr=False)

    @_secret.default
    def _secret_of_token(self) -> bytes:
        return self.token.encode()

    def check(self, method: str, path: str, headers: RawHeaders) -> Admitted | Refusal:
        """Return whether a request goes on, or its answer.

        Args:
            method: GET, or what else was sent.
            path: The path, decoded.
            headers: Its headers, their names in small letters, as ASGI has them.
        """
        is_reading = method in _READING
        if is_reading and path in OPEN_PATHS:
            return _OPEN
        said = _Said(headers)
        refusal = self._foreign_host(said.hosts) or self._foreign_origin(said.origins, said.hosts)
        if refusal is not None:
            return refusal
        origin = self.told(said.origins[0]) if said.origins else ""
        if method == "OPTIONS" and origin and said.asks_method:
            return _preflight(origin, said.asks_headers)
        if self._secret:
            if is_reading and _AGENT_CARD(path):
                return Admitted(origin, is_open=True)
            refusal = self._unknown(said.secrets)
            if refusal is not None:
                headers_of_both = {**refusal.headers, **cors_headers(origin)}
                return attrs.evolve(refusal, headers=headers_of_both)
        return Admitted(origin) if origin else _PLAIN

    def told(self, origin: str) -> str:
        """Return an origin as an answer names it."""
        return "*" if origin and "*" in self.origins else origin

    def _foreign_host(self, hosts: list[str]) -> Refusal | None:
        if len(hosts) == 1:
            name = without_port(hosts[0])
            if name in _LOOPBACK_NAMES or name in self.hosts:
                return None
            if self.is_beyond_loopback and _is_address(name):
                return None
        given = ", ".join(hosts)[:100] or "nothing"
        return Refusal(
            403,
            "FOREIGN_HOST",
            f"this gateway answers under its own names alone, and Host is {given!a}: "
            "start it with --allow-host NAME if that is one of them",
            counter="refused.host",
        )

    def _foreign_origin(self, origins: list[str], hosts: list[str]) -> Refusal | None:
        if not origins:
            return None
        if len(origins) == 1 and (
            "*" in self.origins or origins[0] in self.origins or _is_same(origins[0], hosts[0])
        ):
            return None
        given = ", ".join(origins)[:100]
        return Refusal(
            403,
            "FOREIGN_ORIGIN",
            f"pages of {given!a} may not use this gateway: start it with --cors ORIGIN if they may",
            counter="refused.origin",
        )

    def _unknown(self, secrets: list[bytes]) -> Refusal | None:
        for value in secrets:
            if value[:7].lower() == _BEARER and hmac.compare_digest(
                value[7:].strip(), self._secret
            ):
                return None
        is_said = any(value[:7].lower() == _BEARER for value in secrets)
        text = _WRONG_TOKEN if is_said else _NO_TOKEN
        return Refusal(401, "UNAUTHORIZED", text, {"www-authenticate": "Bearer"}, "refused.token")


class _Said:
    """What a request says in the headers that count here."""

    __slots__ = ("asks_headers", "asks_method", "hosts", "origins", "secrets")

    def __init__(self, headers: RawHeaders) -> None:
        self.hosts: list[str] = []
        self.origins: list[str] = []
        self.secrets: list[bytes] = []
        self.asks_method = False
        self.asks_headers = b""
        for name, value in headers:
            match name:
                case b"host":
                    self.hosts.append(value.decode("latin-1").lower())
                case b"origin":
                    self.origins.append(value.decode("latin-1").lower())
                case b"authorization":
                    self.secrets.append(value)
                case b"access-control-request-method":
                    self.asks_method = True
                case b"access-control-request-headers":
                    self.asks_headers = value


def cors_headers(origin: str) -> dict[str, str]:
    """Return the headers that let pages of an origin read an answer; none for no origin."""
    if not origin:
        return {}
    return {
        "access-control-allow-origin": origin,
        "access-control-expose-headers": EXPOSED,
        "vary": "Origin",
    }


def _preflight(origin: str, asked: bytes) -> Refusal:
    names = asked.decode("latin-1")
    allowed = names if _HEADER_NAMES(names) else "authorization, content-type"
    return Refusal(
        204,
        headers={
            **cors_headers(origin),
            "access-control-allow-methods": METHODS,
            "access-control-allow-headers": allowed,
            "access-control-max-age": _MAX_AGE_S,
        },
    )


def without_port(authority: str) -> str:
    """Return the host of an authority, such as `[::1]` of `[::1]:8080`."""
    if authority.startswith("["):
        return authority.partition("]")[0] + "]"
    return authority.partition(":")[0]


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True


def _is_same(origin: str, authority: str) -> bool:
    """Return whether an origin is the one that was asked, which passed the list of names."""
    scheme, _, place = origin.partition("://")
    port = _DEFAULT_PORTS.get(scheme)
    if port is None:
        return False
    return place.removesuffix(port) == authority.removesuffix(port)
