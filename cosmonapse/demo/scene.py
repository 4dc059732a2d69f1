"""The scene of `cosmo demo --scene`: real processes with all that can go wrong, and a Prism."""

from __future__ import annotations

import asyncio
import contextlib
import random
import signal
import socket
import time

from .processes import Processes, Say
from .scene_script import CALLERS, NAMESPACE, OUTAGE_S, WORKERS, Mishap, quiet_workers, timeline

_AT_ONCE = 4
"""So many processes start at a time."""

_PORTS = range(10_000, 32_000, 4)
"""Below those that the system gives to connections of clients, which knock while it is away."""
_TRIES = 100


def port_to_come_back_to() -> int:
    """Return a port that is free, as those two and three above it; 0 if none is found.

    A Synapse that took any three ports could not come back: with a port it takes these three.
    """
    for port in random.sample(_PORTS, _TRIES):
        with contextlib.ExitStack() as stack, contextlib.suppress(OSError):
            for each in (port, port + 2, port + 3):
                stack.enter_context(socket.socket()).bind(("127.0.0.1", each))
            return port
    return 0


class Scene:
    """A fabric with callers, workers and a Prism, and a script of what goes wrong.

    Args:
        processes: Who ends the processes.
        say: Prints a line.
        page: Options of `cosmo prism`, such as its port.
        nats_url: A nats-server without a Synapse, over which everything goes.
    """

    def __init__(
        self,
        processes: Processes,
        say: Say,
        page: tuple[str, ...] = (),
        nats_url: str | None = None,
    ) -> None:
        self._nats_url = nats_url
        self._processes, self._say, self._page = processes, say, page
        self._pids: dict[str, int] = {}
        self._neurons: dict[str, tuple[str, ...]] = {}
        self._port = ""
        self._url = self._shown = ""
        self._starts = asyncio.Semaphore(_AT_ONCE)
        self._does = {"kill": self._kill, "flap": self._flap, "outage": self._outage}

    async def bring_up(self, neurons: int) -> str:
        """Start everything, with so many quiet Neurons; return the address of the page.

        Raises:
            ChildFailed: A process did not start.
        """
        await self._raise_synapse()
        pid, told = await self._processes.start(
            "Prism",
            "Prism shows",
            *("cosmonapse.cli", "prism", "--url", self._url, "--namespace", NAMESPACE, *self._page),
        )
        self._pids["Prism"] = pid
        self._neurons = {**WORKERS, **quiet_workers(neurons)}
        await asyncio.gather(*map(self._hire, self._neurons))
        self._say(
            f"  Synapse  pid {self._pids['Synapse']:<7} {self._shown}  (namespace {NAMESPACE})"
        )
        for name, hosted in self._neurons.items():
            more = f" and {len(hosted) - 5} more" if len(hosted) > 5 else ""
            self._say(f"  worker   pid {self._pids[name]:<7} {name}: {', '.join(hosted[:5])}{more}")
        await asyncio.gather(*map(self._admit, CALLERS))
        for name in CALLERS:
            self._say(f"  caller   pid {self._pids[name]:<7} {name}")
        return "http://" + told.split("http://", 1)[1].split()[0].rstrip("/.,")

    async def play(self, minutes: float, *, steady: bool) -> None:
        """Do what the script says, for so long."""
        began_s = time.monotonic()
        for at_s, step in timeline(minutes, steady=steady):
            await asyncio.sleep(began_s + at_s - time.monotonic())
            self._say(f"{at_s:6.0f} s  {step.says}")
            await self._does[step.verb](step)
        await asyncio.sleep(began_s + minutes * 60 - time.monotonic())

    async def _raise_synapse(self) -> None:
        self._port = self._port or str(port_to_come_back_to())
        pid, self._shown = await self._processes.start_synapse(
            NAMESPACE, self._nats_url or self._port
        )
        self._pids["Synapse"] = pid
        self._url = self._nats_url or self._shown
        self._port = self._shown.rsplit(":", 1)[1]

    async def _hire(self, name: str) -> None:
        async with self._starts:
            module = "cosmonapse.demo.scene_worker"
            hosted = self._neurons[name]
            self._pids[name], _ = await self._processes.start(
                name, "ready", module, self._url, name, *hosted
            )

    async def _admit(self, name: str) -> None:
        async with self._starts:
            module = "cosmonapse.demo.scene_caller"
            self._pids[name], _ = await self._processes.start(
                name, "ready", module, self._url, name
            )

    async def _kill(self, step: Mishap) -> None:
        self._processes.signal(self._pids[step.who], signal.SIGKILL)

    async def _flap(self, step: Mishap) -> None:
        await self._kill(step)
        await self._hire(step.who)

    async def _outage(self, step: Mishap) -> None:
        await self._kill(step)
        await asyncio.sleep(OUTAGE_S)
        await self._raise_synapse()
        self._say("          the Synapse is back, at the same address")


async def play_scene(
    say: Say,
    *,
    minutes: float,
    neurons: int,
    steady: bool,
    page: tuple[str, ...] = (),
    nats_url: str | None = None,
) -> None:
    """Bring the scene up, print where to look, and play the script.

    Args:
        say: Prints a line.
        minutes: For how long.
        neurons: So many quiet Neurons beside those of the script.
        steady: Leave the Synapse alone.
        page: Options of `cosmo prism`.
        nats_url: See `Scene`.

    Raises:
        ChildFailed: A process did not start.
    """
    async with Processes() as processes:
        scene = Scene(processes, say, page, nats_url)
        address = await scene.bring_up(neurons)
        say(f"\nlook at it: {address}")
        say(f"for {minutes:g} minutes, or until Ctrl-C\n")
        await scene.play(minutes, steady=steady)
    say("every process has ended")
