"""Who is cut on the sockets of libzmq, and who is not. Page: docs/spec/06-sockets.md, "Who is cut".

Stand-ins that do no harm: they send a little too much, or are merely slow, and limits are small.
"""

import asyncio
import contextlib
import sys
import time

import pytest
import zmq

from support.processes import until
from support.rude import closed_by_peer, plain_connections, rude_sockets, speaking
from support.transport import KIND_TASK, Party, RunningProxy
from zmq_transport import address_of
from zmq_transport.kernel import encode_message
from zmq_transport.sockets.carriers import LIBZMQ
from zmq_transport.wire import heads, topics

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the watchdog is for Linux")
MIB = 1024 * 1024
SMALL = {"max_ahead_bytes": MIB, "max_body_bytes": MIB}


@pytest.fixture
def running(children):
    def make(**options):
        return RunningProxy(children, carrier=LIBZMQ, **options)

    return make


def cuts(proxy):
    """Return the counters of those who were cut."""
    return {name: n for name, n in proxy.counts.items() if name.startswith("cut.")}


@pytest.mark.asyncio
async def test_who_speaks_no_zmtp_is_cut_in_time_on_each_port(running):
    proxy = running(handshake_s=0.3)
    with contextlib.ExitStack() as stack:
        asking = [
            each
            for port in proxy.ports
            for each in stack.enter_context(plain_connections(port, 20, b"GET / HTTP/1.1\r\n"))
        ]
        async with Party(proxy, carrier=LIBZMQ):
            await until(lambda: all(map(closed_by_peer, asking)), timeout_s=10.0)
            await until(lambda: cuts(proxy) == {"cut.not_greeted": len(asking)})


@pytest.mark.asyncio
async def test_who_says_no_hello_is_cut_in_time_and_listeners_and_clients_are_not(running):
    proxy = running(hello_s=0.6)
    with (
        rude_sockets(zmq.DEALER, proxy.ports[0], 20),
        rude_sockets(zmq.SUB, proxy.ports[1], 5),
        rude_sockets(zmq.XPUB, proxy.ports[2], 5),
    ):
        async with Party(proxy, carrier=LIBZMQ) as client:
            await until(lambda: cuts(proxy) == {"cut.no_hello": 20}, timeout_s=10.0)
            task = client.send("nobody", 1)
            await until(lambda: [task] == [each[0] for each in client.of("on_bounce")])

    assert len(client.of("on_welcomed")) == 1


@pytest.mark.asyncio
@pytest.mark.parametrize(("port", "kind"), [(0, b"DEALER"), (1, b"SUB"), (2, b"PUB")])
async def test_who_sends_more_than_is_read_is_cut_on_each_port(running, port, kind):
    proxy = running(**SMALL)
    async with Party(proxy, carrier=LIBZMQ):
        with speaking(proxy.ports[port], kind) as plain:
            plain.settimeout(0.2)
            part = b"\x01\xff" + bytes(255)  # a frame of a message that goes on
            end_s = time.monotonic() + 15.0
            while not cuts(proxy):
                assert time.monotonic() < end_s, proxy.counts
                with contextlib.suppress(OSError):
                    plain.send(part * 256)
            await until(lambda: closed_by_peer(plain))

    assert cuts(proxy) == {"cut.ahead": 1}


