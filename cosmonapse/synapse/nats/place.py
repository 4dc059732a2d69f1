"""Where a nats-server is, and what it is shown. Page: docs/nats.md, "Rights"."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from typing import Any, Self

import attrs

from ...errors import InvalidName, InvalidUrl
from ...names import checked_name
from . import subjects
from .cli_contexts import read_cli_context
from .credentials import FILES, Credentials, whole_path
from .server_conf import inbox_of
from .url_parts import SCHEMES, UrlParts, read_url, shown


@attrs.frozen(eq=False)
class NatsPlace:
    """Where the nats-servers of a fabric are, and what they are shown. Neither repr has a secret.

    Args:
        servers: Each as `nats://host:port` or `tls://host:port`, in the order of the URL.
        user: The user in the subjects; empty for none.
        text: The URL, with password or token masked: it may be printed.
        url: The URL as it was given.
    """

    servers: tuple[str, ...]
    user: str
    text: str
    url: str = attrs.field(repr=False)
    _credentials: Credentials = attrs.field(repr=False)
    _tls: ssl.SSLContext | None = attrs.field(repr=False)

    @classmethod
    def of(cls, url: str, creds: str | None = None) -> Self:
        """Return the place behind a URL.

        Args:
            url: `nats://[user:password@|token@]host[:port][,host[:port]...]`, or `tls://` so that
                everything is encrypted. Behind a `?` may stand `creds=FILE` (credentials of NATS),
                `nkey=FILE` (the seed of an nkey), `ca=FILE`, `cert=FILE` and `key=FILE` (TLS),
                `user=NAME` (the user in the subjects), and `context=NAME`: a context of the
                command `nats`; then no host is needed, and what else the URL says counts first.
            creds: The path of a file of credentials, which counts before what the URL says.

        Raises:
            InvalidUrl: It is invalid, or a file that it names cannot be used; the text names the
                bad part and its right form, and no secret.
            MissingExtra: The package `nkeys` is not installed, which the credentials need.
        """
        if not isinstance(url, str):
            raise InvalidUrl(f"{url!r:.100}", f"it is of type {type(url).__name__}")
        try:
            return cls._of(url, creds)
        except ValueError as error:
            raise InvalidUrl(shown(url), str(error)) from None

    @classmethod
    def _of(cls, url: str, creds: str | None) -> Self:
        parts = read_url(url)
        servers, credentials = parts.servers, _of_url(parts, Credentials())
        if "context" in parts.options:
            servers, credentials = _with_context(parts)
        if creds is not None:
            credentials = credentials.having(creds=whole_path(creds))
        named = credentials.named_user()  # reads the files in any case
        tls = credentials.tls(is_wanted=any(each.startswith("tls:") for each in servers))
        user = _checked_user(parts.options.get("user", named))
        return cls(servers, user, parts.text, url, credentials, tls)

    @property
    def options(self) -> Mapping[str, Any]:
        """Keyword arguments of `nats.aio.client.Client.connect`: read it anew for each connection.

        With TLS they prove for one connection that it was encrypted before a password was said.
        """
        options = self._credentials.options(self._tls)
        if self.user:
            options.setdefault("inbox_prefix", inbox_of(self.user))
        return options

    @property
    def identity(self) -> str:
        """What is shown to a nats-server, for people and without a secret; empty for nothing."""
        return self._credentials.identity

    @property
    def has_password(self) -> bool:
        """Return whether that is a user with a password."""
        return "password" in self.options

    @property
    def token(self) -> str:
        """The user as one token of a subject."""
        return subjects.token(self.user) if self.user else subjects.NO_USER


def _of_url(parts: UrlParts, beside: Credentials) -> Credentials:
    """Return the credentials of a URL; what it does not say is as in others."""
    if parts.password is not None or parts.token:
        if "creds" in parts.options or "nkey" in parts.options:
            raise ValueError("it says twice who you are: name a user or a token, or a file")
        beside = attrs.evolve(
            beside,
            user=parts.user,
            password=parts.password,
            token=parts.token,
            creds="",
            nkey="",
        )
    files = {each: whole_path(parts.options[each]) for each in FILES if each in parts.options}
    return beside.having(**files)


def _with_context(parts: UrlParts) -> tuple[tuple[str, ...], Credentials]:
    """Return servers and credentials of a URL that names a context of the command `nats`."""
    name = parts.options["context"]
    try:
        urls, beside = read_cli_context(name)
        own = read_url(_one_url(urls))
        if own.password is not None or own.token:
            beside = _of_url(own, beside)
    except ValueError as error:
        raise ValueError(f"the NATS context {name!r:.100}: {error}") from None
    return parts.servers or own.servers, _of_url(parts, beside)


def _one_url(urls: str) -> str:
    """Return a list of URLs, as that command takes them, as one URL."""
    each = [one.strip() for one in urls.split(",")]
    schemes = {one.partition("://")[0] if "://" in one else SCHEMES[0] for one in each}
    scheme = schemes.pop() if len(schemes) == 1 else "tls" if schemes == set(SCHEMES) else "?"
    return f"{scheme}://" + ",".join(one.partition("://")[2] or one for one in each)


def _checked_user(user: str) -> str:
    """Return a user that may stand in a subject.

    Raises:
        ValueError: It may not.
    """
    if not user:
        return ""
    try:
        if user != subjects.NO_USER:
            return checked_name("user", user)
    except InvalidName:
        pass
    raise ValueError(
        f"the user {user!r:.140} cannot stand in a subject of NATS: add ?user=NAME, 1 to 128 "
        "characters of A-Z a-z 0-9 . _ -, and give that NAME rights on the nats-server"
    )
