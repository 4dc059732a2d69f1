"""Which tools are hosted, under which ids, and with which schemas."""

from cosmonapse.mcp_tools.tool import Tool, chosen, input_schema, output_schema


def tools(*names):
    return [Tool(name, "", {}) for name in names]


def test_patterns_choose_tools_by_their_names_at_the_server():
    choice = chosen(tools("read_file", "read_text", "write_file"), "fs", ["read_*"])

    assert list(choice.kept) == ["fs.read_file", "fs.read_text"]
    assert not choice.left_out


def test_characters_outside_the_alphabet_are_mapped_and_a_clash_is_left_out_with_the_other_name():
    choice = chosen(tools("a/b", "a_b", "ü"), "x", ["*"])

    assert {name: tool.name for name, tool in choice.kept.items()} == {"x.a_b": "a/b", "x._": "ü"}
    assert "'a/b'" in choice.left_out["a_b"]


def test_an_id_that_would_be_too_long_is_left_out():
    longest, longer = "a" * 126, "a" * 127

    choice = chosen(tools(longest, longer), "x", ["*"])

    assert list(choice.kept) == [f"x.{longest}"]
    assert "129 characters" in choice.left_out[longer]


def test_a_schema_has_an_object_at_its_root():
    tool = Tool("t", "", {"properties": {"a": {}}}, {"type": "array"})

    assert input_schema(tool) == {"type": "object", "properties": {"a": {}}}
    assert output_schema(tool) is None
    assert output_schema(Tool("t", "", {}, {"type": "object"})) == {"type": "object"}
