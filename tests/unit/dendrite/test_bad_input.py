"""What a worker does with a TASK that it cannot or must not run, without a Synapse in between."""

import asyncio

import pytest

from cosmonapse import Axon, Signal, SignalType
from cosmonapse.dendrite.watch.subscriptions import Subscriptions
from cosmonapse.dendrite.worker.inbox import Inbox
from cosmonapse.transport import Outcome

pytestmark = pytest.mark.asyncio
CALLER, TASK = b"c" * 16, b"t" * 16


class Remembering:
    """A transport that remembers the replies."""

    instance = b"w" * 16
    max_signal_bytes = 1 << 20

    def __init__(self):
        self.replies = []

    async def barrier(self, timeout_s):
        return True

    def send_reply(self, caller, task, trace, kind, body, index, flags):
        self.replies.append((Signal.decode(body).payload.get("code"), bool(flags & 1)))
        return Outcome.SENT


@pytest.fixture
def ran():
    return []


@pytest.fixture
def inbox(ran):
    async def notes(value, context):
        ran.append(value)
        return value

    made = Inbox(Remembering(), Subscriptions(Remembering()), None, "worker")
    made.add(Axon(neuron_id="notes", neuron_fn=notes))
    return made


async def given(inbox, body, ttl_ms=5000):
    """Return the replies to one TASK."""
    item = TASK, bytes(16), SignalType.TASK.code, ttl_ms, 0, body
    inbox.on_tasks(CALLER, "notes", [item])
    await asyncio.sleep(0)
    await inbox.drain(1.0)
    return inbox.transport.replies


async def test_a_task_without_time_is_expired_and_not_run(inbox, ran):
    body = Signal(type=SignalType.TASK, payload={"input": 1}).encode()

    assert await given(inbox, body, ttl_ms=0) == [("EXPIRED", True)]
    assert ran == []


async def test_a_task_that_cannot_be_read_is_a_bad_signal_and_not_run(inbox, ran):
    assert await given(inbox, b"\xc1") == [("BAD_SIGNAL", True)]
    assert inbox.counts["refused.bad_signal"] == 1
    assert ran == []
