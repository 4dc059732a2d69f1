"""The pieces of artifacts that thoughts become, with what is missing."""

from cosmonapse.serve.a2a_thoughts import ThoughtPiece, ThoughtPieces
from cosmonapse.signals import Signal, SignalType


def thought(delta, kind=None):
    payload = {"delta": delta} | ({} if kind is None else {"kind": kind})
    return Signal(type=SignalType.THOUGHT_DELTA, payload=payload)


OUTPUT = Signal(type=SignalType.AGENT_OUTPUT, payload={"output": {}})


def test_thoughts_are_joined_to_one_piece_of_each_artifact():
    pieces = ThoughtPieces()
    for each in (thought("a"), thought("hm", "reasoning"), thought("b"), OUTPUT):
        pieces.take(each)

    assert pieces.has_news
    assert pieces.pop() == [
        ThoughtPiece("text", "ab", False),
        ThoughtPiece("reasoning", "hm", False),
    ]
    assert not pieces.has_news
    pieces.take(thought("c"))
    assert pieces.end() == [ThoughtPiece("text", "c", True)]
    assert pieces.text == "abc"


def test_a_piece_ends_at_a_gap_and_the_next_one_says_it_once():
    pieces = ThoughtPieces()
    pieces.take(thought("a"))
    pieces.take(thought("b"), 5)
    pieces.take(thought("c"))

    assert pieces.pop() == [ThoughtPiece("text", "a", False), ThoughtPiece("text", "bc", True, 5)]
    pieces.take(thought("d"))
    assert pieces.end() == [ThoughtPiece("text", "d", True)]


def test_at_the_end_each_artifact_that_has_begun_has_said_all_gaps():
    pieces = ThoughtPieces()
    pieces.take(thought("a"))
    pieces.take(thought("hm", "reasoning"))
    pieces.take(thought("b"), 5)
    pieces.take(OUTPUT, 2)

    assert pieces.end() == [
        ThoughtPiece("text", "a", False),
        ThoughtPiece("reasoning", "hm", False),
        ThoughtPiece("text", "b", True, 5),
        ThoughtPiece("text", "", True, 7),
        ThoughtPiece("reasoning", "", True, 7),
    ]
    assert pieces.missed == 7


def test_where_nothing_was_told_a_gap_makes_no_artifact():
    pieces = ThoughtPieces()
    pieces.take(OUTPUT, 3)

    assert (pieces.end(), pieces.missed) == ([], 3)
