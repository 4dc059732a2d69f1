"""The cost of watchers for callers: `python -m tools.watched [--seconds 2] [--paced N]`.

Two fabrics of real processes. One is never watched. The other has a Prism beside it without a tab,
then with one, then none any more, in each round again; so all four are measured in turns.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import attrs

from cosmonapse import Axon, Dendrite, SignalType, connect_synapse
from cosmonapse.bench.figures import percentiles

NEVER, IDLE, LOOKED_AT, CLOSED = "never watched", "Prism, no tab", "Prism, one tab", "closed again"
_PAYLOAD = {"text": "x" * 92}
_WARM_UP_S = 0.5
_TIMEOUT_S = 20.0
_TICKS = os.sysconf("SC_CLK_TCK")


@attrs.frozen
class Measured:
    """One length of calling.

    Args:
        rate: Calls a second.
        call_us: CPU time of Synapse, worker and caller together for a call, in microseconds; other
            load of the machine moves it far less than the rate.
        prism_cpu: Share of one core that Prism took; None where there was none.
        per_signal_us: The same for each Signal that it saw, in microseconds of that core.
        memory_mib: What Prism held in memory before and after.
    """

    rate: float
    call_us: float
    prism_cpu: float | None = None
    per_signal_us: float | None = None
    memory_mib: tuple[float, float] = (0.0, 0.0)


# -- inside the processes --------------------------------------------------------------------------


async def _echo(input: Any, context: Any) -> Any:
    return input


async def work(url: str) -> None:
    """Run the worker."""
    dendrite = Dendrite(synapse=await connect_synapse(url), dendrite_id="worker", role="worker")
    dendrite.attach_axon(Axon(neuron_id="echo", neuron_fn=_echo, concurrency=1024))
    async with dendrite:
        print("ready", flush=True)
        await asyncio.Event().wait()


async def call(url: str) -> None:
    """Run the caller: for each `OUTSTANDING SECONDS PACED` on stdin print calls a second."""
    async with Dendrite(synapse=await connect_synapse(url), dendrite_id="caller") as dendrite:
        print("ready", flush=True)
        while line := await asyncio.to_thread(sys.stdin.readline):
            outstanding, seconds, paced = line.split()
            rate = await _rate(dendrite, int(outstanding), float(seconds), float(paced))
            print(rate, flush=True)


async def _rate(dendrite: Dendrite, outstanding: int, seconds: float, paced: float) -> float:
    """Call for so long; at most `paced` times a second, or as fast as it goes if that is 0."""
    begin_s = time.perf_counter()
    end_s, done = begin_s + seconds, 0

    async def one(number: int) -> None:
        nonlocal done
        due_s, every_s = begin_s, outstanding / paced if paced else 0.0
        due_s += every_s * number / outstanding  # one after the other, not all at once
        while time.perf_counter() < end_s:
            wait_s = due_s - time.perf_counter()
            if wait_s > 0:
                await asyncio.sleep(wait_s)
            due_s += every_s
            reply = await dendrite.dispatch_and_wait(neuron="echo", input=_PAYLOAD)
            if reply.type is not SignalType.AGENT_OUTPUT:
                raise SystemExit(f"a call failed: {reply.payload}")
            done += 1

    await asyncio.gather(*(one(number) for number in range(outstanding)))
    return done / (time.perf_counter() - begin_s)


# -- inside the parent ----------------------------------------------------------------------------


@contextmanager
def _process(start: str, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run Python; yield the process and the rest of its line that begins with `start`."""
    command = [sys.executable, "-u", "-m", *arguments]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        try:
            yield process, _line(process, start)
        finally:
            process.terminate()


def _line(process: subprocess.Popen[str], start: str) -> str:
    for line in process.stdout or ():
        if line.startswith(start):
            return line.removeprefix(start).strip()
    raise SystemExit(f"a process ended before it said {start!r}")


class Fabric:
    """A Synapse, a worker and a caller, each in a process of its own."""

    def __init__(self, stack: ExitStack) -> None:
        cosmo = ("cosmonapse.cli", "synapse", "start", "--port", "0", "--quiet")
        routing, self.url = stack.enter_context(_process("Synapse listening on", *cosmo))
        be = ("ready", "tools.watched", "--be")
        working, _ = stack.enter_context(_process(*be, "worker", self.url))
        self._caller, _ = stack.enter_context(_process(*be, "caller", self.url))
        self._pids = (routing.pid, working.pid, self._caller.pid)

    def rate(self, outstanding: int, seconds: float, paced: float = 0.0) -> float:
        """Return the calls a second with that many in the air, at most `paced` if that is not 0."""
        if self._caller.stdin is None:
            raise SystemExit("the caller has no stdin")
        self._caller.stdin.write(f"{outstanding} {seconds} {paced}\n")
        self._caller.stdin.flush()
        return float(_line(self._caller, ""))

    @property
    def cpu_s(self) -> float:
        """CPU time that its processes took so far."""
        return sum(map(_cpu_s, self._pids))


