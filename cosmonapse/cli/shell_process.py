"""One run of a shell command: its input, what it writes, and its end with all that it started."""

from __future__ import annotations

import asyncio
import codecs
import contextlib
import os
import signal
import time
from collections import deque
from collections.abc import AsyncIterator, Mapping
from typing import Final, Self, cast

import attrs

_SHELL: Final = ("/bin/sh", "-c")
MAX_OUTPUT_BYTES: Final = 16 * 1024 * 1024
"""A command that writes more is ended."""
_MAX_ERROR_BYTES: Final = 4096
_MAX_LINES: Final = 1000
_MAX_LINE_CHARS: Final = 65_536
_TERM_S: Final = 0.5
_PIPES_S: Final = 0.5
_STDIN, _STDOUT, _STDERR = range(3)


@attrs.frozen
class Finished:
    """What came of a command.

    Args:
        code: Its exit code; below 0 the number of the signal that ended it.
        output: What it wrote to stdout.
        errors: The end of what it wrote to stderr, at most 4,096 bytes.
        has_expired: True if its time was over.
        is_too_long: True if it wrote more than it may.
        took_s: How long it ran, in seconds.
    """

    code: int
    output: bytes
    errors: bytes
    has_expired: bool
    is_too_long: bool
    took_s: float


class ShellProcess(asyncio.SubprocessProtocol):
    """A command that runs in a process group of its own; leave the block to end all of it.

    Args:
        streams: Whether its lines are read while it runs.
    """

    def __init__(self, streams: bool) -> None:
        self._loop = asyncio.get_running_loop()
        self._streams = streams
        self._transport: asyncio.SubprocessTransport
        self._begun_s = time.monotonic()
        self._took_s = 0.0
        self._output = bytearray()
        self._errors = bytearray()
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._lines: deque[str] = deque()
        self._rest = ""
        self._news = asyncio.Event()
        self._is_paused = False
        self._open_pipes = {_STDOUT, _STDERR}
        self._over: asyncio.Future[None] = self._loop.create_future()
        self._timers: list[asyncio.TimerHandle] = []
        self._has_exited = False
        self.has_expired = False
        self.is_too_long = False

    @classmethod
    @contextlib.asynccontextmanager
    async def started(
        cls,
        command: str,
        given: bytes,
        environment: Mapping[str, str],
        timeout_s: float | None,
        streams: bool = False,
    ) -> AsyncIterator[Self]:
        """Run a command for the length of a block; then nothing of its process group is left.

        Args:
            command: For `/bin/sh -c`.
            given: What it reads from stdin.
            environment: All of its environment.
            timeout_s: How long it may run; None for as long as it likes.
            streams: Whether its lines are read while it runs.

        Raises:
            OSError: It cannot be started.
        """
        loop = asyncio.get_running_loop()
        _, process = await loop.subprocess_exec(
            lambda: cls(streams),
            *_SHELL,
            command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=dict(environment),
            start_new_session=True,
        )
        try:
            process._feed(given)
            if timeout_s is not None:
                process._timers.append(loop.call_later(timeout_s, process._expire))
            yield process
        finally:
            await process._end()

    async def finished(self) -> Finished:
        """Return what came of it, once it has ended."""
        await asyncio.shield(self._over)
        return Finished(
            code=self._transport.get_returncode() or 0,
            output=bytes(self._output),
            errors=bytes(self._errors),
            has_expired=self.has_expired,
            is_too_long=self.is_too_long,
            took_s=self._took_s,
        )

    async def lines(self) -> AsyncIterator[str]:
        """Yield the lines of stdout as they come, each with its end; one of 64 Ki is cut there."""
        while True:
            while self._lines:
                line = self._lines.popleft()
                if self._is_paused and len(self._lines) < _MAX_LINES // 2:
                    self._pause(False)
                yield line
            if self._over.done():
                return
            self._news.clear()
            await self._news.wait()

    # -- events of the process -------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio."""
        self._transport = cast(asyncio.SubprocessTransport, transport)  # that of uvloop is none

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        """See asyncio."""
        if fd == _STDERR:
            self._errors += data
            del self._errors[:-_MAX_ERROR_BYTES]
        elif len(self._output) + len(data) > MAX_OUTPUT_BYTES:
            self.is_too_long = True
            self._kill(signal.SIGKILL)
        else:
            self._output += data
            if self._streams:
                self._take_lines(self._decoder.decode(data))

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:
        """See asyncio."""
        self._open_pipes.discard(fd)
        if self._has_exited and not self._open_pipes:
            self._finish()

    def process_exited(self) -> None:
        """See asyncio."""
        self._has_exited = True
        self._took_s = time.monotonic() - self._begun_s
        self._kill(signal.SIGKILL)  # what it left running ends with it, and closes its pipes
        if not self._open_pipes:
            self._finish()
        else:  # what has left the group may hold a pipe for ever
            self._timers.append(self._loop.call_later(_PIPES_S, self._finish))

    # --------------------------------------------------------------------------------------------

    def _feed(self, given: bytes) -> None:
        """Write its input; it need not read it."""
        pipe = cast(asyncio.WriteTransport, self._transport.get_pipe_transport(_STDIN))
        with contextlib.suppress(RuntimeError):  # of uvloop, if the command has ended already
            pipe.write(given)
            pipe.close()

    def _take_lines(self, text: str, *, is_last: bool = False) -> None:
        *lines, rest = (self._rest + text).split("\n")
        self._lines += [f"{line}\n" for line in lines]
        if rest and (is_last or len(rest) > _MAX_LINE_CHARS):
            self._lines.append(rest)
            rest = ""
        self._rest = rest
        if len(self._lines) > _MAX_LINES and not self._is_paused:
            self._pause(True)
        self._news.set()

    def _pause(self, pauses: bool) -> None:
        """Read no more of stdout while many lines wait: the command waits then too."""
        pipe = cast(asyncio.ReadTransport, self._transport.get_pipe_transport(_STDOUT))
        if pauses is not self._is_paused and _STDOUT in self._open_pipes:
            (pipe.pause_reading if pauses else pipe.resume_reading)()
            self._is_paused = pauses

    def _expire(self) -> None:
        self.has_expired = True
        self._terminate()

    def _terminate(self) -> None:
        """Ask its group to end; after half a second end it."""
        self._kill(signal.SIGTERM)
        self._timers.append(self._loop.call_later(_TERM_S, self._kill, signal.SIGKILL))

    def _kill(self, number: signal.Signals) -> None:
        """Send a signal to its whole group, as far as there is one."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._transport.get_pid(), number)

    def _finish(self) -> None:
        if not self._over.done():
            self._take_lines(self._decoder.decode(b"", final=True), is_last=True)
            self._over.set_result(None)

    async def _end(self) -> None:
        """Leave nothing of its group behind."""
        if not self._has_exited:
            self._terminate()
        self._pause(False)
        await asyncio.wait([self._over], timeout=_TERM_S + 2 * _PIPES_S)
        for timer in self._timers:
            timer.cancel()
        self._transport.close()
