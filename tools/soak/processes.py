"""Processes of the soak: started, told, signalled, watched; gone with the one that started them."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import itertools
import json
import os
import random
import signal
import socket
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

PYTHON = (sys.executable, "-m")
_STARTS_S = 60.0
_GRACE_S = 15.0
_LAST_WORDS_S = 2.0
_MAX_LINE_BYTES = 1024 * 1024
_SET_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of linux/prctl.h
COMPLAINTS = (
    "Traceback",
    "Assertion failed",
    "Task was destroyed",
    "never retrieved",
    "never awaited",
    "node:internal",  # in the stack of an error that ends node, or that it warns of
)


class SoakError(Exception):
    """The harness itself failed, not the fabric; the text has the output of a process."""


class Process:
    """One process, from `start`.

    Args:
        name: Its name in the logs.
        process: Its asyncio process.
        said: The file of its stderr.
        joined: Whether its stdout is its log, in JSON, and its stderr is in it.

    Attributes:
        logs: Whether all that it says is to be JSON.
    """

    def __init__(
        self, name: str, process: asyncio.subprocess.Process, said: Path, joined: bool = False
    ) -> None:
        self.name = name
        self._process = process
        self._said = said
        self.logs = self._joined = joined
        self._begun = self._asked_to_end = False
        self._lines: asyncio.Queue[str] = asyncio.Queue()
        self._watched: tuple[str, ...] = ()
        self._last = ""
        self._has_news = asyncio.Event()
        self._reading = asyncio.create_task(self._read(), name=f"read {name}")

    @property
    def pid(self) -> int:
        """Its id."""
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        """Whether it has not ended."""
        return self._process.returncode is None

    @property
    def is_serving(self) -> bool:
        """Whether it has begun, and is neither gone nor asked to end."""
        return self.is_alive and self._begun and not self._asked_to_end

    def has_begun(self) -> None:
        """Note that it is ready."""
        self._begun = True

    def end(self) -> None:
        """Ask it to end, with SIGTERM."""
        self._asked_to_end = True
        self.send(signal.SIGTERM)

    async def line(self, start: str, timeout_s: float = _STARTS_S) -> str:
        """Return the rest of the next line of its stdout that begins with `start`.

        Raises:
            SoakError: It ended before, or there was no such line within `timeout_s` seconds.
        """
        try:
            async with asyncio.timeout(timeout_s):
                while not (line := await self._lines.get()).startswith(start):
                    if not line:
                        raise SoakError(f"{self.name} ended: {self.said()}")
        except TimeoutError:
            text = f"{self.name} does not say {start!r} within {timeout_s:g} s: {self.said()}"
            raise SoakError(text) from None
        return line.removeprefix(start).strip()

    def watch(self, *texts: str) -> None:
        """Note from now on which of some texts came last in a line of its stdout."""
        self._watched = texts

    @property
    def last(self) -> str:
        """The watched text that came last; empty if none has come."""
        return self._last

    async def until_last(self, *texts: str, timeout_s: float = _STARTS_S) -> None:
        """Return once one of `texts` is the watched text that came last.

        Raises:
            SoakError: That is not so within `timeout_s` seconds.
        """
        try:
            async with asyncio.timeout(timeout_s):
                while self._last not in texts:
                    self._has_news.clear()
                    await self._has_news.wait()
        except TimeoutError:
            text = f"{self.name} does not say {' or '.join(texts)!r}, but {self._last!r}"
            raise SoakError(f"{text}: {self.said()}") from None

    def tell(self, line: str) -> None:
        """Write a line to its stdin."""
        if self._process.stdin is not None:
            self._process.stdin.write(line.encode() + b"\n")

    def send(self, number: int) -> None:
        """Send it an OS signal, if it is still there."""
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(number)

    async def kill(self) -> None:
        """End it with SIGKILL; return when it is gone."""
        self.send(signal.SIGKILL)
        await self._process.wait()

    async def wait(self) -> tuple[int, float]:
        """Wait until it ends by itself, 15 s at most, then kill it.

        Returns:
            Its exit code, and how long it took.
        """
        began_s = time.monotonic()
        try:
            async with asyncio.timeout(_GRACE_S):
                code = await self._process.wait()
        except TimeoutError:
            await self.kill()
            code = -signal.SIGKILL
        await asyncio.wait({self._reading}, timeout=_LAST_WORDS_S)
        return code, time.monotonic() - began_s

    def complaint(self) -> str | None:
        """Return its unexpected output, or None."""
        said = self.said()
        found = min((said.find(each) for each in COMPLAINTS if each in said), default=-1)
        return None if found < 0 else said[found : found + 2000]

    def no_json(self) -> str | None:
        """Return the first line that it said which is no JSON, or None."""
        for line in self.said().splitlines(keepends=True):
            try:
                if line.endswith("\n"):  # else it was killed while it wrote
                    json.loads(line)
            except ValueError:
                return line
        return None

    def said(self) -> str:
        """Return its stderr."""
        return self._said.read_text(errors="replace")

    async def _read(self) -> None:
        if self._process.stdout is not None:
            async for line in self._process.stdout:
                text = line.decode(errors="replace")
                if self._joined:
                    text = self._message_of(text)
                self._last = next((each for each in self._watched if each in text), self._last)
                self._lines.put_nowait(text)
                self._has_news.set()
        self._lines.put_nowait("")

    def _message_of(self, line: str) -> str:
        """Keep a line of a log, and return its message; all of it if it has none."""
        with self._said.open("a") as said:
            said.write(line)
        try:
            return str(json.loads(line).get("message", line))
        except (ValueError, AttributeError):
            return line


async def start(
    name: str,
    folder: Path,
    *arguments: object,
    through: Sequence[str] = (),
    program: Sequence[str] = PYTHON,
    variables: Mapping[str, str] | None = None,
    joined: bool = False,
) -> Process:
    """Start a program; it writes to stderr into a file of `folder`.

    Args:
        name: Its name in the logs.
        folder: The folder of that file.
        arguments: The last arguments of the program, after `python -m` for one of Python.
        through: A program, with its arguments, that becomes the process.
        program: The program, with its first arguments.
        variables: Of its environment, beside those of this process.
        joined: Whether all that it prints is a log of JSON; that goes into that file too.
    """
    said = folder / f"{name}-{time.monotonic_ns()}.err"
    with said.open("wb") as stderr:
        process = await asyncio.create_subprocess_exec(
            *through,
            *program,
            *map(str, arguments),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT if joined else stderr,
            limit=_MAX_LINE_BYTES,
            env={**os.environ, **(variables or {})},
            start_new_session=True,
            preexec_fn=_dies_with_parent() if sys.platform == "linux" else None,
        )
    return Process(name, process, said, joined)


def _dies_with_parent() -> Callable[[], None]:
    """Return the first call of a child: the system kills it when this process is gone."""
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    parent = os.getpid()

    def ask() -> None:
        prctl(_SET_DEATH_SIGNAL, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)

    return ask


def free_port(hosts: tuple[str, ...]) -> int:
    """Return a port that is free at each host, like those two and three above it.

    Below the range from which the system takes the ports of outgoing connections, so that no
    other process gets one of them while the Synapse is away.

    Raises:
        SoakError: No free port was found in 100 tries.
    """
    for port in itertools.islice(iter(lambda: random.randrange(10_000, 32_000), None), 100):
        with contextlib.ExitStack() as stack, contextlib.suppress(OSError):
            for host, each in itertools.product(hosts, (port, port + 2, port + 3)):
                stack.enter_context(socket.socket()).bind((host, each))
            return port
    raise SoakError(f"no three free ports at {' and '.join(hosts)} in 100 tries")
