"""Another checkout of this project, measured in the same rounds: what did a change do?

Its code runs in its own folder, by way of `checkout_driver`; the measurement is the one of that
checkout, so it has what both have: calls, pairs, fan-out in bursts.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cosmonapse.bench.children import BenchError
from cosmonapse.bench.fan import Fan
from cosmonapse.bench.load import Sample

from .. import orphans
from .system import Asked, System

_DRIVER = Path(__file__).resolve().parents[1] / "checkout_driver.py"
_ENDS_S = 10.0
_RESULTS = {"load": Sample, "stream": Sample, "publish": Fan}


class _Driver:
    """The process that runs the code of the other checkout."""

    def __init__(self, folder: Path, running: str, count: int) -> None:
        self._folder = folder
        environment = os.environ | {"PYTHONPATH": str(folder), "PYTHONSAFEPATH": "1"}
        self._process = subprocess.Popen(
            [sys.executable, str(_DRIVER), running, str(count)],
            cwd=folder,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
            preexec_fn=orphans.end_with_parent,
        )
        self.asked: Sequence[Asked] = [_Remote(self, number) for number in range(self.line())]

    def write(self, *words: Any) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(words) + "\n")

    def line(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise BenchError(f"the bench of {self._folder} ended without an answer")
        return json.loads(line)

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(_ENDS_S)
        except subprocess.TimeoutExpired:
            self._process.kill()


class _Remote:
    """One process of the other checkout, by its number."""

    def __init__(self, driver: _Driver, number: int) -> None:
        self._driver = driver
        self._number = number
        self._verb = ""

    def ask(self, verb: str, *arguments: Any, timeout_s: float = 60.0) -> Any:
        self.begin(verb, *arguments)
        return self.end(timeout_s)

    def begin(self, verb: str, *arguments: Any) -> None:
        self._verb = verb
        self._driver.write("begin", self._number, verb, *arguments)

    def end(self, timeout_s: float = 60.0) -> Any:
        self._driver.write("end", self._number, timeout_s)
        return _RESULTS[self._verb](**self._driver.line())


def system(folder: Path) -> System:
    """Return the fabric of a checkout as a system."""

    @contextmanager
    def running(which: str, count: int) -> Iterator[Sequence[Asked]]:
        driver = _Driver(folder, which, count)
        try:
            yield driver.asked
        finally:
            driver.close()

    def missing() -> str | None:
        has_bench = (folder / "tools" / "bench" / "systems" / "ours.py").is_file()
        return None if has_bench else f"a checkout of this project in {folder}"

    return System(
        "beside",
        f"checkout {folder.name}",
        missing,
        lambda pairs: running("running", pairs),
        lambda subscribers: running("fanning", subscribers),
    )
