"""The connections of one socket of libzmq: where each comes from, when it ends, whom to cut.

Spec: docs/spec/06-sockets.md, "One connection of libzmq". The monitor of the socket says when a
connection came and ended; a message names its descriptor. `watchdog` decides whom to cut.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from struct import Struct
from typing import Any, Final

import attrs
import zmq

from ..access.origin import UNKNOWN, Origin
from ..loggers import logger_of
from ..sockets import multipart, options
from ..sockets.connection_view import (
    HAS_TRAFFIC,
    ConnectionView,
    Line,
    line_of,
    queued_bytes,
    unsent_bytes,
)
from ..sockets.endpoints import one_form_of
from .counter_names import CUTS
from .memory_monitor import MemoryMonitor
from .poller import readable
from .watchdog import WatchBounds, Watched

_LOG = logger_of(__name__)
_EVENT = Struct("=HI")
_ACCEPTED = int(zmq.EVENT_ACCEPTED)
_ENDED = int(zmq.EVENT_DISCONNECTED)
_ROUND_TICKS: Final = 10
"""Every connection is looked at once in so many ticks, as long as there are not too many."""
_MOST_LOOKS: Final = 1_000
_FEW: Final = 256
"""Up to so many connections, each look is a close one; of more, every tenth."""


@attrs.frozen
class WatchContext:
    """What the sockets of one proxy share to watch their connections.

    Args:
        counts: Where connections are counted.
        view: Looks at connections, and cuts them.
        memory: Says when the process has grown.
        user_of: With keys, returns the user behind what libzmq knows of a connection; empty for
            one that may not be here any more.
    """

    counts: Counter[str]
    view: ConnectionView
    memory: MemoryMonitor
    user_of: Callable[[str], str] | None


class LibzmqConnection(Watched):
    """One connection.

    Attributes:
        line: Its descriptor, and the inode that tells it from a later one. None for a connection
            that has ended and whose last words have come since.
        origin: Where it comes from; UNKNOWN until a message has come.
        user_id: What libzmq knows of its user, once a message has come.
        name: The connection id, of one of a ROUTER; empty until a message has come.
        is_cut: True once it was cut, until the monitor tells of its end.
    """

    __slots__ = ("is_cut", "line", "name", "origin", "user_id")

    def __init__(self, line: Line | None, now_s: float) -> None:
        super().__init__(now_s)
        self.line = line
        self.origin = UNKNOWN
        self.user_id = ""
        self.name = b""
        self.is_cut = False


class LineTable:
    """Follows the connections of one socket.

    Args:
        socket: The socket; it has a monitor from now on.
        limits: What a connection may do.
        shared: What it shares with the other sockets.

    Attributes:
        monitor: The monitor of the socket.
        on_opened: Is called with the line of each new connection.
        on_ended: Is called with each connection that has ended; some of its messages may come yet.
        is_admitted: Tells whether a client said HELLO over a connection of that id.
    """

    def __init__(
        self, socket: zmq.Socket[bytes], limits: WatchBounds, shared: WatchContext
    ) -> None:
        self._socket = socket
        self.monitor = options.watched(socket)
        self.on_opened: Callable[[Line], None] | None = None
        self.on_ended: Callable[[LibzmqConnection], None] | None = None
        self.is_admitted: Callable[[bytes], bool] | None = None
        self._limits = limits
        self._shared = shared
        self._user_of = shared.user_of
        self._by_descriptor: dict[int, LibzmqConnection] = {}
        self._round: list[LibzmqConnection] = []
        self._looks = 1
        self._rounds = 0
        self._suspects: list[LibzmqConnection] = []
        self._unlisted: list[LibzmqConnection] = []

    def __len__(self) -> int:
        """Return how many connections there are."""
        return len(self._by_descriptor)

    def close(self) -> None:
        """Follow no more; call it before the socket is closed."""
        # While the socket still writes to it, a monitor that is gone would block libzmq's thread.
        self._socket.disable_monitor()
        self.monitor.close()

    # -- who is there ----------------------------------------------------------------------------

    def follow(self, now_s: float) -> None:
        """Count connections that opened, closed or failed the handshake, and record them."""
        # Asked for each subscription: a look is cheaper than a receive that finds nothing.
        while readable(self.monitor):
            message = multipart.receive(self.monitor)
            if message is None:
                return
            event, descriptor = _EVENT.unpack_from(message[0])
            self._shared.counts[options.EVENTS[event]] += 1
            if event == _ACCEPTED:
                self._open(descriptor, now_s)
            elif event == _ENDED:
                self._end(descriptor)

    def _open(self, descriptor: int, now_s: float) -> None:
        self._end(descriptor)
        # Its end is reported before the descriptor is closed. So if this is the inode of another
        # connection already, the end of this one is among the next events.
        line = line_of(descriptor)
        if line is None:
            return
        self._by_descriptor[descriptor] = LibzmqConnection(line, now_s)
        if self.on_opened is not None:
            self.on_opened(line)

    def _end(self, descriptor: int) -> None:
        connection = self._by_descriptor.pop(descriptor, None)
        if connection is not None and self.on_ended is not None:
            self.on_ended(connection)

    def connection_of(self, frame: Any, now_s: float) -> LibzmqConnection | None:
        """Return the connection that a frame came over.

        None for a frame that libzmq made up, and for one of a peer that speaks a ZMTP older than
        3.0. For the last words of a connection that has ended it is one without a line.
        """
        try:
            descriptor = int(frame.get(zmq.SRCFD))
        except zmq.ZMQError:
            return None
        found = self._by_descriptor.get(descriptor)
        if found is None:
            self.follow(now_s)
            found = self._by_descriptor.get(descriptor)
        user_id = "" if self._user_of is None else _property(frame, "User-Id")
        if found is None or (found.origin is not UNKNOWN and found.user_id != user_id):
            found = LibzmqConnection(None, now_s)
        if found.origin is UNKNOWN:
            self._introduce(found, user_id, host_of(frame))
        return found

    def _introduce(self, connection: LibzmqConnection, user_id: str, host: str) -> None:
        """Find out where a connection comes from, at its first message."""
        user = "" if self._user_of is None else self._user_of(user_id)
        connection.user_id = user_id
        connection.origin = Origin(user, host, connection.line)
        if user_id and not user:
            # 11-access, "Revocation" 5: it came in before its key was taken away.
            self._cut_revoked(connection)

    def reintroduce(self) -> None:
        """Find the user of each connection anew; call it when another list is in force.

        One whose key is listed no longer is nobody from now on, and is cut at the next `watch`: so
        there is time to read a REFUSED.
        """
        if self._user_of is None:
            return
        for connection in self._by_descriptor.values():
            if not connection.user_id:
                continue
            user = self._user_of(connection.user_id)
            if user != connection.origin.user:
                connection.origin = attrs.evolve(connection.origin, user=user)
            if not user:
                self._unlisted.append(connection)

    def _cut_revoked(self, connection: LibzmqConnection) -> None:
        if self.cut(connection.line):
            self._shared.counts[CUTS["revoked"]] += 1

    # -- whom to cut -----------------------------------------------------------------------------

    def cut(self, line: object) -> bool:
        """End a connection; False if it is not one of this socket, or was cut before."""
        connection = self._by_descriptor.get(line[0]) if isinstance(line, tuple) else None
        if connection is None or connection.line is None or connection.line != line:
            return False
        if connection.is_cut:
            return False
        connection.is_cut = True
        self._shared.view.cut(connection.line)
        return True

    def cut_all(self) -> None:
        """End every connection."""
        for connection in [*self._by_descriptor.values()]:
            self.cut(connection.line)

    def has_room(self, connection: LibzmqConnection, size: int) -> bool:
        """Tell whether a large message may wait for a connection as well; count it if not."""
        if connection.has_room(size, self._limits) or connection.line is None:
            return True
        view = self._shared.view
        try:
            traffic = view.traffic() if view.look_at(connection.line) else None
        finally:
            view.rest()
        if traffic is None:  # it has ended, or the system does not tell
            return True
        queued = queued_bytes(connection.line[0])
        connection.note_taken(queued, traffic.acknowledged_bytes)
        has_room = connection.has_room(size, self._limits)
        self._shared.counts["full.bytes"] += not has_room
        return has_room

    def watch(self, now_s: float) -> None:
        """Look at some connections, and cut those that must be cut; call it in every tick."""
        unlisted, self._unlisted = self._unlisted, []
        for connection in unlisted:
            self._cut_revoked(connection)
        if not HAS_TRAFFIC:
            return
        closely = self._shared.memory.has_grown
        chosen = list(self._by_descriptor.values()) if closely else self._next()
        try:
            for connection in chosen:
                self._look_at(connection, closely, now_s)
        finally:
            self._shared.view.rest()

    def _next(self) -> list[LibzmqConnection]:
        """Return those to look at in this tick."""
        if not self._round:
            self._rounds += 1
            self._round = list(self._by_descriptor.values())
            self._looks = min(_MOST_LOOKS, -(-len(self._round) // _ROUND_TICKS))
        suspects, self._suspects = self._suspects, []
        chosen = dict.fromkeys(suspects + self._round[-self._looks :])
        del self._round[-self._looks :]
        return list(chosen)

    def _look_at(self, connection: LibzmqConnection, closely: bool, now_s: float) -> None:
        if connection.is_cut or connection.line is None:
            return
        if self.is_admitted is not None:
            connection.is_client = self.is_admitted(connection.name)
        reason = connection.judge_time(self._limits, now_s)
        if not reason:
            reason = self._judge_traffic(connection, closely, now_s)
        if reason and self.cut(connection.line):
            self._shared.counts[CUTS[reason]] += 1
            _LOG.info("a connection from %s is cut: %s", connection.origin.host or "?", reason)

    def _judge_traffic(self, connection: LibzmqConnection, closely: bool, now_s: float) -> str:
        descriptor, _ = line = connection.line or (-1, 0)
        queued = queued_bytes(descriptor)
        reason = connection.judge_unsent(
            unsent_bytes(descriptor) if queued else 0, self._limits, now_s
        )
        if reason:
            return reason
        is_turn = len(self) <= _FEW or (self._rounds + descriptor) % _ROUND_TICKS == 0
        is_known = connection.has_greeted and not connection.is_suspect
        if is_known and not (queued or closely or is_turn):
            return connection.judge_queued(0, None, self._limits, now_s)
        if not self._shared.view.look_at(line):
            return ""
        traffic = self._shared.view.traffic()
        if traffic is None:
            return connection.judge_queued(queued, None, self._limits, now_s)
        connection.note_taken(queued, traffic.acknowledged_bytes)
        reason = connection.judge_queued(queued, traffic.acknowledged_bytes, self._limits, now_s)
        if not (reason or connection.has_greeted):
            written = traffic.acknowledged_bytes + queued
            reason = connection.judge_written(written, self._limits, now_s)
        if not reason:
            reason = connection.judge_received(traffic.received_bytes, self._limits, now_s)
        if connection.is_suspect:
            self._suspects.append(connection)
        return reason


def _property(frame: Any, name: str) -> str:
    """Return a property of the connection of a frame; empty if it has none."""
    try:
        return str(frame.get(name))
    except zmq.ZMQError:
        return ""


def host_of(frame: Any) -> str:
    """Return the network address that a frame came from; `ipc` for this machine."""
    return one_form_of(_property(frame, "Peer-Address"))
