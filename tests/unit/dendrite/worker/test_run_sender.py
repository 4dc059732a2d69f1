"""The thoughts of one turn: when they go, and what happens when there is no room for them."""

import asyncio
import time
from collections import Counter
from types import SimpleNamespace
from unittest import mock

import pytest

from cosmonapse.dendrite.worker import run_sender
from cosmonapse.dendrite.worker.open_run import OpenRun
from cosmonapse.dendrite.worker.reply_sender import ReplySender
from cosmonapse.dendrite.worker.run_sender import RunSender
from cosmonapse.ids import new_run_id
from cosmonapse.signals import Directed, SignalType
from cosmonapse.tasks import task_for
from cosmonapse.transport import Outcome

pytestmark = pytest.mark.asyncio


class Port:
    """Keeps the runs; says what it is told to say."""

    def __init__(self):
        self.runs, self.outcome, self.watched, self.last = [], Outcome.SENT, False, []

    def send_run(self, job, run, is_last):
        if self.outcome is not Outcome.BUSY or is_last:
            self.runs.append(list(run.texts))
            self.last.append(is_last)
        return self.outcome

    def is_watched(self, job):
        return self.watched


class Opened(RunSender):
    """One whose parts a test can reach."""


@pytest.fixture
def sender(monkeypatch):
    monkeypatch.setattr(run_sender, "_CALM_S", 60.0)  # it has just sent something
    axon = SimpleNamespace(producer=Directed("n", "neuron"))
    slots = SimpleNamespace(axon=axon, producer=b"\x93\xa1n\xa6neuron\x90")
    job = SimpleNamespace(settled=False, slots=slots, signal=task_for("n", None, {}))
    transport = mock.Mock()
    transport.drained = mock.AsyncMock()
    made = Opened(job, Port(), transport)
    made.job, made.port, made.transport = job, made._port, transport
    made._sent_at_s = time.monotonic()
    return made


async def test_the_thoughts_of_a_turn_go_together_at_its_end(sender):
    for seq, text in enumerate("abc"):
        assert sender.gather(text, seq) is not None
    assert sender.port.runs == []

    await asyncio.sleep(0)
    sender.gather("d", 3)
    await asyncio.sleep(0)

    assert sender.port.runs == [["a", "b", "c"], ["d"]]
    assert not sender.has_unsent


async def test_after_a_pause_the_first_thought_goes_at_once(sender):
    sender._sent_at_s -= 120.0

    sender.gather("a", 0)

    assert sender.port.runs == [["a"]]


async def test_a_run_ends_with_128_texts_and_before_16_kib(sender):
    for seq in range(300):
        sender.gather(str(seq), seq)
    await asyncio.sleep(0)
    assert [len(each) for each in sender.port.runs] == [128, 128, 44]

    for seq in range(300, 309):
        sender.gather(4096 * "x", seq)
    await asyncio.sleep(0)
    assert [len(each) for each in sender.port.runs[3:]] == [3, 3, 3]


async def test_a_number_that_does_not_follow_begins_another_run(sender):
    for seq in (0, 1, 5, 6):
        sender.gather("x", seq)
    await asyncio.sleep(0)

    assert [len(each) for each in sender.port.runs] == [2, 2]


@pytest.mark.parametrize(
    "text", ["\ud800", 4097 * "x", 1366 * "\u20ac", type("T", (str,), {})("x")]
)
async def test_a_text_that_no_run_can_hold_goes_alone(sender, text):
    assert sender.gather(text, 0) is None


async def test_what_is_watched_here_or_comes_after_the_end_goes_alone(sender):
    sender.port.watched = True
    assert sender.gather("x", 0) is None

    sender.port.watched, sender.job.settled = False, True
    assert sender.gather("x", 0) is None


async def test_without_room_a_run_is_kept_until_there_is_some(sender):
    sender.port.outcome = Outcome.BUSY
    sender.gather("a", 0)
    await asyncio.sleep(0)
    assert sender.is_held_up
    assert sender.gather("b", 1) is None

    async def room():
        sender.port.outcome = Outcome.SENT

    sender.transport.drained.side_effect = room
    await sender.flushed()

    assert sender.port.runs == [["a"]]
    assert sender.gather("b", 1) is not None


async def test_a_run_that_waits_in_the_outbox_holds_the_neuron_up_once(sender):
    sender.port.outcome = Outcome.WAITING
    sender.gather("a", 0)
    await asyncio.sleep(0)
    sender.port.outcome = Outcome.SENT

    assert sender.gather("b", 1) is None
    await sender.flushed()

    assert sender.port.runs == [["a"]]
    sender.transport.drained.assert_awaited_once()


async def test_the_last_run_goes_ahead_of_the_end_also_without_room(sender):
    sender.port.outcome = Outcome.BUSY
    sender.gather("a", 0)

    sender.end()

    assert (sender.port.runs, sender.port.last) == ([["a"]], [True])
    await asyncio.sleep(0)
    assert sender.port.runs == [["a"]]


async def test_a_thought_gives_the_signal_that_its_readers_see(sender):
    run = sender.gather("a", 7)
    sender.gather("b", 8)

    first, second = sender.signal_of(run, 7), sender.signal_of(run, 8)

    assert (first.type, first.payload) == (SignalType.THOUGHT_DELTA, {"delta": "a", "seq": 7})
    assert second.payload == {"delta": "b", "seq": 8}
    assert (first.id, second.ts) == (run.first_id, run.ts)
    assert first.id != second.id


@pytest.mark.parametrize(
    ("outcome", "is_last", "counts", "kept"),
    [
        (Outcome.SENT, False, {}, 3),
        (Outcome.WAITING, False, {}, 3),
        (Outcome.BUSY, False, {}, 0),
        (Outcome.BUSY, True, {"drop.reply_busy": 3}, 3),
        (Outcome.CLOSED, False, {"drop.reply_closed": 3}, 0),
        (Outcome.TOO_LARGE, False, {"drop.reply_too_large": 3}, 0),
    ],
)
async def test_a_run_that_does_not_leave_is_kept_or_counted(outcome, is_last, counts, kept):
    transport = mock.Mock(max_signal_bytes=1 << 20, instance=bytes(16))
    transport.send_reply.return_value = outcome
    replies = ReplySender(transport, mock.Mock(watches_tasks=False), Counter(), "worker")
    slots = SimpleNamespace(producer=b"\xc0")
    job = SimpleNamespace(
        index=4, stream=None, slots=slots, signal=task_for("n", None, {}), caller=b"c", task=b"t"
    )
    job.trace = b"r"
    run = OpenRun(new_run_id(128), 7, 1.5, 1)
    for seq, text in enumerate("abc", 7):
        run.add(text, 1, seq)

    assert replies.send_run(job, run, is_last) is outcome

    assert replies._counts == counts
    assert job.index == 4 + kept
    stored = [] if job.stream is None else [(index, n) for index, n, *_ in job.stream.replies]
    assert stored == ([(4, 3)] if kept else [])
