"""A TextStream as the body of a WSGI response, and a check whether its client is gone."""

from __future__ import annotations

import _socket
import socket
import sys
from collections.abc import Callable, Mapping
from typing import Any, Self

from ..errors import DendriteProtocolError
from ..payloads import response_text
from ..signals import Signal, SignalType
from . import sse
from .gaps import gap_error
from .outcomes import HttpAnswer, answer_of
from .per_process import LOOK_EVERY_S
from .text_stream import TextStream

TEXT_TYPE = "text/plain"
_OPENING_S = 0.2
_SOCKETS = ("werkzeug.socket", "gunicorn.socket")
# SOCK_NONBLOCK keeps a default timeout of the program away from a descriptor that is not ours.
_NEVER_WAITS = socket.SOCK_STREAM | getattr(socket, "SOCK_NONBLOCK", 0)


def refused(stream: TextStream) -> HttpAnswer | None:
    """Return the answer instead of a stream, if its task is refused within 0.2 s.

    A status can be sent only before the first piece.
    """
    signal = stream.refusal(_OPENING_S)
    if signal is None:
        return None
    stream.close()
    return answer_of(signal)


def client_is_gone(environ: Mapping[str, Any]) -> bool:
    """Return whether an HTTP client disconnected, as far as its server shows the connection.

    Call it on the thread that serves the request.
    """
    for name in _SOCKETS:
        connection = environ.get(name)
        if isinstance(connection, socket.socket):
            return _has_hung_up(connection.fileno())
    if "uwsgi.version" in environ:
        return _has_hung_up(sys.modules["uwsgi"].connection_fd())
    return False


def _has_hung_up(descriptor: int) -> bool:
    """Look for the end of a connection; take nothing from it, and never wait.

    The look is through a bare socket on the same descriptor: the `recv` of a socket that gevent has
    patched waits for data in spite of MSG_DONTWAIT, and that of a TLS socket refuses to peek.
    """
    if descriptor < 0:
        return True
    bare = _socket.socket(socket.AF_INET, _NEVER_WAITS, 0, descriptor)
    try:
        return not bare.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    except BlockingIOError:
        return False
    except OSError:
        return True
    finally:
        bare.detach()  # the descriptor is not ours to close


class StreamBody:
    """The body of a response that streams a task. Closing it cancels the task.

    A server detects a disconnect only when it writes. So a comment is sent every 0.3 s while a
    Neuron is silent, and the connection is checked if the server shows it.

    Args:
        stream: The stream of the task.
        as_text: True for the bare texts, False for server-sent events.
        gone: Returns whether the client is gone.
    """

    def __init__(self, stream: TextStream, as_text: bool, gone: Callable[[], bool]) -> None:
        self._stream = stream
        self._piece_of = TextPieces() if as_text else sse.event_of
        self._idle = b"" if as_text else sse.KEEP_ALIVE
        self._as_text = as_text
        self._gone = gone
        self._missed = 0

    def __iter__(self) -> Self:
        """Return itself."""
        return self

    def __next__(self) -> bytes:
        """Wait for the next piece.

        Raises:
            StopIteration: The task ended, or the client is gone.
            NeuronError: The task failed, or the client reads too slowly; bare texts cannot say so,
                and the connection is aborted.
            NeedsAnswer: The same, when the task asked a question.
            TimeoutError: The same, when the task exceeded its time.
            DendriteProtocolError: The same, when the Dendrite was stopped.
        """
        try:
            piece = self._next_piece()
        except DendriteProtocolError:
            if self._as_text:
                raise
            piece = sse.CUT_OFF
        if piece is None:
            raise StopIteration
        return piece

    def _next_piece(self) -> bytes | None:
        while True:
            if not self._stream.wait(LOOK_EVERY_S):
                if self._gone():
                    self.close()
                    return None
                piece = self._idle
            elif (signal := self._stream.next_signal()) is not None:
                piece = self._piece_of(signal, self._missed_now())
            else:
                break
            if piece:
                return piece
        if self._as_text:
            self._stream.check()
        return None

    def _missed_now(self) -> int:
        """Return how many Signals were dropped since the last look."""
        before, self._missed = self._missed, self._stream.missed
        return self._missed - before

    def close(self) -> None:
        """Cancel the task if it still runs."""
        self._stream.close()


class TextPieces:
    """Converts Signals to bare text: the thoughts, or without any the `response` of the output."""

    def __init__(self) -> None:
        self._spoke = False

    def __call__(self, signal: Signal, missed: int = 0) -> bytes:
        """Return the text of a Signal; empty for most types.

        Args:
            signal: The Signal.
            missed: How many Signals were dropped before it.

        Raises:
            NeuronError: `STREAM_GAP`, some were: the text would not be whole.
        """
        if missed:
            raise gap_error(missed)
        text: Any = response_text(signal)
        if text is not None:
            self._spoke = True
        elif signal.type in (SignalType.AGENT_OUTPUT, SignalType.FINAL) and not self._spoke:
            text = signal.output.get("response")
        return text.encode() if isinstance(text, str) else b""
