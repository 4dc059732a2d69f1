"""Hand messages to the engine and carry out what it decides. No socket and no clock of its own."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Any

from ..access.origin import UNKNOWN, Origin
from ..loggers import logger_of
from ..sockets.sent import Sent
from ..wire import heads
from ..wire.batch import Batcher
from ..wire.bundle import Bundler, split_bundle
from .engine import Engine
from .tables import PUBLISH, SEND, Output

_LOG = logger_of(__name__)
# As plain names: an attribute of an enum class costs a lookup in its metaclass.
_OK = Sent.OK

SendMessage = Callable[[bytes, bytes, Any], Sent]
"""(connection, head, body) -> what became of it"""


class Exchange:
    """The way of a message through the proxy.

    What a turn of the loop gathers goes out at its end: call `flush_all`, and publish what is in
    `batcher`.

    Args:
        engine: Decides.
        clock: Returns the monotonic time.

    Attributes:
        batcher: What is to be published.
        send: Sends on the directed plane; set it before the first message.
        cut: Cuts a line, for a reason; a proxy with keys needs it.
    """

    send: SendMessage
    cut: Callable[[Hashable, str], None]

    def __init__(self, engine: Engine, clock: Callable[[], float]) -> None:
        self._engine = engine
        self._clock = clock
        self._bundler = Bundler()
        self.batcher = Batcher()

    def on_message(
        self,
        connection: bytes,
        frames: Sequence[Any],
        now_s: float,
        alone: bool,
        origin: Origin = UNKNOWN,
    ) -> None:
        """See `directed_plane.OnMessage`."""
        outputs = self._decide(connection, frames, now_s, origin)
        if alone:
            for output in outputs:
                self._perform_now(*output)
        else:
            self.perform(outputs)

    def on_end(self, connection: bytes, now_s: float) -> None:
        """See `directed_plane.OnEnd`."""
        self.perform(self._engine.on_disconnected(connection, now_s))

    def on_writable(self, connection: bytes, now_s: float) -> None:
        """Send what was deferred for a client that has room again, until there is none."""
        while outputs := self._engine.on_writable(connection, now_s):
            self.perform(outputs)
            self._flush(connection)  # so that it is known whether one came back

    def perform(self, outputs: Iterable[Output]) -> None:
        """Perform outputs of the engine; those that may be bundled wait for the end of the turn."""
        for output in outputs:
            code, first, second, body = output
            if code == SEND and heads.is_single(second) and self._bundler.takes(second, body):
                self._bundler.add(first, second, body)
            else:
                self._perform_now(*output)

    def flush_all(self) -> None:
        """Send every bundle, including those that result from unsent messages."""
        while self._bundler:
            for connection in self._bundler.connections():
                self._flush(connection)

    def _decide(
        self, connection: bytes, frames: Sequence[Any], now_s: float, origin: Origin
    ) -> list[Output]:
        """Return the outputs of the engine for a message."""
        if len(frames) == 2:
            head, body = frames
        elif len(frames) == 1 and not len(frames[0]):
            head, body = b"", b""
        else:
            return self._engine.on_misframed(connection, bytes(frames[0]))
        if len(head) > heads.MAX_HEAD_BYTES:
            self._engine.on_dropped("long_head")
            return []
        try:
            return self._engine.on_message(connection, head, body, now_s, origin)
        except Exception:  # noqa: BLE001  # the last handler: no message may end the proxy
            self._engine.on_dropped("engine_fault")
            _LOG.exception("a message could not be handled and is dropped")
            return []

    def _perform_now(self, code: int, first: Any, second: bytes, body: Any) -> None:
        """Perform one output, after those gathered before it for the same receiver."""
        if code == SEND:
            if self._bundler.count:
                self._flush(first)
            self._send(first, second, body)
        elif code != PUBLISH:
            self.cut(first, body)
        else:
            self.batcher.add(first, second, body)

    def _flush(self, connection: bytes) -> None:
        for message in self._bundler.take(connection):
            self._send(connection, *message)

    def _send(self, connection: bytes, head: bytes, body: Any) -> None:
        sent = self.send(connection, head, body)
        if sent is _OK:
            return
        now_s, busy = self._clock(), sent is Sent.BUSY
        for each_head, each_body in split_bundle(head, body):
            self.perform(self._engine.on_unsent(connection, each_head, each_body, busy, now_s))
