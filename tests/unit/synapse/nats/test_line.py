"""The connection to a real nats-server."""

import asyncio
import gc

import pytest

pytest.importorskip("nats", reason="nats-py is not installed")

from cosmonapse.synapse.nats.line import NatsLine, is_no_responders
from cosmonapse.synapse.nats.place import NatsPlace
from cosmonapse.synapse.nats.server_rotation import NatsAddress
from support.nats_servers import NatsServer, need_nats_server
from support.processes import free_ports

need_nats_server()
pytestmark = pytest.mark.asyncio
USERS = """authorization { users = [
  { user: ada, password: right, permissions: { publish: "ours.>", subscribe: "ours.>" } }
] }"""


class LoudEvents:
    """Remembers the events, and lets a test wait for one."""

    def __init__(self):
        self.seen = []
        self._came = asyncio.Event()

    def _add(self, *event):
        self.seen.append(event)
        self._came.set()

    def on_up(self):
        self._add("up")

    def on_down(self, why):
        self._add("down", why)

    def on_fault(self, fault):
        self._add("fault", fault.kind)

    def take(self, message):
        self._add("message", message.subject, message.data, is_no_responders(message))

    def of(self, kind):
        return [each for each in self.seen if each[0] == kind]

    async def until(self, kind, count=1):
        async with asyncio.timeout(20):
            while len(self.of(kind)) < count:
                self._came.clear()
                await self._came.wait()


class OneServer:
    """A nats-server that a test starts and kills."""

    def __init__(self):
        self.port = free_ports()
        self._server = None

    def start(self, conf=""):
        self._server = NatsServer(self.port, conf)

    def freeze(self):
        self._server.freeze()

    def kill(self):
        if self._server is not None:
            self._server.kill()
            self._server = None

    def line(self, events, user=""):
        place = NatsPlace.of(f"nats://{user}127.0.0.1:{self.port}")
        return NatsLine(place, "test", events)


@pytest.fixture
def server():
    server = OneServer()
    yield server
    server.kill()


async def test_a_line_waits_for_its_server_and_comes_back_after_it_without_what_it_said_before(
    server,
):
    events = LoudEvents()
    line = server.line(events)
    line.start()
    assert not line.publish("a", b"too early")
    server.start()
    await events.until("up")
    line.subscribe("a", events.take)
    assert line.publish("a", b"1")
    await events.until("message")

    server.kill()
    await events.until("down")
    assert not line.is_connected
    assert not line.publish("a", b"nobody is there")
    server.start()
    await events.until("up", 2)
    line.subscribe("a", events.take)
    assert line.publish("a", b"2")
    await events.until("message", 2)

    line.close()
    await line.closed()
    assert [each[2] for each in events.of("message")] == [b"1", b"2"]
    assert line.attempts >= 2
    assert line.slow == 0


async def test_a_line_to_one_nats_server_goes_to_no_other(server):
    other = OneServer()
    cluster = 'cluster {{ name: "c", listen: "127.0.0.1:{}", routes: ["nats://127.0.0.1:{}"] }}'
    server.start(cluster.format(server.port + 2, other.port + 2))
    other.start(cluster.format(other.port + 2, server.port + 2))
    only = NatsAddress(f"nats://127.0.0.1:{server.port}")
    events = LoudEvents()
    line = NatsLine(NatsPlace.of(f"nats://127.0.0.1:{other.port}"), "test", events, only=only)

    line.start()
    await events.until("up")
    server.kill()
    await events.until("down")
    before = line.attempts
    while line.attempts < before + 3:  # noqa: ASYNC110  # nobody tells of an attempt
        await asyncio.sleep(0.01)

    line.close()
    await line.closed()
    other.kill()
    assert line.address == only
    assert len(events.of("up")) == 1


async def test_messages_of_two_subscriptions_come_in_the_order_in_which_they_were_sent(server):
    server.start()
    events = LoudEvents()
    line = server.line(events)
    line.start()
    await events.until("up")
    for subject in ("a", "b"):
        line.subscribe(subject, events.take)

    for number in range(2_000):
        line.publish("ab"[number * 7919 % 3 % 2], b"%d" % number)

    await events.until("message", 2_000)
    assert [int(each[2]) for each in events.of("message")] == list(range(2_000))
    line.close()
    await line.closed()


