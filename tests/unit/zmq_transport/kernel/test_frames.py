"""Frames of ZMTP traffic, many at a time."""

import pytest

from support.vectors import VECTORS, each_of
from zmq_transport.kernel import decode_frames, encode_message
from zmq_transport.kernel.frames import MAX_COMMAND_BYTES

MESSAGES = VECTORS["zmtp"]["messages"]
LIMIT = 1 << 20


def decoded(data, start=0, frames=(), max_frames=8, max_bytes=LIMIT):
    """Return where the reader stopped, the messages, the commands and the open frames."""
    frames, messages, commands = list(frames), [], []
    at = decode_frames(data, start, frames, max_frames, max_bytes, messages, commands)
    return at, messages, commands, frames


@each_of(MESSAGES)
def test_the_frames_of_a_message_are_those_of_the_vectors(vector):
    data = bytes.fromhex(vector["bytes"])
    frames = tuple(map(bytes.fromhex, vector["frames"]))

    assert decoded(data) == (len(data), [frames], [], [])


@each_of([each for each in MESSAGES if len(each["frames"]) == 2])
def test_a_message_of_two_frames_is_written_as_the_vectors_say(vector):
    head, body = map(bytes.fromhex, vector["frames"])

    assert encode_message(head, body).hex() == vector["bytes"]


@each_of(VECTORS["zmtp"]["commands"])
def test_a_command_is_told_apart_from_a_message(vector):
    data = bytes.fromhex(vector["bytes"])

    assert decoded(data, max_frames=0) == (len(data), [], [data[2:]], [])


@pytest.mark.parametrize("sizes", [(0, 0), (255, 255), (256, 256), (255, 256), (70_000, 0)])
def test_what_is_written_is_read(sizes):
    message = tuple(bytes(size) for size in sizes)
    data = encode_message(*message)

    assert decoded(b"..." + data * 3, 3) == (3 + 3 * len(data), [message] * 3, [], [])


def test_a_frame_that_is_not_whole_is_left_where_it_is():
    whole, cut = encode_message(b"head", b"body"), encode_message(b"h", bytes(300))

    for size in range(len(cut)):
        at, messages, _, frames = decoded(whole + cut[:size])

        assert messages == [(b"head", b"body")]
        assert frames == ([b"h"] if size >= 3 else [])
        assert at == len(whole) + (3 if size >= 3 else 0)


def test_a_message_goes_on_where_it_was_left():
    data = encode_message(b"head", b"body")
    at, _, _, frames = decoded(data[:6])

    assert (at, frames) == (6, [b"head"])
    assert decoded(data[6:], frames=frames)[1:] == ([(b"head", b"body")], [], [])


def test_nothing_is_taken_behind_a_command():
    data = b"\x00\x01m" + b"\x04\x02\x01X" + b"\x04\x02\x01Y"

    assert decoded(data) == (7, [(b"m",)], [b"\x01X"], [])


def test_a_command_may_stand_between_the_frames_of_a_message():
    data = b"\x01\x01h" + b"\x04\x02\x01X" + b"\x00\x01b"

    assert decoded(data) == (7, [], [b"\x01X"], [b"h"])
    assert decoded(data, 7, [b"h"]) == (len(data), [(b"h", b"b")], [], [])


@pytest.mark.parametrize(
    "refused",
    [
        b"\x05\x02\x01X",
        b"\x06" + (MAX_COMMAND_BYTES + 1).to_bytes(8, "big") + bytes(MAX_COMMAND_BYTES + 1),
        b"\x00\x0a" + bytes(10),
        b"\x01\x04abcd\x00\x04abcd",
        b"\x01\x00\x01\x00\x01\x00\x00\x00",
        b"\x02" + b"\xff" * 8,
    ],
    ids=["MORE", "command", "frame", "sum", "count", "huge"],
)
def test_a_frame_against_a_rule_is_left_with_all_that_follows(refused):
    first = b"\x00\x02ok"
    at, messages, commands, _ = decoded(first + refused + first, max_frames=3, max_bytes=7)

    assert len(first) <= at < len(first) + len(refused)
    assert (messages, commands) == ([(b"ok",)], [])


def test_no_message_is_taken_while_none_may_come():
    assert decoded(b"\x04\x02\x01X\x00\x00", max_frames=0) == (4, [], [b"\x01X"], [])
