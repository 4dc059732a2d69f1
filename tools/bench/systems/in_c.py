"""The limits: both ends and the part between them in C, compiled when needed.

`router` is a loop around one ROUTER that sends to the named peer, `proxy` is `zmq_proxy`, `tcp` has
nothing between the two ends. The body has the size of the one that the others send, and carries
the id in its first 8 bytes; nothing is encoded, checked or awaited.
"""

from __future__ import annotations

import functools
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import msgpack

from cosmonapse.bench.children import BenchError
from cosmonapse.bench.fan import Fan, shares
from cosmonapse.bench.load import Sample, payload_of

from .system import SETTLES_S, Asked, System

_SOURCES = Path(__file__).resolve().parents[1] / "limits"
_ENDS_S = 5.0
_COMPILES_S = 60.0


class Program:
    """A program in C of ours; ready once constructed, as its first line says.

    Args:
        command: With its arguments.
        subscribers: How many a publisher has.

    Raises:
        BenchError: It ended before.
    """

    def __init__(self, *command: str, subscribers: int = 0) -> None:
        self._name = Path(command[0]).name
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._verb, self._subscribers = "", subscribers
        self.ready = self._line().split()
        """The line that it printed when it was ready."""

    def ask(self, verb: str, *arguments: Any, timeout_s: float = 60.0) -> Any:
        """Send an order and return the result."""
        self.begin(verb, *arguments)
        return self.end(timeout_s)

    def begin(self, verb: str, *arguments: Any) -> None:
        """Run its one measurement; the arguments are those of `System`."""
        if verb == "load":
            outstanding, seconds, *rest = arguments
            body = msgpack.packb({"id": 1000, "input": payload_of(rest[0] if rest else 100)})
            arguments = (outstanding, seconds, len(body))
        self._verb = verb
        self._write(" ".join(map(str, arguments)))

    def end(self, timeout_s: float = 60.0) -> Any:
        """Return the sample, or the fan."""
        count, *rest = self._line().split()
        if self._verb == "publish":
            return Fan(int(count), self._subscribers, float(rest[0]))
        return Sample(int(count), *map(float, rest))

    def close(self) -> None:
        """Wait for its end; kill it when that takes over 5 s."""
        try:
            self._process.communicate(timeout=_ENDS_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()

    def _write(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()

    def _line(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise BenchError(f"{self._name} ended without a word")
        return line


def missing() -> str | None:
    """Return the packages to install; None when all are present."""
    if shutil.which("gcc") is None:
        return "apt-get install gcc libzmq3-dev"
    try:
        _compiled()
    except subprocess.CalledProcessError:
        return "apt-get install libzmq3-dev"
    return None


@functools.cache
def _compiled() -> tempfile.TemporaryDirectory[str]:
    """Compile all programs once, into a folder that goes with this process."""
    folder = tempfile.TemporaryDirectory(prefix="bench-")
    for source in sorted(_SOURCES.glob("*.c")):
        program = Path(folder.name) / source.stem
        command = ["gcc", "-O2", "-o", program, source, "-lzmq", "-lpthread"]
        try:
            subprocess.run(command, check=True, capture_output=True, timeout=_COMPILES_S)
        except BaseException:
            folder.cleanup()
            raise
    return folder


@contextmanager
def _program(name: str, *arguments: str, subscribers: int = 0) -> Iterator[Program]:
    program = Program(str(Path(_compiled().name) / name), *arguments, subscribers=subscribers)
    try:
        yield program
    finally:
        program.close()


@contextmanager
def _with(middle: str, pairs: int) -> Iterator[Sequence[Asked]]:
    """Run the middle and both ends; give the caller."""
    with ExitStack() as stack:
        ends = stack.enter_context(_program(middle)).ready
        stack.enter_context(_program("worker", ends[-1]))
        yield [stack.enter_context(_program("caller", ends[0]))]


@contextmanager
def _tcp(pairs: int) -> Iterator[Sequence[Asked]]:
    with _program("tcp") as echo, _program("tcp", echo.ready[0]) as caller:
        yield [caller]


@contextmanager
def _fanning(subscribers: int) -> Iterator[Sequence[Asked]]:
    """Run `zmq_proxy`, a publisher and subscribers; give the publisher."""
    with ExitStack() as stack:
        front, back = stack.enter_context(_program("proxy", "publish")).ready
        counts = shares(subscribers)
        publisher = stack.enter_context(
            _program("publisher", front, str(len(counts)), subscribers=subscribers)
        )
        for process, count in enumerate(counts):
            arguments = (back, publisher.ready[0], str(process), str(count))
            stack.enter_context(_program("subscriber", *arguments))
        time.sleep(SETTLES_S)
        yield [publisher]


def _limit(name: str, label: str, calls: Any, fanout: Any = None) -> System:
    return System(name, label, missing, calls, fanout, most_pairs=1, is_limit=True)


ROUTER = _limit("c_router", "C, ROUTER", functools.partial(_with, "router"))
PROXY = _limit("c_proxy", "C, zmq_proxy", functools.partial(_with, "proxy"), _fanning)
TCP = _limit("c_tcp", "C, bare TCP", _tcp)
