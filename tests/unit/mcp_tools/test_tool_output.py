"""The output for a result of a tool."""

import pytest

from cosmonapse.mcp_tools.tool_output import output_of

TEXT = {"type": "text", "text": "one"}
IMAGE = {"type": "image", "data": "aGk=", "mimeType": "image/png"}
FILE = {"type": "resource", "resource": {"uri": "file:///a", "text": "of a file"}}


@pytest.mark.parametrize(
    ("structured", "parts", "schema", "output"),
    [
        ({"a": 1}, [TEXT], None, {"a": 1}),
        ([1], [], None, {"value": [1]}),
        (None, [TEXT, TEXT], None, {"content": [TEXT, TEXT], "text": "one\none"}),
        (None, [IMAGE], None, {"content": [IMAGE]}),
        (None, [], None, {"content": []}),
        (None, [FILE, TEXT], None, {"content": [FILE, TEXT], "text": "of a file\none"}),
        ({"a": 1}, [TEXT, IMAGE], None, {"a": 1, "content": [IMAGE]}),
        ({"content": 1}, [IMAGE], None, {"content": 1}),
        ({"a": 1}, [IMAGE], {"type": "object", "additionalProperties": False}, {"a": 1}),
        ({"a": 1}, [IMAGE], {"type": "object"}, {"a": 1, "content": [IMAGE]}),
    ],
)
def test_structured_content_is_the_output_and_parts_that_are_no_text_survive(
    structured, parts, schema, output
):
    assert output_of(structured, parts, schema) == output
