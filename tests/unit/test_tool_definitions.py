"""Neurons as the tools of a model: their definitions and their names."""

import pytest

from cosmonapse.cards import Card
from cosmonapse.tool_definitions import (
    MAX_TOOL_DESCRIPTION_CHARS,
    definitions_of,
    takes_object,
    tool_names,
)

ADD = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}


def card(neuron_id, **about):
    return Card(neuron_id=neuron_id, **about)


def test_a_tool_has_the_form_of_chat_completions_and_that_of_messages():
    tools = definitions_of([card("math.add", description="Adds.", input=ADD)])

    function = {"name": "math_add", "description": "Adds.", "parameters": ADD}
    assert tools.as_openai() == [{"type": "function", "function": function}]
    assert tools.as_anthropic() == [
        {"name": "math_add", "description": "Adds.", "input_schema": ADD}
    ]


def test_the_way_back_leads_to_the_neuron_and_an_unknown_name_to_those_that_there_are():
    tools = definitions_of([card("math.add"), card("fs.read")])

    assert tools.neuron_of("math_add") == "math.add"
    with pytest.raises(LookupError, match=r"no tool is called 'math.add'; there are: fs_read, m"):
        tools.neuron_of("math.add")


def test_a_schema_always_says_that_it_is_an_object():
    (tool,) = definitions_of([card("any")])
    (bare,) = definitions_of([card("bare", input={"$ref": "#/x"})])

    assert tool.parameters == {"type": "object", "properties": {}}
    assert bare.parameters == {"type": "object", "properties": {}}


def test_a_tool_of_several_forms_has_the_keys_of_all_and_no_union_at_its_root():
    a, b = ({"properties": {"kind": {"const": kind}, kind: {}}} for kind in "ab")
    (tool,) = definitions_of([card("either", input={"type": "object", "oneOf": [a, b]})])

    assert tool.parameters == {
        "type": "object",
        "properties": {"kind": {"anyOf": [{"const": "a"}, {"const": "b"}]}, "a": {}, "b": {}},
    }


def test_a_neuron_that_takes_no_object_is_no_tool():
    cards = [card("text", input={"type": "string"}), card("ok")]

    assert [takes_object(each) for each in cards] == [False, True]
    assert [tool.neuron_id for tool in definitions_of(cards)] == ["ok"]


def test_a_name_that_is_one_already_is_kept_and_another_one_gets_a_hash():
    names = tool_names(["fs.read", "fs_read", "fs-read"])

    assert names["fs_read"] == "fs_read"
    assert names["fs-read"] == "fs-read"
    assert names["fs.read"].startswith("fs_read_")
    assert tool_names(["fs.read"]) == {"fs.read": "fs_read"}


def test_a_long_description_is_cut():
    (tool,) = definitions_of([card("long", description="x" * 2000)])

    assert len(tool.description) == MAX_TOOL_DESCRIPTION_CHARS
    assert tool.description.endswith("…")


def test_it_is_a_sequence():
    tools = definitions_of([card("b"), card("a"), card("c")])

    assert [tool.name for tool in tools[:2]] == ["a", "b"]
    assert (len(tools), tools[-1].name, repr(tools[1:])) == (3, "c", "ToolDefinitions(b, c)")
