"""The HTTP environment of a Neuron: certificates and proxies. Not pure.

It is read when the Neuron is made, so that a variable that cannot be used is an error there, with
its name, and not at every task.
"""

from __future__ import annotations

import os
import ssl
from collections.abc import Iterator
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import attrs

from ..runtime.extras import missing_extra

try:
    import httpx
except ImportError as error:
    raise missing_extra("httpx", "llm", error) from None

MAX_IDLE_CONNECTIONS = 64
_SCHEMES = ("http", "https", "all")
_UNUSABLE = (ValueError, ImportError, httpx.InvalidURL)


def tls_context() -> ssl.SSLContext:
    """Return the context with the certificates to trust.

    Raises:
        ValueError: SSL_CERT_FILE or SSL_CERT_DIR cannot be used.
    """
    variable = next(
        (name for name in ("SSL_CERT_FILE", "SSL_CERT_DIR") if os.environ.get(name)), ""
    )
    place = os.environ.get(variable, "")
    if variable == "SSL_CERT_DIR" and not os.path.isdir(place):  # OpenSSL takes it without a word
        raise _unusable(variable, place, "there is no such directory", "name one")
    try:
        return httpx.create_ssl_context()
    except OSError as exc:  # ssl.SSLError too
        if not variable:
            raise
        reason = f"{type(exc).__name__}: {exc.strerror or exc}"
        raise _unusable(variable, place, reason, "name a file of certificates (PEM)") from exc


def open_client(
    headers: dict[str, str], timeout_s: float, context: ssl.SSLContext
) -> httpx.AsyncClient:
    """Return a client that goes through the proxies of the environment.

    Raises:
        ValueError: A variable for proxies cannot be used.
    """
    for variable, value in _proxy_variables():
        _check_proxy(variable, value, context)
    try:
        return httpx.AsyncClient(
            headers=headers,
            timeout=timeout_s,
            verify=context,
            # the Axon's concurrency is the bound; a second one would only queue out of sight
            limits=httpx.Limits(
                max_connections=None, max_keepalive_connections=MAX_IDLE_CONNECTIONS
            ),
        )
    except _UNUSABLE as exc:  # every proxy was checked: only the list of exceptions is left
        variable = _variable_of("no") or "NO_PROXY"
        form = "list hosts and domains, an IPv6 address without brackets and length"
        raise _unusable(variable, getproxies().get("no", ""), str(exc), form) from exc


@attrs.frozen
class ProxyInUse:
    """The proxy of a URL, to name it in errors.

    Args:
        url: Its URL, without user and password.
        variable: The environment variable that names it; "" for settings of the system.
    """

    url: str
    variable: str

    def __str__(self) -> str:
        return f"the proxy {self.url}" + (f" ({self.variable})" if self.variable else "")


def proxy_in_use(url: str) -> ProxyInUse | None:
    """Return the proxy through which requests for `url` go, or None."""
    parts = urlsplit(url)
    if proxy_bypass(parts.hostname or ""):
        return None
    proxies = getproxies()
    scheme = next((each for each in (parts.scheme, "all") if proxies.get(each)), None)
    return None if scheme is None else ProxyInUse(_shown(proxies[scheme]), _variable_of(scheme))


def _proxy_variables() -> Iterator[tuple[str, str]]:
    proxies = getproxies()
    for scheme in _SCHEMES:
        if proxies.get(scheme):
            yield _variable_of(scheme) or f"{scheme.upper()}_PROXY", proxies[scheme]


def _check_proxy(variable: str, value: str, context: ssl.SSLContext) -> None:
    form = "write http://host:port, https://host:port or socks5://host:port, or unset it"
    try:
        proxy = httpx.Proxy(value if "://" in value else f"http://{value}")
        if not proxy.url.host:
            raise ValueError("it names no host")
        httpx.AsyncHTTPTransport(proxy=proxy, verify=context)
    except ImportError as exc:
        form = "run pip install 'httpx[socks]', or unset it"
        raise _unusable(variable, value, "a SOCKS proxy needs the package socksio", form) from exc
    except _UNUSABLE as exc:
        reason = str(exc) if "://" not in str(exc) else "its scheme is unknown"
        raise _unusable(variable, value, reason, form) from exc


def _variable_of(scheme: str) -> str:
    """Return the variable that is read for `scheme`: the lower-case one wins if both are set."""
    names = (f"{scheme}_proxy", f"{scheme.upper()}_PROXY")
    return next((name for name in names if os.environ.get(name)), "")


def _unusable(variable: str, value: str, reason: str, remedy: str) -> ValueError:
    return ValueError(
        f"the environment variable {variable}={_shown(value)} cannot be used: {reason}; {remedy}"
    )


def _shown(value: str) -> str:
    """Return a value without user and password."""
    scheme, separator, rest = value.rpartition("://")
    return f"{scheme}{separator}{rest.rpartition('@')[2]}"
