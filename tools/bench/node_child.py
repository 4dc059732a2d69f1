"""A process of the bench in Node: orders and answers as lines of JSON."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from cosmonapse.bench.children import BenchError

from . import orphans

CLIENT = Path(__file__).parents[2] / "clients" / "javascript"
_ENDS = CLIENT / "bench" / "ends.js"
_ENDS_S = 5.0


def program(name: str) -> str | None:
    """Return the path of `node` or `npm`: that of this environment, else the one on PATH."""
    return shutil.which(name, path=Path(sys.prefix) / "node") or shutil.which(name)


def missing() -> str | None:
    """Return the packages to install; None when all are present."""
    wanted = [] if program("node") else ["apt-get install nodejs"]
    if not (CLIENT / "node_modules" / "@nats-io" / "transport-node").is_dir():
        wanted.append("npm ci --prefix clients/javascript")
    return " and ".join(wanted) or None


class NodeChild:
    """One process; ready once constructed.

    Args:
        role: One of the roles of `bench/ends.js`.
        url: Of the Synapse or the server.
        namespace: Where its calls meet.

    Raises:
        BenchError: It ended before it was ready.
    """

    def __init__(self, role: str, url: str, namespace: str) -> None:
        self._role = role
        self._process = subprocess.Popen(
            [program("node") or "node", "--expose-gc", str(_ENDS), role, url, namespace],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
            preexec_fn=orphans.end_with_parent,
        )
        self.end()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(_ENDS_S)
        except subprocess.TimeoutExpired:
            self._process.kill()

    @property
    def pid(self) -> int:
        """Of the process."""
        return self._process.pid

    def ask(self, verb: str, *arguments: Any, timeout_s: float = 60.0) -> Any:
        """Run a verb in the process and return its result.

        Raises:
            BenchError: It failed, or the process ended.
        """
        self.begin(verb, *arguments)
        return self.end(timeout_s)

    def begin(self, verb: str, *arguments: Any) -> None:
        """Start a verb in the process; `end` returns its result."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps([verb, *arguments]) + "\n")

    def end(self, timeout_s: float = 60.0) -> Any:
        """Return the result of the verb that was started.

        Raises:
            BenchError: It failed, or the process ended.
        """
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise BenchError(f"the {self._role} in Node ended without an answer")
        said = json.loads(line)
        if "error" in said:
            raise BenchError(f"the {self._role} in Node failed:\n{said['error']}")
        return said.get("result")
