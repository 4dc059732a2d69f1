"""A recording on disk: its lines, its end, and what is wrong with it."""

import gzip

import pytest

from cosmonapse.recordings.lines import Heard, NoRecording, end_line
from cosmonapse.recordings.recorded_file import RecordedFile, faults_of
from support.observed import observed
from support.recorded import BEGAN_TS, header, heard, recording


def test_the_lines_come_in_order_and_can_be_read_again(tmp_path):
    seen = [observed(payload={"n": n}) for n in range(3)]
    lines = [heard(n, each) for n, each in enumerate(seen)]
    file = RecordedFile(recording(tmp_path / "a", *lines, end_line(BEGAN_TS + 9, 3)))

    for _ in range(2):
        *found, end = file.lines()
        assert [each.observed for each in found] == seen
        assert end.signals == 3
    assert file.header == header()
    assert file.last_ts() == BEGAN_TS + 9
    assert faults_of(file) == []


def test_lines_that_are_invalid_are_counted_and_the_others_read(tmp_path):
    path = tmp_path / "a"
    recording(path, heard(0, observed()), "{}\n", "nothing\n", heard(1, observed()))
    with path.open("a") as end:
        end.write('{"line":"sig')

    file = RecordedFile(str(path))
    found = list(file.lines())

    assert [isinstance(each, Heard) for each in found] == [True, False, False, True]
    assert faults_of(file) == [
        "2 lines are invalid, and not shown",
        "the end of the file is missing: shown up to its last whole line",
    ]


def test_a_line_too_long_is_counted(tmp_path, monkeypatch):
    monkeypatch.setattr("cosmonapse.recordings.recorded_file.LONGEST_LINE", 1_000)
    file = RecordedFile(recording(tmp_path / "a", "x" * 2_000 + "\n"))

    assert list(file.lines()) == []
    assert faults_of(file) == ["1 line is invalid, and not shown"]


def test_a_compressed_one_is_known_by_its_content(tmp_path):
    plain = recording(tmp_path / "a", heard(5, observed()))
    packed = tmp_path / "b"
    packed.write_bytes(gzip.compress((tmp_path / "a").read_bytes()))

    assert list(RecordedFile(str(packed)).lines()) == list(RecordedFile(plain).lines())
    assert RecordedFile(str(packed)).last_ts() == BEGAN_TS + 5


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "it has no whole line"),
        (b'{"line":"recording"', "it has no whole line"),
        (b"\x1f\x8bxyz", "it has no whole line"),
        (b"some text\n", "it is no recording"),
        (b"\x00" * 10_000 + b"\n", "it is no recording"),
    ],
)
def test_what_is_no_recording_is_refused(tmp_path, content, said):
    path = tmp_path / "a"
    path.write_bytes(content)

    with pytest.raises(NoRecording, match=said):
        RecordedFile(str(path))


def test_a_time_that_nobody_can_mean_does_not_move_the_end(tmp_path):
    odd = '{"line":"signal","at":99999999999999999999}\n{"line":"signal","at":"x"}\n'

    assert RecordedFile(recording(tmp_path / "a", odd)).last_ts() == BEGAN_TS
