"""Bytes of open tasks are bounded where libzmq holds what waits for a worker. Page: 03-routing."""

import asyncio
from pathlib import Path

import pytest

from support.processes import until
from support.transport import KIND_TASK, Party, RunningProxy
from zmq_transport import Reason, address_of
from zmq_transport.sockets.carriers import LIBZMQ

SUPPORT = Path(__file__).parents[1] / "support"
BYTES, AT_ONCE = 100_000, 20


def send_tasks(caller, numbers):
    """Send TASKs to the seat `deaf`."""
    for number in numbers:
        task = number.to_bytes(16, "big")
        address = address_of("deaf")
        caller.client.send_task(address, task, task, KIND_TASK, bytes(BYTES), 60_000, 0)


async def answers(worker, count):
    """Let the worker read so many tasks, and answer them."""
    worker.tell(str(count))
    await asyncio.to_thread(worker.line, "answered")


@pytest.mark.asyncio
async def test_a_worker_of_libzmq_that_does_not_read_costs_bounded_bytes(children):
    running = RunningProxy(children, carrier=LIBZMQ, max_open_bytes=AT_ONCE * BYTES)
    worker = children.start(SUPPORT / "deaf_worker.py", "127.0.0.1", running.ports[0], "test")
    worker.line("ready")
    async with Party(running) as caller:
        send_tasks(caller, range(100))
        last = caller.send("nobody", 1000)  # its bounce comes behind all others
        await until(lambda: [last, Reason.NO_ROUTE] in caller.of("on_bounce"))
        *bounces, _ = caller.of("on_bounce")
        counts = running.counts
        await answers(worker, AT_ONCE)
        await until(lambda: len(caller.of("on_replies")) == AT_ONCE)
        send_tasks(caller, range(100, 105))  # what is answered makes room
        await answers(worker, 5)
        await until(lambda: len(caller.of("on_replies")) == AT_ONCE + 5)

    assert {reason for _, reason in bounces} == {Reason.BUSY}
    assert len(bounces) == counts["full.open_bytes"] == counts["bounce.busy"] == 100 - AT_ONCE
