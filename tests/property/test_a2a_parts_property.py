"""What JSON survives on its way through A2A's messages."""

import json

from a2a.types import Part
from hypothesis import given
from hypothesis import strategies as st

from cosmonapse.serve.a2a_parts import JSON_TYPE, TextPart, input_of, output_pieces
from cosmonapse.serve.a2a_wire import parts_of, pieces_of

# A lone surrogate is in no text of protobuf.
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
LEAVES = st.none() | st.booleans() | TEXTS
SMALL = st.integers(-(2**53) + 1, 2**53 - 1)


def objects(numbers):
    values = st.recursive(
        LEAVES | numbers,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
        max_leaves=15,
    )
    return st.dictionaries(TEXTS, values, max_size=5)


def same(found, sent):
    """Return whether they are equal and their numbers of the same kind; keys have no order."""
    return json.dumps(found, sort_keys=True) == json.dumps(sent, sort_keys=True)


def over_the_wire(pieces):
    return pieces_of(Part.FromString(part.SerializeToString()) for part in parts_of(pieces))


@given(sent=objects(SMALL))
def test_any_object_without_floats_comes_back_as_it_was(sent):
    assert same(input_of(over_the_wire(output_pieces({"value": sent}))), {"value": sent})


@given(sent=objects(st.integers()))
def test_any_whole_number_comes_back_from_the_exact_text(sent):
    pieces = over_the_wire(output_pieces({"value": sent}))
    exact = [each for each in pieces if isinstance(each, TextPart) and each.media_type == JSON_TYPE]

    assert same(input_of(exact or pieces), {"value": sent})
