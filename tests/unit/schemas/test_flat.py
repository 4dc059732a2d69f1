"""A schema of an object without a union at its root."""

import pytest

from cosmonapse.schemas.flat import flattened

CAT = {
    "type": "object",
    "properties": {"kind": {"const": "cat"}, "mice": {"type": "integer"}},
    "required": ["kind", "mice"],
}
DOG = {
    "type": "object",
    "properties": {"kind": {"const": "dog"}, "bark": {"type": "string"}},
    "required": ["kind"],
}
DEFS = {"Cat": CAT, "Dog": DOG}
REFS = [{"$ref": "#/$defs/Cat"}, {"$ref": "#/$defs/Dog"}]


@pytest.mark.parametrize("union", ["anyOf", "oneOf"])
def test_the_keys_of_all_branches_are_those_of_the_root_and_required_is_what_all_require(union):
    given = {
        "type": "object",
        "$defs": DEFS,
        union: REFS,
        "discriminator": {"propertyName": "kind"},
    }

    assert flattened(given) == {
        "type": "object",
        "$defs": DEFS,
        "properties": {
            "kind": {"anyOf": [{"const": "cat"}, {"const": "dog"}]},
            "mice": {"type": "integer"},
            "bark": {"type": "string"},
        },
        "required": ["kind"],
    }


def test_what_all_branches_of_all_of_require_is_required():
    flat = flattened({"type": "object", "$defs": DEFS, "allOf": REFS})

    assert flat["required"] == ["kind", "mice"]
    assert "allOf" not in flat


def test_branches_that_only_require_or_are_no_object_add_no_keys():
    own = {"type": "object", "properties": {"a": {}, "b": {}}, "required": ["a"]}

    assert flattened({**own, "anyOf": [{"required": ["a"]}, {"required": ["b"]}]}) == own
    assert flattened({**own, "anyOf": [{"type": "null"}], "not": {"required": ["c"]}}) == own
    assert flattened({**own, "if": {"required": ["b"]}, "then": False, "enum": [{}]}) == own


def test_a_key_that_is_the_same_in_three_forms_is_there_once():
    forms = [{"properties": {"a": {"const": each}}} for each in (1, 2, 1)]

    flat = flattened({"type": "object", "anyOf": forms})

    assert flat["properties"] == {"a": {"anyOf": [{"const": 1}, {"const": 2}]}}


def test_a_schema_without_a_union_stays_and_one_that_holds_itself_ends():
    loop = {"type": "object", "anyOf": [{"$ref": "#/$defs/x"}], "$defs": {"x": {"allOf": REFS[:1]}}}
    loop["$defs"]["x"]["anyOf"] = [{"$ref": "#/$defs/x"}]

    assert flattened(CAT) == CAT
    assert flattened(loop)["properties"] == {}


@pytest.mark.parametrize("odd", [{"anyOf": 5}, {"allOf": [True, "x"]}, {"oneOf": [{"$ref": 3}]}])
def test_what_is_no_schema_is_passed_over(odd):
    assert flattened({"type": "object", "properties": {"a": {}}, **odd}) == {
        "type": "object",
        "properties": {"a": {}},
    }
