"""The transport by itself: its clients and its proxy, and nothing above them."""

import asyncio
import contextlib
import os
import socket
import time

import pytest
import zmq

from support.processes import free_ports, until
from support.transport import KIND_ANSWER, KIND_CHATTER, KIND_TASK, Party, RunningProxy
from zmq_transport import ItemFlag, Outcome, Reason, TcpEndpoint, Unreachable, address_of, probe
from zmq_transport.sockets.carriers import LIBZMQ

TIMEOUT_MS = 5_000


@pytest.fixture
def proxy(children):
    return RunningProxy(children)


async def seated(party, name="seat"):
    """Let a party serve a name; return when the proxy has it in its tables."""
    party.take_seat(name)
    await until(lambda: party.of("on_registered"))


@pytest.mark.asyncio
async def test_tasks_come_to_a_seat_and_replies_come_home_in_order(proxy):
    async with Party(proxy, answers=True, chatter=3) as worker, Party(proxy) as caller:
        await seated(worker)
        for number in range(100):
            caller.send("seat", number)
        await until(lambda: len(caller.of("on_replies")) == 400)

    replies = caller.of("on_replies")
    assert [int(task[2]) for task in worker.of("on_tasks")] == list(range(100))
    assert {reply[0] for reply in replies} == {worker.client.instance}
    assert [reply[4] for reply in replies] == [0, 1, 2, 3] * 100
    assert [reply[5] for reply in replies[:4]] == [0, 0, 0, ItemFlag.SETTLES]


@pytest.mark.asyncio
async def test_a_cancel_reaches_whoever_has_the_task_and_nobody_else(proxy):
    async with Party(proxy) as worker, Party(proxy) as caller, Party(proxy) as stranger:
        await seated(worker)
        task = caller.send("seat", 1)
        await until(lambda: worker.of("on_tasks"))

        stranger.client.send_cancel(task, task)
        stranger.send("nobody", 2)
        await until(lambda: stranger.of("on_bounce"))
        before = worker.of("on_cancel")
        caller.client.send_cancel(task, task)
        await until(lambda: worker.of("on_cancel"))

        assert before == []
        assert worker.of("on_cancel") == [[caller.client.instance, task]]


@pytest.mark.asyncio
async def test_what_cannot_be_delivered_comes_back_with_its_reason(proxy):
    async with Party(proxy) as caller:
        nobody = caller.send("nobody", 1)
        late = caller.send("nobody", 2, ttl_ms=0)
        caller.client.send_task(b"a/b", b"3" * 16, b"3" * 16, KIND_TASK, b"", 100)
        await until(lambda: len(caller.of("on_bounce")) >= 2)
        await until(lambda: [b"3" * 16, Reason.BAD_ADDRESS] in caller.of("on_bounce"))

    assert [nobody, Reason.NO_ROUTE] in caller.of("on_bounce")
    assert [late, Reason.NO_ROUTE] not in caller.of("on_bounce")


@pytest.mark.asyncio
async def test_a_worker_that_vanishes_loses_its_tasks_and_the_caller_is_told(proxy):
    async with Party(proxy) as worker, Party(proxy) as caller:
        await seated(worker)
        tasks = [caller.send("seat", number) for number in range(3)]
        await until(lambda: len(worker.of("on_tasks")) == 3)
        gone_at_s = time.perf_counter()
        worker.client.abort()
        await until(lambda: len(caller.of("on_lost")) == 3)

    assert caller.of("on_lost") == [[task, Reason.WORKER_LOST] for task in tasks]
    assert time.perf_counter() - gone_at_s <= 1.0


@pytest.mark.asyncio
async def test_a_body_over_the_limit_never_leaves(proxy):
    async with Party(proxy) as caller:
        big = bytes(caller.client.max_body_bytes + 1)
        outcome = caller.client.send_task(
            address_of("seat"), b"t" * 16, b"r" * 16, KIND_TASK, big, 1000
        )
        task = caller.send("nobody", 1)
        await until(lambda: caller.of("on_bounce"))

    assert outcome is Outcome.TOO_LARGE
    assert caller.of("on_bounce") == [[task, Reason.NO_ROUTE]]


