"""Who leads: each rule of docs/spec/12-failover.md, "Taking over" and "Stepping down"."""

import pytest

from zmq_transport.failover.election import ANSWER_S, ASKED_S, YIELD_S, Decision, Election
from zmq_transport.failover.others import HEARD_S
from zmq_transport.wire.role_messages import MAX_TERM, ProxyRole, RoleReport

NOW_S = 0.0
LOW, OWN, HIGH = b"a" * 16, b"m" * 16, b"z" * 16
TAKES_OVER = [Decision.TAKE_OVER, Decision.REPORT]
STEPS_DOWN = [Decision.STEP_DOWN, Decision.REPORT]


def report(who=HIGH, role=ProxyRole.STANDBY, term=0, **fields):
    return RoleReport(who, term, role, **fields)


def standby(places=1):
    return Election(OWN, places, NOW_S)


def leader(places=1, at_s=NOW_S):
    """Return one that leads term 1; its other places are closed."""
    one = standby(places)
    for place in range(places):
        one.on_closed(place, at_s)
    assert one.on_asked(True, at_s) == TAKES_OVER
    one.on_asked(False, at_s)
    return one


# -- taking over ---------------------------------------------------------------------------------


def test_it_stands_by_in_term_0_at_first():
    one = standby()

    assert (one.role, one.term, one.half, one.is_asked) == (ProxyRole.STANDBY, 0, False, False)


def test_one_that_nobody_asks_never_takes_over():
    one = standby()
    one.on_closed(0, NOW_S)

    assert not one.tick(NOW_S + 3600)


def test_it_takes_over_at_once_when_it_is_asked_and_the_other_is_closed():
    one = standby()
    one.on_closed(0, NOW_S)

    assert one.on_asked(True, NOW_S) == TAKES_OVER
    assert (one.role, one.term, one.half) == (ProxyRole.LEADER, 1, False)


def test_it_takes_over_at_once_when_the_port_refuses_while_it_is_asked():
    one = standby()
    one.on_report(report(role=ProxyRole.LEADER, term=4), NOW_S, 0)
    one.on_asked(True, NOW_S)

    assert one.on_closed(0, NOW_S) == TAKES_OVER
    assert one.term == 5


def test_that_it_is_asked_is_reported_at_once_and_when_it_is_over():
    one = standby()

    assert one.on_asked(True, NOW_S) == [Decision.REPORT]
    assert one.is_asked
    assert one.on_asked(True, NOW_S + 0.1) == []
    assert one.on_asked(False, NOW_S + 0.2) == []
    one.on_report(report(role=ProxyRole.LEADER, term=1), NOW_S + 0.5, 0)
    assert one.tick(NOW_S + 0.2 + ASKED_S) == [Decision.REPORT]
    assert not one.is_asked


def test_a_client_that_asked_and_left_counts_for_a_second():
    one = standby()
    one.on_asked(True, NOW_S)
    one.on_asked(False, NOW_S)

    assert one.on_closed(0, NOW_S + ASKED_S - 0.01) == TAKES_OVER

    other = standby()
    other.on_asked(True, NOW_S)
    other.on_asked(False, NOW_S)
    other.on_report(report(role=ProxyRole.LEADER), NOW_S, 0)
    other.tick(NOW_S + ASKED_S)

    assert other.on_closed(0, NOW_S + ASKED_S) == []


def test_it_never_takes_over_while_a_leader_is_heard():
    one = standby(2)
    one.on_report(report(role=ProxyRole.LEADER, term=1), NOW_S, 0)
    one.on_closed(1, NOW_S)

    assert one.on_asked(True, NOW_S) == [Decision.REPORT]
    assert one.tick(NOW_S + HEARD_S - 0.01) == []


def test_it_takes_over_from_a_leader_that_fell_silent():
    one = standby()
    one.on_report(report(role=ProxyRole.LEADER, term=3), NOW_S, 0)
    one.on_asked(True, NOW_S)

    assert one.tick(NOW_S + HEARD_S) == TAKES_OVER
    assert (one.term, one.half) == (4, True)


def test_it_takes_over_from_a_leader_that_leaves():
    one = standby()
    one.on_report(report(role=ProxyRole.LEADER, term=3), NOW_S, 0)
    one.on_report(report(role=ProxyRole.LEAVING, term=3), NOW_S, 0)

    assert one.on_asked(True, NOW_S) == TAKES_OVER


