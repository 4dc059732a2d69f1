"""The worker's side, with a transport that only remembers."""

import asyncio

import pytest

from cosmonapse import Axon, Signal, SignalType
from cosmonapse.dendrite.watch.subscriptions import Subscriptions
from cosmonapse.dendrite.worker.inbox import Inbox
from cosmonapse.transport import Outcome

CALLER = b"c" * 16


class Remembering:
    """A transport that remembers the replies."""

    instance = b"w" * 16
    max_signal_bytes = 1 << 20

    def __init__(self):
        self.replies = []

    async def barrier(self, timeout_s):
        return True

    def send_reply(self, caller, task, trace, kind, body, index, flags):
        self.replies.append((Signal.decode(body), bool(flags & 1)))
        return Outcome.SENT


@pytest.fixture
def transport():
    return Remembering()


@pytest.fixture
def inbox(transport):
    async def echo(value, context):
        return value

    made = Inbox(transport, Subscriptions(transport), None, "worker")
    made.add(Axon(neuron_id="echo", neuron_fn=echo, concurrency=1))
    return made


def give(inbox, number, value=None):
    signal = Signal(type=SignalType.TASK, payload={"input": value})
    item = bytes(15) + bytes([number]), bytes(16), 1, 5000, 0, signal.encode()
    inbox.on_tasks(CALLER, "echo", [item])


@pytest.mark.asyncio
async def test_a_task_taken_back_before_its_first_step_is_settled_and_frees_its_place(
    inbox, transport
):
    give(inbox, 1)
    inbox.on_cancel(CALLER, bytes(15) + b"\x01")
    give(inbox, 2, {"n": 2})

    await inbox.drain(1.0)

    codes = [(reply.payload.get("code"), settles) for reply, settles in transport.replies]
    assert codes == [("CANCELLED", True), (None, True)]
    assert transport.replies[1][0].output == {"n": 2}
    assert inbox.load("echo") == (0, 0)


@pytest.mark.asyncio
async def test_a_task_taken_back_while_it_waits_is_settled(inbox, transport):
    give(inbox, 1)
    give(inbox, 2)

    inbox.on_cancel(CALLER, bytes(15) + b"\x02")
    await inbox.drain(1.0)

    assert [reply.type for reply, _ in transport.replies] == ["ERROR", "AGENT_OUTPUT"]


@pytest.mark.asyncio
async def test_the_same_task_twice_runs_once(inbox, transport):
    give(inbox, 1)
    give(inbox, 1)

    await inbox.drain(1.0)

    assert len(transport.replies) == 1
    assert inbox.counts["drop.repeated_task"] == 1


@pytest.mark.asyncio
async def test_draining_cancels_what_does_not_end_in_time(transport):
    async def forever(value, context):
        await asyncio.Event().wait()

    inbox = Inbox(transport, Subscriptions(transport), None, "worker")
    inbox.add(Axon(neuron_id="echo", neuron_fn=forever, concurrency=1))
    give(inbox, 1)
    give(inbox, 2)

    left = await inbox.drain(0.01)

    assert left == 2
    assert [reply.payload["code"] for reply, _ in transport.replies] == ["CANCELLED"] * 2


@pytest.mark.asyncio
async def test_a_second_cancel_does_not_interrupt_the_function_that_cleans_up(transport):
    began, may_end, ended = asyncio.Event(), asyncio.Event(), []

    async def tidy(value, context):
        try:
            began.set()
            await asyncio.Event().wait()
        finally:
            await may_end.wait()
            ended.append("in peace")

    inbox = Inbox(transport, Subscriptions(transport), None, "worker")
    inbox.add(Axon(neuron_id="echo", neuron_fn=tidy))
    give(inbox, 1)
    await began.wait()

    for _ in range(2):
        inbox.on_cancel(CALLER, bytes(15) + b"\x01")
        await asyncio.sleep(0)
    may_end.set()
    await inbox.drain(1.0)

    assert ended == ["in peace"]


@pytest.mark.parametrize(
    ("passed_s", "code"), [(5.0, "EXPIRED"), (4.0, "NEURON_EXCEPTION")], ids=["late", "in time"]
)
@pytest.mark.asyncio
async def test_a_function_that_ran_out_of_time_expired_and_one_whose_own_wait_ended_failed(
    transport, clock, caplog, passed_s, code
):
    async def times_out(value, context):
        clock.advance(passed_s)
        raise TimeoutError("the child task took too long")

    inbox = Inbox(transport, Subscriptions(transport), None, "worker")
    inbox.add(Axon(neuron_id="echo", neuron_fn=times_out))
    give(inbox, 1)

    await inbox.drain(60.0)

    assert [reply.payload["code"] for reply, _ in transport.replies] == [code]
    assert bool(caplog.records) == (code == "NEURON_EXCEPTION")
