"""A recording told again: what is chosen, since when, and what is missing."""

import io

from cosmonapse.doppler.failed import FailedOnly
from cosmonapse.doppler.formatter import LineFormatter
from cosmonapse.doppler.printing import Printing, each_line
from cosmonapse.doppler.signal_filter import SignalFilter
from cosmonapse.recordings.lines import missed_line
from cosmonapse.recordings.recorded_file import RecordedFile
from cosmonapse.recordings.retold import retell
from cosmonapse.signals import SignalType
from support.observed import observed, reply, task
from support.recorded import BEGAN_TS, heard, recording

ALL = SignalFilter().choose


def told(tmp_path, *lines, wanted=ALL, since_ts=None):
    """Return the lines that are printed, without their times."""
    out = io.StringIO()
    printing = Printing(each_line(LineFormatter()), lambda out, line: out.write(line + "\n"))
    file = RecordedFile(recording(tmp_path / "a", *lines))
    count = retell(file, wanted, out, printing, since_ts)
    lines = out.getvalue().splitlines()
    assert count == sum(not each.startswith("(") for each in lines)
    return [each if each.startswith("(") else each[14:] for each in lines]


def test_signals_are_printed_with_the_time_that_their_task_took(tmp_path):
    asked = task(payload={"input": {"prompt": "hello"}})

    lines = told(tmp_path, heard(0, asked), heard(2.5, reply(asked)))

    assert lines[0].split() == ["TASK", asked.signal.trace_id[:8], "worker", "hello"]
    assert "[2.50 s]" in lines[1]


def test_losses_and_faults_stand_at_their_place(tmp_path):
    plan = observed(payload={"steps": "a"})

    lines = told(
        tmp_path,
        heard(0, plan),
        missed_line(BEGAN_TS, 1_234, "way"),
        heard(1, observed()),
        "nothing\n",
        "cut",
    )

    assert lines[1] == "(1,234 Signals missed by the recording)"
    assert lines[3:] == [
        "(1 line is invalid, and not shown)",
        "(the end of the file is missing: shown up to its last whole line)",
    ]


def test_only_what_is_later_is_printed_but_all_is_known(tmp_path):
    asked = task()

    lines = told(tmp_path, heard(0, asked), heard(60, reply(asked)), since_ts=BEGAN_TS + 30)

    assert len(lines) == 1
    assert "[1 m 00 s]" in lines[0]


def test_what_failed_is_printed_below_what_it_failed_in(tmp_path):
    asked, good = task(), task()
    error = reply(asked, SignalType.ERROR, {"code": "BAD", "message": "no"})
    lines = [heard(n, each) for n, each in enumerate((asked, good, reply(good), error))]

    shown = told(tmp_path, *lines, wanted=FailedOnly(SignalFilter()))

    assert [each.split()[:2] for each in shown] == [
        ["TASK", asked.signal.trace_id[:8]],
        ["ERROR", asked.signal.trace_id[:8]],
    ]
