"""A client that reads too slowly: it is told what it missed, and gets no text that lacks a part."""

import asyncio
import json

import pytest

from cosmonapse.dendrite.caller.signal_buffer import MAX_SIGNALS
from cosmonapse.edge.starlette_answers import SignalsResponse
from cosmonapse.edge.wsgi_stream import StreamBody
from cosmonapse.errors import NeuronError
from cosmonapse.serve.openai.chat_stream import send_stream
from cosmonapse.serve.openai.chunks import ChatChunks
from cosmonapse.serve.streamed_answers import StreamedTrace
from support.stored import StoredPathway

pytestmark = pytest.mark.asyncio


def reader_of(count, most):
    stored = StoredPathway(most)
    reader = stored.reader()
    stored.think(count)
    stored.end()
    return reader


async def body_of(pieces):
    return b"".join([piece async for piece in pieces])


async def test_a_text_that_was_read_in_time_is_whole():
    pieces = SignalsResponse(reader_of(100, 1000), as_text=True).body_iterator

    assert (await body_of(pieces)).split() == [b"%d" % number for number in range(100)]


async def test_a_text_that_has_lost_a_part_ends_with_an_error():
    pieces = SignalsResponse(reader_of(100, 50), as_text=True).body_iterator

    with pytest.raises(NeuronError, match="read too slowly"):
        async for _ in pieces:
            pass


async def test_a_text_that_has_lost_all_but_an_output_without_text_ends_with_an_error():
    stored = StoredPathway(1)
    reader = stored.reader()
    stored.think(3)
    stored.end(number=1)
    pieces = SignalsResponse(reader, as_text=True).body_iterator

    with pytest.raises(NeuronError, match="3 Signals"):
        await body_of(pieces)


async def test_events_say_how_many_signals_are_missing_at_their_place():
    stored = StoredPathway(50)
    reader = stored.reader()
    stored.think(10)
    pieces = SignalsResponse(reader, as_text=False).body_iterator
    first = await anext(pieces)
    stored.think(100)
    stored.end()

    rest = (await body_of(pieces)).decode().split("\n\n")
    assert b"gap" not in first
    assert rest[0] == 'event: gap\ndata: {"missed": 56}'
    assert json.loads(rest[1].partition("data: ")[2])["delta"] == "66 "
    assert "".join(rest[1:]).count("event: gap") == 0


async def test_events_of_a_trace_say_it_too():
    reader = reader_of(100, 50)
    pieces = StreamedTrace(None, reader).body_iterator

    body = await body_of(pieces)
    assert body.startswith(b'event: gap\ndata: {"missed": 54}\n\nevent: thought_delta\n')


class ReadByHand:
    """What StreamBody asks of a TextStream, of a reader whose Signals are there."""

    def __init__(self, reader):
        self._reader = reader

    @property
    def missed(self):
        return self._reader.missed

    def wait(self, timeout_s):
        return self._reader.is_ready

    def next_signal(self):
        return self._reader.take()

    def check(self):
        pass


async def test_events_over_wsgi_say_it_too():
    body = StreamBody(ReadByHand(reader_of(100, 50)), False, lambda: False)

    events = list(body)
    assert events[0].startswith(b'event: gap\ndata: {"missed": 54}\n\nevent: thought\n')
    assert sum(b"event: gap" in each for each in events) == 1


async def test_a_text_over_wsgi_that_has_lost_a_part_ends_with_an_error():
    body = StreamBody(ReadByHand(reader_of(100, 50)), True, lambda: False)

    with pytest.raises(NeuronError, match="read too slowly"):
        next(body)


async def test_a_stream_of_openai_that_has_lost_a_part_ends_with_an_error():
    sent = []

    async def send(message):
        sent.append(message)

    await send_stream(reader_of(100, 50), ChatChunks("id", 0, "m", False), send)

    last = sent[-1]["body"].decode().strip().split("data: ")[-1]
    assert json.loads(last)["error"]["code"] == "STREAM_GAP"


async def test_others_have_their_turn_unless_the_reader_is_far_behind():
    turns = []

    async def other(count):
        turns.append(count)

    for count in (10, MAX_SIGNALS // 4):
        reader = reader_of(count, MAX_SIGNALS)
        task = asyncio.create_task(other(count))
        await reader.yield_to_others()
        turns.append("reader")
        await task

    assert turns == [10, "reader", "reader", MAX_SIGNALS // 4]


async def test_many_thoughts_that_wait_are_few_pieces():
    pieces = SignalsResponse(reader_of(1000, 2000), as_text=False).body_iterator

    assert len([piece async for piece in pieces]) <= 2
