"""The file of a recording: what a slow, full or small one does, and who may read it."""

import errno
import gzip
import io
import json
import os
import stat
import threading
import zlib

import pytest

from cosmonapse.recordings import line_file
from cosmonapse.recordings.line_file import LineFile, new_file

LAST = '{"line":"end"}\n'


class Disk(io.BytesIO):
    """A file in memory, which may have to wait, or be full."""

    def __init__(self, room=None):
        super().__init__()
        self.room = room
        self.began, self.may_go = threading.Event(), threading.Event()
        self.may_go.set()
        self.content = b""

    def write(self, data):
        self.began.set()
        assert self.may_go.wait(10)
        if self.room is not None and len(self.content) >= self.room:
            raise OSError(errno.ENOSPC, "No space left on device")
        taken = bytes(data)[: None if self.room is None else self.room - len(self.content)]
        self.content += taken
        return len(taken)

    @property
    def lines(self):
        return self.content.decode().splitlines()


def made(disk, compresses=False, most_bytes=None):
    ends = []
    return LineFile(disk, compresses, most_bytes, ends.append), ends


def put(file, *texts):
    for text in texts:
        file.put_signal(1.0, len(text), lambda text=text: text + "\n")


def missed_of(disk):
    told = [json.loads(each) for each in disk.lines if '"missed"' in each]
    assert {each["by"] for each in told} <= {"file"}
    return sum(each["count"] for each in told)


def test_lines_are_written_in_order_and_the_last_one_last():
    disk = Disk()
    file, ends = made(disk)

    put(file, "a", "b")
    assert file.put(0, lambda: "table\n")
    put(file, "c")
    file.close(lambda: LAST)

    assert disk.lines == ["a", "b", "table", "c", LAST.strip()]
    assert (file.signals, file.lost, ends) == (3, 0, [])
    assert file.written_bytes == len(disk.content)


def test_what_a_slow_disk_cannot_take_is_counted_at_its_place(monkeypatch):
    monkeypatch.setattr(line_file, "MOST_WAITING", 2)
    disk = Disk()
    disk.may_go.clear()
    file, _ = made(disk)
    put(file, "first")
    assert disk.began.wait(10)

    put(file, "kept", "kept too", "lost", "lost too")
    assert not file.put(0, lambda: "table\n")
    disk.may_go.set()
    file.close(lambda: LAST)

    assert [each for each in disk.lines if '"' not in each] == ["first", "kept", "kept too"]
    assert (file.signals, file.lost, missed_of(disk)) == (3, 2, 2)
    assert disk.lines[3].startswith('{"line":"missed"')


def test_what_waits_is_bounded_in_bytes_too(monkeypatch):
    monkeypatch.setattr(line_file, "MOST_WAITING_BYTES", 100)
    disk = Disk()
    disk.may_go.clear()
    file, _ = made(disk)
    put(file, "first")
    assert disk.began.wait(10)

    put(file, "x" * 500, "y" * 50)
    disk.may_go.set()
    file.close(lambda: LAST)

    assert (file.signals, file.lost, missed_of(disk)) == (2, 1, 1)


def test_a_line_too_long_is_counted_and_not_written(monkeypatch):
    monkeypatch.setattr(line_file, "LONGEST_LINE", 100)
    disk = Disk()
    file, _ = made(disk)

    put(file, "x" * 200, "a")
    file.close(lambda: LAST)

    assert disk.lines[1:] == ["a", LAST.strip()]
    assert (file.signals, file.lost, missed_of(disk)) == (1, 1, 1)


def test_a_full_disk_is_told_once_and_keeps_what_fits():
    disk = Disk(room=10)
    file, ends = made(disk)

    put(file, *("line" for _ in range(10)))
    file.close(lambda: LAST)
    put(file, "more")

    assert [error.errno for error in ends] == [errno.ENOSPC]
    assert disk.content == b"line\nline\n"


def test_it_ends_at_its_size_with_a_last_line(monkeypatch):
    monkeypatch.setattr(line_file, "_PIECE_CHARS", 1)
    disk = Disk()
    file, ends = made(disk, most_bytes=10)

    put(file, *("line" for _ in range(10)))
    file.close(lambda: LAST)

    assert ends == [None]
    assert disk.lines == ["line", "line", LAST.strip()]
    assert file.signals == 2


def test_a_compressed_one_can_be_read_before_its_end(monkeypatch):
    monkeypatch.setattr(line_file, "_SYNC_EVERY_S", 0.0)
    disk = Disk()
    file, _ = made(disk, compresses=True)

    put(file, "a")
    while b"a" not in zlib.decompressobj(31).decompress(disk.content):
        assert disk.began.wait(10)
    put(file, "b")
    file.close(lambda: LAST)

    assert gzip.decompress(disk.content).decode() == "a\nb\n" + LAST


def test_a_new_file_is_for_its_user_alone(tmp_path):
    path = tmp_path / "a"

    new_file(str(path), replaces=False).close()

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with pytest.raises(FileExistsError):
        new_file(str(path), replaces=False)


def test_a_file_that_is_replaced_is_emptied_and_closed_to_others(tmp_path):
    path = tmp_path / "a"
    path.write_text("old")
    path.chmod(0o644)

    with new_file(str(path), replaces=True) as out:
        out.write(b"n")

    assert path.read_text() == "n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_device_may_be_written():
    with new_file(os.devnull, replaces=True) as out:
        out.write(b"n")
