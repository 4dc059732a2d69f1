"""However characters and bodies of a provider are cut, they mean the same."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from cosmonapse.neurons.body_kind import kind_of
from cosmonapse.neurons.characters import CharacterJoiner, valid

ANY_TEXT = st.text(
    st.characters() | st.sampled_from(["\ud83d", "\udc0e", "\udcf0", "\udc9f"]), max_size=20
)
CUTS = st.lists(st.integers(0, 40), max_size=6)
STARTS = st.sampled_from(
    [b"data", b"data:", b"event: x\n", b"\xef\xbb\xbf", b"{", b" ", b"\n", b":"]
)
BODIES = st.lists(STARTS | st.binary(max_size=4), max_size=6).map(b"".join)


def pieces_of(whole, cuts):
    edges = [0, *sorted(min(cut, len(whole)) for cut in cuts), len(whole)]
    return [whole[start:end] for start, end in pairwise(edges)]


def joined(texts):
    joiner = CharacterJoiner()
    pieces = [*map(joiner.join, texts), joiner.end()]
    "".join(pieces).encode()
    return pieces


@given(text=st.text(), cuts=CUTS)
def test_halves_of_utf_16_are_joined_wherever_it_is_cut(text, cuts):
    units = text.encode("utf-16-le")
    halves = [
        units[at : at + 2].decode("utf-16-le", "surrogatepass") for at in range(0, len(units), 2)
    ]

    assert "".join(joined("".join(piece) for piece in pieces_of(halves, cuts))) == text


@given(text=st.text(), cuts=CUTS)
def test_bytes_of_utf_8_are_joined_wherever_it_is_cut(text, cuts):
    pieces = pieces_of(text.encode(), cuts)

    assert "".join(joined(piece.decode(errors="surrogateescape") for piece in pieces)) == text


@given(texts=st.lists(ANY_TEXT, max_size=6))
def test_every_piece_is_valid_and_a_cut_changes_nothing(texts):
    pieces = joined(texts)

    for piece in pieces:
        piece.encode()
    assert "".join(pieces) == valid("".join(texts))


@given(body=BODIES)
def test_a_body_has_one_kind_once_it_is_known(body):
    kinds = [kind_of(body[:cut], ended=False) for cut in range(len(body) + 1)]
    known = {kind for kind in kinds if kind is not None}

    assert known <= {kind_of(body, ended=True)}
