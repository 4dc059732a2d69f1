"""The OpenAPI document, from cards alone."""

import jsonschema
import pytest

from cosmonapse.cards import Card
from cosmonapse.serve.openapi import document, placed

TREE = {
    "type": "object",
    "properties": {"left": {"$ref": "#"}, "leaf": {"$ref": "#/$defs/Leaf"}},
    "additionalProperties": False,
    "$defs": {"Leaf": {"type": "integer", "default": {"$ref": "#"}}},
}


def made(**cards):
    known = {name: Card(neuron_id=name, **card) for name, card in cards.items()}
    return document(known, "t", "1", "http://127.0.0.1:8080", has_token=True)


def test_a_reference_to_the_root_begins_at_its_component():
    assert placed(TREE, "#/c/x")["properties"] == {
        "left": {"$ref": "#/c/x"},
        "leaf": {"$ref": "#/c/x/$defs/Leaf"},
    }
    assert placed(TREE, "#/c/x")["$defs"] == TREE["$defs"]


@pytest.mark.parametrize(
    ("value", "is_valid"),
    [({"left": {"leaf": 1}}, True), ({"left": {"leaf": "x"}}, False), ({"right": 1}, False)],
)
def test_a_recursive_schema_checks_in_the_document_as_it_did_alone(value, is_valid):
    whole = made(tree={"input": TREE})
    check = jsonschema.Draft202012Validator({**whole, "$ref": "#/components/schemas/tree.input"})

    assert check.is_valid(value) == jsonschema.Draft202012Validator(TREE).is_valid(value)
    assert check.is_valid(value) is is_valid


def test_a_card_without_schemas_has_a_path_with_any_object():
    whole = made(free={"description": "Says\nmuch.", "capabilities": ["a"]})

    post = whole["paths"]["/neurons/free"]["post"]
    assert (post["summary"], post["tags"]) == ("Says", ["a"])
    assert post["requestBody"]["content"]["application/json"]["schema"] == {"type": "object"}
    assert whole["security"] == [{"bearer": []}]
