"""Callers of another make, over real sockets: what 09-resync allows and ours never does."""

import asyncio

import pytest

from support.processes import until
from support.stranger import stranger
from support.transport import Party, RunningProxy
from zmq_transport import Verb
from zmq_transport.wire import heads, resync_messages

TASK, TRACE = b"t" * 16, b"r" * 16


class Idle:
    """A worker that has never had a task, for its client."""

    @staticmethod
    def open_tasks():
        return ()

    held_tasks = open_tasks

    @staticmethod
    def claim_of(caller, task):
        return None


def list_in_one_message(caller, workers):
    """List one open task, and end the list in the same message; return what is said of the task."""
    for page in resync_messages.workers_pages(workers):
        caller.send(*page)
    opened = resync_messages.Opened(TASK, TRACE, 0, 10_000, keep=False)
    pages = [*resync_messages.opened_pages([opened]), resync_messages.END_OF_LIST]
    items = [item for head, _ in pages for item in heads.unpack_items(head)[1]]
    caller.send(heads.pack_items(items), b"".join(body for _, body in pages))
    while (heard := caller.heard()) is not None:
        verb, body, task = heard
        if verb is Verb.LOST:
            return body, task
    return None


@pytest.mark.asyncio
async def test_a_task_listed_in_one_message_with_the_end_of_the_list_is_sent_again(children):
    proxy = RunningProxy(children)
    worker = Party(proxy)
    worker.client.resync_from(Idle())
    async with worker:
        worker.take_seat("seat")
        await until(lambda: worker.of("on_registered"))
        with stranger(proxy.ports[0]) as caller:
            caller.joins("test")
            said = await asyncio.to_thread(list_in_one_message, caller, [worker.client.instance])

    assert said == (b"not_started", TASK)
