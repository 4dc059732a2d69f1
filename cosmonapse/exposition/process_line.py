"""The line on which the runner asks a worker process how it is: a question, an answer, in threads.

A question is its number and a letter; an answer is its number, its length and JSON. So answers come
in any order: that to a probe does not wait for the metrics, which the program may be slow to give.
"""

from __future__ import annotations

import contextlib
import json
import logging
import queue
import socket
import struct
import threading
import time
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from typing import Any

_LOG = logging.getLogger(__name__)
_QUESTION = struct.Struct("!Ic")
_ANSWER = struct.Struct("!II")
PROBE = b"p"
METRICS = b"m"

Facts = dict[str, Any]
"""An answer."""


class AnsweringEnd:
    """The end of the line in a worker process; answers in two threads until the line ends.

    Args:
        descriptor: The descriptor of its socket, which was inherited.
        answer: Returns the answer to a question, as values for JSON. Metrics are asked for in a
            thread of their own, once for all who ask meanwhile.
    """

    def __init__(self, descriptor: int, answer: Callable[[bytes], Facts]) -> None:
        self._socket = socket.socket(fileno=descriptor)
        self._socket.set_inheritable(False)
        self._answer = answer
        self._sending = threading.Lock()
        self._asked: queue.SimpleQueue[int] = queue.SimpleQueue()
        threading.Thread(target=self._hear, name="probes", daemon=True).start()
        threading.Thread(target=self._tell_metrics, name="metrics", daemon=True).start()

    def _hear(self) -> None:
        with contextlib.suppress(OSError):
            while len(asked := self._socket.recv(_QUESTION.size, socket.MSG_WAITALL)) == (
                _QUESTION.size
            ):
                number, letter = _QUESTION.unpack(asked)
                if letter == METRICS:
                    self._asked.put(number)
                else:
                    self._tell(letter, [number])

    def _tell_metrics(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                numbers = [self._asked.get()]
                while not self._asked.empty():
                    numbers.append(self._asked.get())
                self._tell(METRICS, numbers)

    def _tell(self, letter: bytes, numbers: list[int]) -> None:
        try:
            body = json.dumps(self._answer(letter)).encode()
        except Exception:  # noqa: BLE001  # parts of it are of the program; the thread has to live
            _LOG.exception("a question of the runner has no answer")
            return
        with self._sending:
            for number in numbers:
                self._socket.sendall(_ANSWER.pack(number, len(body)) + body)


class AskingEnd:
    """The end of the line in the runner; several threads may ask.

    Args:
        line: The socket.
    """

    def __init__(self, line: socket.socket) -> None:
        self._socket = line
        self._lock = threading.Lock()
        self._number = 0
        self._pending: dict[int, Future[Facts | None]] = {}
        threading.Thread(target=self._hear, name="answers", daemon=True).start()

    def asked(self, letter: bytes) -> Future[Facts | None]:
        """Ask; return where the answer will be, None if the process cannot be asked or ended."""
        answer: Future[Facts | None] = Future()
        with self._lock:
            self._number += 1
            number = self._number
            self._pending[number] = answer
        answer.add_done_callback(lambda _: self._pending.pop(number, None))
        try:
            # A process that reads nothing must not hold whoever asks.
            self._socket.send(_QUESTION.pack(number, letter), socket.MSG_DONTWAIT)
        except OSError:
            answer.cancel()
        return answer

    def close(self) -> None:
        """Close it; a thread that waits for an answer gets none."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def _hear(self) -> None:
        with contextlib.suppress(OSError), self._socket:
            while head := self._read(_ANSWER.size):
                number, size = _ANSWER.unpack(head)
                body = self._read(size)
                answer = self._pending.get(number)
                if answer is not None and answer.set_running_or_notify_cancel():
                    answer.set_result(json.loads(body))
        for answer in list(self._pending.values()):
            answer.cancel()

    def _read(self, size: int) -> bytes:
        """Return that many bytes; none if the process ended."""
        got = bytearray()
        while len(got) < size and (more := self._socket.recv(size - len(got), socket.MSG_WAITALL)):
            got += more
        return bytes(got) if len(got) == size else b""


def answer_by(asked: Future[Facts | None], until_s: float) -> Facts | None:
    """Return an answer; None if there is none by that time of the monotonic clock."""
    try:
        return asked.result(max(0.0, until_s - time.monotonic()))
    except (TimeoutError, CancelledError):
        asked.cancel()
        return None
