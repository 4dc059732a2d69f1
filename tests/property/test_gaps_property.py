"""However slow a reader is: what it reads, and what it is told it missed, is everything."""

import asyncio
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosmonapse.edge.sse import event_of
from cosmonapse.edge.wsgi_stream import TextPieces
from cosmonapse.errors import NeuronError
from cosmonapse.neurons.sse import EventParser
from cosmonapse.serve.a2a_thoughts import TEXT, ThoughtPieces
from cosmonapse.serve.mcp_replies import progress_of
from support.stored import StoredPathway

STEPS = st.lists(
    st.tuples(
        st.integers(0, 30),
        st.sampled_from([None, "reasoning"]),
        st.integers(0, 20),
        st.sampled_from([0, 0, 3]),
    ),
    max_size=12,
)


def read(most, steps):
    """Return each Signal that a reader has read, and how many were missing before it."""
    stored = StoredPathway(most)
    reader = stored.reader()
    signals = []

    async def take(count):
        while count and (signal := await reader.next()) is not None:
            signals.append((signal, reader.missed_now))
            count -= 1

    async def run():
        unread = 0
        for thought_count, kind, read_count, lost_count in steps:
            stored.think(thought_count, kind)
            unread = min(unread + thought_count, most * 7 // 8)
            took = min(read_count, unread)
            await take(took)
            unread -= took
            stored.lose(lost_count)
        stored.end()
        await take(-1)

    asyncio.run(run())
    return signals, stored.thought_count


@given(most=st.integers(8, 40), steps=STEPS)
def test_events_are_whole_with_the_numbers_of_their_gaps(most, steps):
    signals, count = read(most, steps)

    body = b"".join(event_of(*each) for each in signals)

    at = 0
    *thoughts, (_, last) = EventParser(1 << 20).feed(body)
    for data, name in thoughts:
        value = json.loads(data)
        if name == "gap":
            assert value["missed"] > 0
            at += value["missed"]
        else:
            assert value["delta"] == f"{at} "
            at += 1
    assert (at, last) == (count, "output")


@given(most=st.integers(8, 40), steps=STEPS)
def test_a_text_is_whole_or_ends_with_an_error(most, steps):
    signals, _ = read(most, steps)
    pieces = TextPieces()

    if any(missed for _, missed in signals):
        with pytest.raises(NeuronError, match="STREAM_GAP"):
            [pieces(*each) for each in signals]
    else:
        said = b"".join(pieces(*each) for each in signals).split()
        told = [each.payload["delta"] for each, _ in signals[:-1] if "kind" not in each.payload]
        assert said == [each.strip().encode() for each in told] or not told


@given(most=st.integers(8, 40), steps=STEPS, every=st.integers(1, 5))
def test_artifacts_say_what_is_missing_at_its_place_and_at_the_end(most, steps, every):
    signals, count = read(most, steps)
    taken, pieces = ThoughtPieces(), []

    for number, (signal, missed) in enumerate(signals):
        taken.take(signal, missed)
        if number % every == 0:
            pieces += taken.pop()
    pieces += taken.end()

    said = {}
    for piece in pieces:
        assert piece.append is (piece.artifact_id in said)
        assert piece.missed == 0 or piece.missed > said.get(piece.artifact_id, 0)
        said[piece.artifact_id] = piece.missed or said.get(piece.artifact_id, 0)
        numbers = [int(each) for each in piece.text.split()]
        assert numbers == sorted(numbers)
    assert set(said.values()) <= {taken.missed}
    assert taken.text == "".join(each.text for each in pieces if each.artifact_id == TEXT)
    assert sum(len(each.text.split()) for each in pieces) + taken.missed == count


@given(most=st.integers(8, 40), steps=STEPS)
def test_progress_has_a_line_for_each_gap(most, steps):
    signals, count = read(most, steps)

    lines = [line for each in signals for line in progress_of(*each)]

    gaps = [int(line.split()[0]) for line in lines if "missing here" in line]
    assert sum(gaps) + len(lines) - len(gaps) == count
