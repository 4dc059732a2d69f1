"""A client that reads too slowly: it gets an error, and no text that lacks its middle."""

import asyncio
import json

import pytest

from cosmonapse.dendrite.caller.signal_buffer import MAX_SIGNALS, SignalBuffer
from cosmonapse.edge.reader import SignalReader
from cosmonapse.edge.starlette_answers import SignalsResponse
from cosmonapse.errors import NeuronError
from cosmonapse.ids import new_trace_id
from cosmonapse.serve.openai.chat_stream import send_stream
from cosmonapse.serve.openai.chunks import ChatChunks
from cosmonapse.signals import Signal, SignalType

pytestmark = pytest.mark.asyncio


class Stored:
    """A Pathway that is over: so many thoughts and an output, of which the most are kept."""

    def __init__(self, count, most):
        self.closed = True
        self._buffer = SignalBuffer(most)
        self._count = count

    def cursor(self):
        return self._buffer.cursor(is_loop=True)

    def fill(self):
        """Receive all, before the reader that is there has looked."""
        trace = new_trace_id()
        for number in range(self._count):
            thought = {"delta": f"{number} "}
            self._add(SignalType.THOUGHT_DELTA, thought, trace)
        self._add(SignalType.AGENT_OUTPUT, {"output": {"response": "all"}}, trace)

    def _add(self, kind, payload, trace):
        self._buffer.append(Signal(type=kind, payload=payload, trace_id=trace), 10)

    async def close(self):
        pass


def reader_of(count, most):
    stored = Stored(count, most)
    reader = SignalReader(stored)
    reader._position()
    stored.fill()
    return reader


async def test_a_text_that_was_read_in_time_is_whole():
    pieces = SignalsResponse(reader_of(100, 1000), as_text=True).body_iterator

    said = b"".join([piece async for piece in pieces])
    assert said.split() == [b"%d" % number for number in range(100)]


async def test_a_text_that_has_lost_a_part_ends_with_an_error():
    pieces = SignalsResponse(reader_of(100, 50), as_text=True).body_iterator

    with pytest.raises(NeuronError, match="reads too slowly"):
        async for _ in pieces:
            pass


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
