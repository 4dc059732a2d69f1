"""A card has the same digest wherever it was, and whatever the order of its keys."""

import json

from hypothesis import given
from hypothesis import strategies as st

from cosmonapse.cards import Card, canonical, card_from

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=12,
)
schemas = st.none() | st.dictionaries(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=8), values, max_size=4
)


def turned(value):
    """Return a value whose dicts have their keys the other way round."""
    if isinstance(value, dict):
        return {key: turned(value[key]) for key in reversed(list(value))}
    return list(map(turned, value)) if isinstance(value, list) else value


def number(text):
    """Read a whole number as other languages do: beyond 2**53 it is a float."""
    return int(text) if abs(int(text)) <= 2**53 else float(text)


@given(schemas, schemas, st.text(st.characters(exclude_categories=["Cs"])))
def test_a_card_that_was_read_has_the_digest_of_the_card_that_was_written(taken, given, text):
    card = Card(neuron_id="a", input=taken, output=given, description=text)

    assert card_from(card.as_dict()).digest == card.digest
    assert card_from(json.loads(json.dumps(card.as_dict()))).digest == card.digest
    assert card_from(turned(card.as_dict())).digest == card.digest


@given(values)
def test_the_one_text_of_a_value_is_json_of_the_same_value(value):
    assert json.loads(canonical(value), parse_int=number) == value
