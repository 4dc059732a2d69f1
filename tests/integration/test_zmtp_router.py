"""The ROUTER that speaks ZMTP itself, as foreign sockets and hostile peers meet it."""

import asyncio
import contextlib
import itertools
import os
import socket
import sys
import threading
import time
from pathlib import Path

import pytest
import zmq
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from support.deaf_worker import DeafWorker
from support.processes import until
from support.rude import LimitedSynapse, closed_by_peer, percentile, plain_connections, rude_sockets
from support.stranger import Stranger, stranger
from support.transport import KIND_TASK, Party, RunningProxy
from zmq_transport import Reason, Verb, address_of
from zmq_transport.kernel import encode_message
from zmq_transport.sockets.carriers import ZMTP
from zmq_transport.wire import heads
from zmq_transport.zmtp.connection import CLIENT
from zmq_transport.zmtp.frame_writer import PING, PROBE, encode_command

SUPPORT = Path(__file__).parents[1] / "support"
MIB = 1024 * 1024
HUGE = (2**62).to_bytes(8, "big")


@pytest.fixture
def proxy(children):
    """Start a proxy with our own ZMTP and settings of its own."""
    return lambda **options: RunningProxy(children, carrier=ZMTP, **options)


@pytest.fixture
def deaf(children):
    """Start a worker that reads nothing until it is told to."""

    def start(running):
        script = SUPPORT / "deaf_worker.py"
        child = children.start(script, "127.0.0.1", running.ports[0], "test")
        child.line("ready")
        return child

    return start


def send_tasks(caller, count, size, ttl_ms=60_000):
    """Send TASKs to the seat `deaf`."""
    for number in range(count):
        task = number.to_bytes(16, "big")
        caller.client.send_task(address_of("deaf"), task, task, KIND_TASK, bytes(size), ttl_ms, 0)


# -- sockets of libzmq ---------------------------------------------------------------------------


def test_a_plain_dealer_is_asked_who_it_is_and_welcomed(proxy):
    with stranger(proxy().ports[0]) as peer:
        peer.send(b"")
        who = peer.heard()
        peer.joins("test")

    assert who[0] is Verb.WHO


@pytest.mark.asyncio
async def test_large_and_many_tasks_of_a_plain_dealer_reach_a_worker_and_come_home(proxy):
    running = proxy()
    async with Party(running, answers=True) as worker:
        worker.take_seat("seat")
        await until(lambda: worker.of("on_registered"))
        with stranger(running.ports[0]) as peer:
            peer.joins("test")
            bodies = [bytes([n]) * (MIB if n < 3 else n) for n in range(200)]
            for number, body in enumerate(bodies):
                task = number.to_bytes(16, "big")
                fields = {"number": 60_000, "task": task, "address": address_of("seat")}
                peer.say(Verb.TASK, body, kind=KIND_TASK, **fields)
            answers = await asyncio.to_thread(replies_of, peer, len(bodies))

    assert answers == dict(enumerate(bodies))


def replies_of(peer, count):
    """Return the bodies of as many replies, by the number that is their task."""
    found = {}
    while len(found) < count:
        head, body = peer.raw()
        for one_head, one_body in heads.split(head, body):
            single = heads.unpack_single(one_head)
            if single[1] == Verb.REPLY:
                found[int.from_bytes(single[5], "big")] = one_body
    return found


def test_2000_plain_dealers_are_all_served_at_a_descriptor_each(proxy):
    running = proxy()
    with rude_sockets(zmq.DEALER, running.ports[0], 2000) as sockets:
        peers = [Stranger(each) for each in sockets]
        for peer in peers:
            peer.send(b"")
        heard = {peer.heard(20_000)[0] for peer in peers}
        open_ones = len(list(Path(f"/proc/{running.child.pid}/fd").iterdir()))

    assert heard == {Verb.WHO}
    assert open_ones < 2100


def test_a_ping_is_answered_at_once(proxy):
    with DeafWorker("127.0.0.1", proxy().ports[0]).socket as connection:
        connection.sendall(PING)
        answer = encode_command(b"PONG")
        data = b""
        while answer not in data:
            data += connection.recv(4096)


