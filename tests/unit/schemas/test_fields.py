"""The fields of a schema as rows: bounded, since a schema may refer to itself."""

from cosmonapse.schemas.fields import fields_of, kind_of

NODE = {"type": "object", "properties": {f"p{n}": {"$ref": "#/$defs/node"} for n in range(50)}}
UNION = {"anyOf": [{"$ref": "#/$defs/union"}] * 50}
ROOT = {**NODE, "$defs": {"node": NODE, "union": UNION}}


def test_inner_objects_stand_behind_their_names_with_what_is_required():
    street = {"type": "string", "description": "With\n the number"}
    to = {"type": "object", "properties": {"street": street}, "required": ["street"]}
    schema = {"type": "object", "properties": {"to": to, "n": {"type": "integer", "minimum": 1}}}

    rows = [
        (each.name, each.kind, each.is_required, each.description) for each in fields_of(schema)
    ]

    assert rows == [
        ("to", "object", False, ""),
        ("to.street", "string", True, "With the number"),
        ("n", "integer (at least 1)", False, ""),
    ]


def test_a_schema_that_refers_to_itself_has_bounded_rows_and_kinds():
    rows = fields_of(ROOT)

    assert len(rows) == 500
    assert max(each.name.count(".") for each in rows) == 4
    assert kind_of(ROOT, {"$ref": "#/$defs/union"}) == "..."
