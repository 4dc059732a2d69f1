"""The parser of server-sent events, one rule of the spec per test."""

import pytest

from cosmonapse.errors import NeuronError
from cosmonapse.neurons.sse import MAX_STRAY_BYTES, EventParser, ServerEvent


class Parser:
    """A parser, with the data of its events alone."""

    def __init__(self, max_event_bytes=1000):
        self.parser = EventParser(max_event_bytes)

    def feed(self, stream):
        return [event.data for event in self.parser.feed(stream)]


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
        (b"data: \xff\n\n", ["\udcff"]),
        (b"data: whole\n\ndata: cut o", ["whole"]),
        (b"data: whole\n\ndata: no empty line\n", ["whole"]),
    ],
)
def test_a_stream_gives_the_events_that_the_spec_says(stream, events):
    assert Parser().feed(stream) == events


def test_a_character_may_be_cut_in_the_middle():
    stream = "data: 🐎\n\n".encode()
    parser = Parser()

    assert parser.feed(stream[:8]) == []
    assert parser.feed(stream[8:]) == ["🐎"]


def test_a_line_end_may_be_cut_between_cr_and_lf():
    parser = Parser()

    assert parser.feed(b"data: one\r") == []
    assert parser.feed(b"\n") == []
    assert parser.feed(b"") == []
    assert parser.feed(b"\r") == ["one"]
    assert parser.feed(b"\ndata: two\n\n") == ["two"]


def test_an_event_is_out_as_soon_as_its_last_byte_is_in():
    parser = Parser()

    assert parser.feed(b"data: one\r\n\r") == ["one"]


def test_an_event_at_the_limit_passes():
    assert Parser(max_event_bytes=9).feed(b"data: abc\n\n") == ["abc"]


@pytest.mark.parametrize(
    "stream", [b"data: abcd", b"data: a\ndata: b\n\n", b": a long comment", b"x" * 11]
)
def test_an_event_over_the_limit_is_an_error(stream):
    with pytest.raises(NeuronError, match=r"PROVIDER_ERROR.*more than 9 bytes") as caught:
        Parser(max_event_bytes=9).feed(stream)

    assert not caught.value.recoverable


def test_the_limit_is_for_one_event_and_not_for_the_stream():
    assert Parser(max_event_bytes=9).feed(b"data: abc\n\n" * 100) == ["abc"] * 100


def test_an_event_has_the_last_name_before_it_and_the_next_one_none():
    events = EventParser(1000).feed(b"event: a\nevent:b\ndata: 1\n\ndata: 2\n\nevent\ndata: 3\n\n")

    assert events == [ServerEvent("1", "b"), ServerEvent("2"), ServerEvent("3")]


def test_the_name_of_an_event_without_data_is_not_that_of_the_next_one():
    assert EventParser(1000).feed(b"event: ping\n\ndata: 1\n\n") == [ServerEvent("1")]


@pytest.mark.parametrize("rest", [b"", b"data: two", b"data: two\n"])
def test_what_the_end_cuts_off_is_given_at_the_end(rest):
    parser = EventParser(1000)

    assert parser.feed(b"data: one\n\n" + rest) == [ServerEvent("one")]
    assert parser.end() == (ServerEvent("two") if rest else None)


def test_lines_that_are_no_fields_are_kept_aside():
    parser = EventParser(1000)
    stream = b'data: one\n{\n  "error": "no"\n}\ndata: two\n\nid: 7\n: x\nretry: 1\nbro'

    events = parser.feed(stream)
    parser.end()

    assert events == [ServerEvent("one\ntwo")]
    assert parser.stray == '{\n  "error": "no"\n}\nbro'


def test_only_so_much_is_kept_aside():
    parser = EventParser(1 << 20)

    parser.feed(b"x" * 1000 + b"\n" + (b"y" * 100_000 + b"\n") * 5)

    assert MAX_STRAY_BYTES <= len(parser.stray) <= 2 * MAX_STRAY_BYTES
