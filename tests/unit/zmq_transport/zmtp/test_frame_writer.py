"""Frames, commands and messages with large bodies."""

import pytest

from support.vectors import VECTORS, each_of
from zmq_transport.kernel import encode_message
from zmq_transport.zmtp import frame_writer


@each_of(VECTORS["zmtp"]["messages"])
def test_a_message_is_written_as_the_vectors_say(vector):
    assert (
        frame_writer.encode_frames(*map(bytes.fromhex, vector["frames"])).hex() == vector["bytes"]
    )


@each_of(VECTORS["zmtp"]["commands"])
def test_a_command_is_written_as_the_vectors_say(vector):
    made = frame_writer.encode_command(vector["command"].encode(), bytes.fromhex(vector["data"]))

    assert made.hex() == vector["bytes"]


@pytest.mark.parametrize("size", [0, 255, 256, 1 << 17])
def test_a_message_written_in_two_parts_is_the_same(size):
    head, body = b"head", bytes(size)

    assert frame_writer.message_start(head, size) + body == encode_message(head, body)


def test_the_probe_and_the_ping_are_those_of_the_vectors():
    probe = next(each for each in VECTORS["zmtp"]["messages"] if each["name"] == "the probe")
    ping = next(each for each in VECTORS["zmtp"]["commands"] if each["command"] == "PING")

    assert probe["bytes"] == frame_writer.PROBE.hex()
    assert ping["bytes"] == frame_writer.PING.hex()
