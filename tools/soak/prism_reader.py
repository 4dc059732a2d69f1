"""A browser of Prism: `python -m tools.soak.prism_reader NAME URL LOG`.

It reads the stream of events over HTTP, as a page does, and judges what it sees. Each second it
writes down how much that was, and at once what must not be: a number that comes twice, goes back or
is left out without a word, a Signal that is shown twice, a task with two ends. Prints `ready`.
"""

from __future__ import annotations

import http.client
import json
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from .log import Log
from .story import Story, Wrong

_SILENT_S = 30.0
"""Three times as long as Prism is ever silent."""
_EVERY_S = 1.0


def events(stream: http.client.HTTPResponse) -> Iterator[tuple[str, Any]]:
    """Yield name and data of each event until the stream ends."""
    name = ""
    for line in iter(stream.readline, b""):
        field, _, value = line.decode().rstrip("\n").partition(": ")
        if field == "event":
            name = value
        elif field == "data":
            yield name, json.loads(value)


def read(url: str, log: Log) -> None:
    """Read until the stream ends."""
    at = urlsplit(url)
    connection = http.client.HTTPConnection(at.netloc, timeout=_SILENT_S)
    connection.request("GET", "/api/stream")
    stream = connection.getresponse()
    story = Story()
    told_at_s = time.monotonic()
    print("ready", flush=True)
    for name, data in events(stream):
        for wrong in story.told(name, data):
            log.write("prism_wrong", **wrong._asdict())
        if time.monotonic() - told_at_s >= _EVERY_S:
            told_at_s = time.monotonic()
            log.write("prism", **story.counts)
    log.write("prism", **story.counts)


def main(name: str, url: str, path: str) -> None:
    """Read until SIGTERM; the end of the stream is wrong."""
    log = Log(Path(path), name)

    def end(number: int, frame: object) -> None:
        raise SystemExit

    signal.signal(signal.SIGTERM, end)
    try:
        read(url, log)
        log.write("prism_wrong", **Wrong("the stream ended")._asdict())
    except (OSError, http.client.HTTPException) as error:
        log.write("prism_wrong", **Wrong(f"the stream broke: {error!r}")._asdict())
    signal.pause()


if __name__ == "__main__":
    main(*sys.argv[1:])