def test_it_waits_for_those_that_it_has_never_heard():
    one = standby(2)
    one.on_report(report(), NOW_S, 0)

    assert one.on_asked(True, NOW_S) == [Decision.REPORT]
    one.on_report(report(), NOW_S + HEARD_S - 0.02, 0)
    assert one.tick(NOW_S + HEARD_S - 0.01) == []
    assert one.tick(NOW_S + HEARD_S) == TAKES_OVER


def test_one_standby_goes_ahead_of_another_with_a_higher_id():
    one = standby()
    one.on_report(report(HIGH, asked=True), NOW_S, 0)

    assert one.on_asked(True, NOW_S) == TAKES_OVER


def test_it_lets_a_standby_with_a_lower_id_go_ahead_for_a_moment():
    one = standby()
    one.on_report(report(LOW, asked=True), NOW_S, 0)

    assert one.on_asked(True, NOW_S) == [Decision.REPORT]
    assert one.tick(NOW_S + YIELD_S - 0.01) == []
    assert one.tick(NOW_S + YIELD_S) == TAKES_OVER


def test_a_standby_with_a_lower_id_that_nobody_asked_does_not_go_ahead():
    one = standby()
    one.on_report(report(LOW), NOW_S, 0)

    assert one.on_asked(True, NOW_S) == TAKES_OVER


def test_each_standby_with_a_lower_id_has_a_moment_of_its_own():
    one = standby(2)
    one.on_report(report(b"b" * 16, asked=True), NOW_S, 0)
    one.on_report(report(HIGH), NOW_S, 1)
    one.on_asked(True, NOW_S)
    one.on_report(report(LOW, asked=True), NOW_S + 0.2, 1)

    assert one.tick(NOW_S + YIELD_S) == []
    assert one.tick(NOW_S + 0.2 + YIELD_S) == TAKES_OVER


def test_a_term_is_above_all_that_were_heard():
    one = standby(2)
    one.on_report(report(term=7), NOW_S, 0)
    one.on_report(report(LOW, term=3), NOW_S, 1)

    assert one.term == 7
    assert one.on_asked(True, NOW_S) == TAKES_OVER
    assert one.term == 8


def test_there_is_a_last_term_and_it_is_taken_again():
    one = standby()
    one.on_report(report(term=MAX_TERM), NOW_S, 0)
    one.on_asked(True, NOW_S)

    assert one.term == MAX_TERM


def test_one_that_is_asked_to_stop_takes_over_no_more():
    one = standby()
    one.on_closed(0, NOW_S)

    assert one.on_stop(NOW_S) == []
    assert one.on_asked(True, NOW_S) == [Decision.REPORT]


def test_those_who_wait_are_told_when_a_leader_reports():
    one = standby()
    one.on_report(report(role=ProxyRole.LEADER, term=1), NOW_S, 0)
    one.on_asked(True, NOW_S)

    assert one.on_report(report(role=ProxyRole.LEADER, term=1), NOW_S, 0) == [Decision.LEADER_HEARD]
    one.on_asked(False, NOW_S)
    assert one.on_report(report(role=ProxyRole.LEADER, term=1), NOW_S, 0) == []


def test_the_last_words_of_a_leader_that_has_ended_tell_nobody_that_one_leads():
    one = standby(2)
    one.on_report(report(role=ProxyRole.LEADER, term=1), NOW_S, 0)
    one.on_asked(True, NOW_S)
    one.on_closed(0, NOW_S + 0.1)

    assert one.on_report(report(role=ProxyRole.LEADER, term=1), NOW_S + 0.1) == []


def test_a_report_of_its_own_is_of_nobody():
    one = standby()

    assert one.on_report(report(OWN, ProxyRole.LEADER, 9), NOW_S, 0) == []
    assert one.term == 0
    assert one.on_asked(True, NOW_S) == TAKES_OVER  # there is no other


# -- stepping down -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("who", "term", "decisions"),
    [
        (HIGH, 2, STEPS_DOWN),
        (LOW, 2, STEPS_DOWN),
        (LOW, 1, STEPS_DOWN),
        (HIGH, 1, []),
        (LOW, 0, []),
    ],
)
def test_the_higher_term_stays_and_of_one_term_the_lower_id(who, term, decisions):
    one = leader()

    assert one.on_report(report(who, ProxyRole.LEADER, term), NOW_S, 0) == decisions


@pytest.mark.parametrize("role", [ProxyRole.STANDBY, ProxyRole.LEAVING])
def test_a_leader_steps_down_for_another_leader_only(role):
    one = leader()

    assert one.on_report(report(LOW, role, 9), NOW_S, 0) == []


