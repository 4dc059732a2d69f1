"""What a model reads of the output of a tool."""

import pytest

from cosmonapse.neurons.tool_results import output_text


def test_bytes_in_an_output_are_base64_for_the_model():
    assert output_text({"png": b"\x89PNG"}, 100) == '{"png": "iVBORw=="}'


TEXT = {"type": "text", "text": 'say "hi"'}
IMAGE = {"type": "image", "data": "aGVsbG8h", "mimeType": "image/png"}
SEEN = '{"type": "image", "data": "[6 bytes that are not shown]", "mimeType": "image/png"}'
BLOB = {"type": "resource", "resource": {"uri": "file:///a", "blob": "aGVsbG8h"}}


@pytest.mark.parametrize(
    ("output", "text"),
    [
        ({"content": [TEXT, TEXT], "text": "both"}, 'say "hi"\nsay "hi"'),
        ({"content": [TEXT, IMAGE], "text": "one"}, f'say "hi"\n{SEEN}'),
        ({"n": 1, "content": [IMAGE]}, f'{{"n": 1, "content": [{SEEN}]}}'),
        ({"content": [], "text": ""}, '{"content": [], "text": ""}'),
        ({"content": ["a"]}, '{"content": ["a"]}'),
        ({"content": [{"type": "odd", "data": "abc"}]}, '{"type": "odd", "data": "abc"}'),
        ("text", '"text"'),
    ],
)
def test_of_an_output_in_parts_the_texts_are_read_once_and_no_image(output, text):
    assert output_text(output, 1000) == text


def test_of_the_bytes_of_a_resource_their_size_is_read():
    assert "[6 bytes that are not shown]" in output_text({"content": [BLOB]}, 1000)
    assert "aGVs" not in output_text({"content": [BLOB]}, 1000)
