"""A caller process: `python -m tools.soak.caller`, and then

    NAME URL LOG SEED OUTSTANDING TIMEOUT_S [KIND FIRST NEURON]

OUTSTANDING tasks are always under way, one after the other in each sequence. One more is dispatched
every 50 ms, independent of the others: these show when the caller is served again. It prints
`ready`. On an order from stdin, or SIGTERM, it dispatches no more, waits for its open tasks, and
ends. KIND is `all` for every kind; FIRST is the number of its first task; NEURON is one more that
some of the tasks go to.
"""

from __future__ import annotations

import asyncio
import itertools
import random
import signal
import sys
from pathlib import Path
from typing import Any

from cosmonapse import Dendrite, RetryStrategy, Signal, SignalType, connect_synapse

from . import tasks
from .log import Log
from .observed import Observed
from .sampling import count_tasks
from .worker import NAMESPACE

PULSE_S = 0.05
_PAUSE_S = 0.08
_ALONE_PERCENT = 10
_RETRY_PERCENT = 10
_ATTEMPTS = 3
_ATTEMPT_S = 2.0
"""The least time of an attempt: together they take as long as the task may."""
_ALONE = "alone"
EVERY_KIND = "all"


class Caller:
    """Dispatches tasks and records their outcomes.

    Args:
        dendrite: The Dendrite that dispatches.
        name: The name of the caller.
        log: The log of the tasks.
        timeout_s: How long each may take.
        first: The number of the first task.
        also: One more Neuron that behaves as `work` and that no other process serves.
    """

    def __init__(
        self,
        dendrite: Dendrite,
        name: str,
        log: Log,
        timeout_s: float,
        first: int = 1,
        also: str = "",
    ) -> None:
        self._dendrite = dendrite
        self._name = name
        self._log = log
        self._timeout_s = timeout_s
        self._retry = RetryStrategy(
            max_attempts=_ATTEMPTS, timeout_s=max(_ATTEMPT_S, timeout_s / _ATTEMPTS)
        )
        self._numbers = itertools.count(first)
        self._singles = [_ALONE, *filter(None, [also])]
        self.over = asyncio.Event()

    async def sequence(self, seed: int, only: str) -> None:
        """Dispatch one task after the other, chosen by dice, or of one kind."""
        dice = random.Random(seed)
        choice = {only: 1} if only else tasks.WEIGHTS
        kinds, weights = list(choice), list(choice.values())
        while not self.over.is_set():
            kind = dice.choices(kinds, weights)[0]
            single = "" if kind == "stream" else self._single(dice)
            # A task that dispatches another must not be run twice: its child would be, too.
            may_retry = kind in ("echo", "sleep") and dice.random() * 100 < _RETRY_PERCENT
            await self._task(kind, single, retry=may_retry)
            await asyncio.sleep(dice.uniform(0.0, _PAUSE_S))

    def _single(self, dice: random.Random) -> str:
        """Return a Neuron that no other process serves, for some tasks; else an empty text."""
        index = int(dice.random() * 100 / _ALONE_PERCENT)
        return self._singles[index] if index < len(self._singles) else ""

    async def pulse(self) -> None:
        """Dispatch a short task each 50 ms, and wait for all of them in the end."""
        async with asyncio.TaskGroup() as group:
            while not self.over.is_set():
                group.create_task(self._task("echo"))
                await asyncio.sleep(PULSE_S)

    async def _task(self, kind: str, single: str = "", *, retry: bool = False) -> None:
        number = next(self._numbers)
        task = f"{self._name}-{number}"
        neuron = single or tasks.neuron_of(kind)
        self._log.write(
            "invoke",
            task=task,
            kind=kind,
            neuron=neuron,
            want=tasks.digest(tasks.wanted(kind, task, number)),
            timeout_s=self._timeout_s,
            retry=retry,
        )
        request = tasks.request(kind, task, number)
        received: list[int] = []
        try:
            if kind == "stream":
                signal = await self._streamed(neuron, task, request, received)
            else:
                strategy = self._retry if retry else None
                signal = await self._dendrite.dispatch_and_wait(
                    neuron=neuron, input=request, timeout_s=self._timeout_s, retry=strategy
                )
        except TimeoutError:
            facts: dict[str, Any] = {"code": "TIMEOUT"}
        except Exception as error:  # noqa: BLE001, the last door: the checker tells
            facts = {"code": "RAISED", "text": f"{type(error).__name__}: {error}"}
        else:
            facts = _facts(signal)
        self._log.write("outcome", task=task, thoughts=tasks.runs(received), **facts)

    async def _streamed(
        self, neuron: str, task: str, request: dict[str, Any], received: list[int]
    ) -> Signal:
        async with await self._dendrite.dispatch(
            neuron=neuron, input=request, timeout_s=self._timeout_s
        ) as pathway:
            async for text in pathway.thoughts():
                received.append(tasks.number_of(task, text))  # noqa: PERF401, also what came before an end
            return await pathway.outcome()


def _facts(signal: Signal) -> dict[str, Any]:
    if signal.type is not SignalType.ERROR:
        return {"code": "", "got": tasks.digest(signal.output)}
    code, message = signal.payload["code"], signal.payload["message"]
    return {"code": "TIMEOUT" if code == "EXPIRED" else code, "text": message}


async def main(
    name: str,
    url: str,
    path: str,
    seed: str,
    outstanding: str,
    timeout_s: str,
    kind: str = EVERY_KIND,
    first: str = "1",
    also: str = "",
) -> None:
    """Dispatch until told to end."""
    log = Log(Path(path), name)
    observed = Observed(log)
    dendrite = Dendrite(synapse=await connect_synapse(url), namespace=NAMESPACE, dendrite_id=name)
    async with dendrite, observed.of(dendrite):
        caller = Caller(dendrite, name, log, float(timeout_s), int(first), also)
        counting = asyncio.create_task(count_tasks(log), name="count tasks")
        only = "" if kind == EVERY_KIND else kind
        sequences = [
            caller.sequence(int(seed) + number, only) for number in range(int(outstanding))
        ]
        under_way = asyncio.gather(caller.pulse(), *sequences)
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, caller.over.set)
        loop.add_reader(sys.stdin, caller.over.set)
        print("ready", flush=True)
        await caller.over.wait()
        loop.remove_reader(sys.stdin)
        await under_way
        counting.cancel()
    log.write("counts", counts=dendrite.counts)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