async def test_a_flush_returns_when_another_connection_would_see_it_all(server):
    server.start()
    events, others = LoudEvents(), LoudEvents()
    line, other = server.line(events), server.line(others)
    line.start()
    other.start()
    await events.until("up")
    await others.until("up")
    end = other.subscribe("bulk", others.take)
    assert await other.flush()

    for _ in range(64):
        assert line.publish("bulk", bytes(900_000))
    assert await line.flush()
    assert line.waiting_bytes == 0
    await others.until("message", 64)
    end()
    assert await other.flush()
    line.publish("bulk", b"unheard", "reply")
    line.subscribe("reply", events.take)
    assert await line.flush()
    server.kill()
    assert not await line.flush()
    for each in (line, other):
        each.close()
        await each.closed()


async def test_a_flush_that_the_end_of_the_connection_overtakes_leaves_no_error_behind(server):
    server.start()
    events, errors = LoudEvents(), []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: errors.append(context))
    line = server.line(events)
    line.start()
    await events.until("up")

    flushes = [asyncio.create_task(line.flush()) for _ in range(3)]
    await asyncio.sleep(0)
    await line._client.close()  # what the flush has begun by then finds it closed
    assert not any(await asyncio.gather(*flushes))
    del flushes
    line.close()
    await line.closed()
    gc.collect()

    assert not errors


async def test_what_nobody_reads_comes_back_as_no_responders(server):
    server.start()
    events = LoudEvents()
    line = server.line(events)
    line.start()
    await events.until("up")
    line.subscribe("back", events.take)

    line.publish("nowhere", b"x", "back")

    await events.until("message")
    assert events.of("message") == [("message", "back", b"", True)]
    line.close()
    await line.closed()


async def test_what_was_published_before_the_close_still_leaves(server):
    server.start()
    events, others = LoudEvents(), LoudEvents()
    line, other = server.line(events), server.line(others)
    line.start()
    other.start()
    await events.until("up")
    await others.until("up")
    other.subscribe("bulk", others.take)
    assert await other.flush()

    for _ in range(16):
        line.publish("bulk", bytes(900_000))
    line.close()
    assert not line.publish("bulk", b"late")
    await line.closed()

    await others.until("message", 16)
    assert events.seen == [("up",)]
    other.close()
    await other.closed()


async def test_a_wrong_password_and_a_forbidden_subject_are_faults(server):
    server.start(USERS)
    events, others = LoudEvents(), LoudEvents()
    wrong, right = server.line(events, "ada:wrong@"), server.line(others, "ada:right@")
    wrong.start()
    right.start()
    await events.until("fault")
    await others.until("up")

    right.publish("theirs", b"x")

    await others.until("fault")
    assert events.of("up") == []
    assert events.of("fault")[0] == ("fault", "authorization")
    assert others.of("fault") == [("fault", "permission")]
    assert right.is_connected
    for each in (wrong, right):
        each.close()
        await each.closed()


async def test_one_bad_message_does_not_stop_the_rest(server, caplog):
    server.start()
    events = LoudEvents()
    line = server.line(events)
    line.start()
    await events.until("up")

    def fail_once(message):
        events.take(message)
        if message.data == b"bad":
            raise ValueError("a fault in what takes it")

    line.subscribe("a", fail_once)
    for each in (b"bad", b"good"):
        line.publish("a", each)

    await events.until("message", 2)
    assert "could not be handled" in caplog.text
    line.close()
    await line.closed()


async def test_a_line_leaves_a_nats_server_that_is_frozen_as_soon_as_it_was_told_to(server):
    server.start()
    events = LoudEvents()
    line = NatsLine(NatsPlace.of(f"nats://127.0.0.1:{server.port}"), "test", events, 0.1)
    line.start()
    await events.until("up")
    line.publish("a", b"x")

    server.freeze()

    await events.until("down")
    assert "stale" in events.of("down")[0][1]
    assert not line.is_connected
    line.close()
    await line.closed()
