"""Who may leave a topic: the connection that holds it, over real sockets. KEYS, case 29."""

import contextlib

import pytest

from support.processes import until
from support.rude import speaking
from support.transport import KIND_ANSWER, Party, RunningProxy
from zmq_transport.wire import topics


@pytest.mark.asyncio
async def test_who_never_joined_a_topic_cannot_silence_those_who_did(children):
    proxy = RunningProxy(children)
    topic = topics.kind_topic("test", KIND_ANSWER)
    leave = b"\x00" + bytes([1 + len(topic)]) + b"\x00" + topic
    async with contextlib.AsyncExitStack() as stack:
        worker = await stack.enter_async_context(Party(proxy, answers=True))
        caller = await stack.enter_async_context(Party(proxy))
        listener = await stack.enter_async_context(Party(proxy))
        worker.take_seat("seat")
        listener.client.broadcast.listen(kind=KIND_ANSWER)
        await listener.client.broadcast.sync(5.0)
        await until(lambda: worker.of("on_registered"))
        with speaking(proxy.ports[1], b"SUB") as stranger:
            stranger.sendall(leave)
            await until(lambda: proxy.counts.get("ignored.unsubscription") == 1)

            caller.send("seat", 1)
            await until(lambda: listener.of("on_heard"))
