"""What an exception says, and where the user's code raised it."""

import json

import pytest

from cosmonapse.raised import described, leaves_of, place_of


class Unprintable(Exception):
    def __str__(self):
        raise KeyboardInterrupt


def raised(action):
    """Return the exception of a call, with its traceback."""
    try:
        action()
    except (ValueError, ArithmeticError, ExceptionGroup) as error:
        return error
    raise AssertionError("it raised nothing")


def nested(depth):
    error = ValueError("leaf")
    for number in range(depth):
        error = ExceptionGroup(f"level {number}", [error])
    return error


def test_an_exception_is_its_kind_and_its_text():
    assert described(KeyError("k")) == "KeyError: 'k'"


def test_a_group_names_its_leaves_and_those_of_its_groups_from_left_to_right():
    inner = ExceptionGroup("inner", [KeyError("k"), OSError("gone")])

    assert described(ExceptionGroup("all", [ValueError("one"), inner, TypeError("two")])) == (
        "ExceptionGroup: all (3 sub-exceptions): "
        "ValueError: one; KeyError: 'k'; OSError: gone; TypeError: two"
    )


def test_a_group_is_as_deep_as_it_likes():
    assert described(nested(5_000)).endswith(": ValueError: leaf")


def test_a_group_of_many_names_twenty_and_counts_the_rest():
    text = described(ExceptionGroup("many", [ValueError(str(number)) for number in range(25)]))

    assert "ValueError: 19; and 5 more" in text
    assert "ValueError: 20" not in text


def test_an_exception_whose_text_raises_is_told_all_the_same():
    assert described(Unprintable()) == "Unprintable: (its text raised an exception)"


def test_the_place_is_the_line_of_the_user_and_not_that_of_the_library():
    def reads():
        json.loads("{")

    error = raised(reads)

    assert place_of(error).startswith(f"{__file__}:")
    assert place_of(error).endswith("reads")


def test_the_place_of_a_group_is_that_of_its_first_leaf():
    def breaks():
        raise ValueError("why")

    group = raised(lambda: (_ for _ in ()).throw(ExceptionGroup("all", [raised(breaks)])))

    assert place_of(group).endswith(
        "in test_the_place_of_a_group_is_that_of_its_first_leaf.<locals>.breaks"
    )


def test_the_place_of_an_exception_without_a_line_of_the_user_is_the_function():
    def function(input, context):
        """Is called, and raises nothing itself."""

    line = function.__code__.co_firstlineno

    assert f"{__file__}:{line} in" in place_of(ValueError("made by us"), function)


def test_the_place_of_a_cause_counts_when_the_error_has_no_line_of_its_own():
    error = RuntimeError("it was wrapped")
    error.__cause__ = raised(lambda: 1 / 0)

    assert f"{__file__}:" in place_of(error)


@pytest.mark.parametrize("error", [ValueError("bare"), nested(3)])
def test_an_exception_that_was_never_raised_has_no_place(error):
    assert place_of(error) == "an unknown place"
    assert len(list(leaves_of(error))) == 1
