"""Our own ZMTP at a client, with libzmq or a plain socket at the far end."""

import asyncio
import contextlib
import random
import socket
import struct
import time
from unittest import mock

import pytest
import zmq

from support.processes import closed_port
from zmq_transport.client import plain_socket, socket_connection, socket_writer
from zmq_transport.client.dial_plan import Attempt
from zmq_transport.client.zmtp_line import ZmtpLine
from zmq_transport.kernel import encode_message
from zmq_transport.sockets.endpoints import IpcEndpoint, TcpEndpoint
from zmq_transport.sockets.sent import Sent
from zmq_transport.wire import heads
from zmq_transport.wire.heads import Verb
from zmq_transport.zmtp.connection import PROXY, Connection
from zmq_transport.zmtp.frame_writer import (
    JOIN_BELOW_BYTES,
    PING,
    PROBE,
    encode_command,
    encode_frames,
)

pytestmark = pytest.mark.asyncio
LIMIT = 64 * 2**20
READY = PROXY.opening[64:]
GREETING = PROXY.opening[:64]
WAIT_S = 10.0


class Recorder:
    """Keeps what a line says, and lets a test wait for it."""

    def __init__(self):
        self.said = []
        self.messages = []
        self._changed = asyncio.Event()

    def _say(self, *what):
        self.said.append(what)
        self._changed.set()

    def on_message(self, head, body):
        self.messages.append((head, body))
        self._changed.set()

    def on_writable(self):
        self._say("writable")

    def on_dropped(self, reason):
        self._say("dropped", reason)

    def on_connected(self):
        self._say("connected")

    def on_established(self):
        self._say("established")

    def on_down(self, *, is_silent=False):
        self.was_silent = is_silent
        self._say("down")

    def has_said(self, what):
        return any(each[0] == what for each in self.said)

    async def until(self, condition):
        """Wait until something said makes `condition` true."""
        async with asyncio.timeout(WAIT_S):
            while not condition():
                self._changed.clear()
                await self._changed.wait()

    async def hears(self, what):
        await self.until(lambda: self.has_said(what))


@contextlib.contextmanager
def dialled(address, *, connect_s=5.0, handshake_s=5.0):
    """Dial an address; yield the line and what it says."""
    recorder = Recorder()
    line = ZmtpLine(recorder, LIMIT)
    line.open(recorder)
    line.dial(Attempt(address, connect_s, handshake_s))
    try:
        yield line, recorder
    finally:
        line.close()


@contextlib.contextmanager
def libzmq_router(endpoint="tcp://127.0.0.1:*"):
    """Bind a ROUTER of libzmq; yield it and its address."""
    with zmq.Context() as context, context.socket(zmq.ROUTER) as router:
        router.set(zmq.LINGER, 0)
        router.set(zmq.RCVHWM, 0)
        router.set(zmq.SNDHWM, 0)
        router.bind(endpoint)
        bound = router.get(zmq.LAST_ENDPOINT).rstrip(b"\0").decode()
        path = bound.removeprefix("ipc://")
        yield (
            router,
            TcpEndpoint("127.0.0.1", int(bound.rpartition(":")[2]))
            if path == bound
            else IpcEndpoint(path),
        )


