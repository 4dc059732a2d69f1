"""The keys that an answer adds to the input of the next TASK."""

import pytest

from cosmonapse.follow_up_input import answer_keys


def test_the_first_answer_stands_alone():
    assert answer_keys({"city": "Oslo"}, "one?", 1) == {
        "clarification": {"question": "one?", "answer": 1}
    }


def test_the_second_answer_keeps_the_first():
    first = {"city": "Oslo", **answer_keys({"city": "Oslo"}, "one?", 1)}
    second = {**first, **answer_keys(first, "two?", 2)}

    assert first == {"city": "Oslo", "clarification": {"question": "one?", "answer": 1}}
    assert second["clarification"]["answer"] == 2
    assert [each["answer"] for each in second["clarifications"]] == [1, 2]


@pytest.mark.parametrize("earlier", [5, None, {"question": "a", "answer": 1}])
def test_earlier_answers_that_are_no_list_are_replaced_by_the_last_one(earlier):
    before = {"clarification": "mine", "clarifications": earlier}

    added = answer_keys(before, "two?", 2)

    assert added["clarifications"] == ["mine", {"question": "two?", "answer": 2}]
