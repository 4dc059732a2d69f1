"""A recording on disk, read from its beginning to its last whole line."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

from .lines import LONGEST_LINE, Header, Line, NoRecording, read_header, read_line
from .whole_lines import WholeLines

_CHUNK_BYTES = 256 * 1024
_AT = re.compile(rb'\{"line": ?"[a-z]{1,20}", ?"at": ?(\d{1,11}(?:\.\d{1,12})?)[,}]')


class RecordedFile:
    """A file of `cosmo record`.

    Args:
        path: The file, compressed by gzip or not.

    Attributes:
        header: Its first line.
        malformed: How many lines could not be read so far.
        is_cut: Whether the end of the file is missing; known after the last line.

    Raises:
        NoRecording: It is none; the text says why.
        OSError: It cannot be read.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self.malformed = 0
        self.is_cut = False
        first = next(self._texts(WholeLines(LONGEST_LINE)), None)
        if first is None:
            raise NoRecording("it has no whole line")
        self.header: Header = read_header(first)

    def lines(self) -> Iterator[Line | None]:
        """Yield every line after the first; None for each that cannot be read."""
        whole = WholeLines(LONGEST_LINE)
        self.malformed = 0
        texts = self._texts(whole)
        next(texts, None)
        too_long = 0
        for text in texts:
            line = read_line(text)
            if line is None:
                self.malformed += 1
            self.malformed += whole.too_long - too_long
            too_long = whole.too_long
            yield line
        self.malformed += whole.too_long - too_long
        self.is_cut = whole.is_cut

    def last_ts(self) -> float:
        """Return the time of the last line, without reading what is in the lines."""
        last_ts = self.header.began_ts
        for text in self._texts(WholeLines(LONGEST_LINE)):
            found = _AT.match(text)
            if found is not None:
                last_ts = max(last_ts, float(found[1]))
        return last_ts

    def _texts(self, whole: WholeLines) -> Iterator[bytes]:
        return whole.of(self._chunks())

    def _chunks(self) -> Iterator[bytes]:
        with open(os.open(self.path, os.O_RDONLY | os.O_CLOEXEC), "rb", buffering=0) as file:
            while chunk := file.read(_CHUNK_BYTES):
                yield chunk


def faults_of(file: RecordedFile) -> list[str]:
    """Return what a user should know about a file that was read to its end, one line each."""
    faults = []
    if file.malformed:
        noun = "line is" if file.malformed == 1 else "lines are"
        faults.append(f"{file.malformed:,} {noun} invalid, and not shown")
    if file.is_cut:
        faults.append("the end of the file is missing: shown up to its last whole line")
    return faults
