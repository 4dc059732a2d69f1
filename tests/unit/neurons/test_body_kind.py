"""What a body is, by its first bytes."""

import pytest

from cosmonapse.neurons.body_kind import BodyKind, kind_of

EVENTS, DOCUMENT, TEXT = BodyKind.EVENTS, BodyKind.DOCUMENT, BodyKind.TEXT


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"data: x\n\n", EVENTS),
        (b"data:x", EVENTS),
        (b"data\n\n", EVENTS),
        (b"data\r\r", EVENTS),
        (b"event: message_start\ndata: {}\n\n", EVENTS),
        (b"id: 7\n", EVENTS),
        (b"retry: 7\n", EVENTS),
        (b": a comment\n\n", EVENTS),
        (b"\n\ndata: x\n\n", EVENTS),
        (b"\xef\xbb\xbfdata: x\n\n", EVENTS),
        (b'{"a": 1}', DOCUMENT),
        (b' \r\n\t[{"a": 1}]', DOCUMENT),
        (b"\xef\xbb\xbf{}", DOCUMENT),
        (b"", TEXT),
        (b"\n\n", TEXT),
        (b"<html></html>", TEXT),
        (b"dataset: x", TEXT),
        (b"datum", TEXT),
        (b"error: x", TEXT),
        (b"Internal Server Error", TEXT),
        (b"e", TEXT),
        (b"\xef\xbb", TEXT),
        (b"\n" * 5000, TEXT),
    ],
)
def test_the_first_bytes_tell_wherever_the_body_is_cut(body, kind):
    kinds = [kind_of(body[:cut], ended=False) for cut in range(len(body) + 1)]

    assert set(kinds) <= {None, kind}
    assert kind_of(body, ended=True) is kind


def test_a_stream_is_known_before_its_first_line_ends():
    assert kind_of(b"data:", ended=False) is EVENTS
    assert kind_of(b"{", ended=False) is DOCUMENT
