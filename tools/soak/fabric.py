"""The processes of one run, by name, and how each is started, ended and put back."""

from __future__ import annotations

import asyncio
import itertools
import signal
from pathlib import Path

import attrs

from .hosts import FAR_ADDRESS, NEAR_ADDRESS, Hosts
from .keys import Keys
from .log import Log
from .node import program_of
from .processes import Process, SoakError, free_port, start
from .sampling import sample

HOST = "127.0.0.1"
RELAY_HOST = "127.0.0.2"
ALONE = "alone"
_LISTENING = "Synapse listening on"
SYNAPSE, STANDBY = "synapse", "synapse-2"
LEADS, STANDS_BY, STEPS_DOWN = "leads from now on", "stands by", "steps down"
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
        standby: Whether there is a second Synapse, on the far host if there is one.
        keys: Whether the Synapses have keys, and each client one of its kind.
    """

    workers: int = 3
    callers: int = 2
    outstanding: int = 12
    timeout_s: float = 5.0
    only: str = ""
    javascript: str = ""
    standby: bool = False
    keys: bool = False


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
        self.synapses = [SYNAPSE, STANDBY] if size.standby else [SYNAPSE]
        self._ports = _free_ports(self.synapses)
        self._keys = Keys(folder, self.synapses) if size.keys else None
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
        await asyncio.gather(*map(self.start_synapse, self.synapses))
        if self.hosts is None:
            ports = [port + each for port in self._ports.values() for each in (0, 2, 3)]
            await self._start("relay", "relay", RELAY_HOST, HOST, *ports)
        await asyncio.gather(*map(self.start_worker, self.workers))
        await self.start_watcher("watcher-1")
        for number, name in enumerate(self.callers):
            size, seed = self.size, self._seed * 1000 + number * 100
            load = (seed, size.outstanding, size.timeout_s, *filter(None, [size.only]))
            await self._start(name, "caller", name, self._url(name), self._file(name), *load)

    async def start_synapse(self, name: str = SYNAPSE) -> None:
        """Start a Synapse where it was before; return when it listens."""
        where: tuple[object, ...] = ("--host", self._host(name), "--port", self._ports[name])
        for other in self.synapses:
            if other != name:
                where = (*where, "--peer", f"cosmo://{self._host(other)}:{self._ports[other]}")
        if self._keys is not None:
            where = (*where, "--keys", self._keys.folder_of(name))
        elif self.hosts is not None:
            where = (*where, "--insecure")  # the cable between the two leads nowhere else
        arguments = ("cosmonapse.cli", "synapse", "start", *where, "--quiet")
        through = self._through(name)
        process = await start(name, self._folder, *arguments, through=through)
        process.watch(LEADS, STANDS_BY, STEPS_DOWN)
        self._processes[name] = process
        await process.line(_LISTENING)

    @property
    def leaders(self) -> list[str]:
        """The Synapses that lead, as far as they have said so."""
        alive = [each for each in self.synapses if self._processes[each].is_alive]
        return alive if alive == [SYNAPSE] else [e for e in alive if self[e].last == LEADS]

    @property
    def leader(self) -> str:
        """The only Synapse, or the first one that leads.

        Raises:
            SoakError: None of several leads.
        """
        if not self.size.standby:
            return SYNAPSE
        if not self.leaders:
            raise SoakError(f"no Synapse leads: {self[SYNAPSE].said()} {self[STANDBY].said()}")
        return self.leaders[0]

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
        await asyncio.gather(*map(self.end, self.synapses))

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
        process = await start(
            name,
            self._folder,
            *arguments,
            through=self._through(name),
            program=program,
            variables=None if self._keys is None else self._keys.variables_of(name),
        )
        self._processes[name] = process
        await process.line("ready")

    def _host(self, synapse: str) -> str:
        if self.hosts is None:
            return HOST
        return FAR_ADDRESS if synapse == STANDBY else NEAR_ADDRESS

    def _is_linked(self, name: str) -> bool:
        return name in self.linked_workers or name in self.linked_callers

    def is_far(self, name: str) -> bool:
        """Return whether a process runs on the far host, if there is one."""
        return name == STANDBY or self._is_linked(name)

    def _through(self, name: str) -> tuple[str, ...]:
        """Return the command prefix that starts a process on its host."""
        if self.hosts is None:
            return ()
        return self.hosts.on(self.hosts.far if self.is_far(name) else self.hosts.near)

    def _url(self, name: str) -> str:
        by_relay = self.hosts is None and self._is_linked(name)
        hosts = {each: RELAY_HOST if by_relay else self._host(each) for each in self.synapses}
        return "cosmo://" + ",".join(f"{hosts[e]}:{self._ports[e]}" for e in self.synapses)

    def _file(self, name: str) -> Path:
        return self._folder / f"{name}.log"


def _free_ports(names: list[str]) -> dict[str, int]:
    """Return for each name a port that is free, and of no other one."""
    found: dict[str, int] = {}
    for name in names:
        port = free_port((HOST, RELAY_HOST))
        while any(abs(port - other) <= 3 for other in found.values()):
            port = free_port((HOST, RELAY_HOST))
        found[name] = port
    return found