# -- ends ------------------------------------------------------------------------------------------


@pytest.mark.asyncio
@pytest.mark.parametrize("is_half_closed", [False, True])
async def test_what_came_before_the_end_of_a_connection_is_routed(proxy, is_half_closed):
    running = proxy()
    async with Party(running) as caller:
        worker = DeafWorker("127.0.0.1", running.ports[0])
        worker.take_seat("test")
        send_tasks(caller, 500, 1000)
        await asyncio.to_thread(lambda: [worker.read_task() for _ in range(500)])
        worker.answer_all()
        if is_half_closed:
            worker.socket.shutdown(socket.SHUT_WR)
        else:
            worker.socket.close()
        await until(lambda: len(caller.of("on_replies")) == 500)
        await until(lambda: running.counts.get("unreachable") == 1)
        worker.socket.close()

    assert caller.of("on_lost") == []


@pytest.mark.asyncio
async def test_a_program_that_is_blocked_beside_a_flood_for_8_s_keeps_its_tasks(proxy, deaf):
    # Its receive window is closed all the time: TCP_USER_TIMEOUT would end it after 3.6 s.
    running = proxy()
    worker = deaf(running)
    async with Party(running) as caller:
        send_tasks(caller, 200, 100_000)
        await asyncio.sleep(8.0)  # longer than any limit for a dead host
        before = running.counts
        worker.tell("200")
        answered = await asyncio.to_thread(worker.line, "answered")
        await until(lambda: len(caller.of("on_replies")) == 200)

    assert int(answered.text) == 200 * 100_000
    assert before["silent"] == 1
    assert "connection.closed" not in before
    assert caller.of("on_lost") == caller.of("on_bounce") == []


# -- bounds ----------------------------------------------------------------------------------------


@pytest.mark.asyncio
async def test_bytes_that_wait_for_a_worker_are_bounded_and_the_rest_is_busy(proxy, deaf):
    running = proxy(max_waiting_bytes=2 * MIB)
    worker = deaf(running)
    async with Party(running) as caller:
        send_tasks(caller, 200, 100_000)
        last = caller.send("nobody", 1000)  # its bounce comes behind all others
        await until(lambda: [last, Reason.NO_ROUTE] in caller.of("on_bounce"))
        *bounces, _ = caller.of("on_bounce")
        counts = running.counts
        worker.tell(str(200 - len(bounces)))
        await asyncio.to_thread(worker.line, "answered")
        await until(lambda: len(caller.of("on_replies")) == 200 - len(bounces))

    assert {reason for _, reason in bounces} == {Reason.BUSY}
    assert len(bounces) > 50
    assert counts["full.bytes"] == counts["bounce.busy"] == len(bounces)


@pytest.mark.asyncio
async def test_bytes_that_wait_for_all_clients_are_bounded_together(proxy, deaf):
    running = proxy(max_waiting_bytes_of_all=MIB)
    deaf(running)
    async with Party(running) as caller:
        send_tasks(caller, 200, 100_000)
        last = caller.send("nobody", 1000)
        await until(lambda: [last, Reason.NO_ROUTE] in caller.of("on_bounce"))

    assert running.counts["full.shared"] == running.counts["bounce.busy"] > 50


@pytest.mark.asyncio
async def test_a_client_that_takes_no_byte_for_the_stated_time_is_cut(proxy, deaf):
    running = proxy(unread_s=1.5)
    deaf(running)
    async with Party(running) as caller:
        send_tasks(caller, 100, 100_000)
        await until(lambda: len(caller.of("on_lost")) == 100)

    assert running.counts["cut.unread"] == 1


