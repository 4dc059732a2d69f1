"""The parts of streamed calls of tools, and the calls that they make."""

from cosmonapse.neurons.tool_calls import CallPart, ToolCall, assembled


def test_parts_without_an_index_belong_to_the_last_call_and_a_new_id_begins_one():
    parts = [
        CallPart(None, "a", "x", "{"),
        CallPart(arguments="}"),
        CallPart(0, "b", "y"),
        CallPart(0, "c", "z"),
        CallPart(0, "c", "z", "{}", {"extra": 1}),
    ]

    assert assembled(parts) == (
        ToolCall("a", "x", "{}"),
        ToolCall("b", "y", ""),
        ToolCall("c", "z", "{}", {"extra": 1}),
    )
