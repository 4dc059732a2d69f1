"""The Synapse's log: never in the way, and honest about what it does not show."""

import io
import threading
import time

import pytest

from cosmonapse.cli import log
from cosmonapse.synapse.peers import RoleNotice
from cosmonapse.synapse.server import Sighting
from support.processes import TIMEOUT_S


def seen(n=0, **fields):
    return Sighting(
        **{
            "namespace": "ns",
            "what": "TASK",
            "trace": f"{n:08}",
            "where": "w",
            "size_bytes": 7,
            **fields,
        }
    )


class Terminal(io.StringIO):
    """A stdout that stands still until it is let go; `writes` are what it took."""

    def __init__(self, stands_still=True):
        super().__init__()
        self.entered, self.go_on = threading.Event(), threading.Event()
        self.writes = []
        if not stands_still:
            self.go_on.set()

    def write(self, text):
        self.entered.set()
        self.go_on.wait(TIMEOUT_S)
        self.writes.append(text)
        return len(text)

    @property
    def lines(self):
        return "".join(self.writes).splitlines()


@pytest.fixture
def terminal(monkeypatch):
    """Put a terminal in the place of stdout."""

    def make(**settings):
        made = Terminal(**settings)
        monkeypatch.setattr("sys.stdout", made)
        return made

    return make


def test_everything_is_shown_in_order_when_the_terminal_moves(terminal):
    screen, signals = terminal(stands_still=False), log.SignalLog()
    for n in range(500):
        signals.note(seen(n))

    signals.close()

    assert [line.split()[2] for line in screen.lines] == [f"{n:08}" for n in range(500)]


def test_a_terminal_that_stands_still_stops_nobody_and_what_is_missing_is_counted(
    terminal, monkeypatch
):
    monkeypatch.setattr(log, "_QUEUE_LIMIT", 100)
    screen, signals = terminal(), log.SignalLog()
    signals.note(seen())
    assert screen.entered.wait(TIMEOUT_S)

    began_s = time.perf_counter()
    for n in range(10_000):
        signals.note(seen(n))
    took_s = time.perf_counter() - began_s
    screen.go_on.set()
    signals.close()

    assert took_s < TIMEOUT_S
    assert len(screen.lines) == 1 + 100 + 1
    assert screen.lines[-1] == "(9,900 Signals not shown: this terminal is too slow)"


def test_what_is_missing_is_told_once(terminal, monkeypatch):
    monkeypatch.setattr(log, "_QUEUE_LIMIT", 1)
    screen, signals = terminal(), log.SignalLog()
    signals.note(seen())
    assert screen.entered.wait(TIMEOUT_S)
    for n in range(3):
        signals.note(seen(n))
    screen.go_on.set()
    signals.close()

    assert sum("not shown" in line for line in screen.lines) == 1


def test_closing_waits_no_longer_than_it_says(terminal, monkeypatch):
    screen, signals = terminal(), log.SignalLog()
    monkeypatch.setattr(
        signals._thread, "join", lambda most_s, join=signals._thread.join: join(most_s / 50)
    )
    signals.note(seen())
    assert screen.entered.wait(TIMEOUT_S)

    began_s = time.perf_counter()
    signals.close()

    assert time.perf_counter() - began_s < TIMEOUT_S
    screen.go_on.set()


@pytest.mark.parametrize("error", [BrokenPipeError, OSError, ValueError])
def test_a_terminal_that_is_gone_ends_the_writing_and_nothing_else(error, terminal, monkeypatch):
    screen = terminal()

    def gone(text):
        screen.entered.set()
        raise error

    monkeypatch.setattr(screen, "write", gone)
    signals = log.SignalLog()
    signals.note(seen())
    assert screen.entered.wait(TIMEOUT_S)
    signals._thread.join(TIMEOUT_S)

    for n in range(20_000):
        signals.note(seen(n))
    signals.close()

    assert not signals._thread.is_alive()


def test_a_full_disk_is_told_once_and_the_synapse_runs_on(terminal, monkeypatch, capsys):
    screen = terminal()

    def full(text):
        screen.entered.set()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(screen, "write", full)
    signals = log.SignalLog()
    signals.note(seen())
    signals._thread.join(TIMEOUT_S)
    signals.close()

    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("the log of Signals has ended, the Synapse runs on: ")


class Echo(str):
    """A text that lets another sighting come whenever it is read, so that they never end."""

    __slots__ = ("again",)

    def __iter__(self):
        self.again()
        return super().__iter__()


def test_a_flood_that_does_not_end_is_shown_all_the_same(terminal, monkeypatch):
    monkeypatch.setattr(log, "_WAKE_S", 60.0)
    screen, signals = terminal(stands_still=False), log.SignalLog()
    left = [1_000]

    def again():
        left[0] -= 1
        if left[0] > 0:
            where = Echo("w")
            where.again = again
            signals.note(seen(where=where))

    again()
    signals._flush()
    after_one_turn = len(screen.lines)
    signals.close()

    assert after_one_turn == 1


def test_a_line_has_time_type_trace_place_size_and_namespace():
    line = log.line_of(0.1234, seen(where="worker", size_bytes=12_345))

    assert line.split()[0].endswith(".123")
    assert line.split()[1:] == ["TASK", "00000000", "worker", "12,345", "B", "ns"]


def test_the_columns_of_lines_stand_below_each_other():
    lines = [
        log.line_of(0, seen(what=what, trace=trace, where=where))
        for what, trace, where in [("TASK", "abcdefgh", "a"), ("AGENT_OUTPUT", "", "?chat,fr")]
    ]

    assert len({line.index(" B  ns") for line in lines}) == 1
    assert not any(line.endswith(" ") for line in lines)


@pytest.mark.parametrize("where", ["\x1b[2J", "a\nb", "\x9b31m", "\u202e", "\x07", "\ud800", "é\r"])
def test_a_line_is_one_line_and_steers_no_terminal(where):
    line = log.line_of(0, seen(where=where))

    assert line.isprintable()
    assert len(line.splitlines()) == 1


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("", ""),
        ("plain text, é, 日本", "plain text, é, 日本"),
        ("\x1b[31mred", r"\x1b[31mred"),
        ("a\nb\tc\r", r"a\nb\tc\r"),
        ("\x7f\x9b", r"\x7f\x9b"),
        ("\u202e\u2028", r"\u202e\u2028"),
        ("\ud800", r"\ud800"),
    ],
)
def test_printable_escapes_what_could_steer_a_terminal_and_nothing_else(text, shown):
    assert log.printable(text) == shown


def test_a_change_of_the_leader_stands_among_the_lines_of_signals():
    line = log.role_line_of(0.0, RoleNotice("this Synapse leads"))
    warning = log.role_line_of(0.0, RoleNotice("there may be\x1b two", is_warning=True))

    assert line.endswith("  ROLE                 this Synapse leads")
    assert "  WARNING  " in warning
    assert "\x1b" not in warning