@pytest.mark.asyncio
async def test_a_client_whose_messages_are_read_may_send_as_much_as_it_likes(running):
    proxy = running(**SMALL)
    async with Party(proxy, carrier=LIBZMQ) as worker, Party(proxy, carrier=LIBZMQ) as caller:
        worker.take_seat("seat")
        await until(lambda: worker.of("on_registered"))
        for number in range(1, 41):
            hand_over(caller, number, MIB // 2)
            await until(lambda: len(worker.of("on_tasks")) == number)  # noqa: B023

    assert cuts(proxy) == {}


@pytest.mark.asyncio
async def test_a_listener_that_does_not_read_is_cut_and_a_slow_one_stays(running):
    proxy = running(unread_s=1.5)
    topic = topics.kind_topic("test", KIND_TASK)
    async with Party(proxy, carrier=LIBZMQ) as worker, Party(proxy, carrier=LIBZMQ) as caller:
        worker.take_seat("seat")
        await until(lambda: worker.of("on_registered"))
        with (
            speaking(proxy.ports[1], b"SUB", 65_536) as mute,
            speaking(proxy.ports[1], b"SUB", 65_536) as slow,
        ):
            for each in (mute, slow):
                each.sendall(b"\x00" + bytes([1 + len(topic)]) + b"\x01" + topic)
            await flood_until_cut(proxy, caller, slow)

            assert cuts(proxy) == {"cut.unread": 1}
            assert not closed_by_peer(slow)
            await until(lambda: closed_by_peer(mute))


@pytest.mark.asyncio
async def test_a_listener_that_takes_enough_and_is_behind_all_the_time_is_cut(running):
    proxy = running(behind_s=2.0)
    topic = topics.kind_topic("test", KIND_TASK)
    async with Party(proxy, carrier=LIBZMQ) as worker, Party(proxy, carrier=LIBZMQ) as caller:
        worker.take_seat("seat")
        await until(lambda: worker.of("on_registered"))
        with speaking(proxy.ports[1], b"SUB", 65_536) as slow:
            slow.sendall(b"\x00" + bytes([1 + len(topic)]) + b"\x01" + topic)
            await flood_until_cut(proxy, caller, slow)

            assert cuts(proxy) == {"cut.unread": 1}


def hand_over(caller, number, size):
    """Send a task of a size."""
    task = number.to_bytes(16, "big")
    caller.client.send_task(address_of("seat"), task, task, KIND_TASK, bytes(size), 9_000)


def come_back(size):
    """Return a message that comes back whole: a task ahead of HELLO."""
    head = heads.pack(heads.Verb.TASK, size, task=b"t" * 16, address=b"seat")
    return encode_message(head, bytes(size))


async def send_until(plain, message, proxy, condition):
    """Send a message again and again until a condition holds, and read nothing."""
    plain.settimeout(0.2)
    end_s = time.monotonic() + 15.0
    while not condition():
        assert time.monotonic() < end_s, proxy.counts
        with contextlib.suppress(OSError):
            plain.sendall(message)
        await asyncio.sleep(0.001)  # a busy machine that reads late must not be ahead by 1 GiB


@pytest.mark.asyncio
async def test_who_shows_life_and_reads_nothing_is_cut_at_the_router(running):
    # Not cut for what a busy machine has not read of it yet.
    proxy = running(unread_s=1.5, max_ahead_bytes=1024 * MIB)
    with speaking(proxy.ports[0], b"DEALER", 65_536) as plain:
        await send_until(plain, come_back(65_536), proxy, lambda: cuts(proxy))
        await until(lambda: closed_by_peer(plain))

    assert cuts(proxy) == {"cut.unread": 1}


@pytest.mark.asyncio
async def test_bytes_that_wait_for_one_client_of_the_router_are_bounded(running):
    proxy = running(max_waiting_bytes=8 * MIB)
    with speaking(proxy.ports[0], b"DEALER", 65_536) as plain:
        message = come_back(MIB)
        await send_until(plain, message, proxy, lambda: proxy.counts.get("full.bytes"))
        counts = proxy.counts
        # What is sent until the count is seen is counted as bounced too, and finds no room.
        kept = counts["bounce.hello_first"] - counts["full.bytes"]

    assert 8 <= kept < 16  # 8 MiB, and what the kernel holds


async def flood_until_cut(proxy, caller, slow):
    """Send what both hear until one is cut; the slow one reads a little of it all the time."""
    end_s = time.monotonic() + 15.0
    number = 0
    while not cuts(proxy):
        assert time.monotonic() < end_s, proxy.counts
        for _ in range(4):
            number += 1
            hand_over(caller, number, 65_536)
        slow.recv(65_536)
        await asyncio.sleep(0.05)
