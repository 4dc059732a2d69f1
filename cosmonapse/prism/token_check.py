"""The token of Prism: exchanged once for a cookie, and compared in constant time. Pure.

The address that Prism prints has the token. The first request with it gets the cookie and a page
that leads on to `/`, so that the token stays in no address. That page, and no redirect of HTTP: a
browser that came by a link on another site would not send a cookie of `SameSite=Strict` along.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from urllib.parse import parse_qsl

from .guard import EarlyAnswer

PARAMETER = "token"
_ENTRY = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><title>Prism</title>'
    '<meta http-equiv="refresh" content="0; url=/"><p><a href="/">Prism</a></p></html>\n'
)
_MISSING = (
    "this Prism wants its token: open the address with ?token=... that it printed when it started"
)
_WRONG = (
    "that is not the token of this Prism, which makes a new one at each start: open the address "
    "that it printed"
)
_BEARER = "bearer "


class TokenCheck:
    """Lets those in who have the token.

    Args:
        token: Characters of a URL only.
        port: The port of Prism: a browser sends a cookie to every port of a host.
    """

    def __init__(self, token: str, port: int) -> None:
        self._token = token.encode()
        self._name = f"prism-{port}"
        # Another server on this host may see the cookie, and cannot print our address from it.
        digest = hashlib.blake2b(self._token, digest_size=32, person=b"prism cookie")
        self._cookie = digest.hexdigest().encode()

    def __repr__(self) -> str:
        return "TokenCheck(...)"

    def answer(
        self, path: str, query: bytes, headers: Iterable[tuple[bytes, bytes]]
    ) -> EarlyAnswer | None:
        """Return the refusal of a request, or the page that exchanges the token; None: let it in.

        Args:
            path: The path, decoded.
            query: What follows the `?`.
            headers: Its headers, in any case of letters.
        """
        given = self._given(query) if path == "/" else []
        if any(hmac.compare_digest(each, self._token) for each in given):
            cookie = f"{self._name}={self._cookie.decode()}; Path=/; HttpOnly; SameSite=Strict"
            return EarlyAnswer(200, _ENTRY, {"set-cookie": cookie}, "text/html")
        if self._is_known(headers):
            return None
        return EarlyAnswer(401, _WRONG if given else _MISSING, {"www-authenticate": "Bearer"})

    def _given(self, query: bytes) -> list[bytes]:
        pairs = parse_qsl(query.decode("latin-1"), keep_blank_values=True)
        return [value.encode("utf-8", "replace") for name, value in pairs if name == PARAMETER]

    def _is_known(self, headers: Iterable[tuple[bytes, bytes]]) -> bool:
        for name, value in headers:
            match name.lower():
                case b"cookie":
                    for cookie in value.split(b";"):
                        key, _, text = cookie.strip().partition(b"=")
                        is_ours = key.decode("latin-1") == self._name
                        if is_ours and hmac.compare_digest(text, self._cookie):
                            return True
                case b"authorization" if value[:7].lower() == _BEARER.encode():
                    if hmac.compare_digest(value[7:].strip(), self._token):
                        return True
        return False
