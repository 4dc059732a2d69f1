"""Any text is safe in a memory: in a query, in an entry, in a name."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cosmonapse import SqliteMemory
from cosmonapse.memory.terms import indexed_terms, query_terms
from cosmonapse.memory_ops import Forget, Imprint, Recall, input_of, operation_of

ANY = st.text(st.characters(), max_size=200)  # with surrogates and NUL
SIGNS = ['"', "'", "(", ")", "*", "^", ":", "{", "}", "+", "-", "\x00", "\ud800", "京", "🎉"]
WORDS = ["AND", "OR", "NOT", "NEAR/3", "space", "terms", "words", "text"]
SYNTAX = st.lists(st.sampled_from([*SIGNS, *WORDS]), max_size=30).map(" ".join)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=200)


@pytest.fixture(scope="module")
def memory():
    with SqliteMemory(":memory:") as memory:
        for number in range(20):
            memory.imprint(str(number), f"text {number} 京都 café")
        yield memory


@settings(max_examples=150, deadline=None)
@given(query=ANY | SYNTAX)
def test_any_text_can_be_recalled(memory, query):
    hits = memory.recall(query, limit=3)

    assert len(hits) <= 3
    assert all(hit["score"] >= 0 for hit in hits)


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(text=TEXT, space=TEXT)
def test_a_text_is_found_by_itself_and_in_its_space_alone(text, space):
    with SqliteMemory(":memory:") as memory:
        memory.imprint("x", text, space=space)

        (hit,) = memory.recall(text, space=space)
        assert hit["text"] == text
        assert memory.recall(text, space=space + "!") == []
        assert memory.forget("x", space=space) == 1
        assert memory.recall(text, space=space) == []


@given(text=ANY)
def test_terms_hold_nothing_that_sqlite_reads(text):
    terms = [*indexed_terms(text), *(term for term, _ in query_terms(text, 99))]

    assert not set("".join(terms)) & set("\"'()*^:{}+- \x00\n\t")


@given(text=ANY)
def test_every_term_of_a_query_is_a_term_of_the_same_text(text):
    indexed = indexed_terms(text)

    for term, is_start in query_terms(text, 999):
        assert any(each.startswith(term) if is_start else each == term for each in indexed)


@given(
    operation=st.builds(Imprint, TEXT, space=TEXT, id=st.none() | TEXT.filter(bool))
    | st.builds(Recall, ANY, space=TEXT, limit=st.integers(1, 100))
    | st.builds(Forget, st.none() | TEXT.filter(bool), space=TEXT)
)
def test_an_operation_comes_back_from_the_input_of_a_task(operation):
    assert operation_of(input_of(operation)) == operation


@given(
    value=st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda each: (
            st.lists(each, max_size=3)
            | st.dictionaries(
                st.sampled_from(["op", "text", "query", "id", "space", "limit"]), each
            )
        ),
        max_leaves=6,
    )
)
def test_any_input_is_an_operation_or_one_line_that_says_what_is_wrong(value):
    try:
        operation_of(value)
    except ValueError as error:
        assert "\n" not in str(error)  # noqa: PT017  # most inputs are refused
