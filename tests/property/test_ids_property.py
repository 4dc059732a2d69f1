"""Ids are unique, tell apart by their first characters, and stand for 16 bytes in one way only."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosmonapse.errors import BadSignal
from cosmonapse.ids import ID_CHARS, IdSource, id_bytes, id_text

SEEDS = st.binary(min_size=16, max_size=16)
TURNS = st.sampled_from([0, 2**20 - 3, 2**20 - 1, 2**32 - 2]) | st.integers(0, 2**32 - 1)


@given(value=st.binary(min_size=16, max_size=16), prefix=st.sampled_from(["evt_", "trc_"]))
def test_sixteen_bytes_come_back_from_their_id(value, prefix):
    text = id_text(prefix, value)

    assert len(text) == ID_CHARS
    assert id_bytes(text) == value


@given(dice=st.binary(min_size=12, max_size=12), start=TURNS)
def test_ids_in_a_row_are_unique_also_where_the_counter_turns_over(dice, start):
    source = IdSource(dice + start.to_bytes(4, "big"))

    made = [source.new("trc_") for _ in range(50)]

    assert len(set(made)) == 50
    assert len({text[:8] for text in made}) == 50
    assert all(id_text("trc_", id_bytes(text)) == text for text in made)


@given(one=SEEDS, other=SEEDS)
def test_sources_with_other_dice_make_other_ids(one, other):
    letters = [[byte & 31 for byte in seed[:12]] for seed in (one, other)]
    if letters[0] == letters[1]:
        return
    first, second = IdSource(one), IdSource(other)

    assert not {first.new("evt_") for _ in range(20)} & {second.new("evt_") for _ in range(20)}


@given(
    text=st.text(max_size=40) | st.text(alphabet="0129avAV_-\u0663\u00b2", min_size=26, max_size=26)
)
def test_any_text_is_an_id_or_a_bad_signal(text):
    for candidate in (text, f"evt_{text}"):
        try:
            value = id_bytes(candidate)
        except BadSignal:
            continue
        assert id_text(candidate[:4], value) == candidate.lower()


@pytest.mark.parametrize("tail", ["\u0663" * 26, "v" * 26, "0_" * 13, "+" + "0" * 25, " " * 26])
def test_what_only_looks_like_a_number_is_no_id(tail):
    with pytest.raises(BadSignal):
        id_bytes(f"evt_{tail}")
