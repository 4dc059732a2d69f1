"""The Prometheus of a soak: asks each process for metrics and probes, and notes the answers.

The checker judges; only whether a counter went back is seen here, from one answer to the next.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable, Mapping

import attrs
from prometheus_client.parser import text_string_to_metric_families

from .log import Log

EVERY_S = 5.0
_TIMEOUT_S = 10.0
"""As Prometheus has it, where nobody chose another."""
_SHOWN = 5
_TASKS = "cosmonapse_tasks_total"
_GROW = ("_total", "_count", "_sum", "_bucket")
_GROWING = frozenset({"counter", "histogram"})
_LENGTH = re.compile(r"(?im)^content-length: *(\d+)\r?$")
Samples = Mapping[tuple[str, tuple[tuple[str, str], ...]], float]


@attrs.frozen
class Target:
    """A process to ask.

    Args:
        name: Its name in the logs.
        pid: Its id.
        port: Where it answers on this machine.
    """

    name: str
    pid: int
    port: int


class Scraper:
    """Asks all processes, each time at once.

    Args:
        targets: Returns those that are to answer now.
        log: The log of the harness.
        host: Where they are.
    """

    def __init__(self, targets: Callable[[], list[Target]], log: Log, host: str) -> None:
        self._targets = targets
        self._log = log
        self._host = host
        self._before: dict[str, tuple[int, Samples]] = {}

    async def run(self) -> None:
        """Ask every 5 s. Never returns."""
        while True:
            began_s = time.monotonic()
            await asyncio.gather(*map(self._ask_all, self._targets()))
            await asyncio.sleep(max(0.0, began_s + EVERY_S - time.monotonic()))

    async def _ask_all(self, target: Target) -> None:
        await self.probe(target, "/healthz")
        await self.probe(target, "/readyz")
        await self._scrape(target)

    async def probe(self, target: Target, path: str, asked: str = "") -> None:
        """Ask one probe and write the answer down.

        Args:
            target: Whom.
            path: Which.
            asked: What is known of the process: `ready`, `ending`, or nothing.
        """
        at_s, status, text = await self._get(target, path)
        took_s = round(time.monotonic() - at_s, 4)
        facts = {"status": status, "asked": asked, "text": text.strip()[:200]}
        self._log.write("probe", name=target.name, path=path, took_s=took_s, **facts)

    async def _scrape(self, target: Target) -> None:
        at_s, status, text = await self._get(target, "/metrics")
        took_s = round(time.monotonic() - at_s, 4)
        wrong = "" if status == 200 else text[:200]
        now: Samples = {}
        if status == 200:
            try:
                now = growing(text)
            except (ValueError, LookupError) as error:
                wrong = f"no metrics: {error}"
        back = self._went_back(target, now) if not wrong else []
        facts = {"status": status, "took_s": took_s, "text": wrong, "back": back[:_SHOWN]}
        tasks = sum(value for (name, _), value in now.items() if name == _TASKS)
        counted = {"growing": len(now), "tasks": tasks, "asked_at_s": round(at_s, 4)}
        self._log.write("scrape", name=target.name, pid=target.pid, **facts, **counted)

    def _went_back(self, target: Target, now: Samples) -> list[str]:
        pid, before = self._before.get(target.name, (0, {}))
        self._before[target.name] = target.pid, now
        if pid != target.pid:
            return []
        return [
            f"{name}{dict(labels)} from {value:g} to {now.get((name, labels), 0.0):g}"
            for (name, labels), value in before.items()
            if now.get((name, labels), 0.0) < value
        ]

    async def _get(self, target: Target, path: str) -> tuple[float, int, str]:
        """Return when it was asked, and status and body of the answer; 0 and why if none came."""
        at_s = time.monotonic()
        try:
            async with asyncio.timeout(_TIMEOUT_S):
                reader, writer = await asyncio.open_connection(self._host, target.port)
                try:
                    request = f"GET {path} HTTP/1.1\r\nHost: {self._host}:{target.port}\r\n"
                    writer.write(f"{request}Connection: close\r\n\r\n".encode())
                    answer = (await reader.read(-1)).decode()
                finally:
                    writer.close()
        except TimeoutError:
            return at_s, 0, f"no answer within {_TIMEOUT_S:g} s"
        except (OSError, UnicodeError) as error:
            return at_s, 0, f"{type(error).__name__}: {error}"
        return at_s, *parsed(answer)


def parsed(answer: str) -> tuple[int, str]:
    """Return status and body of an answer; 0 and what is wrong if it is none, or cut off."""
    head, _, body = answer.partition("\r\n\r\n")
    status = head.partition(" ")[2][:3]
    if not status.isdecimal():
        return 0, f"no answer of HTTP: {answer[:100]!r}"
    length = _LENGTH.search(head)
    if length is not None and int(length[1]) > len(body.encode()):
        return 0, f"cut off after {len(body)} of {length[1]} bytes"
    return int(status), body


def growing(text: str) -> Samples:
    """Return all values of an exposition that must not go back.

    Raises:
        ValueError: The text is no exposition of Prometheus.
    """
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        if family.type in _GROWING
        for sample in family.samples
        if sample.name.endswith(_GROW)
    }
