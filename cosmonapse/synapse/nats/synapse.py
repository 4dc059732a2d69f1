"""A Synapse on NATS. Page: docs/nats.md."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from nats.aio.msg import Msg

import zmq_transport as wire_side
from zmq_transport.client.handshake import waiting
from zmq_transport.errors import WireError

from ..adapter import ClientSynapse, ErrorContext, mapped
from . import subjects
from .carrier import NatsCarrier, no_server
from .errors_of import Fault, refused
from .line import NatsLine, is_no_responders
from .listening_line import REFUSALS
from .place import NatsPlace
from .shares import unpack_beat

EMPTY: Final = "nats-server answers, but no Synapse"
"""How the reason begins when nobody serves at a nats-server."""
_ASK_AGAIN_S: Final = 0.2
_REMEDIES: Mapping[wire_side.Cause, str] = MappingProxyType(
    {
        wire_side.Cause.NOBODY: (
            "start a nats-server there, or check the URL; beside it run {start}"
        ),
        wire_side.Cause.STRANGER: "run {start}, or check the URL",
        wire_side.Cause.BROADCAST: (
            "whoever listens needs a second connection: raise 'max_connections' of the nats-server"
        ),
        wire_side.Cause.SLOW: (
            "the Synapse, the nats-server or this machine is busy: allow more time with timeout_s; "
            "if no Synapse runs any more, run {start}"
        ),
    }
)


class NatsSynapse(ClientSynapse):
    """A Synapse behind a nats-server; see `cosmonapse.transport.Synapse`.

    Args:
        place: Where the nats-servers are, and what they are shown.
    """

    def __init__(self, place: NatsPlace) -> None:
        self._place = place
        # Not the URL of this user: that may not serve, and its password is masked.
        start = f"'cosmo synapse start {place.servers[0]}'"
        if place.identity:
            start += ", with the credentials of the Synapses"

        def remedy(cause: wire_side.Cause) -> str:
            return _REMEDIES.get(cause, _REMEDIES[wire_side.Cause.STRANGER]).format(start=start)

        super().__init__(ErrorContext(place.text, remedy))

    def carrier(self, namespace: str, max_signal_bytes: int) -> NatsCarrier:
        """Return a carrier for one connection."""
        return NatsCarrier(self._place, namespace)

    async def connect(self, timeout_s: float | None) -> None:
        """See the port: it returns when any Synapse answers there."""
        search = _Search(self._place)
        with mapped(self.where):
            try:
                async with (
                    asyncio.timeout(timeout_s),
                    waiting(timeout_s, self.where.log_wait, search.unreachable),
                ):
                    await search.found
            except TimeoutError:
                raise search.unreachable() from None
            finally:
                await search.close()


class _Search:
    """Asks a nats-server for a Synapse until one answers; its events are those of a line."""

    def __init__(self, place: NatsPlace) -> None:
        self._place = place
        self._loop = asyncio.get_running_loop()
        self.found: asyncio.Future[None] = self._loop.create_future()
        self._is_empty = False
        self._inbox = ""
        self._line = NatsLine(place, "cosmo looks for a Synapse", self)
        self._line.start()
        self._timer = self._loop.call_later(_ASK_AGAIN_S, self._ask_again)

    def on_up(self) -> None:
        """Ask."""
        self._inbox = self._line.new_inbox()
        self._line.subscribe(self._inbox, self._on_answer)
        self._ask()

    def on_down(self, why: str) -> None:
        """Wait for the next connection."""

    def on_fault(self, fault: Fault) -> None:
        """Give up: another attempt would be refused as well."""
        if fault.kind in (*REFUSALS, "tls") and not self.found.done():
            self.found.set_exception(refused(self._place, fault, ""))

    def _ask(self) -> None:
        if self._inbox:
            self._line.publish(subjects.WHO, b"", self._inbox)

    def _ask_again(self) -> None:
        self._timer = self._loop.call_later(_ASK_AGAIN_S, self._ask_again)
        self._ask()

    def _on_answer(self, message: Msg) -> None:
        if is_no_responders(message):
            self._is_empty = True
            return
        try:
            unpack_beat(message.data)
        except WireError as error:
            if not self.found.done():
                self.found.set_exception(
                    wire_side.Refused(self._place.text, f"it is of another version: {error}")
                )
            return
        if not self.found.done():
            self.found.set_result(None)

    def unreachable(self) -> wire_side.Unreachable:
        """Return what was seen so far."""
        where = self._place.text
        if not self._line.is_connected:
            return wire_side.Unreachable(where, no_server(self._line), wire_side.Cause.NOBODY)
        if self._is_empty:
            text = f"{EMPTY} is there"
            return wire_side.Unreachable(where, text, wire_side.Cause.STRANGER)
        return wire_side.Unreachable(where, f"{EMPTY} did in time")

    async def close(self) -> None:
        """End the search."""
        self._timer.cancel()
        if self.found.done() and not self.found.cancelled():
            self.found.exception()  # asyncio must not report it where nobody waited for it
        self._line.close()
        await self._line.closed()
