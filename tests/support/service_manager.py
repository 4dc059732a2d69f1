"""A service manager for tests: a datagram socket that keeps what a process tells."""

import contextlib
import socket
import threading
import time
import uuid

TIMEOUT_S = 20.0


class ToldManager:
    """Receives datagrams, each as a list of lines with the time at which it came.

    Args:
        address: A path, or `@name` for an abstract one.
    """

    def __init__(self, address):
        self.address = address
        self.told = []
        self._news = threading.Condition()
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind("\0" + address[1:] if address.startswith("@") else address)
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def environment(self, watchdog_s=None):
        """Return the variables that it gives a process."""
        given = {"NOTIFY_SOCKET": self.address}
        if watchdog_s is not None:
            given["WATCHDOG_USEC"] = str(int(watchdog_s * 1_000_000))
        return given

    def lines(self, start=""):
        """Return the lines that begin so, and came so far."""
        return [line for _, lines in list(self.told) for line in lines if line.startswith(start)]

    def has(self, start, count=1):
        """Return whether so many lines begin so within a while."""
        with self._news:
            return self._news.wait_for(lambda: len(self.lines(start)) >= count, TIMEOUT_S)

    def silent_s(self, line):
        """Return for how long a line has not come."""
        return time.monotonic() - max(at_s for at_s, lines in list(self.told) if line in lines)

    def close(self):
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(TIMEOUT_S)

    def _read(self):
        while True:
            try:
                data = self._socket.recv(65536)
            except OSError:
                return
            if not data:
                return
            with self._news:
                self.told.append((time.monotonic(), data.decode().split("\n")))
                self._news.notify_all()


def address_in(folder):
    """Return the path of a socket; one that is too long becomes an abstract name."""
    path = str(folder / "notify")
    return path if len(path) < 100 else f"@{uuid.uuid4().hex}"
