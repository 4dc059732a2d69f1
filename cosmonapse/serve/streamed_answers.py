"""Streamed answers of a gateway: they end when their client leaves, or when the gateway ends."""

from __future__ import annotations

import asyncio
from typing import Any

from starlette.types import Receive, Scope, Send

from ..edge import sse
from ..edge.reader import SignalReader
from ..edge.starlette_answers import SignalsResponse, events
from ..errors import DendriteProtocolError, NeedsAnswer, NeuronError
from ..http_server.timed_http import connection_of
from ..signals import Signal
from .gateway import Gateway


class StreamedTask(SignalsResponse):
    """The Signals of one task.

    Args:
        gateway: Ends it when it ends itself.
        reader: Reads the Signals; it is closed at the end.
        as_text: True for the bare texts, False for server-sent events.
    """

    def __init__(self, gateway: Gateway, reader: SignalReader, *, as_text: bool) -> None:
        super().__init__(reader, as_text)
        self._gateway = gateway
        self._opened = reader

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        try:
            async with self._gateway.open(self._opened):
                await super().__call__(scope, receive, send)
        except (NeuronError, NeedsAnswer, DendriteProtocolError):
            # A text stream cannot carry a failure: its connection ends early.
            connection = connection_of(scope)
            if connection is None:
                raise
            connection.cut()
            await asyncio.sleep(0)  # the server notices


class StreamedTrace(StreamedTask):
    """The Signals of a whole trace, each with its sender.

    Args:
        gateway: Ends it when it ends itself.
        reader: Reads the Signals; it is closed at the end.
    """

    def __init__(self, gateway: Gateway, reader: SignalReader) -> None:
        super().__init__(gateway, reader, as_text=False)
        self.body_iterator = events(reader, _event)


def _event(signal: Signal, missed: int) -> bytes:
    return sse.gap(missed) + sse.event(signal.type.value.lower(), _told(signal))


def _told(signal: Signal) -> dict[str, Any]:
    return {
        "id": signal.id,
        "parent_id": signal.parent_id,
        "neuron": None if signal.directed is None else signal.directed.id,
        "ts": signal.ts,
        "payload": signal.payload,
    }
