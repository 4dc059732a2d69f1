"""The line between the runner and one of its processes: messages up, and the death of the runner.

A message is a line of JSON. The runner sends nothing: the end of the line says that it has ended,
however it did, and then the process must end too.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import threading
import time
from typing import Any

from .supervisor import KILL_AFTER_S


class ControlLine:
    """The end of the line in a worker process.

    Args:
        descriptor: The descriptor of the socket, which was inherited.
        grace_s: How long running tasks may take once the runner is gone.
    """

    def __init__(self, descriptor: int, grace_s: float) -> None:
        self._socket = socket.socket(fileno=descriptor)
        self._socket.set_inheritable(False)
        self._grace_s = grace_s
        self._lock = threading.Lock()
        self.is_serving = False
        threading.Thread(target=self._end_with_runner, name="runner", daemon=True).start()

    def tell(self, what: str, **facts: Any) -> None:
        """Send a message; nothing happens if the runner is gone."""
        line = json.dumps({"what": what, **facts}).encode() + b"\n"
        with self._lock, contextlib.suppress(OSError):
            self._socket.sendall(line)

    def beat(self, **facts: Any) -> None:
        """Send a message that may be lost: if the runner does not read, nothing waits for it."""
        line = json.dumps({"what": "beat", **facts}).encode() + b"\n"
        with self._lock, contextlib.suppress(OSError):
            self._socket.send(line, socket.MSG_DONTWAIT)

    def _end_with_runner(self) -> None:
        """Wait for the end of the runner, then end this process: in order if it can, or at once."""
        with contextlib.suppress(OSError):
            while self._socket.recv(1):
                pass
        if self.is_serving:
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(self._grace_s + KILL_AFTER_S)
        os._exit(1)
