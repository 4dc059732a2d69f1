"""Tabs: one event made for all, the past for a new one, and a slow one loses only its own."""

import asyncio
import json
from collections import Counter

import pytest

from cosmonapse import SignalType
from cosmonapse.prism import tabs as tabs_module
from cosmonapse.prism.ring import Ring
from cosmonapse.prism.tabs import Tabs
from cosmonapse.prism.trace_store import TraceStore
from support.observed import observed, reply, task


def make(first=1, **bounds):
    return Tabs(Ring(first, **bounds), TraceStore(), lambda: {"hello": {"run": "r"}})


def read(data):
    """Return name and value of an event."""
    fields = dict(line.split(": ", 1) for line in data.decode().strip().split("\n"))
    return fields["event"], json.loads(fields["data"])


async def take(stream, count):
    """Return the numbers of the next `count` Signals, and how many were told as missed."""
    numbers, missed = [], 0
    async with asyncio.timeout(5):
        while len(numbers) + missed < count:
            name, value = read(await anext(stream))
            if name == "signals":
                numbers += [each["n"] for each in value]
            elif name == "missed":
                missed += value["count"]
    return numbers, missed


async def opened(tabs, since=None):
    stream = tabs.stream(since)
    assert read(await anext(stream)) == ("hello", {"run": "r"})
    return stream


@pytest.mark.asyncio
async def test_a_tab_gets_what_comes_in_order():
    tabs = make()
    stream = await opened(tabs)
    reading = asyncio.create_task(take(stream, 5))
    await asyncio.sleep(0)

    for _ in range(5):
        tabs.add(observed())

    assert await reading == ([1, 2, 3, 4, 5], 0)
    await stream.aclose()
    assert len(tabs) == 0


@pytest.mark.asyncio
async def test_nothing_is_made_while_nobody_looks(monkeypatch):
    monkeypatch.setattr(tabs_module, "record_of", pytest.fail)
    monkeypatch.setattr(tabs_module, "event", pytest.fail)
    tabs = make()

    tabs.add(observed())
    tabs.show("state", {})
    await asyncio.sleep(0.01)

    assert tabs._flushing is None


@pytest.mark.asyncio
async def test_an_event_is_made_once_for_all_tabs(monkeypatch):
    made = []
    real = tabs_module.signals_event
    monkeypatch.setattr(tabs_module, "signals_event", lambda r: made.append(len(r)) or real(r))
    tabs = make()
    streams = [await opened(tabs) for _ in range(3)]
    readings = [asyncio.create_task(take(each, 4)) for each in streams]
    await asyncio.sleep(0)

    for _ in range(4):
        tabs.add(observed())

    assert await asyncio.gather(*readings) == [([1, 2, 3, 4], 0)] * 3
    assert sum(made) == 4


@pytest.mark.parametrize(
    ("since", "expected"),
    [
        (None, range(91, 101)),
        (95, range(96, 101)),
        (100, range(0)),
        (90, range(91, 101)),
        (17, range(91, 101)),
        (101, range(91, 101)),
        (0, range(91, 101)),
    ],
)
@pytest.mark.asyncio
async def test_a_tab_that_opens_later_sees_the_past_behind_what_it_saw(since, expected):
    tabs = make(most=10)
    for _ in range(100):
        tabs.add(observed())

    stream = await opened(tabs, since)
    reading = asyncio.create_task(take(stream, len(expected) + 1))
    await asyncio.sleep(0.01)
    tabs.add(observed())

    assert await reading == ([*expected, 101], 0)


@pytest.mark.asyncio
async def test_nothing_is_lost_or_doubled_between_the_past_and_the_present():
    tabs = make()
    first = await opened(tabs)
    for _ in range(1_000):
        tabs.add(observed())  # waits for the first tab, and is the past of the second
    second = await opened(tabs)
    reading = asyncio.create_task(take(second, 1_200))

    for _ in range(200):
        tabs.add(observed())
        await asyncio.sleep(0)

    assert await reading == (list(range(1, 1_201)), 0)
    await first.aclose()


@pytest.mark.asyncio
async def test_a_slow_tab_loses_its_oldest_and_is_told_and_the_others_lose_nothing(monkeypatch):
    monkeypatch.setattr(tabs_module, "MOST_WAITING", 3)
    monkeypatch.setattr(tabs_module, "_EVERY_S", 0.0)
    tabs = make()
    slow, quick = await opened(tabs), await opened(tabs)
    readings = [asyncio.create_task(take(each, 1)) for each in (slow, quick)]
    await asyncio.sleep(0)
    tabs.add(observed())
    await asyncio.gather(*readings)
    got = []

    for _ in range(10):
        tabs.add(observed())
        got += (await take(quick, 1))[0]

    assert got == list(range(2, 12))
    assert await take(slow, 10) == ([9, 10, 11], 7)