def test_a_leader_goes_on_to_report_the_term_that_it_leads():
    one = leader()
    one.on_report(report(LOW, ProxyRole.STANDBY, 9), NOW_S, 0)

    assert one.term == 1


def test_one_that_stepped_down_stands_by_and_knows_the_highest_term():
    one = leader()
    one.on_report(report(LOW, ProxyRole.LEADER, 9), NOW_S, 0)

    assert one.role is ProxyRole.LEAVING
    assert one.tick(NOW_S + 0.5) == []
    one.on_report(report(LOW, ProxyRole.LEADER, 9), NOW_S + 1, 0)
    assert one.on_stood_down(NOW_S + 1) == [Decision.REPORT]
    assert (one.role, one.term, one.is_asked) == (ProxyRole.STANDBY, 9, False)


def test_it_takes_over_again_above_the_term_for_which_it_stepped_down():
    one = leader()
    one.on_report(report(LOW, ProxyRole.LEADER, 9), NOW_S, 0)
    one.on_stood_down(NOW_S)
    one.on_asked(True, NOW_S)

    assert one.on_closed(0, NOW_S) == TAKES_OVER
    assert one.term == 10


def test_a_leader_that_is_asked_to_stop_reports_that_it_leaves():
    one = leader()

    assert one.on_stop(NOW_S) == [Decision.REPORT]
    assert one.role is ProxyRole.LEAVING
    assert one.on_report(report(LOW, ProxyRole.LEADER, 9), NOW_S, 0) == []


# -- halves --------------------------------------------------------------------------------------


def test_a_leader_is_a_half_while_another_proxy_is_silent():
    one = leader()
    one.on_report(report(), NOW_S, 0)

    assert one.tick(NOW_S + HEARD_S) == [Decision.HALF]
    assert one.half
    assert one.tick(NOW_S + 60) == []
    assert one.on_report(report(), NOW_S + 60, 0) == [Decision.HALF]
    assert not one.half


def test_a_leader_is_whole_while_the_others_are_closed():
    one = leader(2)

    assert one.tick(NOW_S + 3600) == []
    assert not one.half


def test_a_silent_one_whose_port_refuses_makes_the_leader_whole():
    one = leader()
    one.on_report(report(), NOW_S, 0)
    one.tick(NOW_S + HEARD_S)

    assert one.on_closed(0, NOW_S + 2) == [Decision.HALF]
    assert not one.half


# -- a standstill --------------------------------------------------------------------------------


def test_a_leader_that_stood_still_waits_for_an_answer_to_a_report_of_since():
    one = leader()
    one.on_report(report(), NOW_S, 0, 3)

    assert one.on_stood_still(NOW_S + 5, 7) == [Decision.REPORT]
    assert one.holds
    one.on_report(report(), NOW_S + 5, 0, 6)
    one.on_report(report(), NOW_S + 5, None, 9)
    assert one.holds
    one.on_report(report(), NOW_S + 5, 0, 7)
    assert not one.holds


def test_a_leader_that_stood_still_waits_for_each_of_the_others():
    one = leader(3)
    one.on_stood_still(NOW_S + 5, 7)
    one.on_report(report(LOW), NOW_S + 5, 0, 7)
    one.on_closed(1, NOW_S + 5)

    assert one.holds
    assert one.tick(NOW_S + 5 + ANSWER_S - 0.01) == []
    assert one.holds
    assert one.tick(NOW_S + 5 + ANSWER_S) == [Decision.HALF]
    assert not one.holds


def test_that_a_port_was_closed_before_a_standstill_proves_nothing():
    one = leader()
    one.on_stood_still(NOW_S + 5, 7)

    assert one.holds


def test_a_leader_that_was_replaced_meanwhile_steps_down():
    one = leader()
    one.on_stood_still(NOW_S + 5, 7)

    assert one.on_report(report(LOW, ProxyRole.LEADER, 2), NOW_S + 5, 0, 7) == STEPS_DOWN
    assert not one.holds


def test_a_standby_that_stood_still_does_not_take_its_own_deafness_for_silence():
    one = standby()
    one.on_report(report(role=ProxyRole.LEADER, term=1), NOW_S, 0)
    one.on_stood_still(NOW_S + 5, 7)

    assert not one.holds
    assert one.on_asked(True, NOW_S + 5) == [Decision.REPORT]
    assert one.tick(NOW_S + 5 + HEARD_S) == TAKES_OVER
