"""The words of a text, as a memory finds them again."""

import pytest

from cosmonapse.memory.terms import MAX_TERM_CHARS, indexed_terms, query_terms


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("Zoe owns the cafe.", ["zoe", "owns", "the", "cafe"]),
        ("Der Café-Besitzer heißt Zoë", ["der", "cafe", "besitzer", "heisst", "zoe"]),
        ("max_turns=1000", ["max", "turns", "1000"]),
        ("ÉCOLE \uff21\uff22", ["ecole", "ab"]),
        ("Москва́ река", ["москва", "река"]),
        ("हिन्दी में", ["हिन्दी", "में"]),
        ("שָׁלוֹם", ["שלום"]),
        ("I\u011fd\u0131r \u0131\u011fd\u0131r", ["igdir", "igdir"]),
        ("!!! ... \x00", []),
        ("a\ud800b", ["a", "b"]),
    ],
)
def test_words_lose_case_and_accents(text, terms):
    assert indexed_terms(text) == terms


def test_scripts_without_spaces_are_cut_into_pairs():
    assert indexed_terms("東京都 2020年") == ["東京", "京都", "都", "2020", "年"]
    assert indexed_terms("ภาษา") == ["ภา", "าษ", "ษา", "า"]


def test_a_query_of_one_character_is_the_start_of_a_term():
    assert query_terms("京", 9) == [("京", True)]
    assert query_terms("京都 x", 9) == [("京都", False), ("x", False)]


def test_terms_of_a_query_are_there_once_and_bounded():
    assert query_terms("a b a c d", 3) == [("a", False), ("b", False), ("c", False)]
    assert query_terms("x" * 1000, 3) == [("x" * MAX_TERM_CHARS, False)]