@pytest.mark.asyncio
async def test_what_goes_before_a_slow_tab_has_its_past_is_told():
    tabs = make(most=500)
    for _ in range(500):
        tabs.add(observed())
    stream = await opened(tabs)
    first = await take(stream, 1)

    for _ in range(400):
        tabs.add(observed())
    numbers, missed = await take(stream, 900 - len(first[0]))

    assert missed == 400 - len(first[0])
    assert numbers == list(range(401, 901))


@pytest.mark.asyncio
async def test_of_other_events_only_the_newest_is_sent():
    tabs = make()
    stream = await opened(tabs)
    reading = asyncio.create_task(anext(stream))
    await asyncio.sleep(0)

    for n in range(5):
        tabs.show("state", {"n": n})

    assert read(await reading) == ("state", {"n": 4})


@pytest.mark.asyncio
async def test_a_quiet_tab_is_kept_alive(monkeypatch):
    monkeypatch.setattr(tabs_module, "_KEEP_ALIVE_S", 0.01)
    stream = await opened(make())

    assert await anext(stream) == b": keep-alive\n\n"


@pytest.mark.asyncio
async def test_closing_ends_every_stream():
    tabs = make()
    stream = await opened(tabs)

    tabs.add(observed())
    tabs.close()

    assert [each async for each in stream] == []
    assert tabs.is_closed


async def crowd(tabs, *clients):
    """Open a tab for each client, and take its greeting."""
    streams = [tabs.stream(None, client) for client in clients]
    for stream in streams:
        await anext(stream)
    return streams


async def rest_of(stream):
    return [read(data) async for data in stream]


@pytest.mark.asyncio
async def test_whom_has_the_most_tabs_makes_room_for_a_new_one(monkeypatch):
    monkeypatch.setattr(tabs_module, "MOST_TABS", 4)
    counts = Counter()
    tabs = Tabs(Ring(1), TraceStore(), lambda: {"hello": {"run": "r"}}, counts)
    owner, first, *_ = await crowd(tabs, "owner", "crowd", "crowd", "crowd")

    (newest,) = await crowd(tabs, "owner")

    assert await rest_of(first) == [("displaced", {"most": 4})]
    assert len(tabs) == 4
    assert counts == {"displaced_tabs": 1}
    tabs.show("state", {})
    assert [read(await anext(each)) for each in (owner, newest)] == [("state", {})] * 2


@pytest.mark.asyncio
async def test_one_client_alone_displaces_its_own_oldest_tab(monkeypatch):
    monkeypatch.setattr(tabs_module, "MOST_TABS", 3)
    tabs = make()
    streams = await crowd(tabs, "a", "b", "b", "b")

    tabs.close()

    assert [await rest_of(each) for each in streams] == [[], [("displaced", {"most": 3})], [], []]


@pytest.mark.asyncio
async def test_a_displaced_tab_that_reads_nothing_holds_nothing_and_is_told_of(monkeypatch):
    monkeypatch.setattr(tabs_module, "MOST_TABS", 1)
    told = []
    tabs = make()
    mute = tabs.stream(None, "mute", lambda: told.append("mute"))
    await anext(mute)
    tabs.add(observed())
    tabs._flush()

    others = await crowd(tabs, "other")
    tabs.add(observed())
    tabs._flush()

    assert (len(others), told) == (1, ["mute"])
    assert await rest_of(mute) == [("displaced", {"most": 1})]


@pytest.mark.asyncio
async def test_a_tab_gets_all_traces_and_then_the_last_state_of_each_at_most_4_times_a_second():
    ring, traces = Ring(1), TraceStore()
    tabs = Tabs(ring, traces, lambda: {"hello": {"run": "r"}})
    for n in range(300):
        traces.observe(n, task(ts=1.0), 1.0)
    stream = await opened(tabs)
    told = [read(await anext(stream)) for _ in range(2)]
    assert [(name, len(value["items"])) for name, value in told] == [
        ("traces", 200),
        ("traces", 100),
    ]

    asked, events = task(ts=1.0), []
    reading = asyncio.create_task(gather_traces(stream, events, asked.signal.trace_id))
    for each in (asked, *(thought(asked, n) for n in range(60)), reply(asked, ts=2.0)):
        traces.observe(tabs.add(each), each, each.signal.ts)
        await asyncio.sleep(0.005)
    await asyncio.wait_for(reading, 5)

    assert events[-1]["signals"] == 62
    assert len(events) <= 5
    await stream.aclose()


def thought(asked, n):
    return reply(asked, SignalType.THOUGHT_DELTA, {"delta": "x", "seq": n}, ts=1.0)


async def gather_traces(stream, events, trace_id):
    """Take in the summaries of a trace until one says that it is done."""
    while not events or events[-1]["status"] != "done":
        name, value = read(await anext(stream))
        if name == "traces":
            events += [each for each in value["items"] if each["id"] == trace_id]