@pytest.mark.asyncio
async def test_messages_that_are_not_whole_are_bounded_for_all_clients_together(proxy):
    running = proxy(max_waiting_bytes_of_all=4 * MIB)
    async with Party(running, answers=True) as worker, Party(running) as caller:
        worker.take_seat("seat")
        await until(lambda: worker.of("on_registered"))
        clients = [DeafWorker("127.0.0.1", running.ports[0]) for _ in range(8)]
        for each in clients:
            each.take_seat("test")
            await asyncio.to_thread(each.socket.sendall, b"\x02" + (2 * MIB).to_bytes(8, "big"))
            with contextlib.suppress(OSError):
                await asyncio.to_thread(each.socket.sendall, bytes(MIB))
        await until(lambda: running.counts.get("cut.unfinished", 0) >= 3)
        caller.send("seat", 1)
        await until(lambda: caller.of("on_replies"))
        for each in clients:
            each.socket.close()


# -- strangers -------------------------------------------------------------------------------------

GREETED = CLIENT.opening
ENDLESS = {
    "HTTP": b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    "half a greeting": GREETED[:40],
    "a greeting": GREETED[:64],
    "READY cut off": GREETED[:70],
    "a huge frame": GREETED + b"\x02" + HUGE,
    "a huge command": GREETED + b"\x06" + HUGE,
    "a huge READY": GREETED[:64] + b"\x06" + HUGE,
    "commands": GREETED + encode_command(b"PING", bytes(2) + b"x" * 16) * 20_000,
    "unknown commands": GREETED + encode_command(b"NONE", b"x" * 200) * 2000,
    "frames with MORE": GREETED + b"\x01\xff" + bytes(255) + (b"\x01\xff" + bytes(255)) * 2000,
    "empty frames with MORE": GREETED + b"\x01\0" * 100_000,
    "a message of 16 MiB that does not end": GREETED + b"\x02" + (2**24).to_bytes(8, "big"),
    "another type of socket": GREETED.replace(b"DEALER", b"PUBLIS"),
    "the mechanism PLAIN": GREETED.replace(b"NULL", b"PLAI"),
}


@pytest.mark.asyncio
@pytest.mark.parametrize("name", ENDLESS)
async def test_a_stranger_is_cut_in_time_and_the_others_go_on(proxy, name):
    running = proxy(handshake_s=0.3, hello_s=0.6)
    async with Party(running, answers=True) as worker, Party(running) as caller:
        worker.take_seat("seat")
        await until(lambda: worker.of("on_registered"))
        before = running.counts.get("connection.closed", 0)
        with plain_connections(running.ports[0], 20, ENDLESS[name]) as strangers:
            caller.send("seat", 1)
            await until(lambda: caller.of("on_replies"))
            await until(lambda: all(map(closed_by_peer, strangers)), what="the end of all of them")
        counts = running.counts

    assert counts["connection.closed"] == before + 20
    ended = ("drop.handshake", "cut.no_hello", "cut.fault")
    assert sum(counts.get(each, 0) for each in ended) == 20


@pytest.mark.asyncio
async def test_a_byte_now_and_then_is_no_handshake_and_no_hello(proxy):
    running = proxy(handshake_s=0.5, hello_s=1.0)
    with socket.create_connection(("127.0.0.1", running.ports[0])) as slow:
        for byte in GREETED:
            with contextlib.suppress(OSError):
                slow.sendall(bytes((byte,)))
            await asyncio.sleep(0.01)
        await until(lambda: closed_by_peer(slow))

    assert running.counts["drop.handshake"] == 1


@pytest.mark.asyncio
async def test_5000_idle_connections_and_unfinished_messages_cost_bounded_memory(children, join):
    synapse = LimitedSynapse(children, carrier=ZMTP, hello_s=3600, handshake_s=3600)
    before_mib = synapse.rss_mib
    unfinished = GREETED + PROBE + b"\x02" + (2**24).to_bytes(8, "big") + bytes(32 * 1024)
    with plain_connections(synapse.port, 4000), plain_connections(synapse.port, 1000, unfinished):
        await until(lambda: synapse.count("connection.accepted") >= 5000)
        await until(lambda: synapse.count("connection.greeted") >= 1000)
        idle_mib = synapse.rss_mib - before_mib
        more = [stack_of(synapse.port, unfinished + bytes(MIB)) for _ in range(200)]
        await until(lambda: synapse.count("cut.unfinished") >= 100, timeout_s=30.0)
        flooded_mib = synapse.rss_mib - before_mib
        for each in more:
            each.close()
    sys.stdout.write(f"5,000 idle: {idle_mib:.0f} MiB; flooded: {flooded_mib:.0f} MiB\n")

    assert idle_mib < 100
    assert flooded_mib < 220


