"""A worker process: `python -m tools.soak.worker NAME URL LOG [NEURON ...]`.

It serves `work` and `stream`, as every worker does. The further Neurons behave as `work` and have
no replica. It prints `ready`, and drains at SIGTERM. After a line
`block SECONDS` on its stdin the next task of `work` blocks the event loop for so long, between the
lines `blocking` and `going on`.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from cosmonapse import Axon, Dendrite, NeuronError, connect_synapse

from . import tasks
from .log import Log
from .observed import Observed
from .sampling import count_tasks

_SLEEP_S = 0.02
_BETWEEN_THOUGHTS_S = 0.002
NAMESPACE = "soak"


class Work:
    """The Neurons; each records its start and its end."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._block_s = 0.0

    def on_stdin(self) -> None:
        """Read an order from stdin; stop reading at its end."""
        verb, _, seconds = sys.stdin.readline().partition(" ")
        if verb == "block":
            self._block_s = float(seconds)
        elif not verb:
            asyncio.get_running_loop().remove_reader(sys.stdin)

    def _block(self) -> None:
        """Block the event loop, as a function without `await` does."""
        seconds, self._block_s = self._block_s, 0.0
        print("blocking", flush=True)
        time.sleep(seconds)
        print("going on", flush=True)

    async def work(self, asked: dict[str, Any], context: Any) -> dict[str, Any]:
        """Do a task of any kind but `stream`."""
        kind, task, nonce = asked["kind"], asked["task"], asked["nonce"]
        self._log.write("start", task=task, attempt=context.task.id)
        if self._block_s:
            self._block()
        output: dict[str, Any] = {"task": task, "nonce": nonce}
        if kind == "sleep":
            await asyncio.sleep(_SLEEP_S)
        elif kind == "payload":
            output["data"] = asked["data"][::-1]
        elif kind == "child":
            output["child"] = await self._child(task, nonce, context)
        self._log.write("finish", task=task)
        return output

    async def _child(self, task: str, nonce: int, context: Any) -> dict[str, Any]:
        request = tasks.request("sleep", task + tasks.CHILD, nonce + 1)
        try:
            given: dict[str, Any] = await context.ask(neuron="work", input=request)
        except TimeoutError:
            raise NeuronError("EXPIRED", f"the child of {task} got no reply in time") from None
        return given

    async def stream(self, asked: dict[str, Any], context: Any) -> AsyncIterator[Any]:
        """Think aloud, and answer."""
        task = asked["task"]
        self._log.write("start", task=task, attempt=context.task.id)
        for number in range(tasks.THOUGHTS):
            yield tasks.thought(task, number)
            await asyncio.sleep(_BETWEEN_THOUGHTS_S)
        self._log.write("finish", task=task)
        yield {"task": task, "nonce": asked["nonce"]}


async def main(name: str, url: str, path: str, *alone: str) -> None:
    """Serve until SIGTERM."""
    log = Log(Path(path), name)
    work = Work(log)
    observed = Observed(log)
    dendrite = Dendrite(
        synapse=await connect_synapse(url), namespace=NAMESPACE, dendrite_id=name, role="worker"
    )
    dendrite.attach_axon(Axon(neuron_id="stream", neuron_fn=work.stream))
    for neuron in ("work", *alone):
        dendrite.attach_axon(Axon(neuron_id=neuron, neuron_fn=work.work))
    asyncio.get_running_loop().add_reader(sys.stdin, work.on_stdin)
    counting = asyncio.create_task(count_tasks(log), name="count tasks")
    await dendrite.start()
    async with observed.of(dendrite):
        print("ready", flush=True)
        await dendrite.serve()
    counting.cancel()
    log.write("counts", counts=dendrite.counts)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
