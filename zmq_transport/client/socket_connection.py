"""One ZMTP connection of a client on a plain socket, from the attempt to its end.

Spec: docs/spec/10-zmtp.md, 06-sockets.md. Hot: one read and one write a message.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from ..kernel import encode_message
from ..kernel.items import ITEMS_AT
from ..loggers import logger_of
from ..sockets.sent import Sent
from ..wire.heads import Verb
from ..zmtp.connection import CLIENT, Connection, ConnectionState
from ..zmtp.frame_reader import Message
from ..zmtp.frame_writer import JOIN_BELOW_BYTES, PING, PROBE, message_start
from ..zmtp.silence import ASK_S, Finding, Silence
from .carrier import MessageEvents
from .dial_plan import Attempt
from .line import LineEvents
from .plain_socket import SILENT_ERRORS, check_connected, connecting, reset_at_close, tune
from .socket_writer import SocketWriter

_LOG = logger_of(__name__)
# As plain names: an attribute of an enum class costs a lookup in its metaclass.
_OK = Sent.OK
_BUSY = Sent.BUSY
_HEARTBEAT = bytes((Verb.HEARTBEAT,))
READ_BYTES: Final = 64 * 1024
"""One read. A larger buffer is mapped and unmapped by the system at each read: 14 us."""
_HANDSHAKE_LOOK_S: Final = 0.05
READS: Final = 4
"""Reads in one turn of the loop; the rest is read after what else the loop has to do."""


class SocketConnection:
    """The socket of one attempt.

    Args:
        events: Receives the messages.
        line_events: Hears of the connection.
        max_bytes: Limit of the frames of a message together, in bytes.

    Raises:
        OSError: The attempt failed at once.
    """

    def __init__(
        self, attempt: Attempt, events: MessageEvents, line_events: LineEvents, max_bytes: int
    ) -> None:
        self._events = events
        self._line_events = line_events
        self._zmtp = Connection(CLIENT, max_bytes)
        self._loop = asyncio.get_running_loop()
        self._socket = connecting(attempt.address)
        self._fd = self._socket.fileno()
        self._recv = self._socket.recv
        self._handshake_s = attempt.handshake_s
        self._until_s = 0.0
        self._writer = SocketWriter(self._socket, events.on_writable)
        self._silence: Silence
        self._ping = b""
        self._is_heard = self._is_awaited = self._is_closed = False
        self._is_open = self._checks_soon = False
        self._timer = self._loop.call_later(attempt.connect_s, self._end)
        self._loop.add_writer(self._fd, self._on_connected)

    # -- its life --------------------------------------------------------------------------------

    def close(self, *, reset: bool = False) -> None:
        """Release everything now, without an event.

        Args:
            reset: True to let the system send nothing more of what waits there.
        """
        if self._is_closed:
            return
        self._is_closed = True
        self._is_open = False
        self._timer.cancel()
        self._writer.close()
        self._loop.remove_writer(self._fd)
        self._loop.remove_reader(self._fd)
        if reset:
            reset_at_close(self._socket)
        self._socket.close()

    def _end(self, *, is_silent: bool = False) -> None:
        if not self._is_closed:
            # 12, What remains open: a task that waits here goes over the next connection.
            self.close(reset=True)
            self._line_events.on_down(is_silent=is_silent)

    def _on_connected(self) -> None:
        self._loop.remove_writer(self._fd)
        try:
            check_connected(self._socket)
            self._silence = Silence(is_watched=tune(self._socket))
        except OSError:
            self._end()
            return
        self._until_s = self._loop.time() + self._handshake_s
        self._set_timer(_HANDSHAKE_LOOK_S, self._await_handshake)
        self._loop.add_reader(self._fd, self._on_readable)
        self._writer.write(CLIENT.opening)
        self._line_events.on_connected()

    def _await_handshake(self) -> None:
        # uvloop tells a reader of no reset, and whom a far end with keys refuses it resets.
        self._on_readable()
        if self._is_open or self._is_closed:
            return
        if self._loop.time() >= self._until_s:
            self._end()
        else:
            self._set_timer(_HANDSHAKE_LOOK_S, self._await_handshake)

    def _on_open(self) -> None:
        self._is_open = True
        self._ping = PING if self._zmtp.minor else b""
        self._writer.write(PROBE)
        self._check_later()
        self._line_events.on_established()
        self._events.on_writable()

    def _check(self) -> None:
        # Read first: what came while the loop was blocked is a sign of life, too.
        self._on_readable()
        if self._is_closed:
            return
        if self._writer.is_broken:
            self._end()
            return
        # A peer of ZMTP 3.0 knows no PING: it cannot be asked, so its silence says nothing.
        is_heard = self._is_heard or self._writer.has_written or not self._zmtp.minor
        found = self._silence.check(is_heard=is_heard, is_awaited=self._is_awaited)
        self._is_heard = self._writer.has_written = False
        if found is Finding.GONE:
            self._end(is_silent=True)
            return
        if found is Finding.SILENT:
            self._writer.write(self._ping)
        self._check_later()

    def _check_later(self) -> None:
        self._checks_soon = self._silence.every_s == ASK_S
        self._set_timer(self._silence.every_s, self._check)

    def _check_soon(self) -> None:
        """Check in `ASK_S` seconds, as something was written."""
        self._checks_soon = True
        self._set_timer(ASK_S, self._check)

    def _set_timer(self, after_s: float, then: Callable[[], None]) -> None:
        self._timer.cancel()
        self._timer = self._loop.call_later(after_s, then)

    # -- messages --------------------------------------------------------------------------------

    def send(self, head: bytes, body: bytes) -> Sent:
        """Send a message whole or not at all."""
        writer = self._writer
        size = len(body)
        if not self._is_open or not (writer.is_free or writer.has_room(len(head) + size)):
            return _BUSY
        was_awaited, self._is_awaited = self._is_awaited, True
        if not self._checks_soon:
            self._check_soon()
        if size < JOIN_BELOW_BYTES:
            data = encode_message(head, body)
            if not was_awaited and head[ITEMS_AT : ITEMS_AT + 1] == _HEARTBEAT:
                # Nothing answers it, so the next check would ask: one write less, and one read.
                data += self._ping
            is_sent = writer.write(data)
        else:
            is_sent = writer.write_large(message_start(head, size), body)
        return _OK if is_sent else _BUSY

    def _on_readable(self) -> None:
        for _ in range(READS):
            try:
                data = self._recv(READ_BYTES)
            except BlockingIOError:
                return
            except OSError as error:
                self._end(is_silent=error.errno in SILENT_ERRORS)
                return
            if not data:
                self._end()
                return
            self._is_heard = True
            self._is_awaited = False
            messages = self._zmtp.receive(data)
            if not self._is_open and self._zmtp.state is ConnectionState.OPEN:
                self._on_open()
            if messages:
                self._hand_over(messages)
            if self._is_closed:
                return
            if self._zmtp.answers or self._zmtp.fault is not None:
                self._answer()
            if len(data) < READ_BYTES or self._is_closed:
                return

    def _hand_over(self, messages: list[Message]) -> None:
        events = self._events
        for message in messages:
            if self._is_closed:
                return
            try:
                if len(message) == 2:
                    events.on_message(*message)
                else:
                    events.on_dropped("frame_count")
            except Exception:  # noqa: BLE001  # the last door: one bad message must not end it
                _LOG.exception("a message could not be handled and is dropped")

    def _answer(self) -> None:
        """Answer what the peer asked, or end the connection for what it did."""
        zmtp = self._zmtp
        if zmtp.fault is not None:
            # Before it is open the far end may be anything: `StrangerReport` finds out and tells.
            level = logging.WARNING if self._is_open else logging.DEBUG
            _LOG.log(level, "the connection to the proxy is ended: %s", zmtp.fault)
            self._end()
        elif self._writer.has_room(len(zmtp.answers)):
            self._writer.write(zmtp.take_answers())
