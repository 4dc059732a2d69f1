"""The client in Node beside nats.js: CPU time of a call, streams, large bodies, memory.

The CPU time is that of all processes of a system: caller, worker and Synapse or server. Ratios are
taken within a round, in which each system is measured once. The other columns put Node and
Python at the two ends of the same fabric.
"""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import attrs

from cosmonapse.bench import ends
from cosmonapse.bench.children import BenchError, Child
from cosmonapse.bench.figures import Plot, Report, Table, spread
from cosmonapse.bench.load import Sample

from .fabric import NAMESPACE, running_synapse
from .node_child import CLIENT, NodeChild, missing, program
from .run import Run
from .systems import nats
from .systems.system import Asked
from .turns import rounds

OUTSTANDING = (1, 16, 256)
_MIB = 1 << 20
_LARGE_OUTSTANDING = 4
_WARM_UP_S = 0.7
_THEIRS = "nats.js"
_OURS = "Node to Node"
_ROLES = ("caller", "worker", "server")


@attrs.frozen
class Pair:
    """A caller and the processes that a call costs time in.

    Args:
        caller: Answers `load(outstanding, seconds, payload_bytes)`.
        pids: The processes of caller, worker, and Synapse or server.
    """

    caller: Asked
    pids: tuple[int, int, int]


@attrs.frozen
class Cost:
    """One round of a pair.

    Args:
        rate: Calls per second.
        cpu_us: CPU time of a call in caller, worker, and Synapse or server.
    """

    rate: float
    cpu_us: tuple[float, ...]

    @property
    def all_us(self) -> float:
        """CPU time of a call in all processes."""
        return sum(self.cpu_us)


def cpu_s(pid: int) -> float:
    """Return the CPU time of all living threads of a process; on Linux only."""
    tasks = (Path("/proc") / str(pid) / "task").iterdir()
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9


def steps(run: Run) -> int:
    """Return how many steps it takes."""
    return 0 if missing() else (len(OUTSTANDING) + 1) * run.options.rounds * 5 + 6


def measure(run: Run) -> Report:
    """Measure all of it; without Node just say so."""
    if lack := missing():
        return Report((Table("javascript: not measured", ("it needs",), [(lack,)]),), {})
    with ExitStack() as stack:
        pairs = _pairs(stack)
        levels = {str(level): _in_turns(pairs, level, run, 100) for level in OUTSTANDING}
        large = _in_turns(pairs, _LARGE_OUTSTANDING, run, _MIB)
        streams = {
            name: _stream(pair.caller, run) for name, pair in pairs.items() if name != _THEIRS
        }
        memory = {
            name: _memory(pair.caller, run, name)
            for name, pair in pairs.items()
            if name in {_OURS, _THEIRS}
        }
    size = _installed()
    facts: dict[str, Any] = {level: _facts(at) for level, at in {**levels, "1 MiB": large}.items()}
    facts |= {"tokens_per_s": streams, "memory": memory, "package": size}
    tables = (
        _rates(levels),
        _costs(levels),
        _ratios(facts),
        _large(large),
        _streams(streams),
        _memories(memory, size),
    )
    return Report(tables, facts, (_plot(levels),))


# -- the processes ---------------------------------------------------------------------------------


def _pairs(stack: ExitStack) -> dict[str, Pair]:
    """Run every pair, each with a Synapse or server of its own."""
    pairs = {
        f"{caller} to {worker}": _of_fabric(stack, caller, worker)
        for caller, worker in (
            ("Node", "Node"),
            ("Node", "Python"),
            ("Python", "Node"),
            ("Python", "Python"),
        )
    }
    if shutil.which("nats-server"):
        pairs[_THEIRS] = _of_nats(stack)
    return pairs


def _of_fabric(stack: ExitStack, caller: str, worker: str) -> Pair:
    synapse, url = stack.enter_context(running_synapse())
    working = stack.enter_context(_end(worker, "worker", url))
    calling = stack.enter_context(_end(caller, "caller", url))
    return Pair(calling, (calling.pid, working.pid, synapse.pid))


def _end(language: str, role: str, url: str) -> Child | NodeChild:
    if language == "Node":
        return NodeChild(role, url, NAMESPACE)
    return Child({"worker": ends.worker, "caller": ends.caller}[role], url, NAMESPACE)


