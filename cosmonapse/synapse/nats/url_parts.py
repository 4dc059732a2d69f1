"""The parts of a URL of NATS. Pure.

    nats://[USER:PASSWORD@|TOKEN@]HOST[:PORT][,HOST[:PORT]...][?OPTION=VALUE[&...]]

With `tls` in place of `nats` nothing is said that is not encrypted. The options name files and
people, never a secret. What may be printed of a URL is here too.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qsl, unquote

import attrs

from zmq_transport.sockets.endpoints import host_in_url

from ..url import masked

SCHEMES: Final = ("nats", "tls")
OPTIONS: Final = ("context", "user", "creds", "nkey", "ca", "cert", "key")
FORM: Final = "write nats://host:4222, nats://user:password@host or nats://host?creds=FILE"
MAX_SERVERS: Final = 16
_DEFAULT_PORT = 4222
_MASK = "***"
_PLACE = re.compile(
    r"(?:\[(?P<ip6>[^\[\]]+)\]|(?P<host>[^\s:\[\]@,%#\\]+))(?::(?P<port>[0-9]{1,5}))?"
)
_NO_PORT = re.compile(r":(?!//|[0-9]{1,5}(?=[,/?#]|$))[^,/?#\[\]]+(?=[,/?#]|$)")
_ESCAPES = (
    "in a user, a password or a token write each of , / ? # @ : % by its number, such as %40 for @"
)


@attrs.frozen
class UrlParts:
    """The parts of a URL of NATS.

    Args:
        servers: Each as `nats://host:port` or `tls://host:port`; none where a context says them.
        user: The user; empty for none.
        password: The password; None for none.
        token: The token; empty for none.
        options: The options by name.
        text: The URL, with the password or the token masked.
    """

    servers: tuple[str, ...]
    user: str
    password: str | None = attrs.field(repr=False)
    token: str = attrs.field(repr=False)
    options: Mapping[str, str]
    text: str


def shown(url: str) -> str:
    """Return what may be printed of a URL, whatever it is: too little rather than a secret."""
    head, mark, query = masked(url).partition("?")
    said = [_shown_option(each) for each in query.split("&")] if mark else []
    return _NO_PORT.sub(f":{_MASK}", head) + mark + "&".join(said)


def _shown_option(text: str) -> str:
    name, equals, _ = text.partition("=")
    if name in OPTIONS and equals:
        return text
    return f"{name}={_MASK}" if equals else _MASK


def read_url(url: str) -> UrlParts:
    """Return the parts of a URL.

    Raises:
        ValueError: It is invalid; the text names the bad part, and never what may be a secret.
    """
    scheme, slashes, rest = url.partition("://")
    if scheme.lower() not in SCHEMES or not slashes:
        raise ValueError(FORM)
    if not url.isprintable():
        raise ValueError(f"it has characters that cannot be printed; {FORM}")
    authority, path, query = _split(rest)
    if path not in ("", "/"):
        raise ValueError(f"nothing but ?options may follow the servers; {_hint(url)}")
    options = _options(query)
    if not authority and "context" in options:
        return UrlParts((), "", None, "", options, url)
    found = [_server(text, number, url) for number, text in enumerate(authority.split(","), 1)]
    if len(found) > MAX_SERVERS:
        raise ValueError(f"it names {len(found)} servers, and at most {MAX_SERVERS} may be")
    people = {people for people, _ in found if people is not None}
    if len(people) > 1:
        raise ValueError("it names two users: write user and password once, before the first host")
    servers = tuple(dict.fromkeys(f"{scheme.lower()}://{place}" for _, place in found))
    who, mask = _who(people.pop() if people else None)
    hosts = ",".join(each.partition("://")[2] for each in servers)
    text = f"{scheme.lower()}://{mask}{hosts}{'?' + query if query else ''}"
    return UrlParts(servers, *who, options, text)


def _split(rest: str) -> tuple[str, str, str]:
    """Return authority, path and query of what follows the scheme."""
    before, _, query = rest.partition("?")
    authority, slash, path = before.partition("/")
    return authority, slash + path, query


def _options(query: str) -> dict[str, str]:
    try:
        pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query))
    except ValueError:
        raise ValueError("the part behind ? is not NAME=VALUE, with & between several") from None
    options = dict(pairs)
    known = f"the options are {', '.join(OPTIONS)}"
    if len(options) < len(pairs):
        raise ValueError("an option stands in it twice")
    for name, value in options.items():
        if name not in OPTIONS:
            raise ValueError(f"there is no option {name!r:.40}; {known}")
        if not value or not value.isprintable():
            raise ValueError(f"the option {name} has no value that can be printed")
    if "creds" in options and "nkey" in options:
        raise ValueError("creds and nkey are two ways to say who you are: name one")
    return options


def _server(text: str, number: int, url: str) -> tuple[str | None, str]:
    """Return user and password of a server as they stand there, or None, and `host:port`."""
    people, at, place = text.rpartition("@")
    found = _PLACE.fullmatch(place)
    if not place:
        raise ValueError(f"it names no host; {_hint(url)}")
    if found is None:
        raise ValueError(f"server {number} is not HOST or HOST:PORT; {_hint(url)}")
    host = found["host"] or _checked_ip6(found["ip6"])
    port = int(found["port"] or _DEFAULT_PORT)
    if not 0 < port <= 65_535:
        raise ValueError(f"server {number} has no port from 1 to 65535; {_hint(url)}")
    if at and not people:
        raise ValueError(f"nothing stands before @; {_hint(url)}")
    return people if at else None, f"{host_in_url(host)}:{port}"


def _checked_ip6(host: str) -> str:
    try:
        return str(ipaddress.IPv6Address(host.replace("%25", "%")))
    except ValueError:
        raise ValueError(f"what stands in brackets is no IPv6 address; {FORM}") from None


def _who(people: str | None) -> tuple[tuple[str, str | None, str], str]:
    """Return (user, password, token), and how they are shown."""
    if people is None:
        return ("", None, ""), ""
    user, colon, password = people.partition(":")
    if not colon:
        return ("", None, unquote(user)), f"{_MASK}@"
    if not user or ":" in password or "@" in people:
        raise ValueError(f"user and password are not USER:PASSWORD; {_ESCAPES}")
    return (unquote(user), unquote(password), ""), f"{user}:{_MASK}@"


def _hint(url: str) -> str:
    return _ESCAPES if "@" in url else FORM
