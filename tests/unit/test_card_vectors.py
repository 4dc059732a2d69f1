"""Cards and their digests against `docs/spec/vectors.json`."""

import pytest

from cosmonapse.cards import Card, card_from, summary_of
from support.vectors import VECTORS, each_of


@each_of(VECTORS["cards"])
def test_a_card_has_the_digest_of_the_page(vector):
    assert card_from(vector["card"]).digest == vector["digest"]


@pytest.mark.parametrize("value", [None, {}, {"id": "../a"}, {"id": "a", "capabilities": 5}])
def test_what_is_no_card_is_refused(value):
    with pytest.raises(ValueError, match=r"card|neuron_id"):
        card_from(value)


@pytest.mark.parametrize("bad", [{1: 2}, {"a": float("nan")}, {"a": object()}, {"a": b"x"}])
def test_a_schema_that_is_no_json_is_refused(bad):
    with pytest.raises(ValueError, match="the card of a is no JSON"):
        Card(neuron_id="a", input=bad)


def test_of_a_description_the_first_line_is_told_and_cut():
    assert summary_of("\n  First. \nSecond") == "First."
    assert summary_of("x" * 200) == "x" * 127 + "…"
    assert summary_of(" \n ") == ""
