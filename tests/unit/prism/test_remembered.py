"""What Prism remembers, as a recording."""

import pytest

from cosmonapse.doppler.masking import MASK
from cosmonapse.prism.remembered import MOST_ROSTERS, remembered
from cosmonapse.prism.ring import Ring
from cosmonapse.recordings.lines import Heard, ToldTable, read_header, read_line
from cosmonapse.registry import NeuronRecord
from support.observed import observed, task
from support.recorded import BEGAN_TS, header

ONE = NeuronRecord(neuron_id="one", instance="ab" * 16)
DEAD = NeuronRecord(neuron_id="dead", instance="cd" * 16)


def rosters(lines):
    """Return the names in each roster, with its time after the beginning of the test."""
    tables = [each for each in lines if isinstance(each, ToldTable)]
    return [(each.at_ts - BEGAN_TS, [one.neuron_id for one in each.records]) for each in tables]


async def told(ring, now_ts=BEGAN_TS + 99, left=(), **tables):
    pieces = [each async for each in remembered(header(), ring, tables, now_ts, left)]
    first, *others = b"".join(pieces).splitlines()
    return read_header(first), [read_line(each) for each in others]


@pytest.mark.asyncio
async def test_every_signal_that_is_kept_is_told_with_its_time():
    ring = Ring(7, most=300)
    seen = [task(payload={"input": {"n": n}}) for n in range(310)]
    for n, each in enumerate(seen):
        ring.add(each, BEGAN_TS + n)

    head, lines = await told(ring, roster=[ONE])

    heard = [each for each in lines if isinstance(each, Heard)]
    assert [each.observed for each in heard] == seen[10:]
    assert [heard[0].at_ts, heard[-1].at_ts] == [BEGAN_TS + 10, BEGAN_TS + 309]
    assert (head.namespace, head.began_ts, head.masked) == ("shown", BEGAN_TS + 10, True)
    assert (lines[0].connected, lines[1].records) == (True, [ONE])
    assert (lines[-1].at_ts, lines[-1].signals) == (BEGAN_TS + 99, 300)


@pytest.mark.asyncio
async def test_secrets_are_masked():
    ring = Ring(1)
    ring.add(observed(payload={"api_key": "s3cret"}), BEGAN_TS)

    _, lines = await told(ring)

    assert lines[1].observed.signal.payload == {"api_key": MASK}


@pytest.mark.asyncio
async def test_what_comes_meanwhile_is_not_in_it():
    ring = Ring(1)
    ring.add(observed(), BEGAN_TS)

    pieces = remembered(header(), ring, {}, BEGAN_TS)
    await anext(pieces)
    ring.add(observed(), BEGAN_TS)

    assert sum(each.count(b'"line":"signal"') for each in [piece async for piece in pieces]) == 1


@pytest.mark.asyncio
async def test_of_nothing_there_is_an_empty_recording():
    head, lines = await told(Ring(1))

    assert head.began_ts == BEGAN_TS + 99
    assert [type(each).__name__ for each in lines] == ["LinkChange", "End"]


@pytest.mark.asyncio
@pytest.mark.parametrize("left_s", [-60.0, 5.0, 50.0])
async def test_a_neuron_that_left_is_in_the_roster_until_then(left_s):
    ring = Ring(1)
    for n in range(10):
        ring.add(observed(payload={"n": n}), BEGAN_TS + n)

    head, lines = await told(ring, left=[(BEGAN_TS + left_s, DEAD)], roster=[ONE])

    began_s = head.began_ts - BEGAN_TS
    assert began_s == min(0.0, left_s - 2.0)
    assert rosters(lines) == [(began_s, ["one", "dead"]), (left_s, ["one"])]
    times = [each.at_ts for each in lines]
    assert times == sorted(times)


@pytest.mark.asyncio
async def test_of_very_many_that_left_several_leave_the_roster_at_a_time():
    many = [
        (BEGAN_TS + n, NeuronRecord(neuron_id=f"n{n}", instance=f"{n:032x}")) for n in range(500)
    ]

    _, lines = await told(Ring(1), BEGAN_TS + 600, many, roster=[ONE])

    found = rosters(lines)
    assert len(found) <= 1 + MOST_ROSTERS
    assert len(found[0][1]) == 501
    assert found[-1] == (499.0, ["one"])
    for at_s, names in found[1:]:
        assert all(n > at_s for n in range(500) if f"n{n}" in names)
