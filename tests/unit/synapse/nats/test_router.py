"""A router knows nothing of an earlier connection, ends in order, and tells what it does."""

import asyncio
import time
from unittest import mock

import pytest
import pytest_asyncio

pytest.importorskip("nats", reason="nats-py is not installed, see the extra [nats]")

from cosmonapse.synapse.nats import frames, subjects
from cosmonapse.synapse.nats.errors_of import Fault
from cosmonapse.synapse.nats.place import NatsPlace
from cosmonapse.synapse.nats.router import NatsRouter
from cosmonapse.synapse.nats.server_rotation import NatsAddress
from cosmonapse.synapse.nats.shares import SLOTS, unpack_beat
from support.manual_line import ManualLine
from zmq_transport.proxy.settings import Settings
from zmq_transport.wire import heads
from zmq_transport.wire.heads import Verb

ADDRESS = NatsAddress("nats://127.0.0.1:4222")
PLACE = NatsPlace.of("nats://ada:secret@127.0.0.1:4222")


async def until(is_so):
    """Wait for something for at most 5 s."""
    async with asyncio.timeout(5):
        while not is_so():  # noqa: ASYNC110  # nobody tells of it
            await asyncio.sleep(0.002)


class Line(ManualLine):
    """One whose nats-server has read everything at once, and that routes by pattern."""

    async def flush(self):
        return self.is_connected

    def deliver_up(self, router, data, namespace="demo", conn="1" * 16):
        subject = subjects.up(namespace, router, "-", conn)
        take = self.takers[subjects.up_to(router)]
        take(mock.Mock(subject=subject, data=data, reply="", headers=None))


class Bench:
    """A router and its line."""

    def __init__(self, **options):
        self.notices = []
        self.router = NatsRouter(
            PLACE, Settings(), on_news=self.notices.append, make_line=self._line, **options
        )

    def _line(self, place, name, events, ping_s=None, only=None):
        line = Line(place, name, events, ping_s, only)
        if only is None:
            self.line = line
            line.address = ADDRESS
        else:
            self.topics = line
        return line

    @property
    def id(self):
        """The id that it has now."""
        beats = [data for subject, data, _ in self.line.sent if subject == subjects.BEATS]
        return unpack_beat(beats[-1]).router

    async def start(self):
        """Run it until it serves; return what runs it."""
        running = asyncio.create_task(self.router.run())
        await asyncio.sleep(0)
        await self.come_up()
        return running

    async def come_up(self):
        """Let nats-server answer; return when it serves."""
        self.line.come_up()
        self.topics.come_up()
        await self.serves()

    async def serves(self):
        await until(self.router.ready.is_set)


@pytest_asyncio.fixture
async def bench():
    """Return a router that serves."""
    made = Bench()
    running = await made.start()
    yield made
    made.router.ask_to_stop(farewell=False)
    await running


@pytest.mark.asyncio
async def test_a_router_serves_once_it_is_connected(bench):
    assert bench.router.ready.is_set()
    assert bench.router.has_served
    assert bench.notices[0].text.endswith(f"serves {SLOTS} of {SLOTS} slots, alone")


@pytest.mark.asyncio
async def test_a_broken_line_is_a_new_id_and_nothing_is_known_any_more(bench):
    first = bench.id
    bench.line.deliver_up(first, frames.ASK)
    engines = len(bench.router.engines)

    bench.line.go_down("cut")
    ready = bench.router.ready.is_set()
    left = len(bench.router.engines)
    await bench.come_up()

    assert (engines, left, ready) == (1, 0, False)
    assert bench.id != first
    assert bench.router.counts["line_broken"] == 1
    assert "broke (cut)" in bench.notices[1].text
    assert "secret" not in bench.notices[1].text


@pytest.mark.asyncio
async def test_a_message_for_what_a_router_was_before_is_counted_and_not_read(bench):
    first = bench.id
    take = bench.line.takers[subjects.up_to(first)]
    bench.line.go_down()
    bench.line.come_up()

    take(mock.Mock(subject=subjects.up("demo", first, "-", "1" * 16), data=b"", reply=""))

    assert bench.router.counts["drop.stale"] == 1
    assert not bench.router.engines


@pytest.mark.asyncio
async def test_a_router_that_stood_still_begins_anew_before_it_reads_anything(bench):
    first = bench.id
    bench.line.deliver_up(first, frames.ASK)

    later_s = time.monotonic() + 3
    with mock.patch("time.monotonic", return_value=later_s):
        bench.line.deliver_up(first, frames.ASK)

    await asyncio.sleep(0)
    assert bench.router.counts["began_anew"] == 1
    assert not bench.router.engines
    assert subjects.up_to(first) not in bench.line.takers


@pytest.mark.asyncio
async def test_an_error_of_ours_is_counted_and_the_router_goes_on(bench):
    with mock.patch("cosmonapse.synapse.nats.slot.Slot.on_data", side_effect=ValueError):
        bench.line.deliver_up(bench.id, frames.ASK)

    assert bench.router.counts["router_fault"] == 1
    bench.line.deliver_up(bench.id, frames.ASK)
    assert bench.router.counts["router_fault"] == 1


@pytest.mark.asyncio
async def test_who_asks_is_answered_soon_and_many_with_one_beat(bench):
    bench.line.taken()
    for _ in range(20):
        bench.line.takers[subjects.WHO](
            mock.Mock(subject=subjects.WHO, data=b"", reply=subjects.BEATS, headers=None)
        )
    started_s = time.monotonic()
    await until(lambda: bench.line.sent)

    assert time.monotonic() - started_s < 0.09  # before the next tick
    assert [subject for subject, _, _ in bench.line.sent] == [subjects.BEATS]


