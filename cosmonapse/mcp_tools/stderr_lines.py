"""What a server writes to its standard error: to our log at debug level, the last lines kept."""

from __future__ import annotations

import asyncio
import logging
import os
from collections import deque
from types import TracebackType
from typing import Self, TextIO

_LOG = logging.getLogger(__name__)
_KEPT = 5
_MAX_LINE = 500
_READ = 65_536


class StderrLines:
    """A pipe for the standard error of a process.

    Args:
        name: The name of the server in the log.

    Attributes:
        last: The last lines that were not empty.
        sink: What the process writes to.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._rest = b""
        self.last: deque[str] = deque(maxlen=_KEPT)
        self._source, sink = os.pipe()
        os.set_blocking(self._source, False)
        self.sink: TextIO = os.fdopen(sink, "w")

    def __enter__(self) -> Self:
        """Read from now on."""
        asyncio.get_running_loop().add_reader(self._source, self.read)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        """Read what is there, and close."""
        self.read()
        asyncio.get_running_loop().remove_reader(self._source)
        self.sink.close()
        os.close(self._source)

    def read(self) -> None:
        """Take what is there."""
        try:
            data = os.read(self._source, _READ)
        except BlockingIOError:
            return
        *lines, rest = (self._rest + data).split(b"\n")
        self._rest = rest[:_MAX_LINE]
        for line in lines:
            text = line[:_MAX_LINE].decode("utf-8", "replace").strip()
            if text:
                self.last.append(text)
                _LOG.debug("%s: %s", self._name, text)
