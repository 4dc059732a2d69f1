"""Streams on a terminal: each is one line that grows, and everything else scrolls above them."""

import re

import pytest

from cosmonapse import SignalType
from cosmonapse.doppler.formatter import LineFormatter
from cosmonapse.doppler.live_streams import MOST_STREAMS, LiveStreams
from support.observed import observed

STEPS = re.compile(r"\x1b\[(\d+)A|\x1b\[J|\r|\n|[^\x1b\r\n]+")


class Terminal:
    """As much of a terminal as is used: text, line ends, up, and erase to the end."""

    def __init__(self, columns=100, rows=24):
        self.size = (columns, rows)
        self.lines, self.row = [""], 0

    def write(self, text):
        assert STEPS.sub("", text) == ""
        for step in STEPS.finditer(text):
            if step[1]:
                self.row -= int(step[1])
                assert self.row >= 0
            elif step[0] == "\x1b[J":
                self.lines = [*self.lines[: self.row], ""]
            elif step[0] == "\n":
                self.row += 1
                self.lines += [""] * (self.row + 1 - len(self.lines))
            elif step[0] != "\r":
                self.lines[self.row] += step[0]

    @property
    def shown(self):
        return [line.split("  ")[-1].strip() for line in self.lines[:-1]]


@pytest.fixture
def terminal():
    return Terminal()


@pytest.fixture
def live(terminal):
    return LiveStreams(LineFormatter(lambda: terminal.size[0]), lambda: terminal.size)


def piece(text, trace, neuron="writer"):
    return observed(SignalType.THOUGHT_DELTA, {"delta": text}, neuron=neuron, trace_id=trace)


def final(trace, text="done", neuron="writer", type=SignalType.AGENT_OUTPUT):
    return observed(type, {"output": text, "code": text}, neuron=neuron, trace_id=trace)


A, B = "trc_" + "a" * 26, "trc_" + "b" * 26


def test_the_pieces_of_a_stream_are_one_line(terminal, live):
    for text in ("Be", "cause ", "of it"):
        terminal.write(live.render([piece(text, A)]))
    terminal.write(live.render([piece(".", A), final(A)]))

    assert terminal.shown == ["Because of it.", "done"]


def test_two_streams_at_a_time_grow_side_by_side_below_everything_else(terminal, live):
    terminal.write(live.render([piece("a1", A), piece("b1", B)]))
    terminal.write(live.render([final("trc_" + "c" * 26, "other"), piece("a2", A)]))
    terminal.write(live.insert("a report"))
    assert terminal.shown == ["other", "a report", "a1a2", "b1"]

    terminal.write(live.render([piece("b2", B), final(A, "done a")]))

    assert terminal.shown == ["other", "a report", "a1a2", "done a", "b1b2"]


def test_two_neurons_of_one_trace_have_a_line_each_until_the_trace_fails(terminal, live):
    terminal.write(
        live.render([piece("x", A), piece("y", A, "painter"), final(A, neuron="writer")])
    )
    assert terminal.shown == ["x", "done", "y"]

    terminal.write(live.render([final(A, "X", neuron=None, type=SignalType.ERROR)]))

    assert terminal.shown[:3] == ["x", "done", "y"]


def test_of_too_many_streams_the_oldest_stops_growing(terminal, live):
    traces = [f"trc_{n:026d}" for n in range(MOST_STREAMS + 2)]

    terminal.write(live.render([piece(f"s{n}", trace) for n, trace in enumerate(traces)]))
    terminal.write(live.render([piece("again", traces[0])]))

    assert terminal.shown[:3] == ["s0", "s1", "s2"]
    assert terminal.shown[-1] == "again"


@pytest.mark.parametrize("rows", [1, 2, 3, 5])
def test_a_low_terminal_never_goes_up_beyond_its_top(rows, terminal, live):
    terminal.size = (100, rows)

    for n in range(10):
        terminal.write(live.render([piece(f"s{n}", f"trc_{n:026d}")]))

    assert terminal.shown == [f"s{n}" for n in range(10)]


def test_a_long_stream_shows_its_end_in_one_line(terminal, live):
    terminal.write(live.render([piece("word " * 1_000, A)]))
    terminal.write(live.render([piece("and the end", A)]))

    (line,) = terminal.lines[:-1]
    assert len(line) == 100
    assert line.endswith("and the end")


def test_a_terminal_that_became_narrow_has_wrapped_lines_to_erase(terminal, live):
    live.render([piece("word " * 1_000, A)])
    terminal.size = (30, 24)

    assert live.render([piece("end", A)]).startswith("\x1b[4A\r\x1b[J")


def test_colours_take_no_cells(terminal):
    styled = LineFormatter(lambda: 100, lambda text, type: f"\x1b[36m{text}\x1b[0m")
    live = LiveStreams(styled, lambda: (100, 24))

    live.render([piece("word " * 1_000, A)])

    assert live.render([piece("end", A)]).startswith("\x1b[1A\r\x1b[J")
