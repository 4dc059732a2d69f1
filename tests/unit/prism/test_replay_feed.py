"""A recording in place of a Synapse: what happened comes in order, with the time of then."""

import asyncio

import pytest

from cosmonapse.doppler.observer import Listener
from cosmonapse.errors import SynapseUnreachable
from cosmonapse.prism.replay_feed import ReplayFeed
from cosmonapse.recordings.lines import end_line, link_line, missed_line, table_line
from cosmonapse.recordings.recorded_file import RecordedFile
from cosmonapse.registry import DendriteRecord, NeuronRecord, SynapseState, TaskRecord
from support.observed import observed
from support.recorded import BEGAN_TS, heard, recording

ONE = NeuronRecord(neuron_id="one", instance="ab" * 16)


class Told:
    """What a feed tells its listener, each with its time after the beginning."""

    def __init__(self, path, speed=None):
        self.all, self.said = [], []
        self.now = asyncio.Event()
        listener = Listener(
            lambda seen: self._note("signal", seen.signal.payload.get("n")),
            lambda count: self._note("missed", count),
            lambda *link: self._note("link", link),
        )
        self.feed = ReplayFeed(RecordedFile(path), speed, listener, self.said.append)

    def _note(self, *what):
        self.all.append((round(self.feed.now_ts() - BEGAN_TS, 3), *what))

    @property
    def at_s(self):
        return self.feed.now_ts() - BEGAN_TS

    async def pause(self):
        await self.feed.pause(self.now)


def numbered(after_s, n):
    return heard(after_s, observed(payload={"n": n}))


@pytest.mark.asyncio
async def test_a_second_of_the_recording_passes_at_once(tmp_path):
    told = Told(recording(tmp_path / "a", *(numbered(n / 2, n) for n in range(6))))

    await told.feed.open(1)
    await told.pause()

    assert told.all == [
        (0.0, "link", (True, None)),
        (0.0, "signal", 0),
        (0.5, "signal", 1),
        (1.0, "signal", 2),
    ]
    assert told.at_s == told.feed.now_s() - BEGAN_TS == 1.0


@pytest.mark.asyncio
async def test_the_clock_stands_at_the_end(tmp_path):
    told = Told(recording(tmp_path / "a", numbered(0, 0), end_line(BEGAN_TS + 1.5, 1)))

    await told.feed.open(1)
    for _ in range(3):
        await told.pause()

    assert told.at_s == 1.5
    assert told.feed.facts == {
        "mode": "replay",
        "replay": {"file": "a", "from_ts": BEGAN_TS, "to_ts": BEGAN_TS + 1.5},
    }


@pytest.mark.asyncio
async def test_an_hour_without_anything_is_passed_over(tmp_path):
    told = Told(recording(tmp_path / "a", numbered(0, 0), numbered(3_600, 1), numbered(3_601, 2)))

    await told.feed.open(1)
    for _ in range(2):
        await told.pause()

    assert told.all[-1] == (3_600.0, "signal", 1)


@pytest.mark.asyncio
async def test_it_is_played_in_its_own_time_or_faster(tmp_path):
    told = Told(recording(tmp_path / "a", *(numbered(n, n) for n in range(8))), speed=100.0)

    await told.feed.open(1)
    began_s = asyncio.get_running_loop().time()
    while told.all[-1][2] != 7:
        await told.pause()

    assert asyncio.get_running_loop().time() - began_s >= 0.05


@pytest.mark.asyncio
async def test_the_tables_are_those_of_the_time(tmp_path):
    state, task = SynapseState(uptime_s=3.0), TaskRecord(id="evt", trace_id="trc")
    dendrite = DendriteRecord(dendrite_id="d", instance="ab" * 16)
    told = Told(
        recording(
            tmp_path / "a",
            table_line(BEGAN_TS, "roster", [ONE]),
            table_line(BEGAN_TS, "dendrites", [dendrite]),
            table_line(BEGAN_TS, "tasks", [task]),
            table_line(BEGAN_TS, "synapse", [state]),
            table_line(BEGAN_TS + 1.5, "roster", []),
            numbered(60, 0),
        )
    )
    feed = told.feed

    await feed.open(1)
    assert await feed.open_tasks(1) is None
    with pytest.raises(SynapseUnreachable):
        await feed.state(1)
    await told.pause()

    assert await feed.roster(1) == [ONE]
    assert (await feed.dendrites(1), await feed.open_tasks(1)) == ([dendrite], [task])
    assert await feed.state(1) == state
    await told.pause()
    assert await feed.roster(1) == []


@pytest.mark.asyncio
async def test_losses_and_the_connection_are_told(tmp_path):
    lines = (missed_line(BEGAN_TS, 7, "file"), link_line(BEGAN_TS + 1, False, "cut"))
    told = Told(recording(tmp_path / "a", *lines, link_line(BEGAN_TS + 1, True, None)))

    await told.feed.open(1)
    await told.pause()

    assert [each[1:] for each in told.all[1:]] == [
        ("missed", 7),
        ("link", (False, "cut")),
        ("link", (True, None)),
    ]


@pytest.mark.asyncio
async def test_what_is_wrong_with_the_file_is_said_once_at_its_end(tmp_path):
    told = Told(recording(tmp_path / "a", "nothing\n", numbered(0, 0), "cut"))

    await told.feed.open(1)
    await told.pause()
    assert told.said == [
        "1 line is invalid, and not shown",
        "the end of the file is missing: shown up to its last whole line",
    ]


@pytest.mark.asyncio
async def test_time_never_goes_back(tmp_path):
    told = Told(recording(tmp_path / "a", numbered(5, 0), numbered(1, 1), numbered(6, 2)))

    await told.feed.open(1)
    for _ in range(6):
        await told.pause()

    assert [each[0] for each in told.all[1:]] == [5.0, 5.0, 6.0]
