"""Tells the service manager that started this process how it is: `sd_notify(3)`, by ourselves.

One datagram to the socket that `NOTIFY_SOCKET` names, with lines such as `READY=1`.
"""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import MutableMapping
from typing import Self

_SEND_S = 1.0
_MAX_STATUS = 200


class ServiceManager:
    """Who started this process and wants to be told.

    Args:
        address: The path of its socket; one that begins with `@` is an abstract name.
        watchdog_s: It ends this process if nothing comes from the watchdog for so long; None: it
            has no watchdog.
    """

    def __init__(self, address: str, watchdog_s: float | None = None) -> None:
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self.watchdog_s = watchdog_s

    @classmethod
    def taken_from(cls, environment: MutableMapping[str, str] = os.environ) -> Self | None:
        """Return the one that the environment names, None if it names none.

        Its variables are removed: they are for this process, and not for what it starts.
        """
        address = environment.pop("NOTIFY_SOCKET", "")
        microseconds = environment.pop("WATCHDOG_USEC", "")
        pid = environment.pop("WATCHDOG_PID", "")
        if not address.startswith(("/", "@")) or len(address) < 2:
            return None
        is_mine = not pid or pid == str(os.getpid())
        asked = microseconds.isdecimal() and int(microseconds) > 0 and is_mine
        return cls(address, int(microseconds) / 1e6 if asked else None)

    def tell(self, *lines: str) -> None:
        """Send lines such as `READY=1`; nothing happens if nobody takes them."""
        data = "\n".join(lines).encode("utf-8", "backslashreplace")
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as way:
            way.settimeout(_SEND_S)
            way.sendto(data, self._address)


def status_line(text: str) -> str:
    """Return the line that shows a text in `systemctl status`."""
    return f"STATUS={' '.join(text.split())[:_MAX_STATUS]}"
