"""What Prism remembers, as a recording."""

import pytest

from cosmonapse.doppler.masking import MASK
from cosmonapse.prism.remembered import remembered
from cosmonapse.prism.ring import Ring
from cosmonapse.recordings.lines import Heard, read_header, read_line
from cosmonapse.registry import NeuronRecord
from support.observed import observed, task
from support.recorded import BEGAN_TS, header

ONE = NeuronRecord(neuron_id="one", instance="ab" * 16)


async def told(ring, now_ts=BEGAN_TS + 99, **tables):
    pieces = [each async for each in remembered(header(), ring, tables, now_ts)]
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
