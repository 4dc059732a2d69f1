"""The processes of one run, by name, and how each is started, ended and put back."""

from __future__ import annotations

import asyncio
import itertools
import signal
from pathlib import Path

import attrs

from .hosts import NEAR_ADDRESS, Hosts
from .log import Log
from .node import program_of
from .processes import Process, free_port, start
from .sampling import sample

HOST = "127.0.0.1"
RELAY_HOST = "127.0.0.2"
ALONE = "alone"
_LISTENING = "Synapse listening on"
_SLOW_S = 0.05


@attrs.frozen
class Size:
    """The number of processes, and their load.

    Args:
        workers: At least two; the first alone serves one Neuron, the last connects by the relay.
        callers: At least two; the last connects by the relay.
        outstanding: Tasks that each caller has under way.
        timeout_s: How long a task may take.
        only: The one kind of task in the sequences of a caller; empty for all kinds.
        javascript: The carrier of every other worker and caller, which are written in JavaScript
            then: the first caller, the second worker, and so on; empty for none.
    """

    workers: int = 3
    callers: int = 2
    outstanding: int = 12
    timeout_s: float = 5.0
    only: str = ""
    javascript: str = ""


class Fabric:
    """A Synapse, workers, callers, a watcher and a relay in front of some of them.

    Args:
        folder: The folder of all logs.
        size: The number of processes, and their load.
        seed: For the tasks of the callers.
        log: Of the harness.
        hosts: If there are two, the far one runs those that would connect by the relay.
    """

    def __init__(
        self, folder: Path, size: Size, seed: int, log: Log, hosts: Hosts | None = None
    ) -> None:
        self.size = size
        self.hosts = hosts
        self._folder = folder
        self._seed = seed
        self._log = log
        self._port = free_port((HOST, RELAY_HOST))
        self._processes: dict[str, Process] = {}
        self._numbers = itertools.count(1)
        self.workers = [f"worker-{number + 1}" for number in range(size.workers)]
        self.callers = [f"caller-{number + 1}" for number in range(size.callers)]
        self.extras: list[str] = []

    @property
    def linked_workers(self) -> list[str]:
        """The workers that connect by the relay."""
        return self.workers[-1:]

    @property
    def linked_callers(self) -> list[str]:
        """The callers that connect by the relay."""
        return self.callers[-1:]

    def __getitem__(self, name: str) -> Process:
        return self._processes[name]

    async def start(self) -> None:
        """Start all processes, each after those that it needs."""
        await self.start_synapse()
        if self.hosts is None:
            await self._start("relay", "relay", RELAY_HOST, HOST, *self._ports())
        await asyncio.gather(*map(self.start_worker, self.workers))
        await self.start_watcher("watcher-1")
        for number, name in enumerate(self.callers):
            size, seed = self.size, self._seed * 1000 + number * 100
            load = (seed, size.outstanding, size.timeout_s, *filter(None, [size.only]))
            await self._start(name, "caller", name, self._url(name), self._file(name), *load)

    async def start_synapse(self) -> None:
        """Start the Synapse where it was before; return when it listens."""
        host = HOST if self.hosts is None else NEAR_ADDRESS
        where = ("--host", host, "--port", self._port)
        if self.hosts is not None:
            where = (*where, "--insecure")  # the cable between the two leads nowhere else
        arguments = ("cosmonapse.cli", "synapse", "start", *where, "--quiet")
        through = self._through("synapse")
        process = await start("synapse", self._folder, *arguments, through=through)
        self._processes["synapse"] = process
        await process.line(_LISTENING)

    async def start_worker(self, name: str) -> None:
        """Start a worker; return when its Axons are registered."""
        alone = [ALONE] if name == self.workers[0] else []
        await self._start(name, "worker", name, self._url(name), self._file(name), *alone)

    async def start_replica(self) -> str:
        """Start one more worker, and return its name."""
        name = f"extra-{next(self._numbers)}"
        self.extras.append(name)
        await self.start_worker(name)
        return name

    async def start_watcher(self, name: str, *, slow: bool = False) -> None:
        """Start a watcher; return when it watches."""
        pace = [_SLOW_S] if slow else []
        await self._start(name, "watcher", name, self._url(name), self._file(name), *pace)

    async def end(self, name: str) -> None:
        """Ask a process to end, with SIGTERM, and wait until it has."""
        self[name].send(signal.SIGTERM)
        await self._ended(name)

    async def finish(self) -> None:
        """Wait until the callers end their work, then end all others in order."""
        for name in self.callers:
            self[name].tell("enough")
        await asyncio.gather(*map(self._ended, self.callers))
        others = [name for name in self._processes if name.startswith(("worker", "extra", "watch"))]
        await asyncio.gather(*map(self.end, others))
        await self.end("synapse")

    async def kill(self) -> None:
        """Kill all processes that are left."""
        await asyncio.gather(*(process.kill() for process in self._processes.values()))

    def sample(self) -> None:
        """Record the memory and descriptors of each process."""
        for name, process in self._processes.items():
            if process.is_alive and name != "relay":
                sample(self._log, name, process.pid)

    def look_for_complaint(self, process: Process) -> None:
        """Record unexpected output of a process."""
        said = process.complaint()
        if said is not None:
            self._log.write("complaint", name=process.name, text=said)

    async def _ended(self, name: str) -> None:
        process = self._processes[name]
        code, took_s = await process.wait()
        self._log.write("ended", name=name, code=code, took_s=took_s)
        self.look_for_complaint(process)
        del self._processes[name]

    async def _start(self, name: str, module: str, *arguments: object) -> None:
        program = program_of(name, module, self.size.javascript)
        through = self._through(name)
        process = await start(name, self._folder, *arguments, through=through, program=program)
        self._processes[name] = process
        await process.line("ready")

    def _ports(self) -> tuple[int, int, int]:
        return self._port, self._port + 2, self._port + 3

    def _is_linked(self, name: str) -> bool:
        return name in self.linked_workers or name in self.linked_callers

    def _through(self, name: str) -> tuple[str, ...]:
        """Return the command prefix that starts a process on its host."""
        if self.hosts is None:
            return ()
        return self.hosts.on(self.hosts.far if self._is_linked(name) else self.hosts.near)

    def _url(self, name: str) -> str:
        if self.hosts is not None:
            return f"cosmo://{NEAR_ADDRESS}:{self._port}"
        return f"cosmo://{RELAY_HOST if self._is_linked(name) else HOST}:{self._port}"

    def _file(self, name: str) -> Path:
        return self._folder / f"{name}.log"