def _of_nats(stack: ExitStack) -> Pair:
    pid, url = stack.enter_context(nats.running_server())
    working = stack.enter_context(NodeChild("nats-worker", url, NAMESPACE))
    calling = stack.enter_context(NodeChild("nats-caller", url, NAMESPACE))
    return Pair(calling, (calling.pid, working.pid, pid))


# -- what is measured ------------------------------------------------------------------------------


def _in_turns(
    pairs: Mapping[str, Pair], outstanding: int, run: Run, payload_bytes: int
) -> dict[str, list[Cost]]:
    for pair in pairs.values():
        warm_up_s = min(_WARM_UP_S, run.options.seconds)
        pair.caller.ask("load", outstanding, warm_up_s, payload_bytes)

    def take(name: str) -> Cost:
        return _cost(pairs[name], outstanding, run.options.seconds, payload_bytes)

    def told(name: str, cost: Cost) -> None:
        run.say(f"{name}, {outstanding} outstanding: {cost.rate:,.0f} calls/s")

    return rounds(pairs, run.options.rounds, take, told)


def _cost(pair: Pair, outstanding: int, seconds: float, payload_bytes: int) -> Cost:
    before = [cpu_s(pid) for pid in pair.pids]
    sample = _sample(pair.caller.ask("load", outstanding, seconds, payload_bytes))
    used_s = [cpu_s(pid) - was for pid, was in zip(pair.pids, before, strict=True)]
    return Cost(sample.rate, tuple(used / sample.calls * 1e6 for used in used_s))


def _sample(answer: Sample | Mapping[str, Any]) -> Sample:
    return answer if isinstance(answer, Sample) else Sample(**answer)


def _stream(caller: Asked, run: Run) -> list[float]:
    taken = []
    for _ in range(run.options.rounds):
        answer = caller.ask("stream", run.options.token_count)
        if isinstance(answer, Sample):
            taken.append(answer.rate)
        else:
            taken.append(answer["tokens"] / answer["elapsed_s"])
    run.say(f"a stream: {statistics.median(taken):,.0f} tokens/s")
    return taken


