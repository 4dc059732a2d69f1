"""Ids of Signals and traces."""

import pytest

from cosmonapse import BadSignal, new_event_id, new_trace_id
from cosmonapse.ids import ID_CHARS, IdSource, id_bytes, id_text

SEED = bytes(range(16))


def test_an_id_is_its_prefix_and_26_characters():
    for prefix, new in (("evt_", new_event_id), ("trc_", new_trace_id)):
        text = new()
        assert text.startswith(prefix)
        assert len(text) == ID_CHARS == 30
        assert set(text[4:]) <= set("0123456789abcdefghijklmnopqrstuv")


def test_an_id_stands_for_16_bytes_and_they_for_it():
    for _ in range(100):
        text = new_event_id()
        assert len(id_bytes(text)) == 16
        assert id_text("evt_", id_bytes(text)) == text


def test_ids_of_one_source_are_all_different():
    source = IdSource(SEED)

    assert len({source.new("evt_") for _ in range(10_000)}) == 10_000


def test_the_first_eight_characters_tell_traces_apart():
    source = IdSource(SEED)

    assert len({source.new("trc_")[:8] for _ in range(10_000)}) == 10_000


def test_sources_with_other_dice_make_other_ids():
    first, second = IdSource(SEED), IdSource(bytes(16))

    assert not {first.new("") for _ in range(100)} & {second.new("") for _ in range(100)}


def test_a_source_makes_the_same_ids_from_the_same_dice():
    first, second = IdSource(SEED), IdSource(SEED)

    assert [first.new("") for _ in range(5)] == [second.new("") for _ in range(5)]


@pytest.mark.parametrize("count", [(1 << 20) - 2, (1 << 32) - 2])
def test_ids_stay_different_when_the_counter_carries_over(count):
    source = IdSource(SEED[:12] + count.to_bytes(4, "big"))

    ids = [source.new("") for _ in range(5)]

    assert len(set(ids)) == 5
    assert all(len(each) == 26 for each in ids)


@pytest.mark.parametrize("text", ["", "trc_", "trc_" + 25 * "0", "trc_" + 27 * "0"])
def test_a_text_of_another_length_is_no_id(text):
    with pytest.raises(BadSignal, match="26 characters"):
        id_bytes(text)


@pytest.mark.parametrize("start", [0, (1 << 20) - 3, (1 << 32) - 2])
def test_a_lease_is_left_out_by_the_ids_that_follow(start):
    source, other = (IdSource(SEED[:12] + start.to_bytes(4, "big")) for _ in range(2))
    expected = [other.new("") for _ in range(6)]

    first = source.new("")
    random, counter = source.lease(4)
    last = source.new("")

    assert [first, last] == [expected[0], expected[5]]
    assert counter == int(expected[1][-10:], 32)
    assert all(each[4:16] == random for each in expected)