@pytest.mark.asyncio
async def test_a_subscription_is_in_force_once_it_was_synchronised(proxy):
    async with Party(proxy, answers=True) as worker, Party(proxy) as caller:
        await seated(worker)
        for number in range(20):
            async with Party(proxy) as listener:
                listener.client.broadcast.listen(kind=KIND_ANSWER)
                await listener.client.broadcast.sync(5.0)
                caller.send("seat", number)
                await until(lambda: listener.of("on_heard"))

            (heard,) = listener.of("on_heard")
            assert heard[0] == KIND_ANSWER
            assert heard[2:] == [
                caller.client.instance,
                worker.client.instance,
                str(number).encode(),
            ]


@pytest.mark.asyncio
async def test_a_listener_that_leaves_ends_the_copies(proxy):
    async with Party(proxy, answers=True, chatter=1) as worker, Party(proxy) as caller:
        await seated(worker)
        async with Party(proxy) as listener:
            listener.client.broadcast.listen(kind=KIND_CHATTER)
            await listener.client.broadcast.sync(5.0)
            caller.send("seat", 1)
            await until(lambda: listener.of("on_heard"))
            listener.client.broadcast.unlisten(kind=KIND_CHATTER)
            await listener.client.broadcast.sync(5.0)
            before = proxy.counts["copies"]
            caller.send("seat", 2)
            await until(lambda: len(caller.of("on_replies")) == 4)

            assert proxy.counts["copies"] == before == 1


def until_not_writable(party):
    """Block this thread, and with it the loop, until the client's socket is not writable."""
    end_s = time.monotonic() + 5.0
    while party.carrier._line._socket.poll(0, zmq.POLLOUT):
        assert time.monotonic() < end_s, "the socket is still writable"


@pytest.mark.asyncio
async def test_nothing_overtakes_the_greeting_after_a_restart_that_nobody_could_notice(children):
    port = free_ports()
    proxy = RunningProxy(children, port)
    # A thread of libzmq sees the end; what a plain socket takes meanwhile is lost with it (02,
    # Outbox), and only the resync of a Dendrite finds that out.
    caller = Party(proxy, carrier=LIBZMQ)
    async with Party(proxy, answers=True) as worker, caller:
        await seated(worker)
        caller.send("seat", 0)
        await until(lambda: caller.of("on_replies"))

        proxy.child.kill()  # nothing here awaits: neither client can notice anything yet
        until_not_writable(caller)
        proxy = RunningProxy(children, port)
        for number in range(1, 201):
            caller.send("seat", number)
        await until(lambda: len(caller.of("on_replies")) == 201)
        returned = caller.client.link.counts["returned"]
        bounced = proxy.counts.get("bounce.hello_first", 0)

    assert (returned, bounced) == (0, 0)
    assert [int(task[2]) for task in worker.of("on_tasks")] == list(range(201))
    assert caller.of("on_bounce") == []
    assert caller.of("on_welcomed") == [[True], [True]]


@pytest.mark.asyncio
async def test_traffic_through_restarts_answers_each_task_once_or_leaves_it_open(children):
    port = free_ports()
    proxy = RunningProxy(children, port)
    async with Party(proxy, answers=True) as worker, Party(proxy) as caller:
        await seated(worker)
        sent = 0
        for _ in range(3):
            restart = asyncio.create_task(asyncio.to_thread(replace, children, proxy, port))
            while not restart.done():
                caller.send("seat", sent)
                sent += 1
                await asyncio.sleep(0.001)
            proxy = await restart
        last = caller.send("seat", sent)
        await until(lambda: any(reply[1] == last for reply in caller.of("on_replies")))

    ran = [task[1] for task in worker.of("on_tasks")]
    answered = [reply[1] for reply in caller.of("on_replies")]
    assert len(ran) == len(set(ran))
    assert len(answered) == len(set(answered))
    assert len(answered) >= sent - 100
    assert caller.of("on_bounce") == []


def replace(children, proxy, port):
    proxy.child.kill()
    return RunningProxy(children, port)


def send_raw(port, data):
    """Send raw bytes, and read until the far end had enough or shows that it has them."""
    connection = socket.create_connection(("127.0.0.1", port), timeout=5.0)
    with connection, contextlib.suppress(OSError):  # it may be cut at any moment
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(4096):
            pass


