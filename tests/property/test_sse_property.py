"""However a stream is cut into pieces, it means the same."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from cosmonapse.errors import NeuronError
from cosmonapse.neurons.sse import EventParser

ATOMS = [b"data", b"data:", b"data: ", b":", b"event: x", b"\n", b"\r", b"\r\n", b"\xef\xbb\xbf"]
STREAMS = st.lists(
    st.sampled_from(ATOMS) | st.text(max_size=5).map(str.encode) | st.binary(max_size=5),
    max_size=40,
).map(b"".join)
LINE_ENDS = st.sampled_from(["\n", "\r\n", "\r"])


def cut(stream, places):
    edges = [0, *sorted(min(place, len(stream)) for place in places), len(stream)]
    return [stream[start:end] for start, end in pairwise(edges)]


def events_of(pieces, max_event_bytes=1000):
    parser = EventParser(max_event_bytes)
    events = [event for piece in pieces for event in parser.feed(piece)]
    return [*events, parser.end(), parser.stray]


def events_or_refusal(pieces):
    try:
        return events_of(pieces, max_event_bytes=12)
    except NeuronError as exc:
        return exc.message


@given(stream=STREAMS, places=st.lists(st.integers(0, 200)))
def test_any_cutting_of_a_stream_gives_the_same_events(stream, places):
    assert events_of(cut(stream, places)) == events_of([stream])


@given(stream=STREAMS)
def test_a_stream_may_come_byte_by_byte(stream):
    assert events_of(cut(stream, range(len(stream)))) == events_of([stream])


@given(stream=STREAMS, places=st.lists(st.integers(0, 200)))
def test_any_cutting_meets_the_limit_alike(stream, places):
    assert events_or_refusal(cut(stream, places)) == events_or_refusal([stream])


@given(
    sent=st.lists(st.text().filter(lambda text: "\r" not in text), max_size=5),
    end=LINE_ENDS,
    places=st.lists(st.integers(0, 200)),
)
def test_what_is_sent_is_what_arrives(sent, end, places):
    lines = [[f"data: {line}{end}" for line in text.split("\n")] for text in sent]
    stream = "".join("".join(event) + end for event in lines).encode()

    *events, last, stray = events_of(cut(stream, places))
    assert [event.data for event in events] == sent
    assert (last, stray) == (None, "")