class Tab:
    """Reads a stream and keeps only how old Signals were when they came.

    Args:
        address: Of Prism.
    """

    def __init__(self, address: str) -> None:
        self.ages_s: list[float] = []
        self.read_bytes = 0
        where = address.removeprefix("http://").rstrip("/")
        host, port = where.split(":")
        self._line = socket.create_connection((host, int(port)), _TIMEOUT_S)
        self._line.sendall(f"GET /api/stream HTTP/1.1\r\nHost: {where}\r\n\r\n".encode())
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        with self._line.makefile("rb") as lines:
            for line in lines:
                self.read_bytes += len(line)
                if line.startswith(b'data: [{"n"'):
                    newest = line[line.rindex(b'"ts":') + 5 :].partition(b",")[0]
                    self.ages_s.append(time.time() - json.loads(newest))

    def close(self) -> None:
        """Hang up."""
        self._line.shutdown(socket.SHUT_RDWR)
        self._thread.join(_TIMEOUT_S)
        self._line.close()


def _cpu_s(pid: int) -> float:
    fields = (Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def _memory_mib(pid: int) -> float:
    """Return the resident memory of a process."""
    pages = int((Path("/proc") / str(pid) / "statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def _measured(
    fabric: Fabric, options: argparse.Namespace, prism: subprocess.Popen[str] | None = None
) -> Measured:
    fabric.rate(options.outstanding, _WARM_UP_S)
    before_s, prism_s = fabric.cpu_s, 0.0 if prism is None else _cpu_s(prism.pid)
    before_mib = 0.0 if prism is None else _memory_mib(prism.pid)
    rate = fabric.rate(options.outstanding, options.seconds, options.paced)
    calls = rate * options.seconds
    call_us = (fabric.cpu_s - before_s) / calls * 1e6
    if prism is None:
        return Measured(rate, call_us)
    took_s = _cpu_s(prism.pid) - prism_s
    signals = 2 * calls  # a TASK and its AGENT_OUTPUT
    cost = (took_s / options.seconds, took_s / signals * 1e6)
    return Measured(rate, call_us, *cost, (before_mib, _memory_mib(prism.pid)))


def _round(never: Fabric, other: Fabric, options: argparse.Namespace) -> dict[str, Measured]:
    found = {NEVER: _measured(never, options)}
    command = ("cosmonapse.cli", "prism", "--url", other.url, "--port", "0", "--no-browser")
    with _process("Prism shows default on", *command) as (prism, address):
        _line(prism, "watching")
        found[IDLE] = _measured(other, options, prism)
        tab = Tab(address)
        found[LOOKED_AT] = _measured(other, options, prism)
        tab.close()
    found[CLOSED] = _measured(other, options)
    return found


def _age_ms(fabric: Fabric) -> list[float]:
    """Return how old Signals are when a tab has them, while one call is in the air."""
    command = ("cosmonapse.cli", "prism", "--url", fabric.url, "--port", "0", "--no-browser")
    with _process("Prism shows default on", *command) as (prism, address):
        _line(prism, "watching")
        tab = Tab(address)
        fabric.rate(1, 1.0)
        tab.close()
    return sorted(age_s * 1000 for age_s in tab.ages_s)


def measure(options: argparse.Namespace) -> None:
    """Measure and print medians."""
    with ExitStack() as stack:
        never, other = Fabric(stack), Fabric(stack)
        rounds = [_round(never, other, options) for _ in range(options.rounds)]
        ages_ms = _age_ms(other)
    print(
        f"{options.outstanding} calls in the air, {options.rounds} rounds of {options.seconds:g} s"
    )
    for name in (NEVER, IDLE, LOOKED_AT, CLOSED):
        rate = statistics.median(each[name].rate for each in rounds)
        ratio = statistics.median(each[name].rate / each[NEVER].rate for each in rounds)
        call_us = statistics.median(each[name].call_us for each in rounds)
        more = statistics.median(each[name].call_us / each[NEVER].call_us for each in rounds)
        line = f"{name:<16} {rate:>9,.0f} calls/s {ratio:>5.0%}"
        line += f"  {call_us:>5.0f} us CPU a call {more:>5.0%}"
        cpu = [each[name].prism_cpu or 0.0 for each in rounds]
        if any(cpu):
            cost_us = statistics.median(each[name].per_signal_us or 0.0 for each in rounds)
            before_mib, after_mib = rounds[-1][name].memory_mib
            line += f"  Prism: {statistics.median(cpu):.0%} of a core, {cost_us:.1f} us a Signal"
            line += f", {before_mib:.0f} -> {after_mib:.0f} MiB"
        print(line)
    if ages_ms:
        middle, late = percentiles(ages_ms, 50, 99)
        print(f"from Signal to tab: p50 {middle:.1f} ms, p99 {late:.1f} ms (newest of each batch)")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="tools.watched", description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2.0, help="of each measurement")
    parser.add_argument("--outstanding", type=int, default=16, help="calls in the air")
    parser.add_argument("--paced", type=float, default=0.0, help="calls a second at most")
    parser.add_argument("--be", nargs=2, metavar=("ROLE", "URL"), help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.be is None:
        measure(options)
        return
    role, url = options.be
    asyncio.run((work if role == "worker" else call)(url))


if __name__ == "__main__":
    main()