@pytest.mark.asyncio
async def test_a_fault_is_told_once_for_each_text(bench):
    for _ in range(3):
        bench.line.events.on_fault(Fault("permission", "no right to publish", "cosmo._synapse"))

    [notice] = [each for each in bench.notices if "refuses" in each.text]
    assert notice.is_warning
    assert "cosmo synapse nats-conf" in notice.text


@pytest.mark.asyncio
async def test_a_router_that_ends_tells_its_clients_and_the_others(bench):
    bench.line.taken()

    bench.router.ask_to_stop()
    await until(lambda: bench.line.is_closed)

    [last] = [data for subject, data, _ in bench.line.sent if subject == subjects.BEATS][-1:]
    assert unpack_beat(last).leaves


@pytest.mark.asyncio
async def test_a_router_that_is_killed_says_nothing(bench):
    bench.line.taken()

    bench.router.ask_to_stop(farewell=False)
    await until(lambda: bench.line.is_closed)

    assert not [data for _, data, _ in bench.line.sent if data and unpack_beat(data).leaves]


@pytest.mark.asyncio
async def test_that_no_nats_server_answers_is_told_once():
    bench = Bench()
    with mock.patch("cosmonapse.synapse.nats.router._TELL_AFTER_S", 0.05):
        running = asyncio.create_task(bench.router.run())
        await until(lambda: bench.notices)
        await asyncio.sleep(0.3)
        bench.router.ask_to_stop()
        await running

    [notice] = bench.notices
    assert notice.text.startswith("no nats-server answers at nats://ada:***@127.0.0.1:4222")
    assert not bench.router.has_served


@pytest.mark.asyncio
async def test_what_is_sent_without_a_line_is_counted(bench):
    bench.line.is_connected = False

    bench.router.publish("cosmo.demo.t.STOP", b"x")

    assert bench.router.counts["drop.no_line"] >= 1


@pytest.mark.asyncio
async def test_every_engine_and_what_nats_py_dropped_is_in_the_counts(bench):
    version_2 = b"\x02" + heads.pack(Verb.PING)[1:]
    bench.line.deliver_up(bench.id, frames.pack_directed(version_2, b""))
    bench.line.slow = 3

    counts = bench.router.counts

    assert (counts["drop.version"], counts["drop.nats_slow"]) == (1, 3)


@pytest.mark.asyncio
async def test_what_waits_for_a_line_that_broke_is_never_handed_over(bench):
    handed = []
    bench.router.pace("key", handed.append)
    bench.line.go_down()

    await asyncio.sleep(0.05)

    assert not handed


# -- the second line -----------------------------------------------------------------------------


@pytest.mark.asyncio
async def test_the_second_line_is_at_the_nats_server_of_the_first_one(bench):
    assert bench.topics.only == bench.line.address == ADDRESS
    assert bench.topics is not bench.line


@pytest.mark.asyncio
async def test_a_router_serves_once_both_lines_are_there():
    bench = Bench()
    running = asyncio.create_task(bench.router.run())
    await asyncio.sleep(0)

    bench.line.come_up()
    before = [*bench.line.sent]
    bench.topics.come_up()
    await bench.serves()

    bench.router.ask_to_stop(farewell=False)
    await running
    assert not before


@pytest.mark.asyncio
async def test_a_router_serves_without_the_second_line_after_a_while_and_tells_it():
    bench = Bench()
    with mock.patch("cosmonapse.synapse.nats.router._TOPICS_S", 0.05):
        running = asyncio.create_task(bench.router.run())
        await asyncio.sleep(0)
        bench.line.come_up()
        await bench.serves()
        bench.router.ask_to_stop(farewell=False)
        await running

    assert "takes no second connection" in bench.notices[0].text


@pytest.mark.asyncio
async def test_when_the_second_line_breaks_engines_stay_and_it_is_told(bench):
    first = bench.id
    bench.line.deliver_up(first, frames.ASK)

    with mock.patch("cosmonapse.synapse.nats.router._TOPICS_S", 0.0):
        bench.topics.go_down("cut")
        await until(lambda: "for publications broke (cut)" in bench.notices[-1].text)

    assert bench.router.counts["topics_broken"] == 1
    assert len(bench.router.engines) == 1
    assert bench.router.ready.is_set()


@pytest.mark.asyncio
async def test_a_nats_server_that_ends_is_told_once(bench):
    with mock.patch("cosmonapse.synapse.nats.router._TOPICS_S", 0.0):
        bench.topics.go_down("cut")
        bench.line.go_down("cut")
        await asyncio.sleep(0.05)

    assert ["broke" in each.text for each in bench.notices[1:]] == [True]
    assert "Dendrites come back" in bench.notices[1].text


@pytest.mark.asyncio
async def test_when_the_first_line_breaks_the_second_one_ends_with_it(bench):
    topics = bench.topics

    bench.line.go_down("cut")
    bench.line.come_up()

    assert topics.is_closed
    assert bench.topics is not topics


@pytest.mark.asyncio
async def test_a_publication_without_the_second_line_is_counted(bench):
    bench.topics.is_connected = False

    bench.router._topics.publish("cosmo.demo.t.STOP", b"x")

    assert bench.router.counts["drop.no_topic_line"] == 1
