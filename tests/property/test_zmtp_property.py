"""ZMTP against a model of a few lines, whole and in pieces, well-formed and hostile.

`COSMO_TEST_FRAMES` multiplies the number of frames; 5 is over a million.
"""

import os
import random

from hypothesis import given, settings
from hypothesis import strategies as st

from support.examples import examples
from zmq_transport.kernel import encode_message
from zmq_transport.zmtp import frame_writer
from zmq_transport.zmtp.connection import CLIENT, PROXY, Connection, ConnectionState
from zmq_transport.zmtp.frame_reader import MAX_FRAMES

TIMES = int(os.environ.get("COSMO_TEST_FRAMES", "1"))
FRAMES = 4000 * TIMES
LIMIT = 1 << 18
SEEDS = st.integers(0, 2**64 - 1)
PONG = frame_writer.encode_command(b"PONG", b"")
SIZES = (0, 1, 2, 5, 60, 254, 255, 256, 257, 1000, 5000, 70_000)
WEIGHTS = (8, 8, 8, 8, 20, 4, 4, 4, 4, 4, 1, 0.05)


def some_bytes(dice):
    size = dice.choices(SIZES, WEIGHTS)[0]
    return dice.randbytes(size) if size < 300 else bytes([size % 251]) * size


def long_form(flags, frame):
    """Return a frame with a size of eight bytes, which a writer may use for any frame."""
    return bytes((flags | 2,)) + len(frame).to_bytes(8, "big") + frame


def traffic(dice, frame_count):
    """Return messages, the bytes of them with commands in between, and how many PINGs are there."""
    messages, data, pings, count = [], [], 0, 0
    while count < frame_count:
        kind = dice.random()
        if kind < 0.05:
            data.append(frame_writer.PING)
            pings += 1
        elif kind < 0.08:
            data.append(frame_writer.encode_command(b"LATER", some_bytes(dice)[:1000]))
        else:
            frames = [some_bytes(dice) for _ in range(dice.choice((1, 2, 2, 2, 2, 3, MAX_FRAMES)))]
            messages.append(tuple(frames))
            data.append(written(dice, frames))
            count += len(frames)
    return messages, b"".join(data), pings


def written(dice, frames):
    """Return a message in one of the ways in which it may travel."""
    if len(frames) == 2 and dice.random() < 0.5:
        return encode_message(*frames)
    if dice.random() < 0.9:
        return frame_writer.encode_frames(*frames)
    *first, last = frames
    pieces = [long_form(1, each) + dice.choice((b"", PONG)) for each in first]
    return b"".join(pieces) + long_form(0, last)


def cut(dice, data):
    """Yield `data` in pieces of any size."""
    at, end = 0, len(data)
    while at < end:
        size = dice.choice((1, 2, 9, 100, 1500, 9000, 64 * 1024))
        yield data[at : at + size]
        at += size


def received(pieces, connection=None):
    """Return the connection and all messages that came over it."""
    connection = connection or opened()
    messages = []
    for piece in pieces:
        messages += connection.receive(piece)
        assert connection.waiting_bytes <= LIMIT + 64
    return connection, messages


def opened():
    connection = Connection(PROXY, LIMIT)
    connection.receive(CLIENT.opening)
    return connection


@settings(max_examples=max(1, examples(60)))
@given(SEEDS)
def test_what_is_written_is_read_however_it_is_cut(seed):
    dice = random.Random(seed)
    messages, data, pings = traffic(dice, FRAMES)

    connection, taken = received(cut(dice, data))

    assert taken == messages
    assert (connection.state, connection.fault) == (ConnectionState.OPEN, None)
    assert connection.answers.count(PONG) <= pings


@settings(max_examples=max(1, examples(20)))
@given(SEEDS)
def test_every_place_of_a_cut_gives_the_same(seed):
    dice = random.Random(seed)
    messages, data, _ = traffic(dice, 8)
    data = (CLIENT.opening + data)[:700]
    whole = received([data], Connection(PROXY, LIMIT))

    for at in range(len(data) + 1):
        connection, taken = received([data[:at], data[at:]], Connection(PROXY, LIMIT))

        assert taken == whole[1] == messages[: len(taken)]
        assert connection.state is whole[0].state
        assert connection.answers == whole[0].answers


def damaged(dice, data):
    """Return `data` with some of its bytes changed, removed or added."""
    made = bytearray(data)
    for _ in range(dice.randint(1, 4)):
        at = dice.randrange(len(made))
        match dice.randrange(4):
            case 0:
                made[at] = dice.choice((0, 1, 2, 3, 4, 5, 6, 7, 255, made[at] ^ 1))
            case 1:
                del made[at : at + dice.randint(1, 9)]
            case 2:
                made[at:at] = dice.randbytes(dice.randint(1, 9))
            case _:
                made[at : at + 8] = dice.choice((b"\xff" * 8, bytes(8), b"\x7f" + b"\xff" * 7))
    return bytes(made)


@settings(max_examples=max(1, examples(400)))
@given(SEEDS)
def test_damaged_bytes_end_alike_however_they_are_cut(seed):
    dice = random.Random(seed)
    _, data, _ = traffic(dice, 40)
    data = damaged(dice, CLIENT.opening + data)

    whole, messages = received([data], Connection(PROXY, LIMIT))
    in_pieces, taken = received(cut(dice, data), Connection(PROXY, LIMIT))

    assert taken == messages
    assert in_pieces.state is whole.state
    assert (in_pieces.fault and in_pieces.fault.reason) == (whole.fault and whole.fault.reason)
    assert str(whole.fault) == str(in_pieces.fault) or whole.fault.reason == "not_zmtp"


@settings(max_examples=max(1, examples(400)))
@given(st.binary(max_size=300), st.booleans())
def test_bytes_without_sense_end_alike_however_they_are_cut(data, is_open):
    start = CLIENT.opening if is_open else b""

    whole, messages = received([start + data], Connection(PROXY, LIMIT))
    bytewise = [bytes((each,)) for each in start + data]
    in_pieces, taken = received(bytewise, Connection(PROXY, LIMIT))

    assert taken == messages
    assert in_pieces.state is whole.state
    assert (in_pieces.fault and in_pieces.fault.reason) == (whole.fault and whole.fault.reason)
