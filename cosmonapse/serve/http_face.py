"""Neurons over plain HTTP: JSON in, JSON out, or server-sent events."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Sequence

from starlette.routing import BaseRoute

from .gateway import Gateway


class HttpFace:
    """Plain HTTP.

    Args:
        gateway: What the faces share.
    """

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    def routes(self) -> Sequence[BaseRoute]:
        """See `Face`."""
        return []

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """See `Face`."""
        yield
