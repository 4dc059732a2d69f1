"""The directed plane on plain sockets in the loop of the proxy: a ROUTER that speaks ZMTP itself.

Spec: docs/spec/10-zmtp.md, "At the proxy"; docs/spec/04-liveness.md. Who must be cut when is
decided by `timeouts` and `unanswered`, what may wait by `send_queue`.
"""

from __future__ import annotations

import functools
import socket as network
from collections import Counter
from collections.abc import Callable, Hashable
from itertools import count
from typing import Any, Final

from ..access.origin import Origin
from ..errors import ZmtpFault
from ..loggers import logger_of
from ..sockets import plain
from ..sockets.endpoints import one_form_of
from ..sockets.options import ONLY_THIS_USER
from ..sockets.sent import Sent
from ..zmtp.connection import PROXY
from ..zmtp.frame_reader import Message
from ..zmtp.send_queue import SendQueue, SharedBytes
from .counter_names import FULL
from .directed_plane import OnEnd, OnMessage, OnWritable
from .peer_connection import PeerConnection
from .poller import READ, WRITE, Poller
from .read_sizes import LARGE_BYTES, MANY, next_read_bytes
from .settings import Settings
from .timeouts import Timeouts
from .unanswered import Segments, Unanswered

_LOG = logger_of(__name__)
# As plain names: an attribute of an enum class costs a lookup in its metaclass.
_OK = Sent.OK
_ACCEPTS = 64
_READS = 4
"""Reads of one connection in one turn."""
_ENVELOPE_BYTES = 64 * 1024
_SMALL_BYTES = 4096
_LOOK_TICKS: Final = 2
_RECOUNT_TICKS: Final = 20
STRANGERS_BYTES: Final = 64 * 1024 * 1024
"""What strangers together may have sent of messages that are not whole."""


