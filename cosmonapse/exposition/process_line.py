"""The line on which the runner asks a worker process how it is: a question, an answer, in threads.

A question is its number and a letter; an answer is its number, its length and JSON. So an answer
that comes too late is known as one, and passed over.
"""

from __future__ import annotations

import contextlib
import json
import socket
import struct
import threading
import time
from collections.abc import Callable
from typing import Any

_QUESTION = struct.Struct("!Ic")
_ANSWER = struct.Struct("!II")
_READ_BYTES = 65_536
PROBE = b"p"
METRICS = b"m"


class AnsweringEnd:
    """The end of the line in a worker process; answers in a thread until the line ends.

    Args:
        descriptor: The descriptor of its socket, which was inherited.
        answer: Returns the answer to a question, as values for JSON.
    """

    def __init__(self, descriptor: int, answer: Callable[[bytes], dict[str, Any]]) -> None:
        self._socket = socket.socket(fileno=descriptor)
        self._socket.set_inheritable(False)
        self._answer = answer
        threading.Thread(target=self._run, name="probes", daemon=True).start()

    def _run(self) -> None:
        with contextlib.suppress(OSError):
            while len(asked := self._socket.recv(_QUESTION.size, socket.MSG_WAITALL)) == (
                _QUESTION.size
            ):
                number, letter = _QUESTION.unpack(asked)
                body = json.dumps(self._answer(letter)).encode()
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
        self._read = bytearray()

    def ask(self, letter: bytes, timeout_s: float) -> dict[str, Any] | None:
        """Return the answer to a question; None without one in time, or if the process ended."""
        until_s = time.monotonic() + timeout_s
        if not self._lock.acquire(timeout=timeout_s):
            return None
        try:
            self._number += 1
            self._socket.settimeout(timeout_s)
            self._socket.sendall(_QUESTION.pack(self._number, letter))
            while (answer := self._next()) is None or answer[0] != self._number:
                self._socket.settimeout(max(0.001, until_s - time.monotonic()))
                more = self._socket.recv(_READ_BYTES) if answer is None else b""
                if answer is None and not more:
                    return None
                self._read += more
        except OSError:
            return None
        finally:
            self._lock.release()
        found: dict[str, Any] = json.loads(answer[1])
        return found

    def close(self) -> None:
        """Close it; a thread that waits for an answer gets none."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _next(self) -> tuple[int, bytes] | None:
        """Take the next whole answer out of what was read."""
        if len(self._read) < _ANSWER.size:
            return None
        number, size = _ANSWER.unpack_from(self._read)
        end = _ANSWER.size + size
        if len(self._read) < end:
            return None
        body = bytes(self._read[_ANSWER.size : end])
        del self._read[:end]
        return number, body
