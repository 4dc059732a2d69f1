import asyncio
import sys
from unittest import mock

import pytest

from cosmonapse import Signal, SignalType
from cosmonapse.dendrite.watch import handler_runner
from cosmonapse.dendrite.watch.handlers import Handler
from cosmonapse.dendrite.watch.subscriptions import Subscriptions
from support.processes import until


@pytest.mark.asyncio
async def test_a_handler_that_hangs_has_a_bounded_queue_and_the_others_get_everything(monkeypatch):
    monkeypatch.setattr(handler_runner, "QUEUE_LIMIT", 3)
    seen = []

    async def hangs(signal):
        await asyncio.Event().wait()

    async def keeps(signal):
        seen.append(signal.payload["n"])

    fed = Subscriptions(mock.Mock(instance=bytes(16)))
    for function in (hangs, keeps):
        fed.add(Handler(function=function, types=frozenset({SignalType.AGENT_OUTPUT})))

    for n in range(6):
        fed.feed(Signal(type=SignalType.AGENT_OUTPUT, payload={"n": n}))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    await fed.close()

    assert seen == [0, 1, 2, 3, 4, 5]
    assert fed.counts == {"drop.handler_queue_full": 2}


@pytest.mark.asyncio
@pytest.mark.parametrize("in_thread", [False, True])
async def test_a_handler_that_calls_exit_ends_nothing_but_its_call(in_thread):
    seen = []

    def plain(signal):
        seen.append(signal.payload["n"])
        sys.exit(3)

    async def on_loop(signal):
        plain(signal)

    fed = Subscriptions(mock.Mock(instance=bytes(16)))
    function = plain if in_thread else on_loop
    fed.add(Handler(function=function, types=frozenset({SignalType.AGENT_OUTPUT})))

    for n in range(2):
        fed.feed(Signal(type=SignalType.AGENT_OUTPUT, payload={"n": n}))
    await until(lambda: fed.counts["handler_raised"] == 2)
    await fed.close()

    assert seen == [0, 1]
