"""Text for people: no control characters, and no more than there is room for."""

import pytest

from cosmonapse.runtime.printable import printable, printable_lines, shortened


def test_what_could_control_a_terminal_is_escaped():
    assert printable("a\x1b[2J\nb") == r"a\x1b[2J\nb"
    assert printable_lines("a\x1b\nb") == "a\\x1b\nb"


@pytest.mark.parametrize(
    ("text", "shown"),
    [("", ""), ("exactly", "exactly"), ("exactly8", "exactl…"), ("exact   more", "exact…")],
)
def test_a_text_is_cut_to_its_length_with_an_ellipsis_in_it(text, shown):
    assert shortened(text, 7) == shown