def _memory(caller: Asked, run: Run, name: str) -> dict[str, float]:
    """Return what calls and closed connections leave behind, in MiB."""
    calls, openings = (100_000, 1000) if run.options.rounds > 1 else (2000, 20)
    caller.ask("memory", calls // 10)
    first = caller.ask("memory", calls // 10)
    later = caller.ask("memory", calls, timeout_s=300)
    caller.ask("openings", openings // 10)
    open_first = caller.ask("openings", openings // 10)
    open_later = caller.ask("openings", openings, timeout_s=300)
    run.say(f"{name}: memory after {calls:,} calls and {openings:,} openings")
    return {
        "calls": calls,
        "openings": openings,
        "rss_mib": later["rss"] / _MIB,
        "heap_of_calls_mib": (later["heap"] - first["heap"]) / _MIB,
        "rss_of_calls_mib": (later["rss"] - first["rss"]) / _MIB,
        "heap_of_openings_mib": (open_later["heap"] - open_first["heap"]) / _MIB,
        "rss_of_openings_mib": (open_later["rss"] - open_first["rss"]) / _MIB,
    }


def _installed() -> dict[str, float]:
    """Install the package into an empty folder, as its README says."""
    with tempfile.TemporaryDirectory() as folder:
        with _project(Path(folder)) as project:
            begin_s = time.perf_counter()
            done = subprocess.run(
                [
                    program("npm") or "npm",
                    "install",
                    "--install-links",
                    "--no-audit",
                    "--no-fund",
                    str(CLIENT),
                ],
                cwd=project,
                capture_output=True,
                text=True,
            )
            took_s = time.perf_counter() - begin_s
        if done.returncode:
            raise BenchError(f"npm install failed:\n{done.stderr}")
        placed = Path(folder) / "node_modules" / "cosmonapse"
        files = [each for each in placed.rglob("*") if each.is_file()]
        return {
            "kib": sum(each.stat().st_size for each in files) / 1024,
            "files": len(files),
            "install_s": took_s,
        }


@contextmanager
def _project(folder: Path) -> Iterator[Path]:
    (folder / "package.json").write_text(json.dumps({"name": "app", "private": True}))
    yield folder


# -- how it is shown -------------------------------------------------------------------------------


def _facts(at: Mapping[str, list[Cost]]) -> dict[str, Any]:
    facts: dict[str, Any] = {
        name: {
            "calls_per_s": statistics.median(each.rate for each in taken),
            "cpu_us": [
                statistics.median(each.cpu_us[part] for each in taken)
                for part in range(len(_ROLES))
            ],
            "cpu_us_rounds": [each.all_us for each in taken],
        }
        for name, taken in at.items()
    }
    theirs = at.get(_THEIRS, [])
    ratios = {name: ratios_within_rounds(taken, theirs) for name, taken in at.items()}
    facts["ratios"] = {name: each for name, each in ratios.items() if each and name != _THEIRS}
    if theirs:
        facts["ratio"] = {_THEIRS: statistics.median(facts["ratios"][_OURS])}
    return facts


def ratios_within_rounds(ours: Sequence[Cost], theirs: Sequence[Cost]) -> list[float]:
    """Return how many times the CPU time of ours theirs needs for a call, round by round."""
    return [their.all_us / our.all_us for our, their in zip(ours, theirs, strict=False)]


def _head(first: str, levels: Mapping[str, Any]) -> tuple[str, ...]:
    return (first, *(f"{level} outstanding" for level in levels))


def _rates(levels: Mapping[str, Mapping[str, list[Cost]]]) -> Table:
    names = next(iter(levels.values()))
    rows = [
        (name, *(spread([each.rate for each in at[name]]) for at in levels.values()))
        for name in names
    ]
    return Table("javascript: calls answered", _head("calls/s", levels), rows)


def _costs(levels: Mapping[str, Mapping[str, list[Cost]]]) -> Table:
    names = next(iter(levels.values()))
    rows = [(name, *(_cost_cell(at[name]) for at in levels.values())) for name in names]
    caption = f"CPU time of a call: all ({' + '.join(_ROLES)}), medians"
    return Table(caption, _head("us", levels), rows)


def _cost_cell(taken: list[Cost]) -> str:
    parts = [statistics.median(each.cpu_us[part] for each in taken) for part in range(len(_ROLES))]
    shown = " + ".join(f"{part:.0f}" for part in parts)
    return f"{statistics.median(each.all_us for each in taken):.0f} ({shown})"


def _ratios(facts: Mapping[str, Any]) -> Table:
    levels = {str(level): facts[str(level)]["ratios"] for level in OUTSTANDING}
    names = list(next(iter(levels.values())))
    rows = [(name, *(spread(at[name], 2) for at in levels.values())) for name in names]
    caption = f"how many times the CPU time of ours {_THEIRS} needs for a call, within rounds"
    return Table(caption, _head("", levels), rows)


def _large(at: Mapping[str, list[Cost]]) -> Table:
    rows = [
        (name, spread([each.rate for each in taken]), _cost_cell(taken))
        for name, taken in at.items()
    ]
    caption = f"bodies of 1 MiB, {_LARGE_OUTSTANDING} outstanding"
    return Table(caption, ("", "calls/s", f"us a call ({' + '.join(_ROLES)})"), rows)


def _streams(streams: Mapping[str, list[float]]) -> Table:
    rows = [(name, spread(taken)) for name, taken in streams.items()]
    return Table("one stream, from worker to caller", ("", "tokens/s"), rows)


def _memories(memory: Mapping[str, Mapping[str, float]], size: Mapping[str, float]) -> Table:
    rows = []
    for name, each in memory.items():
        calls, openings = (
            f"{each['calls']:,.0f} calls",
            f"{each['openings']:,.0f} opened and closed",
        )
        rows += [
            (f"{name}: resident after {calls}", f"{each['rss_mib']:.0f} MiB"),
            (f"{name}: heap, growth by {calls}", f"{each['heap_of_calls_mib']:.2f} MiB"),
            (f"{name}: heap, growth by {openings}", f"{each['heap_of_openings_mib']:.2f} MiB"),
            (f"{name}: resident, growth by {openings}", f"{each['rss_of_openings_mib']:.1f} MiB"),
        ]
    rows += [
        ("the package, installed", f"{size['kib']:.0f} KiB, {size['files']:.0f} files"),
        ("npm install of it, into an empty folder", f"{size['install_s']:.1f} s"),
    ]
    return Table("memory and size", ("", "value"), rows)


def _plot(levels: Mapping[str, Mapping[str, list[Cost]]]) -> Plot:
    series = {
        name: [statistics.median(each.all_us for each in at[name]) for at in levels.values()]
        for name in next(iter(levels.values()))
    }
    title, x_title = "CPU time of a call, in all processes", "calls outstanding"
    return Plot("javascript", title, x_title, "us", list(levels), series)