class ZmtpRouter:
    """See `directed_plane.DirectedPlane`.

    Args:
        settings: Timeouts and limits.
        poller: Says when to read, and when to write on.
        counts: Where connections are counted.
        on_message: Gets each message.
        on_end: Gets the end of each connection.
        is_admitted: Tells whether a client said HELLO over a connection, and over no newer one.
        on_writable: Gets each connection that has room again after a message found none.
    """

    reports_ends = True

    def __init__(
        self,
        settings: Settings,
        poller: Poller,
        counts: Counter[str],
        on_message: OnMessage,
        on_end: OnEnd,
        is_admitted: Callable[[bytes], bool],
        on_writable: OnWritable,
    ) -> None:
        self._settings = settings
        self._poller = poller
        self._counts = counts
        self._on_message = on_message
        self._on_end = on_end
        self._is_admitted = is_admitted
        self._on_writable = on_writable
        self._max_bytes = settings.max_body_bytes + _ENVELOPE_BYTES
        self._names = count(1)
        self._ticks = 0
        self._ticked_at_s = 0.0
        self._listeners: list[network.socket] = []
        self._resting: list[network.socket] = []
        self._by_name: dict[bytes, PeerConnection] = {}
        self._waiting = SharedBytes(settings.max_waiting_bytes_of_all)
        self._held = SharedBytes(settings.max_waiting_bytes_of_all)
        self._held_of_strangers = SharedBytes(STRANGERS_BYTES)
        self._greeting: Timeouts[PeerConnection] = Timeouts(settings.handshake_s)
        self._strangers: Timeouts[PeerConnection] = Timeouts(settings.hello_s)
        self._stuck: Timeouts[PeerConnection] = Timeouts(settings.unread_s)
        self._unheard: set[PeerConnection] = set()

    # -- the port --------------------------------------------------------------------------------

    @property
    def waiting_bytes(self) -> int:
        """See `DirectedPlane`."""
        return self._waiting.used

    def listen_on(self, host: str, port: int) -> int:
        """See `DirectedPlane`."""
        listener = plain.listen_on(host, port)
        self._listen(listener)
        return int(listener.getsockname()[1])

    def listen_at(self, file: str, mode: int = ONLY_THIS_USER) -> None:
        """See `DirectedPlane`."""
        self._listen(plain.listen_at(file, mode))

    def send(self, connection: bytes, head: bytes, body: Any) -> Sent:
        """See `DirectedPlane`."""
        peer = self._by_name.get(connection)
        if peer is None or peer.is_mute:
            return Sent.UNREACHABLE
        over = peer.send(head, body)
        if over:
            if over in FULL:
                self._counts[FULL[over]] += 1
            peer.was_refused = True
            return Sent.BUSY
        if peer.is_mute:
            return Sent.UNREACHABLE
        if peer.queue.bytes and not peer.is_stuck:
            self._wait_for_room(peer)
        if not peer.is_unheard:
            peer.is_unheard = True
            self._unheard.add(peer)
        return _OK

    def cut(self, line: Hashable) -> bool:
        """See `DirectedPlane`."""
        peer = self._by_name.get(line) if isinstance(line, bytes) else None
        if peer is not None:
            self._end(peer, self._ticked_at_s)
        return peer is not None

    def cut_all(self) -> None:
        """See `DirectedPlane`."""
        for peer in [*self._by_name.values()]:
            self._end(peer, self._ticked_at_s)

    def reintroduce(self) -> None:
        """See `DirectedPlane`; a proxy with keys has another one."""

    def tick(self, now_s: float) -> None:
        """See `DirectedPlane`."""
        self._ticks += 1
        self._ticked_at_s = now_s
        for listener in self._resting:
            self._watch(listener)
        self._resting.clear()
        for peer in self._greeting.overdue(now_s):
            self._cut(peer, "drop.handshake", "it did not finish the handshake", now_s)
        for peer in self._strangers.overdue(now_s):
            if not self._admit_if_known(peer):
                self._cut(peer, "cut.no_hello", "it did not say HELLO", now_s)
        for peer in self._stuck.overdue(now_s):
            self._cut(peer, "cut.unread", "it does not read what waits for it", now_s)
        if self._ticks % _LOOK_TICKS == 0:
            self._cut_dead_hosts(now_s)
        if self._ticks % _RECOUNT_TICKS == 0:
            self._find_superseded(now_s)

    def close(self) -> None:
        """See `DirectedPlane`. What the kernel has taken is still delivered."""
        for listener in self._listeners:
            if listener not in self._resting:
                self._poller.forget(listener.fileno())
            listener.close()
        self._listeners.clear()
        for peer in self._by_name.values():
            self._poller.forget(peer.descriptor)
            peer.part()
        self._by_name.clear()

    # -- listening -------------------------------------------------------------------------------

    def _listen(self, listener: network.socket) -> None:
        self._listeners.append(listener)
        self._watch(listener)

    def _watch(self, listener: network.socket) -> None:
        self._poller.watch(listener.fileno(), functools.partial(self._accept, listener))

    def _accept(self, listener: network.socket, now_s: float, events: int, alone: bool) -> None:
        """Accept a bounded number of connections."""
        for _ in range(_ACCEPTS):
            try:
                socket, address = listener.accept()
            except (BlockingIOError, ConnectionError):  # none, or one that has left already
                return
            except OSError:
                # No descriptor is left, which the look of each tick counts. Those that wait would
                # keep the loop busy: try again at the next tick.
                self._poller.forget(listener.fileno())
                self._resting.append(listener)
                return
            self._counts["connection.accepted"] += 1
            self._add(socket, address, now_s)

    def _add(self, socket: network.socket, address: Any, now_s: float) -> None:
        try:
            socket.setblocking(False)
            if socket.family != network.AF_UNIX:
                plain.tune(socket)
        except OSError:  # it has left already
            socket.close()
            self._counts["connection.closed"] += 1
            return
        settings = self._settings
        queue = SendQueue(self._waiting, settings.high_water, settings.max_waiting_bytes)
        name = next(self._names).to_bytes(8, "big")
        self._ticked_at_s = max(self._ticked_at_s, now_s)  # there may have been no tick yet
        peer = PeerConnection(
            name, socket, self._max_bytes, queue, self._held_of_strangers, self._on_ready
        )
        host = one_form_of(address[0]) if isinstance(address, tuple) else "ipc"
        peer.origin = Origin(host=host, line=name)
        self._by_name[name] = peer
        self._greeting.begin(peer, now_s)
        self._poller.watch(peer.descriptor, peer.on_ready)
        peer.write(PROXY.opening)

    # -- one connection --------------------------------------------------------------------------

    def _on_ready(self, peer: PeerConnection, now_s: float, events: int, alone: bool) -> None:
        try:
            if events & WRITE and peer.is_stuck:
                self._write_on(peer, now_s)
            if events & READ:
                self._receive(peer, now_s, alone)
        except Exception:  # noqa: BLE001  # the last door: it may end a connection, not the proxy
            _LOG.exception("a connection could not be handled and is ended")
            self._cut(peer, "drop.engine_fault", "it could not be handled", now_s)

    def _receive(self, peer: PeerConnection, now_s: float, alone: bool) -> None:
        """Read a bounded number of bytes, and hand over the messages in them."""
        messages = peer.receive()
        zmtp = peer.zmtp
        plain_passage = (
            0 < len(messages) <= MANY
            and peer.read_bytes < peer.max_read
            and peer.read_bytes < _SMALL_BYTES
            and not zmtp.answers
            and peer.has_greeted
            and not peer.held_bytes
            and zmtp.fault is None
        )
        if not plain_passage:
            self._receive_more(peer, messages, now_s)
            return
        alone = alone and len(messages) == 1
        for message in messages:
            self._on_message(peer.name, message, now_s, alone, peer.origin)

    def _receive_more(self, peer: PeerConnection, messages: list[Message], now_s: float) -> None:
        """Hand over messages and read on, as there may be more; then look at the connection."""
        for read in range(_READS):
            if read:
                messages = peer.receive()
            for message in messages:
                self._on_message(peer.name, message, now_s, False, peer.origin)
            self._choose_read(peer, len(messages))
            if peer.read_bytes < LARGE_BYTES or peer.zmtp.fault is not None:
                break
        if peer.zmtp.was_open and not peer.has_greeted:
            peer.has_greeted = True
            self._counts["connection.greeted"] += 1
            self._greeting.end(peer)
            self._strangers.begin(peer, now_s)
        if peer.zmtp.fault is not None:
            self._cut_for(peer.zmtp.fault, peer, now_s)
        elif peer.has_ended:
            if not peer.has_greeted:
                self._counts["drop.handshake"] += 1
            self._end(peer, now_s)
        else:
            self._look_at(peer, now_s)

    def _choose_read(self, peer: PeerConnection, messages: int) -> None:
        """Choose the size of the next read, by what the last one had."""
        is_client = peer.held is self._held or self._admit_if_known(peer)
        peer.max_read = next_read_bytes(peer.max_read, peer.read_bytes, messages, is_client)

    def _look_at(self, peer: PeerConnection, now_s: float) -> None:
        if peer.zmtp.answers:
            peer.answer()
        if peer.queue.bytes and not peer.is_stuck:
            self._wait_for_room(peer)
        peer.charge()
        if peer.held_bytes and not peer.held.has_room(0):
            text = "all messages that are not whole hold too many bytes, and it sent some last"
            self._cut(peer, "cut.unfinished", text, now_s)

    def _wait_for_room(self, peer: PeerConnection) -> None:
        peer.is_stuck = True
        self._poller.change(peer.descriptor, READ | WRITE)
        self._stuck.begin(peer, self._ticked_at_s)

    def _write_on(self, peer: PeerConnection, now_s: float) -> None:
        if peer.write_on():
            self._stuck.begin(peer, now_s)
        if peer.zmtp.answers:
            peer.answer()
        if not peer.queue.bytes:
            peer.is_stuck = False
            self._stuck.end(peer)
            self._poller.change(peer.descriptor, READ)
        if peer.was_refused and peer.queue.has_room and not peer.is_mute:
            peer.was_refused = False
            self._on_writable(peer.name, now_s)

    # -- ends ------------------------------------------------------------------------------------

    def _admit_if_known(self, peer: PeerConnection) -> bool:
        """Make a stranger a client, if it has said HELLO; tell whether it has."""
        if not self._is_admitted(peer.name):
            return False
        self._strangers.end(peer)
        peer.charge_to(self._held)
        return True

    def _find_superseded(self, now_s: float) -> None:
        """Make a stranger of a connection whose client has a newer one, or has left."""
        for peer in self._by_name.values():
            known = self._is_admitted(peer.name)
            if peer.has_greeted and not known and peer not in self._strangers:
                peer.charge_to(self._held_of_strangers)
                self._strangers.begin(peer, now_s)

    def _cut_dead_hosts(self, now_s: float) -> None:
        """Look at those that sent nothing since something was written to them."""
        unheard, self._unheard = self._unheard, set()
        for peer in unheard:
            counted = plain.segments(peer.socket) if peer.is_unheard else None
            if counted is None:
                peer.unanswered = None
                continue
            segments, before = Segments(*counted), peer.unanswered
            if before is not None and before.is_dead(segments, now_s):
                self._cut(peer, "cut.silent_host", "its host does not answer", now_s)
                continue
            peer.unanswered = Unanswered.look(before, segments, now_s)
            if peer.unanswered is None:
                peer.is_unheard = False
            else:
                self._unheard.add(peer)

    def _cut_for(self, fault: ZmtpFault, peer: PeerConnection, now_s: float) -> None:
        counter = "cut.fault" if peer.has_greeted else "drop.handshake"
        self._cut(peer, counter, str(fault), now_s)

    def _cut(self, peer: PeerConnection, counter: str, why: str, now_s: float) -> None:
        """End a connection for a reason of ours."""
        self._counts[counter] += 1
        _LOG.info("a connection is cut: %s", why)
        self._end(peer, now_s)

    def _end(self, peer: PeerConnection, now_s: float) -> None:
        if self._by_name.pop(peer.name, None) is None:
            return
        self._counts["connection.closed"] += 1
        self._poller.forget(peer.descriptor)
        for timeouts in (self._greeting, self._strangers, self._stuck):
            timeouts.end(peer)
        self._unheard.discard(peer)
        peer.close()
        if peer.has_greeted:
            self._on_end(peer.name, now_s)
