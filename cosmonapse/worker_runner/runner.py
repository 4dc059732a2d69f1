"""The runner: starts worker processes, hears of them, and does what the supervisor decides."""

from __future__ import annotations

import asyncio
import contextlib
import json
import math
import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import attrs

from ..runtime.sd_notify import ServiceManager
from ..telemetry.service_reporter import ServiceReporter
from .file_watch import FileWatch
from .service_view import ServiceView
from .supervisor import Action, Failure, Notice, Supervisor, failure_in
from .told import NoticeTexts
from .worker_process import ProcessSettings

if TYPE_CHECKING:
    from .worker_metrics import WorkerMetrics

_MODULE = "cosmonapse.worker_runner.worker_process"
_STOPPING = (signal.SIGINT, signal.SIGTERM)
_READY = frozenset({"serving", "reloaded", "reload_failed"})
_FAILED_S = 2.0
_SLOW_LOAD_S = 10.0
_LAST_WORDS_S = 0.5
_MAX_LINE_BYTES = 16 * 1024 * 1024  # a list of files


class Runner:
    """Runs processes until SIGINT or SIGTERM, or until it gives up.

    Args:
        settings: What each process runs.
        count: The number of processes.
        say: Prints a line.
        as_json: Whether the lines are objects of JSON.
        polls: Whether to look at files at intervals even where watchfiles is installed.
        slow_load_s: After how long it is told that a process still loads the program.
        log: Logs a line with its level and its facts, in place of `say`, unless `as_json`.
        manager: The service manager that started us, if it wants to be told.
        metrics: Where to serve metrics and probes, `HOST:PORT`; None for nowhere.

    Raises:
        MissingExtra: prometheus-client is not installed.
        ValueError: `metrics` is no address.
        PortInUse: It cannot listen there.
    """

    def __init__(
        self,
        settings: ProcessSettings,
        count: int,
        say: Callable[[str], None],
        as_json: bool = False,
        polls: bool = False,
        slow_load_s: float = _SLOW_LOAD_S,
        log: Callable[..., None] | None = None,
        manager: ServiceManager | None = None,
        metrics: str | None = None,
    ) -> None:
        self._settings = attrs.evolve(settings, beats=manager is not None)
        self._supervisor = Supervisor(count, settings.grace_s, settings.reloads)
        self._watch = FileWatch(settings.folders, polls) if settings.reloads else None
        self._texts = NoticeTexts(settings.namespace, os.getcwd(), as_json)
        self._view = ServiceView(lambda: list(self._supervisor.processes.values()), count)
        self._reporter = ServiceReporter(manager, self._view.judge, self._view.status)
        self._say = say
        self._log = None if as_json else log
        self._slow_load_s = slow_load_s
        self._children: dict[int, asyncio.subprocess.Process] = {}
        self._failures: dict[int, Failure] = {}
        self._spawned_at_ns: dict[int, int] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._news = asyncio.Event()
        self._error: BaseException | None = None
        self.metrics = None if metrics is None else _metrics(metrics, self._supervisor)

    async def run(self) -> int:
        """Run; return the exit code: 0 after SIGTERM, 130 after SIGINT, else why it gave up."""
        loop = asyncio.get_running_loop()
        self._reporter.start()
        for number in _STOPPING:
            loop.add_signal_handler(number, self._on_signal, number)
        self._begin_watching()
        try:
            self._act(self._supervisor.begin(loop.time()))
            while self._error is None and not self._supervisor.is_over:
                await self._until_due()
                self._act(self._supervisor.due(loop.time()))
            if self._error is not None:
                raise self._error
        finally:
            for child in self._children.values():  # nothing of ours outlives an error of ours
                with contextlib.suppress(ProcessLookupError):
                    child.kill()
            for task in self._tasks:
                task.cancel()
            self._end_watching()
            self._reporter.close()
            for number in _STOPPING:
                loop.remove_signal_handler(number)
        return self._supervisor.exit_code or 0

    def _begin_watching(self) -> None:
        if self.metrics is not None:
            self.metrics.pulse.start()
        if self._watch is not None:
            self._watch.start()
            self._own(self._reload_on_changes(self._watch))

    def _end_watching(self) -> None:
        if self.metrics is not None:
            self.metrics.close()
        if self._watch is not None:
            self._watch.stop()

    async def _until_due(self) -> None:
        """Return when something has happened, or is due."""
        self._news.clear()
        wait_s = self._supervisor.next_at_s() - asyncio.get_running_loop().time()
        timeout_s = None if math.isinf(wait_s) else max(0.0, wait_s)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._news.wait(), timeout_s)

    def _own(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._on_task_end)

    def _on_task_end(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            self._error = task.exception()  # `run` raises it: nobody else would see it
            self._news.set()

    def _on_signal(self, number: int) -> None:
        code = 128 + number if number == signal.SIGINT else 0
        self._reporter.stopping(f"ending: {self._view.status()}")
        self._act(self._supervisor.stop(code, asyncio.get_running_loop().time()))

    async def _reload_on_changes(self, watch: FileWatch) -> None:
        while True:
            names = self._texts.names(await watch.changes())
            self._reporter.reloading(f"{', '.join(names)} changed")
            self._act(self._supervisor.changed(names, asyncio.get_running_loop().time()))

    # -- processes ---------------------------------------------------------------------------------

    def _act(self, decided: list[Action | Notice]) -> None:
        for each in decided:
            if isinstance(each, Notice):
                self._tell(each)
            elif each.what == "start":
                self._own(self._live(each.number))
            else:
                self._signal(each.number, kills=each.what == "kill")
        self._news.set()

    def _tell(self, notice: Notice) -> None:
        if notice.what in _READY:
            self._reporter.ready()
        if self._log is None:
            self._say(self._texts.line(notice))
        else:
            self._log(
                self._texts.line(notice), self._texts.level(notice), **self._texts.facts(notice)
            )

    def _signal(self, number: int, kills: bool) -> None:
        child = self._children.get(number)
        if child is None:
            return  # it is not there yet, and looks at its phase when it is
        with contextlib.suppress(ProcessLookupError):
            if kills:
                os.killpg(child.pid, signal.SIGKILL)  # with what it started, which is in its group
            else:
                child.terminate()

    async def _live(self, number: int) -> None:
        """Start a process, listen to it, and report its end."""
        loop = asyncio.get_running_loop()
        self._spawned_at_ns[number] = time.time_ns()
        ours, theirs = socket.socketpair()
        try:
            child = await self._spawned(number, theirs)
        except OSError as error:
            ours.close()
            if self.metrics is not None:
                self.metrics.end_line(number)
            del self._spawned_at_ns[number]
            failure = Failure(f"no process can be started: {error.strerror}")
            self._act(self._supervisor.ended(number, failure.reason, failure, loop.time()))
            return
        finally:
            theirs.close()
        self._children[number] = child
        self._supervisor.spawned(number, child.pid)
        if self._supervisor.is_leaving(number):
            self._signal(number, kills=False)
        await self._listen(number, child, ours)
        code = await child.wait()
        if self.metrics is not None:
            self.metrics.end_line(number)
        del self._children[number], self._spawned_at_ns[number]
        self._view.ended(number)
        failure_told = self._failures.pop(number, None)
        self._act(self._supervisor.ended(number, _how(code), failure_told, loop.time()))

    async def _spawned(self, number: int, theirs: socket.socket) -> asyncio.subprocess.Process:
        settings = attrs.evolve(self._settings, descriptor=theirs.fileno())
        if self.metrics is None:
            return await self._spawned_with(settings, [theirs])
        with self.metrics.new_line(number) as asked:
            settings = attrs.evolve(settings, probe_descriptor=asked.fileno())
            return await self._spawned_with(settings, [theirs, asked])

    async def _spawned_with(
        self, settings: ProcessSettings, lines: list[socket.socket]
    ) -> asyncio.subprocess.Process:
        # What is not written cannot be old: Python knows a changed file by size and whole second.
        flags = ["-B"] if self._watch is not None else []
        return await asyncio.create_subprocess_exec(
            sys.executable,
            *flags,
            "-m",
            _MODULE,
            settings.as_argument(),
            stdin=asyncio.subprocess.DEVNULL,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
            pass_fds=[each.fileno() for each in lines],
            start_new_session=True,  # a Ctrl-C reaches us alone; we end the processes in order
        )

    async def _listen(
        self, number: int, child: asyncio.subprocess.Process, ours: socket.socket
    ) -> None:
        """Read what a process says, until it has ended."""
        reader, writer = await asyncio.open_connection(sock=ours, limit=_MAX_LINE_BYTES)
        ending = asyncio.create_task(child.wait())
        loading = Notice("loading", ", ".join(self._settings.targets), (child.pid,))
        loop = asyncio.get_running_loop()
        slow = loop.call_later(self._slow_load_s, self._tell, loading)
        try:
            while True:
                reading = asyncio.create_task(reader.readline())
                # What it started may hold its end of the line for longer than it lives.
                await asyncio.wait({reading, ending}, return_when=asyncio.FIRST_COMPLETED)
                if not reading.done():
                    await asyncio.wait({reading}, timeout=_LAST_WORDS_S)
                if not reading.done():
                    reading.cancel()
                    return
                line = reading.result()
                slow.cancel()  # the first message comes when the program is loaded, or cannot be
                if not line:
                    return
                self._on_message(number, child, json.loads(line))
        finally:
            slow.cancel()
            ending.cancel()
            writer.close()

    def _on_message(
        self, number: int, child: asyncio.subprocess.Process, message: dict[str, Any]
    ) -> None:
        loop = asyncio.get_running_loop()
        what = message.pop("what")
        if self._watch is not None:
            self._watch.add(message.pop("files", ()), self._spawned_at_ns[number])
        if what == "beat":
            self._view.beat(number, message["running"], message["queued"])
        elif what == "ready":
            self._view.beat(number)
            self._texts.serves(message["ids"], message["url"])
            self._act(self._supervisor.ready(number, loop.time()))
        elif what == "failed":
            message.pop("files", None)
            self._failures[number] = failure_in(message)
            loop.call_later(_FAILED_S, self._signal, number, True)
        elif what == "waiting" and self._texts.may_tell_waiting(loop.time()):
            self._tell(Notice("waiting", message["text"], (child.pid,)))


def _metrics(address: str, supervisor: Supervisor) -> WorkerMetrics:
    from .worker_metrics import WorkerMetrics

    return WorkerMetrics(address, supervisor)


def _how(code: int) -> str:
    """Return how a process ended, from its return code."""
    if code >= 0:
        return f"exited with code {code}"
    try:
        return f"was ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"was ended by signal {-code}"
