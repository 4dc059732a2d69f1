"""Lines written to a file by a separate thread, so that a slow disk delays nothing else.

The queue is bounded; beyond its bound new Signals are dropped and counted, and the count stands in
the file at the place of the gap.
"""

from __future__ import annotations

import contextlib
import os
import stat
import threading
import time
import zlib
from collections import deque
from collections.abc import Callable
from typing import BinaryIO

from .lines import LONGEST_LINE, missed_line

MOST_WAITING = 10_000
MOST_WAITING_BYTES = 64 * 1024 * 1024
_WAKE_S = 0.1
_AT_ONCE = 500
_PIECE_CHARS = 1 << 20
_CLOSE_S = 5.0
_SYNC_EVERY_S = 1.0
_GZIP_BITS = 31
_MODE = 0o600
Made = Callable[[], str]


def new_file(path: str, *, replaces: bool) -> BinaryIO:
    """Open a file that only this user can read: it will hold what people asked.

    Args:
        path: The file; it must not exist, unless `replaces`.
        replaces: Whether a file that exists is emptied.

    Raises:
        OSError: It exists, or cannot be written.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | (0 if replaces else os.O_EXCL)
    descriptor = os.open(path, flags, _MODE)
    try:
        if stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.fchmod(descriptor, _MODE)  # before anything is in it
            os.ftruncate(descriptor, 0)
        return os.fdopen(descriptor, "wb", buffering=0)
    except OSError:
        os.close(descriptor)
        raise


class _Packed:
    """Writes lines as they are, or compressed so that a killed process leaves a readable file."""

    def __init__(self, out: BinaryIO, compresses: bool) -> None:
        self.written = 0
        self._out = out
        self._pack = zlib.compressobj(wbits=_GZIP_BITS) if compresses else None
        self._synced_at_s = 0.0
        self._is_synced = True

    def write(self, text: str) -> None:
        data = text.encode()
        self._put(data if self._pack is None else self._pack.compress(data))
        self._is_synced = False

    def sync(self) -> None:
        """Let everything so far be readable, once a second: each time costs some compression."""
        now_s = time.monotonic()
        if self._pack is None or self._is_synced or now_s < self._synced_at_s + _SYNC_EVERY_S:
            return
        self._put(self._pack.flush(zlib.Z_SYNC_FLUSH))
        self._synced_at_s, self._is_synced = now_s, True

    def finish(self) -> None:
        if self._pack is not None:
            self._put(self._pack.flush())

    def _put(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            count = self._out.write(view) or 0
            self.written += count
            view = view[count:]


class LineFile:
    """Accepts lines without blocking and writes them as the disk allows.

    Args:
        out: The file; it is closed at the end.
        compresses: Whether it is compressed by gzip.
        most_bytes: The size at which it has enough; None: no limit.
        on_end: Called once, by the thread: with the error of the file, or None for enough.

    Attributes:
        signals: How many Signals are in the file.
        lost: How many are not, for want of room in the queue or in a line.
    """

    def __init__(
        self,
        out: BinaryIO,
        compresses: bool,
        most_bytes: int | None,
        on_end: Callable[[OSError | None], None],
    ) -> None:
        self.signals = 0
        self.lost = 0
        self._out = out
        self._packed = _Packed(out, compresses)
        self._most_bytes = most_bytes
        self._on_end = on_end
        self._lock = threading.Lock()
        self._waiting: deque[tuple[int, bool, Made]] = deque()
        self._bytes = 0
        self._gap = 0
        self._ended = False
        self._last: Made | None = None
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="recording", daemon=True)
        self._thread.start()

    @property
    def written_bytes(self) -> int:
        """The bytes in the file."""
        return self._packed.written

    def put_signal(self, at_ts: float, size: int, made: Made) -> None:
        """Add a Signal.

        Args:
            at_ts: When it came.
            size: Its bytes as received.
            made: Returns its line; called by the thread.
        """
        with self._lock:
            if not self._has_room(size):
                self._gap += 1
                self.lost += 1
                return
            if self._gap:
                gap, self._gap = self._gap, 0
                self._add(0, False, lambda: missed_line(at_ts, gap, "file"))
            self._add(size, True, made)

    def put(self, size: int, made: Made) -> bool:
        """Add a line that is no Signal; return whether there was room."""
        with self._lock:
            has_room = self._has_room(size)
            if has_room:
                self._add(size, False, made)
            return has_room

    def close(self, last: Made) -> None:
        """Write the queue and a last line, as far as the disk takes them within 5 s."""
        with self._lock:
            if self._gap:
                gap = self._gap
                self._add(0, False, lambda: missed_line(time.time(), gap, "file"))
        self._last = last
        self._closing.set()
        self._thread.join(_CLOSE_S)

    def _has_room(self, size: int) -> bool:
        is_full = len(self._waiting) >= MOST_WAITING or self._bytes + size > MOST_WAITING_BYTES
        return not self._waiting or not is_full

    def _add(self, size: int, is_signal: bool, made: Made) -> None:
        self._waiting.append((size, is_signal, made))
        self._bytes += size

    def _run(self) -> None:
        try:
            while not self._closing.wait(_WAKE_S):
                self._flush()
            self._flush()
            if self._last is not None:
                self._packed.write(self._last())
            self._packed.finish()
        except OSError as error:
            self._end(error)
        with contextlib.suppress(OSError):
            self._out.close()

    def _flush(self) -> None:
        while True:
            with self._lock:
                count = min(len(self._waiting), _AT_ONCE)
                batch = [self._waiting.popleft() for _ in range(count)]
                self._bytes -= sum(size for size, _, _ in batch)
            self._packed.sync()
            if not batch:
                return
            self._write(batch)

    def _write(self, batch: list[tuple[int, bool, Made]]) -> None:
        """Write some lines, in pieces of about a megabyte; nothing once the file has enough."""
        lines: list[str] = []
        chars = 0
        for number, (_, is_signal, made) in enumerate(batch, 1):
            if self._ended:
                return
            line = made()
            if len(line) > LONGEST_LINE:
                self.lost += is_signal
                line = missed_line(time.time(), 1, "file") if is_signal else ""
            else:
                self.signals += is_signal
            lines.append(line)
            chars += len(line)
            if chars >= _PIECE_CHARS or number == len(batch):
                self._packed.write("".join(lines))
                lines, chars = [], 0
                if self._most_bytes is not None and self._packed.written >= self._most_bytes:
                    self._end(None)

    def _end(self, error: OSError | None) -> None:
        if not self._ended:
            self._ended = True
            self._on_end(error)
