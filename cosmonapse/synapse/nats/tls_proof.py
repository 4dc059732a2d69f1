"""Say nothing to a nats-server that should speak TLS and does not.

nats-py speaks TLS if the server asks for it, and else goes on in plain text, whatever the URL says:
who stands between the two would only have to leave "TLS required" out to read a password. So what
is said at the beginning is given as a function, which fails where no handshake came before.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable
from typing import Any, Self, TypeVar

T = TypeVar("T")


class Handshake(ssl.SSLContext):
    """The TLS of one connection: it uses another context, and knows whether it was used.

    Args:
        context: The context that does the work; many connections may share it.
    """

    def __new__(cls, context: ssl.SSLContext) -> Self:
        """Make it; a context is made here already, not in `__init__`."""
        return super().__new__(cls, ssl.PROTOCOL_TLS_CLIENT)

    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context
        self._began = False

    def wrap_bio(self, *args: Any, **named: Any) -> ssl.SSLObject:
        """Begin the handshake; asyncio and uvloop call it."""
        self._began = True
        return self._context.wrap_bio(*args, **named)

    def proven(self, value: T) -> Callable[[], T]:
        """Return a function that returns `value` if the handshake began, and fails if not.

        It then raises `nats.errors.SecureConnWantedError`.
        """

        def said() -> T:
            if not self._began:
                from nats.errors import SecureConnWantedError

                raise SecureConnWantedError
            return value

        return said
