"""The processes of one run, by name, and how each is started, ended and put back."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import attrs

from . import app
from .caller import EVERY_KIND
from .features import WITHOUT_CHOICE, Features, all_features
from .hosts import FAR_ADDRESS, NEAR_ADDRESS, Hosts
from .keys import Keys
from .log import Log
from .node import program_of
from .observed import VARIABLE
from .processes import Process, SoakError, free_port, start
from .sampling import children_of, sample
from .scraper import Target
from .worker import NAMESPACE

HOST = "127.0.0.1"
RELAY_HOST = "127.0.0.2"
ALONE = "alone"
_LISTENING = "Synapse listening on"
RUNNER, PRISM, READER = "runner", "prism", "reader"
RELOADED, SERVING = '{"event": "reloaded"', '{"event": "serving"'
_GENERATION = 10_000_000
"""More tasks than a caller has in its life: one that is started again goes on beyond them."""
_SHOWS = "Prism shows"
SYNAPSE, STANDBY = "synapse", "synapse-2"
LEADS, STANDS_BY, STEPS_DOWN = "leads from now on", "stands by", "steps down"
_SLOW_S = 0.05
_CLIENTS = ("worker", "extra", "watch", RUNNER)
_DENDRITES = ("worker", "caller", "watcher")
_ROOT = Path(__file__).resolve().parents[2]


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
        everything: Whether there are Prism with a reader and a `cosmo worker` that reloads too, and
            all processes have metrics, traces and logs of JSON, as far as this checkout has them.
    """

    workers: int = 3
    callers: int = 2
    outstanding: int = 12
    timeout_s: float = 5.0
    only: str = ""
    javascript: str = ""
    standby: bool = False
    keys: bool = False
    everything: bool = False


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
        self.features = all_features() if size.everything else Features()
        self._metrics: dict[str, int] = {}
        self._starts: Counter[str] = Counter()
        self._versions = itertools.count(1)
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
        if self.size.everything:
            on = [*WITHOUT_CHOICE, *self.features.names(on=True)]
            self._log.write("features", names=on, missing=self.features.names(on=False))
            await self._start_beside()
        for name in self.callers:
            await self.start_caller(name)

    async def start_caller(self, name: str) -> None:
        """Start a caller; one of that name that was there before has used other task ids."""
        size, number = self.size, self.callers.index(name)
        seed = self._seed * 1000 + number * 100 + self._starts[name]
        first = 1 + self._starts[name] * _GENERATION
        self._starts[name] += 1
        load = seed, size.outstanding, size.timeout_s, size.only or EVERY_KIND, first
        also = [app.NAME] if size.everything else []
        where = name, self._url(name), self._file(name)
        await self._start(name, "caller", *where, *load, *also)

    async def _start_beside(self) -> None:
        """Start what runs beside the load, with everything on."""
        folder = self._folder / "app"
        self.change_app()
        options = ("--url", self._url(RUNNER), "--namespace", NAMESPACE)
        path = f"{folder}{os.pathsep}{_ROOT}"
        await self._start_verb(
            RUNNER,
            ("worker", app.TARGET, *options, "--reload", "--reload-dir", folder, "--json"),
            SERVING,
            {"PYTHONPATH": path, app.LOG_FILE: str(self._file(app.NAME))},
        )
        prism = ("prism", *options, "--port", free_port((HOST,)), "--no-browser")
        said = await self._start_verb(PRISM, prism, _SHOWS)
        await self._start(READER, "prism_reader", READER, said.split()[-1], self._file(READER))

    def change_app(self) -> None:
        """Write another version of the program that `cosmo worker` runs."""
        app.write(self._folder / "app", next(self._versions))

    async def _start_verb(
        self,
        name: str,
        arguments: Sequence[object],
        says: str,
        variables: Mapping[str, str] | None = None,
    ) -> str:
        """Start a verb of the command line; return the rest of the line that it says then."""
        observed = self._observed(name, serves=False)
        process = await start(
            name,
            self._folder,
            "cosmonapse.cli",
            *arguments,
            *self._options_of(name),
            through=self._through(name),
            variables={**self._key_of(name), **observed, **(variables or {})},
            joined=self.features.logs,
        )
        process.watch(LEADS, STANDS_BY, STEPS_DOWN)
        self._processes[name] = process
        said = await process.line(says)
        process.has_begun()
        return said

    def _options_of(self, name: str) -> list[str]:
        """Return the options of a verb for metrics and logs."""
        logs = ["--log-format", "json"] if self.features.logs else []
        if not self.features.metrics:
            return logs
        return [*logs, "--metrics", f"{HOST}:{self._metrics_of(name)}"]

    def _metrics_of(self, name: str) -> int:
        if name not in self._metrics:
            self._metrics[name] = free_port((HOST,))
        return self._metrics[name]

    def _observed(self, name: str, *, serves: bool) -> dict[str, str]:
        """Return the variable of a process of the harness that names what watches over it.

        Args:
            name: The name of the process.
            serves: Whether it serves its metrics by itself.
        """
        asked: dict[str, object] = {"traces": self.features.traces, "logs": self.features.logs}
        if serves and self.features.metrics:
            asked["metrics"] = f"{HOST}:{self._metrics_of(name)}"
        return {VARIABLE: json.dumps(asked)} if any(asked.values()) else {}

    def target(self, name: str) -> Target | None:
        """Return where a process serves its metrics; None if it has none."""
        process = self._processes[name]
        port = self._metrics.get(name)
        return None if port is None else Target(name, process.pid, port)

    def targets(self) -> list[Target]:
        """Return the processes that serve metrics now."""
        return [
            target
            for name, process in self._processes.items()
            if process.is_serving and (target := self.target(name)) is not None
        ]

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
        await self._start_verb(name, ("synapse", "start", *where, "--quiet"), _LISTENING)

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
        self[name].end()
        await self._ended(name)

    async def finish(self) -> None:
        """Wait until the callers end their work, then end all others in order."""
        for name in self.callers:
            self[name].tell("enough")
        await asyncio.gather(*map(self._ended, self.callers))
        for name in (READER, PRISM):
            if name in self._processes:
                await self.end(name)
        others = [name for name in self._processes if name.startswith(_CLIENTS)]
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
        if RUNNER in self._processes:
            for pid in children_of(self[RUNNER].pid):
                sample(self._log, app.NAME, pid)

    def look_for_complaint(self, process: Process) -> None:
        """Record unexpected output of a process."""
        said = process.complaint()
        if said is not None:
            self._log.write("complaint", name=process.name, text=said)
        if process.logs and (line := process.no_json()) is not None:
            self._log.write("complaint", name=process.name, text=f"no JSON: {line[:500]}")

    async def _ended(self, name: str) -> None:
        process = self._processes[name]
        code, took_s = await process.wait()
        self._log.write("ended", name=name, code=code, took_s=took_s)
        self.look_for_complaint(process)
        del self._processes[name]

    async def _start(self, name: str, module: str, *arguments: object) -> None:
        program = program_of(name, module, self.size.javascript)
        is_dendrite = module in _DENDRITES and program[0] == sys.executable
        observed = self._observed(name, serves=True) if is_dendrite else {}
        process = await start(
            name,
            self._folder,
            *arguments,
            through=self._through(name),
            program=program,
            variables={**self._key_of(name), **observed},
        )
        process.logs = is_dendrite and self.features.logs
        self._processes[name] = process
        await process.line("ready")
        process.has_begun()

    def _key_of(self, name: str) -> Mapping[str, str]:
        return {} if self._keys is None else self._keys.variables_of(name)

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
