"""The supervisor decides which process starts and ends; no process is started here."""

import math

import pytest

from cosmonapse.worker_runner.supervisor import (
    KILL_AFTER_S,
    Action,
    Failure,
    Notice,
    Supervisor,
    failure_in,
)

GRACE_S = 10.0


class Fleet:
    """A supervisor, with processes that do what a test says."""

    def __init__(self, count=1, reloads=False):
        self.supervisor = Supervisor(count, GRACE_S, reloads)
        self.now_s = 100.0
        self.reports = []
        self.started, self.ended, self.killed = [], [], []
        self.do("begin")

    def do(self, event, *arguments):
        """Pass an event on, and remember what is decided; return what is reported."""
        before = len(self.reports)
        for each in getattr(self.supervisor, event)(*arguments, self.now_s):
            if isinstance(each, Notice):
                self.reports.append(each)
            else:
                self._obey(each)
        return self.reports[before:]

    def _obey(self, action):
        assert isinstance(action, Action)
        chosen = {"start": self.started, "end": self.ended, "kill": self.killed}[action.what]
        chosen.append(action.number)
        if action.what == "start":
            self.supervisor.spawned(action.number, 1000 + action.number)

    def pass_time(self, seconds):
        self.now_s += seconds
        return self.do("due")

    def serve(self):
        """Let all that starts get ready, until nothing starts."""
        done = -1
        while done != len(self.started):
            done = len(self.started)
            for number in self.started:
                self.do("ready", number)
        return self


def whats(reports):
    return [each.what for each in reports]


def test_the_first_process_goes_alone_and_the_others_follow_when_it_is_ready():
    fleet = Fleet(3)
    assert fleet.started == [0]

    fleet.do("ready", 0)

    assert fleet.started == [0, 1, 2]
    assert fleet.reports == []
    fleet.do("ready", 1)
    (report,) = fleet.do("ready", 2)
    assert (report.what, report.pids) == ("serving", (1000, 1001, 1002))


def test_a_reload_ends_each_old_process_when_its_next_one_is_ready():
    fleet = Fleet(2).serve()
    fleet.now_s += 5.0

    fleet.do("changed", ["app.py"])
    assert (fleet.started[2:], fleet.ended) == ([2], [])
    fleet.now_s += 1.0
    fleet.do("ready", 2)
    assert (fleet.started[3:], fleet.ended) == ([3], [0])
    (report,) = fleet.do("ready", 3)

    assert fleet.ended == [0, 1]
    assert (report.what, report.reason, report.seconds) == ("reloaded", "app.py", 1.0)
    assert report.pids == (1002, 1003)


def test_code_that_does_not_get_ready_leaves_the_old_one_until_the_next_change():
    fleet = Fleet(2).serve()
    fleet.do("changed", ["app.py"])

    (report,) = fleet.do("ended", 2, "exited", Failure("app.py:1: SyntaxError"))

    assert (report.what, report.reason) == ("reload_failed", "app.py:1: SyntaxError")
    assert fleet.pass_time(100.0) == []
    assert (fleet.started, fleet.ended) == ([0, 1, 2], [])
    assert fleet.supervisor.next_at_s() == math.inf
    fleet.do("changed", ["app.py"])
    assert fleet.started[3:] == [3]


def test_a_change_during_a_reload_begins_it_anew_with_the_newest_code():
    fleet = Fleet().serve()
    fleet.do("changed", ["app.py"])
    fleet.do("changed", ["app.py"])

    assert (fleet.started, fleet.ended) == ([0, 1, 2], [1])
    fleet.do("ready", 1)  # it said so before it heard of its end
    assert fleet.ended == [1]
    assert whats(fleet.do("ready", 2)) == ["reloaded"]
    assert fleet.ended == [1, 0]


def test_a_crash_loop_backs_off_to_30_s_and_a_stable_process_begins_anew():
    fleet = Fleet().serve()
    delays = []
    for _ in range(8):
        (crashed,) = fleet.do("ended", fleet.started[-1], "exited with code 3", None)
        delays.append(crashed.seconds)
        assert fleet.pass_time(crashed.seconds - 0.01) == []
        fleet.pass_time(0.01)
        assert whats(fleet.do("ready", fleet.started[-1])) == ["again"]

    assert delays == [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]
    fleet.now_s += 10.0
    (crashed,) = fleet.do("ended", fleet.started[-1], "was ended by SIGKILL", None)
    assert (crashed.seconds, crashed.reason) == (0.5, "was ended by SIGKILL")


def test_five_crashes_before_it_was_ever_ready_end_the_runner_with_the_reason_once():
    fleet = Fleet(4)
    for number in range(5):
        fleet.pass_time(fleet.supervisor.next_at_s() - fleet.now_s if number else 0.0)
        fleet.do("ended", number, "exited", Failure("app.py:3: KeyError: 'DB'"))

    assert fleet.started == [0, 1, 2, 3, 4]
    assert [(each.what, each.reason) for each in fleet.reports] == [
        ("start_failed", "app.py:3: KeyError: 'DB'"),
        ("gave_up", ""),
    ]
    assert fleet.now_s == 102.0
    assert (fleet.supervisor.exit_code, fleet.supervisor.is_over) == (1, True)


def test_a_mistake_at_the_first_start_ends_the_runner_at_once():
    fleet = Fleet(2)

    (report,) = fleet.do("ended", 0, "exited", Failure("there is no module", 2, is_final=True))

    assert (report.what, report.reason) == ("gave_up", "there is no module")
    assert (fleet.supervisor.exit_code, fleet.supervisor.is_over) == (2, True)