def rude_frames():
    """Yield messages that no client of ours would send."""
    for count in (1, 3, 5, 8):
        yield [b"x"] * count
    yield [b"", b"", b""]
    yield [b"\x01short", b""]
    for length in (1, 17, 62, 200):
        yield [os.urandom(length), os.urandom(length)]
    yield [b"\x01" + bytes(61), b"body"]
    yield [b"\x01" + os.urandom(10_000), b""]
    yield [b"\x07" + bytes(100), b""]


HTTP = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


@pytest.mark.asyncio
async def test_garbage_and_http_on_every_port_do_no_harm(proxy):
    async with Party(proxy, answers=True) as worker, Party(proxy) as caller:
        await seated(worker)
        for port in proxy.ports:
            for data in (HTTP, b"", *(os.urandom(200) for _ in range(20))):
                await asyncio.to_thread(send_raw, port, data)
            caller.send("seat", port)
        await until(lambda: len(caller.of("on_replies")) == 3)

    assert worker.of("on_cancel") == caller.of("on_bounce") == []


@pytest.mark.asyncio
async def test_http_on_any_port_is_counted(proxy):
    before = sum(proxy.counts.values())
    for port in proxy.ports:
        await asyncio.to_thread(send_raw, port, HTTP)

    await until(lambda: sum(proxy.counts.values()) >= before + 3, timeout_s=1.0)


@pytest.mark.asyncio
async def test_messages_of_another_kind_are_counted_and_do_no_harm(proxy):
    async with Party(proxy, answers=True) as worker, Party(proxy) as caller:
        await seated(worker)
        with zmq.Context() as context:
            for kind, port in zip((zmq.DEALER, zmq.SUB, zmq.PUSH), proxy.ports, strict=True):
                with context.socket(kind) as rude:
                    rude.linger = TIMEOUT_MS
                    rude.connect(f"tcp://127.0.0.1:{port}")
                    if kind == zmq.SUB:
                        rude.subscribe(b"no topic of ours")
                        rude.subscribe(b"x" * 400)
                    elif kind == zmq.DEALER:
                        for message in rude_frames():
                            rude.send_multipart(message)
                    caller.send("seat", port)
                    await until(lambda: sum(_dropped(proxy).values()) >= 2)
        await until(lambda: len(caller.of("on_replies")) == 3)
        dropped = _dropped(proxy)

    assert {"drop.frame_count", "drop.short_head"} <= set(dropped)
    assert sum(dropped.values()) >= 10


def _dropped(proxy):
    return {
        name: number
        for name, number in proxy.counts.items()
        if name.startswith(("drop.", "ignored.", "refused"))
    }


@pytest.mark.asyncio
async def test_a_rude_publisher_is_counted_and_nobody_hears_it(proxy):
    async with Party(proxy) as listener, Party(proxy) as other:
        listener.client.broadcast.listen(kind=KIND_TASK)
        await listener.client.broadcast.sync(5.0)
        topic = b"test/t/%d/" % KIND_TASK
        with zmq.Context() as context, context.socket(zmq.XPUB) as rude:
            rude.linger = 0
            rude.connect(f"tcp://127.0.0.1:{proxy.ports[2]}")
            assert await asyncio.to_thread(rude.poll, TIMEOUT_MS)  # someone listens by now
            while topic not in rude.recv():
                assert await asyncio.to_thread(rude.poll, TIMEOUT_MS)
            for message in ([topic], [topic, b"short", b"x"], [topic, bytes(56), b"x", b"y"]):
                rude.send_multipart(message)
            await until(lambda: sum(_dropped(proxy).values()) >= 3)
        other.send("nobody", 1)
        await until(lambda: other.of("on_bounce"))

    assert b"x" not in [heard[-1] for heard in listener.of("on_heard")]


@pytest.mark.asyncio
async def test_a_probe_tells_a_proxy_from_nobody(proxy):
    await probe(TcpEndpoint("127.0.0.1", proxy.ports[0]), 5.0)

    with pytest.raises(Unreachable, match=r"no process listens at"):
        await probe(TcpEndpoint("127.0.0.1", free_ports()), 0.3)
