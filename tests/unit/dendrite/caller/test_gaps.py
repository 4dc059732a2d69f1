"""Replies that got lost on the way are asked for until they come."""

import asyncio
from unittest import mock

import pytest

from cosmonapse import SignalType
from cosmonapse.dendrite.caller.dispatcher import Dispatcher
from cosmonapse.dendrite.watch.subscriptions import Subscriptions
from cosmonapse.ids import id_bytes
from cosmonapse.tasks import task_for
from cosmonapse.transport import Outcome
from support.processes import until

WORKER = b"w" * 16


@pytest.mark.asyncio
async def test_what_is_missing_is_asked_for_again_although_no_later_reply_shows_it():
    transport = mock.Mock(instance=bytes(16), max_signal_bytes=10_000)
    transport.send_task.return_value = Outcome.SENT
    transport.is_heard.return_value = False
    dispatcher = Dispatcher(transport, Subscriptions(transport))
    signal = task_for("worker", None, {})
    task, trace = id_bytes(signal.id), id_bytes(signal.trace_id)
    waiting = asyncio.create_task(dispatcher.wait(signal, 30.0))
    await asyncio.sleep(0)
    thought = signal.reply(SignalType.THOUGHT_DELTA, payload={"delta": "a", "seq": 0})
    output = signal.reply(SignalType.AGENT_OUTPUT, payload={"output": {"n": 1}})

    def reply(index, sent, flags):
        item = task, trace, sent.type.code, index, flags, sent.encode()
        dispatcher.plain_calls.on_replies(WORKER, [item])

    reply(1, output, 1)
    await until(lambda: transport.send_gap.call_count == 2)
    reply(0, thought, 0)
    reply(1, output, 1)

    assert (await waiting).output == {"n": 1}
    assert [call.args[0][:3] for call in transport.send_gap.call_args_list] == [
        (task, trace, 0)
    ] * 2
