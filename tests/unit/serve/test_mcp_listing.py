"""Which cards are tools of MCP, and in which form."""

import pytest

from cosmonapse.cards import Card
from cosmonapse.serve.mcp_listing import UnfitCard, is_exposed, listed_tool


def nested(levels):
    """Return a schema of so many levels of JSON."""
    made = {}
    for _ in range(levels):
        made = {"not": made}
    return made


def tool_of(**schemas):
    return listed_tool(Card(neuron_id="a", description="does", **schemas))


def test_a_card_without_schemas_takes_any_object():
    tool = tool_of()

    assert tool.input_schema == {"type": "object", "additionalProperties": True}
    assert (tool.name, tool.description, tool.output_schema) == ("a", "does", None)


def test_a_root_without_a_type_is_an_object():
    tool = tool_of(input={"$ref": "#/$defs/a", "$defs": {"a": {"type": "object"}}})

    assert tool.input_schema["type"] == "object"


def test_properties_of_true_and_false_are_objects_for_the_typescript_sdk():
    tool = tool_of(input={"properties": {"yes": True, "no": False}})

    assert tool.input_schema["properties"] == {"yes": {}, "no": {"not": {}}}


@pytest.mark.parametrize(
    ("schema", "why"),
    [
        ({"type": "array"}, "of type 'array'"),
        ({"type": ["object", "null"]}, "needs 'object'"),
        ({"properties": {"a": {"type": "nothing"}}}, "no valid JSON Schema at properties/a/type"),
        ({"required": "a"}, "no valid JSON Schema at required"),
        ({"$schema": 7}, "is no text"),
        (nested(180), "over 64 levels deep"),
    ],
)
def test_an_input_that_spoils_the_list_is_unfit_and_an_output_is_left_out(schema, why):
    with pytest.raises(UnfitCard, match=why):
        tool_of(input=schema)

    tool = tool_of(output=schema)
    assert tool.output_schema is None
    assert why in tool.flaw


@pytest.mark.parametrize("ref", ["#", "#/$defs/a~1b", "#/$defs/a%20b", "#/allOf/0"])
def test_an_output_schema_may_refer_to_any_part_of_itself(ref):
    output = {
        "properties": {"x": {"$ref": ref}},
        "$defs": {"a/b": {}, "a b": {}},
        "allOf": [{}],
    }

    assert tool_of(output=output).output_schema == {"type": "object", **output}


@pytest.mark.parametrize(
    ("part", "why"),
    [
        ({"$ref": "#/$defs/gone"}, "leads nowhere"),
        ({"$ref": "https://example.org/schema"}, "leads nowhere"),
        ({"pattern": "(?P<year>[0-9]+)"}, "not one of JavaScript"),
        ({"pattern": r"\d{4}\-\d{2}"}, "not one of JavaScript"),
        ({"pattern": r"\A[a-z]+\Z"}, "not one of JavaScript"),
        ({"patternProperties": {"(?i)x": {}}}, "not one of JavaScript"),
    ],
)
def test_an_output_schema_that_the_typescript_sdk_cannot_compile_is_left_out(part, why):
    tool = tool_of(
        input={"properties": {"x": part}}, output={"properties": {"x": {"anyOf": [part]}}}
    )

    assert tool.output_schema is None
    assert why in tool.flaw
    assert "properties" in tool.input_schema


@pytest.mark.parametrize("part", [{"allOf": 5}, {"$defs": []}, {"patternProperties": 1}])
def test_a_key_that_an_older_json_schema_leaves_free_ends_no_list(part):
    old = {"$schema": "http://json-schema.org/draft-03/schema#", "type": "object", **part}

    assert tool_of(output=old).name == "a"


def test_an_output_schema_that_all_clients_compile_stays():
    schema = {
        "type": "object",
        "$defs": {"a/b": {"type": "string", "pattern": r"^\d{4}-[0-9]{2}(?:x|\.)$"}},
        "properties": {"x": {"$ref": "#/$defs/a~1b"}, "more": {"$ref": "#"}},
    }

    assert tool_of(output=schema).output_schema == schema


def test_patterns_say_which_neurons_are_tools():
    assert is_exposed("fs.read", ())
    assert is_exposed("fs.read", ("math", "fs.*"))
    assert not is_exposed("chat", ("math", "fs.*"))