@contextlib.contextmanager
def plain_listener():
    """Listen without a protocol; yield the socket and its address."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        yield server, TcpEndpoint("127.0.0.1", server.getsockname()[1])


async def accepted(server):
    peer, _ = await asyncio.get_running_loop().sock_accept(server)
    return peer


async def greeted(server):
    """Accept a connection and greet as a proxy does; return the socket."""
    peer = await accepted(server)
    await asyncio.get_running_loop().sock_sendall(peer, PROXY.opening)
    return peer


@contextlib.asynccontextmanager
async def talking(**limits):
    """Dial a plain socket that greets as a proxy does; yield it, the line and what it says."""
    with (
        plain_listener() as (server, address),
        dialled(address, **limits) as (line, recorder),
        await greeted(server) as peer,
    ):
        await recorder.hears("established")
        yield peer, line, recorder


def block(duration_s):
    """Block the loop, as user code may do."""
    time.sleep(duration_s)


async def read_by(router, number=1):
    """Return that many messages of a ROUTER, read beside the loop."""
    return [await asyncio.to_thread(router.recv_multipart) for _ in range(number)]


@pytest.mark.parametrize("kind", ["tcp", "ipc"])
async def test_a_router_of_libzmq_gets_the_probe_first_and_talks_both_ways(kind, tmp_path):
    endpoint = "tcp://127.0.0.1:*" if kind == "tcp" else f"ipc://{tmp_path}/socket"
    with libzmq_router(endpoint) as (router, address), dialled(address) as (line, recorder):
        await recorder.hears("established")
        assert line.send(b"head", b"body") is Sent.OK
        (who, probe), (again, *message) = await read_by(router, 2)
        router.send_multipart([who, b"to you", b"and me"])
        await recorder.until(lambda: recorder.messages)

    assert (probe, message, again) == (b"", [b"head", b"body"], who)
    assert recorder.messages == [(b"to you", b"and me")]


async def test_libzmq_and_our_own_zmtp_read_each_other_frame_by_frame():
    dice = random.Random(15)
    sizes = (0, 1, 60, 254, 255, 256, 257, 4096, 66_000, 300_000)
    weights = (9, 9, 60, 9, 9, 9, 9, 9, 0.3, 0.1)
    sent = [
        tuple(bytes([dice.randrange(256)]) * dice.choices(sizes, weights)[0] for _ in range(2))
        for _ in range(10_000)
    ]
    with libzmq_router() as (router, address), dialled(address) as (line, recorder):
        await recorder.hears("established")
        [(who, _)] = await read_by(router)
        reading = asyncio.create_task(read_by(router, len(sent)))
        for message in sent:
            if line.send(*message) is not Sent.OK:
                recorder.said.clear()
                await recorder.hears("writable")
                assert line.send(*message) is Sent.OK
        read = await reading
        for message in sent:
            router.send_multipart([who, *message])
        await recorder.until(lambda: len(recorder.messages) == len(sent))

    assert [tuple(message) for _, *message in read] == sent
    assert recorder.messages == sent


async def test_a_large_body_travels_whole_both_ways():
    body = bytes(range(256)) * (8 * 4096)
    with libzmq_router() as (router, address), dialled(address) as (line, recorder):
        await recorder.hears("established")
        assert line.send(b"head", body) is Sent.OK
        assert line.send(b"next", b"") is Sent.OK  # it waits behind the large one
        (who, _), (_, *first), (_, *second) = await read_by(router, 3)
        router.send_multipart([who, *first])
        await recorder.until(lambda: recorder.messages)

    assert first == [b"head", body]
    assert second == [b"next", b""]
    assert recorder.messages == [(b"head", body)]


async def test_a_message_of_another_number_of_frames_is_dropped_and_counted():
    with libzmq_router() as (router, address), dialled(address) as (_, recorder):
        await recorder.hears("established")
        [(who, _)] = await read_by(router)
        for frames in ([b"one"], [b"1", b"2", b"3"], [b"head", b"body"]):
            router.send_multipart([who, *frames])
        await recorder.until(lambda: recorder.messages)

    assert recorder.said.count(("dropped", "frame_count")) == 2
    assert recorder.messages == [(b"head", b"body")]


async def test_a_message_that_a_handler_fails_at_harms_no_other():
    async with talking() as (peer, _, recorder):
        failing = mock.Mock(side_effect=[RuntimeError("no"), None, None])
        with mock.patch.object(recorder, "on_message", failing):
            peer.sendall(encode_message(b"head", b"body") * 3)
            peer.shutdown(socket.SHUT_WR)
            await recorder.hears("down")

    assert failing.call_count == 3


@pytest.mark.parametrize("unread", [False, True], ids=["closed", "reset"])
async def test_what_came_before_the_end_of_a_connection_is_read(unread):
    number, data = 300, encode_message(b"head", bytes(100))
    async with talking() as (peer, line, recorder):
        if not unread:  # what nobody has read makes an end a reset
            peer.recv(4096)
        peer.sendall(data * number)
        peer.close()
        block(0.2)
        line.send(b"into", b"nothing")  # a host that has closed answers with a reset
        block(0.2)
        assert line.send(b"into", b"nothing") is Sent.BUSY  # the loop has not looked yet
        await recorder.hears("down")

    assert len(recorder.messages) == number
    assert recorder.said.count(("down",)) == 1


async def test_nobody_there_shows_at_once(tmp_path):
    for address in (
        TcpEndpoint("127.0.0.1", closed_port()),
        IpcEndpoint(str(tmp_path / "nothing")),
        IpcEndpoint(str(tmp_path)),
    ):
        with dialled(address) as (line, recorder):
            assert not recorder.said  # not from within the call
            await recorder.hears("down")
            assert line.send(b"head", b"body") is Sent.BUSY

        assert recorder.said == [("down",)]


@pytest.mark.parametrize(
    "said",
    [b"", GREETING[:10], GREETING, GREETING + READY[:-1]],
    ids=["silent", "half a greeting", "no READY", "half a READY"],
)
async def test_a_peer_that_does_not_finish_its_handshake_is_left_in_time(said):
    with (
        plain_listener() as (server, address),
        dialled(address, handshake_s=0.3) as (_, recorder),
        await accepted(server) as peer,
    ):
        peer.sendall(said)
        await recorder.hears("down")

    assert recorder.said == [("connected",), ("down",)]
    assert not recorder.was_silent


@pytest.mark.parametrize(
    "said",
    [
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        GREETING[:12] + b"CURVE".ljust(20, b"\0") + GREETING[32:],
        GREETING + b"\x00\x00",
        GREETING + encode_command(b"ERROR", b"\x02no"),
        PROXY.opening[:64] + READY.replace(b"ROUTER", b"DEALER"),
        PROXY.opening + b"\x01\x00" * 100,
        PROXY.opening + b"\x02" + b"\xff" * 8,
        PROXY.opening + b"\x04\x00",
    ],
)
async def test_a_stranger_and_a_peer_that_breaks_the_protocol_are_left_at_once(said):
    with (
        plain_listener() as (server, address),
        dialled(address) as (_, recorder),
        await accepted(server) as peer,
    ):
        peer.sendall(said)
        await recorder.hears("down")

    assert not recorder.messages


async def test_what_a_peer_does_not_read_is_bounded_and_goes_on_when_it_reads():
    body = bytes(2**20)
    async with talking() as (peer, line, recorder):
        sent = 0
        while line.send(str(sent).encode(), body) is Sent.OK:
            sent += 1
        queue = line._connection._writer._queue
        assert queue.bytes <= socket_writer.MAX_WAITING_BYTES + 2**20
        recorder.said.clear()

        taken = await asyncio.to_thread(read_messages, peer, sent)
        await recorder.hears("writable")

    assert [head for head, _ in taken] == [str(number).encode() for number in range(sent)]
    assert {len(each) for _, each in taken} == {len(body)}


def read_messages(peer, number):
    """Return that many messages behind the probe, over a plain socket."""
    peer.setblocking(True)
    far_end = Connection(PROXY, LIMIT)
    messages = []
    while len(messages) < number + 1:
        messages += far_end.receive(peer.recv(2**20))
    return messages[1:]


async def test_small_messages_that_wait_are_bounded_by_their_number():
    with mock.patch.object(socket_writer, "HIGH_WATER", 50):
        async with talking() as (_, line, _):
            while line.send(b"head", bytes(60_000)) is Sent.OK:
                pass

            assert len(line._connection._writer._queue) == 50


@contextlib.contextmanager
def unwatched(every_s):
    """Let connections be as on a system that does not find out by itself that a host is gone."""
    with (
        mock.patch.object(socket_connection, "tune", return_value=False),
        mock.patch("zmq_transport.zmtp.silence.ASK_S", every_s),
    ):
        yield


async def test_a_peer_that_answers_is_kept_and_one_that_does_not_is_given_up():
    with unwatched(0.1):
        async with talking() as (_, _, silent), talking() as (answering, _, alive):
            answers = asyncio.create_task(answer_pings(answering))
            await silent.hears("down")
            answers.cancel()

    assert silent.was_silent
    assert not alive.has_said("down")


async def test_large_messages_that_a_relay_takes_and_nobody_answers_are_no_sign_of_life():
    with unwatched(0.1):
        async with talking() as (peer, line, recorder):
            taken = asyncio.create_task(take_all(peer))
            async with asyncio.timeout(WAIT_S):
                while not recorder.has_said("down"):
                    line.send(b"head", bytes(JOIN_BELOW_BYTES))
                    await asyncio.sleep(0.02)
            await taken


async def test_a_peer_that_knows_no_ping_is_not_given_up_for_its_silence():
    with unwatched(0.1), plain_listener() as (server, address), dialled(address) as (_, old):
        peer = await accepted(server)
        with peer:
            opening = PROXY.opening[:11] + b"\0" + PROXY.opening[12:]
            await asyncio.get_running_loop().sock_sendall(peer, opening)
            await old.hears("established")
            async with talking() as (_, _, silent):
                await silent.hears("down")

    assert not old.has_said("down")


async def test_a_heartbeat_asks_at_once_without_a_check():
    head = heads.pack_items([(int(Verb.HEARTBEAT), 0, 0, 0, bytes(16), bytes(16), 0)] * 2)
    with mock.patch.object(socket_connection, "ASK_S", 600.0):
        async with talking() as (peer, line, _), asyncio.timeout(WAIT_S):
            peer.setblocking(False)
            line.send(head, b"")
            seen = b""
            while not seen.endswith(PROBE + encode_message(head, b"") + PING):
                seen += await asyncio.get_running_loop().sock_recv(peer, 4096)


async def take_all(peer):
    loop = asyncio.get_running_loop()
    peer.setblocking(False)
    with contextlib.suppress(ConnectionError):
        while await loop.sock_recv(peer, 2**20):
            pass


async def answer_pings(peer):
    loop = asyncio.get_running_loop()
    peer.setblocking(False)
    while data := await loop.sock_recv(peer, 4096):
        if PING in data:
            await loop.sock_sendall(peer, encode_command(b"PONG"))


async def test_a_loop_that_was_blocked_blames_nobody():
    with unwatched(0.2):
        async with talking() as (peer, _, recorder):
            answers = asyncio.create_task(answer_pings(peer))
            for _ in range(3):
                block(1.0)
                await asyncio.sleep(0)
            await asyncio.sleep(0.5)
            answers.cancel()

    assert not recorder.has_said("down")


async def test_a_ping_of_the_peer_is_answered_with_its_context():
    pong = encode_command(b"PONG", b"context")
    async with talking() as (peer, _, _):
        peer.sendall(encode_command(b"PING", b"\0\0context"))
        peer.setblocking(False)
        seen = b""
        async with asyncio.timeout(WAIT_S):
            while not seen.endswith(pong):
                seen += await asyncio.get_running_loop().sock_recv(peer, 4096)

    assert seen.endswith(PROBE + pong)


async def test_a_line_that_is_hung_up_says_nothing_and_can_be_dialled_again():
    with libzmq_router() as (router, address), dialled(address) as (line, recorder):
        for _ in range(3):
            await recorder.hears("established")
            recorder.said.clear()
            line.hang_up()
            line.dial(Attempt(address, 5.0, 5.0))
        await recorder.hears("established")
        probes = await read_by(router, 4)

    assert not recorder.has_said("down")
    assert len({who for who, _ in probes}) == 4


async def test_the_options_of_a_connection_are_those_of_the_page():
    level = socket.IPPROTO_TCP
    async with talking() as (_, line, _):
        made = line._connection._socket

        assert made.getsockopt(level, socket.TCP_NODELAY)
        assert made.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        assert made.getsockopt(level, socket.TCP_USER_TIMEOUT) == plain_socket.USER_TIMEOUT_MS
        assert made.getsockopt(level, socket.TCP_KEEPIDLE) == 1


async def test_a_socket_that_connects_to_itself_has_found_nobody():
    with socket.socket() as made:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        made.bind(("127.0.0.1", 0))
        made.connect(made.getsockname())

        with pytest.raises(ConnectionRefusedError):
            plain_socket.check_connected(made)


async def test_commands_of_a_later_version_are_ignored():
    async with talking() as (peer, _, recorder):
        peer.sendall(encode_command(b"SUBSCRIBE", b"x") + encode_command(b"NEWS", bytes(1000)))
        peer.sendall(encode_frames(b"head", b"body"))
        await recorder.until(lambda: recorder.messages)

    assert recorder.messages == [(b"head", b"body")]
