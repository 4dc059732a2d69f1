"""A reader that is slow loses its own oldest and is told; one that goes away ends the printing."""

import io
import re
import threading

import pytest

from cosmonapse.doppler import printing
from cosmonapse.doppler.printing import Printer, Printing, each_line
from support.observed import observed


class SlowReader(io.StringIO):
    """Takes nothing until it is let go; keeps what it got when it is closed."""

    def __init__(self):
        super().__init__()
        self.began, self.may_go = threading.Event(), threading.Event()
        self.got = ""

    def write(self, text):
        self.began.set()
        assert self.may_go.wait(10)
        return super().write(text)

    def close(self):
        self.got = self.getvalue()
        super().close()


def name_of(said):
    return str(said.signal.payload["n"])


def tell(out, line):
    out.write(f"{line}\n")


NAMES = Printing(each_line(name_of), tell)


def test_a_slow_reader_loses_its_oldest_and_is_told_how_many(monkeypatch):
    monkeypatch.setattr(printing, "MOST_WAITING", 10)
    reader = SlowReader()
    printer = Printer(reader, NAMES, lambda error: None)

    printer.put(observed(payload={"n": "first"}))
    assert reader.began.wait(10)
    for n in range(13):
        printer.put(observed(payload={"n": n}))
    reader.may_go.set()
    printer.close()

    assert reader.got.splitlines() == [
        "first",
        "(3 Signals not shown: this reader is too slow)",
        *map(str, range(3, 13)),
    ]


def test_what_waits_is_bounded_in_bytes_too(monkeypatch):
    monkeypatch.setattr(printing, "MOST_WAITING_BYTES", 1_000)
    reader = SlowReader()
    printer = Printer(reader, NAMES, lambda error: None)

    printer.put(observed(payload={"n": "first"}))
    assert reader.began.wait(10)
    for n in range(3):
        printer.put(observed(payload={"n": n, "text": "x" * 900}))
    reader.may_go.set()
    printer.close()

    assert reader.got.splitlines()[-1] == "2"
    assert "(2 Signals not shown: this reader is too slow)" in reader.got


def test_signals_that_never_came_are_told():
    reader = SlowReader()
    reader.may_go.set()
    printer = Printer(reader, NAMES, lambda error: None)

    printer.missed(1_000)
    printer.missed(234)
    printer.close()

    told = re.findall(r"\(([\d,]+) Signals missed on the way here\)", reader.got)
    assert sum(int(each.replace(",", "")) for each in told) == 1_234


@pytest.mark.parametrize("fault", [BrokenPipeError(), ValueError("closed")])
def test_a_reader_that_is_gone_ends_the_printing(fault):
    class Gone(io.StringIO):
        def write(self, text):
            raise fault

    gone = threading.Event()
    printer = Printer(Gone(), NAMES, lambda error: gone.set())

    printer.put(observed(payload={"n": 0}))

    assert gone.wait(10)
    printer.close()


def test_a_note_stands_between_the_signals():
    reader = SlowReader()
    printer = Printer(reader, NAMES, lambda error: None)

    printer.put(observed(payload={"n": "first"}))
    assert reader.began.wait(10)
    printer.note("the Synapse is away")
    printer.put(observed(payload={"n": "last"}))
    reader.may_go.set()
    printer.close()

    assert reader.got.splitlines() == ["first", "the Synapse is away", "last"]
