"""Characters that were cut in two."""

import pytest

from cosmonapse.neurons.characters import CharacterJoiner, valid


def joined(*texts):
    joiner = CharacterJoiner()
    return [*map(joiner.join, texts), joiner.end()]


@pytest.mark.parametrize(
    ("texts", "result"),
    [
        (["a", "ž🐎"], ["a", "ž🐎", ""]),
        (["\ud83d", "\udc0e"], ["", "🐎", ""]),
        (["a\ud83d", "\udc0eb"], ["a", "🐎b", ""]),
        (["\ud83d\udc0e"], ["🐎", ""]),
        (["\ud83d", "a"], ["", "\ufffda", ""]),
        (["\ud83d", "", "\udc0e"], ["", "", "🐎", ""]),
        (["\ud83d", "\ud83d", "\udc0e"], ["", "\ufffd", "🐎", ""]),
        (["\ud83d"], ["", "\ufffd"]),
        (["\udc0e"], ["\ufffd", ""]),
    ],
)
def test_halves_are_joined_and_what_stays_alone_is_replaced(texts, result):
    assert joined(*texts) == result


@pytest.mark.parametrize(
    ("pieces", "result"),
    [
        ([b"\xf0", b"\x9f", b"\x90\x8e"], ["", "", "🐎", ""]),
        ([b"\xc5", b"a"], ["", "\ufffda", ""]),
        ([b"\xc5", b"\xf0\x9f\x90\x8e"], ["", "\ufffd🐎", ""]),
        ([b"a\xff"], ["a\ufffd", ""]),
        ([b"\xf0\x9f"], ["", "\ufffd"]),
    ],
)
def test_bytes_of_a_character_are_joined_too(pieces, result):
    texts = [piece.decode(errors="surrogateescape") for piece in pieces]

    assert joined(*texts) == result


def test_a_text_is_made_valid_at_once():
    assert valid("\ud83d\udc0e\ud83d") == "🐎\ufffd"
