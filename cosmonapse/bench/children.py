"""Processes of the bench: started fresh, queried over a pipe, ended with the bench."""

from __future__ import annotations

import asyncio
import importlib
import multiprocessing
import os
import traceback
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import attrs

# Forked from a server that has loaded what they need and nothing else runs in: a tenth of a spawn.
_METHOD = "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"
_FRESH: Any = multiprocessing.get_context(_METHOD)  # a context of any method
_FRESH.set_forkserver_preload(["cosmonapse.bench.ends"])
_STARTS_S = 30.0
LOOP = "BENCH_LOOP"
"""The variable of the environment that tells the processes of the bench which loop to run."""
_ENDS_S = 5.0

Body = Callable[..., None]
"""Runs in the child: (connection to the parent, its own arguments). Says when it is ready."""


class BenchError(Exception):
    """A process of the bench failed; the text is its error."""


@attrs.frozen
class _Failure:
    text: str


def rss_kib(pid: int) -> int:
    """Return the resident memory of a process; on Linux only."""
    lines = (Path("/proc") / str(pid) / "status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS")).split()[1])


class Child:
    """One process; ready once constructed.

    Args:
        body: The work; a function of a module.
        arguments: Arguments of `body`, after the connection.

    Raises:
        BenchError: It failed, or was not ready within 30 s.
    """

    def __init__(self, body: Body, *arguments: Any) -> None:
        self._name = f"{body.__module__}.{body.__name__}"
        self._connection, theirs = _FRESH.Pipe()
        self._process = _FRESH.Process(
            target=_run, args=(theirs, body, arguments, _cores()), name=self._name, daemon=True
        )
        self._process.start()
        theirs.close()
        self.ready = self._answer(_STARTS_S)
        """The object it sent when it was ready."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        self.close()

    def ask(self, verb: str, *arguments: Any, timeout_s: float = 60.0) -> Any:
        """Run a verb in the process and return its result.

        Raises:
            BenchError: It failed, or took over `timeout_s` seconds.
        """
        self.begin(verb, *arguments)
        return self.end(timeout_s)

    def begin(self, verb: str, *arguments: Any) -> None:
        """Start a verb in the process; `end` returns its result."""
        self._connection.send((verb, arguments))

    def end(self, timeout_s: float = 60.0) -> Any:
        """Return the result of the verb that was started.

        Raises:
            BenchError: It failed, or took over `timeout_s` seconds.
        """
        return self._answer(timeout_s)

    @property
    def pid(self) -> int:
        """Of the process."""
        pid: int = self._process.pid
        return pid

    def close(self) -> None:
        """Request its end; kill it after 5 s."""
        with suppress(OSError):  # it may be gone already
            self._connection.send(None)
        self._process.join(_ENDS_S)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()
        self._connection.close()

    def _answer(self, timeout_s: float) -> Any:
        try:
            if not self._connection.poll(timeout_s):
                raise BenchError(f"{self._name} did not answer within {timeout_s:g} s")
            answer = self._connection.recv()
        except EOFError as error:
            raise BenchError(f"{self._name} ended without an answer") from error
        if isinstance(answer, _Failure):
            raise BenchError(f"{self._name} failed:\n{answer.text}")
        return answer


def _cores() -> frozenset[int] | None:
    return frozenset(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None


def _run(
    connection: Connection,
    body: Body,
    arguments: tuple[Any, ...],
    cores: frozenset[int] | None = None,
) -> None:
    if cores is not None:
        os.sched_setaffinity(0, cores)  # the server may have been started before we were pinned
    try:
        body(connection, *arguments)
    except KeyboardInterrupt:
        return  # the parent received it too, and reports it
    except Exception:  # noqa: BLE001, the last handler: it is sent to the parent
        connection.send(_Failure(traceback.format_exc()))


def run_loop(work: Coroutine[Any, Any, None]) -> None:
    """Run a process of the bench, on uvloop if `LOOP` says so."""
    if os.environ.get(LOOP) == "uvloop":
        uvloop: Any = importlib.import_module("uvloop")  # an optional package
        uvloop.run(work)
    else:
        asyncio.run(work)


def next_question(connection: Connection) -> tuple[str, tuple[Any, ...]] | None:
    """Wait for the parent; None when it has ended or is gone."""
    try:
        question: tuple[str, tuple[Any, ...]] | None = connection.recv()
    except EOFError:
        return None
    return question


async def answer(
    connection: Connection, verbs: Mapping[str, Callable[..., Awaitable[Any]]]
) -> None:
    """Answer questions of the parent until it ends them. The event loop keeps running."""
    while (question := await asyncio.to_thread(next_question, connection)) is not None:
        verb, arguments = question
        connection.send(await verbs[verb](*arguments))


async def while_asked(
    connection: Connection, work: Coroutine[Any, Any, None], **verbs: Callable[..., Awaitable[Any]]
) -> None:
    """Do `work` for as long as the parent has questions.

    Raises:
        Exception: What `work` raised, if it ended first.
    """
    working = asyncio.create_task(work, name="work")
    arbiter = asyncio.create_task(answer(connection, verbs), name="answering")
    await asyncio.wait((working, arbiter), return_when=asyncio.FIRST_COMPLETED)
    if working.done() and (error := working.exception()):
        raise error
    await arbiter
    working.cancel()
    with suppress(asyncio.CancelledError):
        await working


async def together(*works: Coroutine[Any, Any, None]) -> None:
    """Do all of them."""
    await asyncio.gather(*works)