def crash_five_times(fleet, failure):
    first = len(fleet.started) - 1
    for number in range(first, first + 5):
        fleet.pass_time(max(0.0, min(1.0, fleet.supervisor.next_at_s() - fleet.now_s)))
        fleet.do("ended", number, "exited", failure)


def test_five_crashes_are_told_with_their_traceback_once():
    fleet = Fleet()

    crash_five_times(fleet, Failure("app.py:3: KeyError", trace="Traceback ..."))

    assert [(each.what, each.trace) for each in fleet.reports] == [
        ("start_failed", ""),
        ("gave_up", "Traceback ..."),
    ]


def test_with_reload_a_mistake_waits_for_the_next_change_each_time_with_its_reason():
    fleet = Fleet(2, reloads=True)
    mistake = Failure("app.py:1: TypeError", 2, is_final=True)

    for number in (0, 1):
        (report,) = fleet.do("ended", number, "exited", mistake)

        assert (report.what, report.reason) == ("held", "app.py:1: TypeError")
        assert fleet.pass_time(100.0) == []
        assert fleet.supervisor.next_at_s() == math.inf
        assert fleet.supervisor.exit_code is None
        fleet.do("changed", ["app.py"])
    fleet.serve()

    assert whats(fleet.reports)[2:] == ["serving"]


def test_with_reload_five_crashes_wait_for_the_next_change_too():
    fleet = Fleet(reloads=True)

    crash_five_times(fleet, Failure("app.py:3: KeyError", trace="Traceback ..."))

    assert whats(fleet.reports) == ["start_failed", "held"]
    assert (fleet.started, fleet.supervisor.next_at_s()) == ([0, 1, 2, 3, 4], math.inf)
    fleet.do("changed", ["app.py"])
    assert whats(fleet.serve().reports)[2:] == ["serving"]


def test_with_reload_a_mistake_in_the_command_line_ends_the_runner():
    fleet = Fleet(reloads=True)

    (report,) = fleet.do(
        "ended", 0, "exited", Failure("no URL", 2, is_final=True, in_program=False)
    )

    assert (report.what, fleet.supervisor.exit_code) == ("gave_up", 2)
    assert fleet.supervisor.is_over


def test_a_runner_that_waits_for_a_change_ends_when_it_is_told_to():
    fleet = Fleet(reloads=True)
    fleet.do("ended", 0, "exited", Failure("app.py:1: TypeError", is_final=True))

    fleet.do("stop", 130)

    assert (fleet.supervisor.exit_code, fleet.supervisor.is_over) == (130, True)


def test_of_what_a_process_tells_the_unknown_is_left_out():
    assert failure_in({"reason": "no", "code": 2, "newer": 1}) == Failure("no", 2)


def test_a_crash_of_one_process_in_a_reload_that_works_is_tried_again():
    fleet = Fleet(2).serve()
    fleet.do("changed", ["app.py"])
    fleet.do("ready", 2)

    (report,) = fleet.do("ended", 3, "was ended by SIGKILL", None)

    assert (report.what, report.seconds) == ("start_failed", 0.5)
    assert fleet.ended == [0]
    fleet.pass_time(0.5)
    assert whats(fleet.do("ready", 4)) == ["reloaded"]
    assert fleet.ended == [0, 1]


def test_an_old_process_that_crashes_while_broken_code_waits_is_replaced_by_what_there_is():
    fleet = Fleet(2).serve()
    fleet.do("changed", ["app.py"])
    fleet.do("ended", 2, "exited", Failure("broken"))

    fleet.do("ended", 1, "was ended by SIGKILL", None)
    fleet.pass_time(30.0)

    assert fleet.started[3:] == [3]
    assert fleet.do("ended", 3, "exited", Failure("broken")) == []  # it was told
    assert 0.5 < fleet.supervisor.next_at_s() - fleet.now_s <= 30.0


def test_code_that_gets_ready_after_all_replaces_the_old_one_everywhere():
    fleet = Fleet(2).serve()
    fleet.do("changed", ["app.py"])
    fleet.do("ended", 2, "exited", Failure("no database"))
    fleet.do("ended", 1, "was ended by SIGKILL", None)
    fleet.pass_time(30.0)

    fleet.do("ready", 3)

    assert fleet.started[4:] == [4]
    assert whats(fleet.do("ready", 4)) == ["reloaded"]
    assert fleet.ended == [0]


def test_a_process_that_does_not_leave_in_its_grace_is_killed_once():
    fleet = Fleet().serve()
    fleet.do("changed", ["app.py"])
    fleet.do("ready", 1)
    assert fleet.supervisor.next_at_s() == fleet.now_s + GRACE_S + KILL_AFTER_S

    fleet.pass_time(GRACE_S + KILL_AFTER_S - 0.01)
    assert fleet.killed == []
    (killed,) = fleet.pass_time(0.01)
    assert fleet.pass_time(1.0) == []

    assert fleet.killed == [0]
    assert (killed.what, killed.pids) == ("killed", (1000,))


@pytest.mark.parametrize("code", [0, 130])
def test_a_stop_ends_all_and_a_second_one_kills_them(code):
    fleet = Fleet(2).serve()
    fleet.do("changed", ["app.py"])

    fleet.do("stop", code)
    assert (fleet.ended, fleet.supervisor.is_over) == ([0, 1, 2], False)
    fleet.do("stop", 1)
    assert fleet.killed == [0, 1, 2]
    for number in (0, 1, 2):
        assert fleet.do("ended", number, "was ended by SIGKILL", None) == []

    assert (fleet.supervisor.exit_code, fleet.supervisor.is_over) == (code, True)
    assert len(fleet.started) == 3
    assert fleet.do("changed", ["app.py"]) == []
