"""What whoever runs a proxy is told, once for each change."""

import attrs
import pytest

from zmq_transport.failover.news import FabricView, NewsKind, news_of

A, B = "cosmo://a:1", "cosmo://b:1"
START = FabricView()
STANDBY = FabricView(leader=A, term=1, settled=True)
ALONE = FabricView(term=1, settled=True, heard=False, absent=(A,))
LEADER = FabricView(leads=True, term=2, settled=True)


def kinds(before, now):
    return [each.kind for each in news_of(before, now)]


@pytest.mark.parametrize(
    ("before", "now", "told"),
    [
        (START, START, []),
        (START, STANDBY, [NewsKind.STANDS_BY]),
        (STANDBY, STANDBY, []),
        (STANDBY, attrs.evolve(STANDBY, leader=B), [NewsKind.STANDS_BY]),
        (START, ALONE, [NewsKind.HEARS_NO_LEADER]),
        (STANDBY, ALONE, [NewsKind.HEARS_NO_LEADER]),
        (ALONE, ALONE, []),
        (STANDBY, LEADER, [NewsKind.LEADS]),
        (LEADER, LEADER, []),
        (LEADER, attrs.evolve(LEADER, term=4), [NewsKind.LEADS]),
        (LEADER, attrs.evolve(STANDBY, steps_down=True), [NewsKind.STEPS_DOWN]),
        (attrs.evolve(STANDBY, steps_down=True), STANDBY, [NewsKind.STANDS_BY]),
    ],
)
def test_a_change_of_the_role_is_told_once(before, now, told):
    assert kinds(before, now) == told


def test_it_is_told_who_leads_and_for_whom_it_steps_down():
    [stands_by] = news_of(START, STANDBY)
    [steps_down] = news_of(LEADER, attrs.evolve(STANDBY, steps_down=True, leader=B, term=3))

    assert (stands_by.term, stands_by.urls) == (1, (A,))
    assert (steps_down.term, steps_down.urls) == (3, (B,))


def test_nothing_is_told_of_a_leader_before_it_is_clear_who_is_there():
    assert kinds(START, attrs.evolve(ALONE, settled=False)) == []


def test_a_half_is_told_and_when_it_is_whole_again():
    half = attrs.evolve(LEADER, silent=(A,), absent=(A,), heard=False)

    assert kinds(LEADER, half) == [NewsKind.HALF]
    assert kinds(half, half) == []
    assert kinds(half, LEADER) == [NewsKind.WHOLE]
    assert kinds(STANDBY, half) == [NewsKind.LEADS, NewsKind.HALF]
    assert news_of(LEADER, half)[0].urls == (A,)


def test_that_there_is_no_standby_is_told_and_when_there_is_one_again():
    alone = attrs.evolve(LEADER, heard=False, absent=(A,))

    assert kinds(STANDBY, alone) == [NewsKind.LEADS, NewsKind.NO_STANDBY]
    assert kinds(alone, alone) == []
    assert kinds(alone, LEADER) == [NewsKind.HAS_STANDBY]
    assert news_of(LEADER, alone)[0].urls == (A,)


def test_other_users_are_told_and_when_they_are_the_same_again():
    differing = attrs.evolve(STANDBY, other_users=(A, B))

    assert [each.urls for each in news_of(STANDBY, differing)] == [(A, B)]
    assert kinds(differing, differing) == []
    assert kinds(differing, attrs.evolve(STANDBY, other_users=(B,))) == [NewsKind.SAME_USERS]


def test_users_of_one_that_is_gone_are_not_told_to_be_the_same():
    differing = attrs.evolve(LEADER, other_users=(A,))
    gone = attrs.evolve(LEADER, absent=(A,), heard=False)

    assert kinds(differing, gone) == [NewsKind.NO_STANDBY]


def test_a_url_of_its_own_is_told_once():
    own = attrs.evolve(STANDBY, own=(A,))

    assert kinds(STANDBY, own) == [NewsKind.OWN_URL]
    assert kinds(own, own) == []