def stack_of(port, data):
    """Open a connection and send as much of `data` as is taken."""
    made = socket.create_connection(("127.0.0.1", port), 5.0)
    with contextlib.suppress(OSError):
        made.sendall(data)
    return made


FRAGMENTS = st.sampled_from(
    [
        GREETED,
        GREETED[:64],
        GREETED[64:],
        PROBE,
        PING,
        encode_message(heads.pack(Verb.TASK, 4, number=1000, address=b"seat"), b"body"),
        encode_message(heads.pack(Verb.HELLO), b""),
        b"\x02" + HUGE,
        b"\x01\x00",
        b"\x04\x00",
        b"\xff",
    ]
)
BYTES = st.lists(st.one_of(FRAGMENTS, st.binary(max_size=80)), max_size=12).map(b"".join)


def test_any_bytes_at_the_port_do_no_harm_to_a_client_that_works(children):
    running = RunningProxy(children, carrier=ZMTP, handshake_s=0.5)
    numbers = itertools.count()
    with stranger(running.ports[0]) as good:
        good.joins("test")
        pages = rss_pages(running.child.pid)

        @settings(
            max_examples=int(os.environ.get("FUZZ_CONNECTIONS", "150")),
            deadline=None,
            suppress_health_check=list(HealthCheck),
        )
        @given(st.lists(BYTES, min_size=1, max_size=8))
        def fuzz(hostile):
            with contextlib.ExitStack() as stack:
                for data in hostile:
                    each = stack.enter_context(
                        socket.create_connection(("127.0.0.1", running.ports[0]))
                    )
                    with contextlib.suppress(OSError):
                        each.sendall(data)
                task = next(numbers).to_bytes(16, "big")
                verb, body, of = good.answers_to(
                    Verb.TASK, b"", number=5000, task=task, address=b"nobody"
                )
            assert (verb, body, of) == (Verb.BOUNCE, b"no_route", task)

        fuzz()
        grown = rss_pages(running.child.pid) - pages

    assert grown * 4096 < 16 * MIB
    assert "drop.engine_fault" not in running.counts


def rss_pages(pid):
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1])


@pytest.mark.parametrize("says_hello", [False, True])
def test_a_flood_of_the_shortest_messages_leaves_the_others_their_latency(proxy, says_hello):
    running = proxy(hello_s=3600)
    where = "127.0.0.1", running.ports[0]
    flooders = [DeafWorker(*where) for _ in range(5)]
    stop = threading.Event()
    for each in flooders if says_hello else ():
        each.say_hello("test")
    floods = [threading.Thread(target=flood, args=(each.socket, stop)) for each in flooders]
    try:
        for each in floods:
            each.start()
        with stranger(where[1]) as good:
            good.joins("test")
            took_s = [call_nobody(good, number) for number in range(60)]
    finally:
        stop.set()
        for each in floods:
            each.join()
        for each in flooders:
            each.socket.close()
    sys.stdout.write(f"p50 {percentile(took_s, 0.5) * 1000:.1f} ms\n")

    assert percentile(took_s, 0.5) < 0.25


def flood(connection, stop):
    """Send probes, two bytes each, as fast as they are taken."""
    connection.settimeout(0.1)
    probes = PROBE * 100_000
    while not stop.is_set():
        with contextlib.suppress(OSError):
            connection.send(probes)


def call_nobody(good, number):
    """Send a TASK to nobody; return how long its BOUNCE took."""
    began_s = time.perf_counter()
    task = number.to_bytes(16, "big")
    heard = good.answers_to(Verb.TASK, b"", number=5000, task=task, address=b"nobody")
    assert heard == (Verb.BOUNCE, b"no_route", task)
    return time.perf_counter() - began_s
