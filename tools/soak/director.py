"""The director: makes the faults of a plan, one after the other, and undoes them."""

from __future__ import annotations

import asyncio
import itertools
import signal
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence

import attrs

from . import app
from .fabric import (
    ALONE,
    HOST,
    LEADS,
    RELOADED,
    RUNNER,
    STANDBY,
    STANDS_BY,
    STEPS_DOWN,
    SYNAPSE,
    Fabric,
)
from .log import Log
from .plan import Planned
from .processes import SoakError
from .sampling import EVERY_S
from .scraper import Scraper

_MAX_EXTRAS = 2
_LAST_FAULT_S = 3.0
_HEALS_S = 15.0
_AWAY_S = 0.3
_MEETING_S = 0.2
_RELOAD_S = 60.0
_ENDING_S = 0.5
_RELOADS_UNTIL = 0.7
_LOOKS = 75
"""How often it is looked, every 0.2 s, whether one Synapse leads in the end."""


class Director:
    """Makes faults and records them.

    Args:
        fabric: The fabric to break.
        log: The log of the faults.
    """

    def __init__(self, fabric: Fabric, log: Log) -> None:
        self._fabric = fabric
        self._log = log
        self._numbers = itertools.count(1)
        self._scraper = Scraper(fabric.targets, log, HOST)
        self._reloading = asyncio.Lock()

    async def run(self, plan: Iterator[Planned], seconds: float) -> None:
        """Make faults for so many seconds, and leave everything mended."""
        beside = [asyncio.create_task(self._sample(), name="sample")]
        if self._fabric.features.metrics:
            beside.append(asyncio.create_task(self._scraper.run(), name="scrape"))
        if self._fabric.size.everything:
            beside.append(asyncio.create_task(self._reloads(seconds), name="reloads"))
        try:
            await self._break(plan, seconds)
        finally:
            for task in beside:
                task.cancel()
            ended = await asyncio.gather(*beside, return_exceptions=True)
        for error in ended:
            if isinstance(error, Exception):
                raise error

    async def _break(self, plan: Iterator[Planned], seconds: float) -> None:
        end_s = time.monotonic() + seconds
        for planned in plan:
            needs_s = planned.pause_s + planned.length_s + _LAST_FAULT_S
            if time.monotonic() + needs_s > end_s:
                break
            await asyncio.sleep(planned.pause_s)
            await _FAULTS[planned.kind](self, planned)
        await asyncio.sleep(max(0.0, end_s - time.monotonic()))
        self._log.write("quiet")
        if self._fabric.size.standby:
            await self._note_leaders()

    async def _note_leaders(self) -> None:
        """Write down who leads, once that may have settled."""
        for _ in range(_LOOKS):
            if len(self._fabric.leaders) == 1:
                break
            await asyncio.sleep(_MEETING_S)
        self._log.write("leaders", names=self._fabric.leaders)

    async def _sample(self) -> None:
        while True:
            self._fabric.sample()
            await asyncio.sleep(EVERY_S)

    async def _reloads(self, seconds: float) -> None:
        """Reload each minute, but not in the last part: it shows how the last version grows."""
        every_s = min(_RELOAD_S, seconds / 2)
        for _ in range(int(seconds * _RELOADS_UNTIL / every_s)):
            await asyncio.sleep(every_s)
            await self._reload_once()

    async def _reload_once(self) -> None:
        async with self._reloading:
            mended = self._begin("reload", app.NAME, workers=[app.NAME])
            self._fabric.change_app()
            await self._fabric[RUNNER].line(RELOADED)
            mended()

    # -- one method for each fault ---------------------------------------------------------------

    async def _synapse_kill(self, planned: Planned, listens: asyncio.Event | None = None) -> None:
        mended = self._begin_at_synapse("synapse_kill")
        process = self._fabric[SYNAPSE]
        await process.kill()
        self._fabric.look_for_complaint(process)
        await asyncio.sleep(planned.length_s)
        await self._fabric.start_synapse()
        if listens is not None:
            listens.set()
        mended()

    async def _synapse_term(self, planned: Planned) -> None:
        mended = self._begin_at_synapse("synapse_term")
        await self._fabric.end(SYNAPSE)
        await asyncio.sleep(planned.length_s)
        await self._fabric.start_synapse()
        mended()

    async def _worker_kill(self, planned: Planned) -> None:
        name = self._chosen(planned)
        mended = self._begin_at_worker("worker_kill", name)
        process = self._fabric[name]
        await process.kill()
        self._fabric.look_for_complaint(process)
        await asyncio.sleep(planned.length_s)
        await self._fabric.start_worker(name)
        mended()

    async def _worker_term(self, planned: Planned) -> None:
        name = self._chosen(planned)
        mended = self._begin_at_worker("worker_term", name)
        await self._fabric.end(name)
        await asyncio.sleep(planned.length_s)
        await self._fabric.start_worker(name)
        mended()

    async def _worker_freeze(self, planned: Planned) -> None:
        name = self._chosen(planned)
        mended = self._begin_at_worker("worker_freeze", name)
        self._fabric[name].send(signal.SIGSTOP)
        await asyncio.sleep(planned.length_s)
        self._fabric[name].send(signal.SIGCONT)
        mended()

    async def _worker_block(self, planned: Planned) -> None:
        name = self._chosen(planned)
        worker = self._fabric[name]
        worker.tell(f"block {planned.length_s}")
        await worker.line("blocking")
        mended = self._begin_at_worker("worker_block", name)
        await worker.line("going on")
        mended()

    async def _replica_joins(self, planned: Planned) -> None:
        extras = self._fabric.extras
        if len(extras) >= _MAX_EXTRAS:
            oldest = extras.pop(0)
            mended = self._begin("replica_leaves", oldest)
            await self._fabric.end(oldest)
            mended()
        mended = self._begin("replica_joins", "")
        await self._fabric.start_replica()
        mended()

    async def _link_reset(self, planned: Planned) -> None:
        mended = self._begin_at_link("link_reset")
        await self._relay("reset")
        mended()

    async def _link_stall(self, planned: Planned) -> None:
        mended = self._begin_at_link("link_stall")
        await self._relay("stall")
        await asyncio.sleep(planned.length_s)
        await self._relay("flow")
        mended()

    async def _link_half_open(self, planned: Planned) -> None:
        mended = self._begin_at_link("link_half_open")
        await self._relay("half_open far" if planned.dice < 0.5 else "half_open near")
        mended()

    async def _link_cut(self, planned: Planned) -> None:
        hosts = self._fabric.hosts
        if hosts is None:
            raise SoakError("only between two hosts is there a cable to cut")
        mended = self._begin_at_link("link_cut")
        await asyncio.to_thread(hosts.cut)
        await asyncio.sleep(planned.length_s)
        await asyncio.to_thread(hosts.heal)
        mended()

    async def _failover(self, planned: Planned) -> None:
        leader, mended = self._begin_at_leader("failover")
        process = self._fabric[leader]
        await process.kill()
        self._fabric.look_for_complaint(process)
        await self._taken_over(leader, mended, planned)

    async def _failover_stop(self, planned: Planned) -> None:
        leader, mended = self._begin_at_leader("failover_stop")
        ending = asyncio.create_task(self._fabric.end(leader), name="end")
        await self._fabric[self._other(leader)].until_last(LEADS)
        await ending
        await self._taken_over(leader, mended, planned)

    async def _failover_freeze(self, planned: Planned) -> None:
        leader, mended = self._begin_at_leader("failover_freeze")
        self._fabric[leader].send(signal.SIGSTOP)
        await self._fabric[self._other(leader)].until_last(LEADS)
        mended()
        await asyncio.sleep(planned.length_s)
        self._fabric[leader].send(signal.SIGCONT)
        await self._fabric[leader].until_last(STANDS_BY)

    async def _taken_over(self, leader: str, mended: Callable[[], None], planned: Planned) -> None:
        """Wait until the other Synapse leads, and start the one that led as its standby."""
        await self._fabric[self._other(leader)].until_last(LEADS)
        mended()
        await asyncio.sleep(planned.length_s)
        await self._fabric.start_synapse(leader)
        await self._fabric[leader].until_last(STANDS_BY)

    async def _partition(self, planned: Planned) -> None:
        """Cut the cable between two halves, each with a Synapse and clients of its own."""
        fabric, hosts = self._fabric, self._fabric.hosts
        if hosts is None:
            raise SoakError("only between two hosts is there a cable to cut")
        leader = fabric.leader
        # Each may lose tasks that are with a worker of the other half.
        everyone = {"callers": fabric.callers, "workers": fabric.workers}
        mended = self._begin("partition", "cable", sole=[ALONE], **everyone)
        await asyncio.to_thread(hosts.cut)
        await fabric[self._other(leader)].until_last(LEADS)
        await asyncio.sleep(planned.length_s)
        await asyncio.to_thread(hosts.heal)
        await fabric[leader].until_last(STANDS_BY, STEPS_DOWN)
        mended()

    async def _slow_watcher(self, planned: Planned) -> None:
        mended = self._begin("slow_watcher", "watcher-2")
        await self._fabric.start_watcher("watcher-2", slow=True)
        await asyncio.sleep(planned.length_s)
        await self._fabric.end("watcher-2")
        mended()

    async def _frozen_watcher(self, planned: Planned) -> None:
        mended = self._begin("frozen_watcher", "watcher-1")
        self._fabric["watcher-1"].send(signal.SIGSTOP)
        await asyncio.sleep(planned.length_s)
        self._fabric["watcher-1"].send(signal.SIGCONT)
        mended()

    async def _double_kill(self, planned: Planned) -> None:
        await asyncio.gather(self._worker_kill(planned), self._synapse_kill(_short(planned)))

    async def _double_freeze(self, planned: Planned) -> None:
        await asyncio.gather(self._worker_freeze(planned), self._synapse_kill(_short(planned)))

    async def _restart_freeze(self, planned: Planned) -> None:
        """Freeze a worker while it and the new Synapse find each other."""
        listens = asyncio.Event()

        async def freeze() -> None:
            await listens.wait()
            await asyncio.sleep(planned.dice * _MEETING_S)
            await self._worker_freeze(planned)

        freezing = asyncio.create_task(freeze(), name="freeze")
        await self._synapse_kill(_short(planned), listens)
        await freezing

    async def _reload(self, planned: Planned) -> None:
        await self._reload_once()

    async def _rolling_restart(self, planned: Planned) -> None:
        """Restart each worker, each caller, and the Synapses, one after the other, in order."""
        fabric = self._fabric
        for name in fabric.workers:
            mended = self._begin_at_worker("rolling_restart", name)
            await self._end_and_ask(name)
            await fabric.start_worker(name)
            await self._ask(name, "ready")
            mended()
        for name in fabric.callers:
            mended = self._begin("rolling_restart", name, callers=[name])
            await fabric.end(name)
            await fabric.start_caller(name)
            mended()
        standby = self._other(fabric.leader)
        mended = self._begin("rolling_restart", standby)
        await fabric.end(standby)
        await fabric.start_synapse(standby)
        await fabric[standby].until_last(STANDS_BY)
        await self._ask(standby, "ready")
        mended()
        await self._failover_stop(planned)

    async def _end_and_ask(self, name: str) -> None:
        """End a process, and ask it whether it is ready if that takes a while: it must not be."""
        target = self._fabric.target(name)
        ending = asyncio.create_task(self._fabric.end(name), name="end")
        await asyncio.wait({ending}, timeout=_ENDING_S)
        if not ending.done() and target is not None:
            await self._scraper.probe(target, "/readyz", "ending")
        await ending

    async def _ask(self, name: str, asked: str) -> None:
        target = self._fabric.target(name)
        if target is not None:
            await self._scraper.probe(target, "/readyz", asked)

    # -- shared by all ---------------------------------------------------------------------------

    def _chosen(self, planned: Planned) -> str:
        workers = self._fabric.workers
        return workers[int(planned.dice * len(workers))]

    def _begin_at_synapse(self, kind: str) -> Callable[[], None]:
        return self._begin(kind, "synapse", callers=self._fabric.callers)

    def _begin_at_leader(self, kind: str) -> tuple[str, Callable[[], None]]:
        leader = self._fabric.leader
        return leader, self._begin(kind, leader, callers=self._fabric.callers)

    def _other(self, synapse: str) -> str:
        return SYNAPSE if synapse == STANDBY else STANDBY

    def _begin_at_worker(self, kind: str, name: str) -> Callable[[], None]:
        sole = [ALONE] if name == self._fabric.workers[0] else []
        return self._begin(kind, name, workers=[name], sole=sole)

    def _begin_at_link(self, kind: str) -> Callable[[], None]:
        fabric = self._fabric
        return self._begin(
            kind, "link", callers=fabric.linked_callers, workers=fabric.linked_workers
        )

    def _begin(
        self,
        kind: str,
        target: str,
        *,
        callers: Sequence[str] = (),
        workers: Sequence[str] = (),
        sole: Sequence[str] = (),
    ) -> Callable[[], None]:
        """Record the beginning of a fault; return the function that records its end."""
        number = next(self._numbers)
        facts = {"callers": callers, "workers": workers, "sole": sole}
        self._log.write("fault", number=number, kind=kind, target=target, **facts)
        return lambda: self._log.write("mended", number=number)

    async def _relay(self, order: str) -> None:
        self._fabric["relay"].tell(order)
        await self._fabric["relay"].line("done", timeout_s=_HEALS_S)


def _short(planned: Planned) -> Planned:
    """Return a short fault: the Synapse is back while the worker may still be away."""
    return attrs.evolve(planned, length_s=min(planned.length_s, _AWAY_S))


_FAULTS: Mapping[str, Callable[[Director, Planned], Awaitable[None]]] = {
    "synapse_kill": Director._synapse_kill,
    "synapse_term": Director._synapse_term,
    "worker_kill": Director._worker_kill,
    "worker_term": Director._worker_term,
    "worker_freeze": Director._worker_freeze,
    "worker_block": Director._worker_block,
    "replica_joins": Director._replica_joins,
    "link_reset": Director._link_reset,
    "link_stall": Director._link_stall,
    "link_half_open": Director._link_half_open,
    "link_cut": Director._link_cut,
    "failover": Director._failover,
    "failover_stop": Director._failover_stop,
    "failover_freeze": Director._failover_freeze,
    "partition": Director._partition,
    "slow_watcher": Director._slow_watcher,
    "frozen_watcher": Director._frozen_watcher,
    "double_kill": Director._double_kill,
    "double_freeze": Director._double_freeze,
    "restart_freeze": Director._restart_freeze,
    "rolling_restart": Director._rolling_restart,
    "reload": Director._reload,
}
