"""The demonstration's processes: started, awaited by a line they print, ended."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Callable
from types import TracebackType
from typing import Self

from ..errors import LocalError

_READY_S = 20.0
_END_S = 5.0
_REPLICAS = ("replica-1", "replica-2")

Say = Callable[..., None]


class ChildFailed(LocalError):
    """A process of the demonstration did not start; the text has its last lines."""


class Processes:
    """Child processes that end when this does, in the reverse order of their start."""

    def __init__(self) -> None:
        self._children: list[tuple[str, asyncio.subprocess.Process]] = []
        self._readers: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        await self.end()

    async def start(self, name: str, ready: str, *arguments: str) -> tuple[int, str]:
        """Start `python -m ...` and return its pid and the text after `ready` in its output.

        Raises:
            ChildFailed: It ended, or was silent for 20 s.
        """
        child = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            *arguments,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
            start_new_session=True,  # a Ctrl-C reaches us alone; we end the children in order
        )
        self._children = [each for each in self._children if each[1].returncode is None]
        self._children.append((name, child))
        said: list[str] = []
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_READY_S):
                while line := await _next_line(child):
                    said.append(line)
                    if line.startswith(ready):
                        self._readers.append(asyncio.create_task(_swallow(child)))
                        return child.pid, line.removeprefix(ready).strip()
        last = "\n".join(said[-5:]) or "it printed nothing"
        raise ChildFailed(f"{name} did not start: {last}")

    async def start_synapse(self, namespace: str, place: str) -> tuple[int, str]:
        """Start a Synapse for one namespace, and return its pid and its URL without a secret.

        Args:
            namespace: The namespace.
            place: A port of this machine, 0 for a free one; or the URL of a nats-server.

        Raises:
            ChildFailed: See `start`.
        """
        on_nats = not place.isdigit()
        options = [place] if on_nats else ["memory", "--port", place]
        return await self.start(
            "Synapse",
            "Synapse on" if on_nats else "Synapse listening on",
            *("cosmonapse.cli", "synapse", "start", *options),
            *("--quiet", "--namespace", namespace),
        )

    def signal(self, pid: int, number: signal.Signals) -> None:
        """Send an OS signal to one of them; one that has ended is left alone."""
        for _, child in self._children:
            if child.pid == pid and child.returncode is None:
                child.send_signal(number)

    async def end(self) -> None:
        """End every process that is left: SIGTERM, and SIGKILL after 5 s."""
        children, self._children = self._children[::-1], []
        for _, child in children:
            with contextlib.suppress(ProcessLookupError):
                child.send_signal(signal.SIGTERM)
            try:
                async with asyncio.timeout(_END_S):
                    await child.wait()
            except TimeoutError:
                child.kill()
                await child.wait()
        for reader in self._readers:
            await reader


async def start_fabric(processes: Processes, namespace: str, say: Say, nats_url: str | None) -> str:
    """Start a Synapse and two replicas of the Neuron, and say so; return the URL of the Synapse.

    Args:
        processes: Where they run.
        namespace: Of the replicas.
        say: Prints a text.
        nats_url: As for `show`.

    Raises:
        ChildFailed: A process did not start.
    """
    pid, shown = await processes.start_synapse(namespace, nats_url or "0")
    url = nats_url or shown
    say(f"  Synapse    pid {pid:<7} {shown}")
    workers = [
        processes.start(name, "ready", "cosmonapse.demo.worker", url, namespace, name)
        for name in _REPLICAS
    ]
    for pid, name in await asyncio.gather(*workers):
        say(f"  worker     pid {pid:<7} {name} of neuron 'worker'")
    return url


async def _next_line(child: asyncio.subprocess.Process) -> str:
    if child.stdout is None:
        return ""
    return (await child.stdout.readline()).decode(errors="replace")


async def _swallow(child: asyncio.subprocess.Process) -> None:
    """Read its output, so that a full pipe never blocks the child."""
    while await _next_line(child):
        pass
