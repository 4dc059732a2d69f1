"""The parser of server-sent events, one rule of the spec per test."""

import pytest

from cosmonapse.errors import NeuronError
from cosmonapse.neurons.sse import EventParser


@pytest.mark.parametrize(
    ("stream", "events"),
    [
        (b"data: one\n\n", ["one"]),
        (b"data: one\r\n\r\ndata: two\r\n\r\n", ["one", "two"]),
        (b"data: one\r\rdata: two\r\r", ["one", "two"]),
        (b"data: one\r\n\ndata: two\n\r", ["one", "two"]),
        (b"data:one\n\n", ["one"]),
        (b"data:  one\n\n", [" one"]),
        (b"data: one\ndata: two\n\n", ["one\ntwo"]),
        (b"data\n\n", [""]),
        (b"data\ndata\n\n", ["\n"]),
        (b": a comment\ndata: one\n: another\n\n", ["one"]),
        (b":\n\n", []),
        (b"\n\n\n", []),
        (b"event: delta\nid: 7\nretry: 10\ndata: one\n\n", ["one"]),
        (b"event: ping\n\n", []),
        (b"dataset: one\n\n", []),
        (b"data: a: b\n\n", ["a: b"]),
        (b"\xef\xbb\xbfdata: one\n\n", ["one"]),
        ("data: žluťoučký 🐎\n\n".encode(), ["žluťoučký 🐎"]),
        (b"data: \xff\n\n", ["\ufffd"]),
        (b"data: whole\n\ndata: cut o", ["whole"]),
        (b"data: whole\n\ndata: no empty line\n", ["whole"]),
    ],
)
def test_a_stream_gives_the_events_that_the_spec_says(stream, events):
    assert EventParser().feed(stream) == events


def test_a_character_may_be_cut_in_the_middle():
    stream = "data: 🐎\n\n".encode()
    parser = EventParser()

    assert parser.feed(stream[:8]) == []
    assert parser.feed(stream[8:]) == ["🐎"]


def test_a_line_end_may_be_cut_between_cr_and_lf():
    parser = EventParser()

    assert parser.feed(b"data: one\r") == []
    assert parser.feed(b"\n") == []
    assert parser.feed(b"") == []
    assert parser.feed(b"\r") == ["one"]
    assert parser.feed(b"\ndata: two\n\n") == ["two"]


def test_an_event_is_out_as_soon_as_its_last_byte_is_in():
    parser = EventParser()

    assert parser.feed(b"data: one\r\n\r") == ["one"]


def test_an_event_at_the_limit_passes():
    assert EventParser(max_event_bytes=9).feed(b"data: abc\n\n") == ["abc"]


@pytest.mark.parametrize(
    "stream", [b"data: abcd", b"data: a\ndata: b\n\n", b": a long comment", b"x" * 11]
)
def test_an_event_over_the_limit_is_an_error(stream):
    with pytest.raises(NeuronError, match=r"PROVIDER_ERROR.*more than 9 bytes") as caught:
        EventParser(max_event_bytes=9).feed(stream)

    assert not caught.value.recoverable


def test_the_limit_is_for_one_event_and_not_for_the_stream():
    assert EventParser(max_event_bytes=9).feed(b"data: abc\n\n" * 100) == ["abc"] * 100
