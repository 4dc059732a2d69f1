"""The whole lines of a file: cut anywhere, compressed or not, never with one that is too long."""

import gzip

import pytest

from cosmonapse.recordings import whole_lines
from cosmonapse.recordings.whole_lines import WholeLines

TEXT = b"".join(b"line %d\n" % n for n in range(500))


def pieces(data, size):
    return [data[at : at + size] for at in range(0, len(data), size)]


def read(data, size=7, longest=1_000):
    whole = WholeLines(longest)
    return list(whole.of(pieces(data, size))), whole


@pytest.mark.parametrize("size", [1, 2, 3, 64, 10_000])
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_every_line_is_read_whatever_the_pieces(size, pack):
    lines, whole = read(pack(TEXT), size)

    assert lines == TEXT.split(b"\n")[:-1]
    assert (whole.is_cut, whole.too_long) == (False, 0)


@pytest.mark.parametrize("missing", [1, 2, 8, 100])
def test_of_a_file_that_is_cut_the_whole_lines_are_read(missing):
    plain, of_plain = read(TEXT[:-missing])
    packed, of_packed = read(gzip.compress(TEXT)[:-missing])

    all_lines = TEXT.split(b"\n")[:-1]
    assert plain == all_lines[: len(plain)]
    assert packed == all_lines[: len(packed)]
    assert len(plain) >= 480
    assert (of_plain.is_cut, of_packed.is_cut) == (True, True)


def test_bytes_that_are_no_gzip_end_it_there():
    data = gzip.compress(b"one\ntwo\n")

    lines, whole = read(data + b"\x1f\x8bnothing")

    assert lines == [b"one", b"two"]
    assert whole.is_cut


def test_files_of_gzip_may_stand_one_behind_the_other():
    lines, whole = read(gzip.compress(b"one\n") + gzip.compress(b"two\n"))

    assert (lines, whole.is_cut) == ([b"one", b"two"], False)


def test_a_line_that_is_too_long_is_counted_and_the_next_one_is_read():
    lines, whole = read(b"a\n" + b"x" * 5_000 + b"\nb\n" + b"y" * 1_001 + b"\nc\n")

    assert (lines, whole.too_long, whole.is_cut) == ([b"a", b"b", b"c"], 2, False)


def test_an_end_without_a_line_end_that_is_too_long_is_a_cut():
    lines, whole = read(b"a\n" + b"x" * 5_000)

    assert (lines, whole.is_cut) == ([b"a"], True)


def test_little_that_unpacks_to_much_comes_in_pieces(monkeypatch):
    monkeypatch.setattr(whole_lines, "_PIECE_BYTES", 1_000)
    packed = gzip.compress(b"z" * 1_000_000 + b"\nend\n")

    lines, whole = read(packed, size=100_000)

    assert (lines, whole.too_long) == ([b"end"], 1)


def test_an_empty_file_has_no_lines():
    lines, whole = read(b"")

    assert (lines, whole.is_cut) == ([], False)
