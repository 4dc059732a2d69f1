"""The log of one process: a line of JSON for each thing that happens, safe from `kill -9`.

Each line is one write to a file that only grows, so it survives the end of the
process. Times are of the monotonic clock, which all processes of a machine share.
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any


class Log:
    """The log of one process.

    Args:
        path: The file; lines are appended.
        who: The name of the process; it is on every line.
    """

    def __init__(self, path: Path, who: str) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        self._who = who

    def write(self, what: str, **facts: Any) -> None:
        """Write a line at once."""
        line = {"at": round(time.monotonic(), 4), "who": self._who, "what": what, **facts}
        os.write(self._file, json.dumps(line).encode() + b"\n")
