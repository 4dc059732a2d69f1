"""What one proxy knows of the others."""

import pytest

from zmq_transport.failover.others import HEARD_S, LATE_S, MAX_IDS, Others, Standing
from zmq_transport.wire.role_messages import ProxyRole, RoleReport

NOW_S = 0.0
A, B, C = (bytes([number]) * 16 for number in (1, 2, 3))


def report(who, role=ProxyRole.STANDBY, term=0, **fields):
    return RoleReport(who, term, role, **fields)


def others(count=1):
    return Others(count, NOW_S)


def test_a_place_is_unknown_at_first_and_then_silent():
    one = others()

    assert one.standing(0, NOW_S + HEARD_S - 0.01) is Standing.UNKNOWN
    assert one.standing(0, NOW_S + HEARD_S) is Standing.SILENT


def test_a_report_counts_for_a_second():
    one = others()
    one.on_report(report(A), 0, NOW_S + 5)

    assert one.standing(0, NOW_S + 5 + HEARD_S - 0.01) is Standing.HEARD
    assert one.standing(0, NOW_S + 5 + HEARD_S) is Standing.SILENT


def test_a_port_that_refuses_is_closed_until_a_report_comes_from_there():
    one = others()
    one.on_closed(0, NOW_S)

    assert one.standing(0, NOW_S + 3600) is Standing.CLOSED

    one.on_report(report(A), 0, NOW_S + 3600)

    assert one.standing(0, NOW_S + 3600) is Standing.HEARD


def test_a_port_that_refuses_no_longer_is_looked_at_anew():
    one = others()
    one.on_closed(0, NOW_S)
    one.on_not_closed(0, NOW_S + 60)
    one.on_not_closed(0, NOW_S + 60.5)

    assert one.standing(0, NOW_S + 60) is Standing.UNKNOWN
    assert one.standing(0, NOW_S + 60 + HEARD_S) is Standing.SILENT


def test_the_reports_of_a_process_that_has_ended_count_no_longer():
    one = others()
    one.on_report(report(A, ProxyRole.LEADER), 0, NOW_S)
    one.on_closed(0, NOW_S + 0.1)

    assert not one.leaders(NOW_S + 0.1)


def test_the_last_words_of_a_process_that_has_ended_bring_it_not_back():
    one = others()
    one.on_report(report(A, ProxyRole.LEADER), 0, NOW_S)
    one.on_closed(0, NOW_S + 0.1)
    one.on_report(report(A, ProxyRole.LEADER), None, NOW_S + 0.1 + LATE_S - 0.01)

    assert one.standing(0, NOW_S + 0.2) is Standing.CLOSED
    assert not one.leaders(NOW_S + 0.2)


def test_one_that_reports_behind_a_port_that_refuses_is_heard():
    one = others()
    one.on_report(report(A, ProxyRole.LEADER), 0, NOW_S)
    one.on_closed(0, NOW_S)
    one.on_report(report(A, ProxyRole.LEADER), None, NOW_S + LATE_S)
    one.on_closed(0, NOW_S + LATE_S)

    assert one.standing(0, NOW_S + LATE_S) is Standing.HEARD
    assert one.leaders(NOW_S + LATE_S)


def test_one_that_fell_silent_behind_a_port_that_refuses_is_closed():
    one = others()
    one.on_report(report(A), 0, NOW_S)
    one.on_closed(0, NOW_S)
    one.on_report(report(A), None, NOW_S + LATE_S)
    one.on_closed(0, NOW_S + LATE_S + HEARD_S)

    assert one.standing(0, NOW_S + LATE_S + HEARD_S) is Standing.CLOSED


def test_a_new_process_at_a_place_takes_over_from_the_one_before():
    one = others()
    one.on_report(report(A, ProxyRole.LEADER), 0, NOW_S)
    one.on_report(report(B), 0, NOW_S + 0.1)

    assert [each.id for each, _ in one.heard(NOW_S + 0.1)] == [B]
    assert not one.leaders(NOW_S + 0.1)


def test_two_urls_may_lead_to_one_process():
    one = others(2)
    one.on_report(report(A), 0, NOW_S)
    one.on_report(report(A), 1, NOW_S)
    one.on_closed(1, NOW_S)

    assert one.standing(0, NOW_S) is Standing.HEARD
    assert one.standing(1, NOW_S) is Standing.CLOSED


def test_a_place_that_is_this_proxy_itself_is_waited_for_by_nobody():
    one = others()
    one.on_own(0)

    assert one.standing(0, NOW_S + 60) is Standing.OWN
    assert one.are_settled(NOW_S)
    assert not one.is_one_silent(NOW_S + 60)


def test_a_place_is_no_longer_this_proxy_when_another_answers_there():
    one = others()
    one.on_own(0)
    one.on_report(report(A), 0, NOW_S)

    assert one.standing(0, NOW_S) is Standing.HEARD


@pytest.mark.parametrize(
    ("after_s", "settled", "silent"), [(0.0, False, False), (HEARD_S, True, True)]
)
def test_nothing_is_settled_while_a_place_is_unknown(after_s, settled, silent):
    one = others(3)
    one.on_closed(0, NOW_S)
    one.on_report(report(A), 1, NOW_S + after_s)

    assert one.are_settled(NOW_S + after_s) is settled
    assert one.is_one_silent(NOW_S + after_s) is silent


def test_a_report_that_comes_in_alone_covers_the_one_place_that_is_left():
    one = others()
    one.on_report(report(A), None, NOW_S + 60)

    assert one.are_settled(NOW_S + 60)
    assert not one.is_one_silent(NOW_S + 60)
    assert one.heard(NOW_S + 60) == [(report(A), None)]


def test_a_report_that_comes_in_does_not_tell_which_of_two_places_is_silent():
    one = others(2)
    one.on_report(report(A), None, NOW_S + 60)

    assert one.is_one_silent(NOW_S + 60)

    one.on_report(report(B), None, NOW_S + 60)

    assert not one.is_one_silent(NOW_S + 60)


def test_after_a_standstill_every_place_is_looked_at_anew():
    one = others(2)
    one.on_closed(0, NOW_S)
    one.on_report(report(A), 1, NOW_S)
    one.begin_anew(NOW_S + 60)

    assert [one.standing(place, NOW_S + 60) for place in (0, 1)] == [Standing.UNKNOWN] * 2
    assert [one.standing(p, NOW_S + 60 + HEARD_S) for p in (0, 1)] == [Standing.SILENT] * 2


def test_the_leader_of_the_highest_term_comes_first():
    one = others(3)
    for place, (who, term) in enumerate(((C, 1), (B, 2), (A, 2))):
        one.on_report(report(who, ProxyRole.LEADER, term), place, NOW_S)

    assert [(each.id, place) for each, place in one.leaders(NOW_S)] == [(A, 2), (B, 1), (C, 0)]


def test_a_flood_of_ids_takes_no_more_room():
    one = others()
    for number in range(MAX_IDS + 10):
        one.on_report(report(number.to_bytes(16, "big")), None, NOW_S)

    assert len(one.heard(NOW_S)) == MAX_IDS


def test_those_that_were_heard_are_named_until_they_have_ended():
    one = others(2)
    one.on_report(report(A), 0, NOW_S)
    one.on_report(report(B), None, NOW_S)

    assert one.ids == (A, B)
    one.on_closed(0, NOW_S + 0.1)
    assert one.ids == (B,)
    assert one.standing(1, NOW_S + 60) is Standing.SILENT
    assert one.ids == (B,)  # silent, and perhaps at the other end of a cut cable
