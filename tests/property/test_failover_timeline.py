"""How long each failure takes in virtual time: real engines, elections and links, no socket."""

import random

import pytest

from support.failover_judge import FailoverJudge
from support.failover_model import FabricModel

SEEDS = range(6)
CLIENTS = 6
KILLED_S, HUNG_S = 0.6, 5.0


@pytest.fixture(params=SEEDS)
def fabric(request):
    """Start two proxies with callers and workers, who know each other."""
    fabric = FabricModel(random.Random(request.param), 2)
    FailoverJudge(fabric)
    for place in fabric.places:
        fabric.start_proxy(place)
    for number in range(CLIENTS):
        client = fabric.join(f"client-{number}", serves=number % 2 == 1)
        if number % 2 == 0:
            client.begin_to_call()
    fabric.world.run(2.0)
    return fabric


def callers(fabric):
    return [each for each in fabric.clients if each.calls]


def load(fabric, length_s):
    """Let every caller dispatch a task each 50 ms."""
    for _ in range(int(length_s / 0.05)):
        for each in callers(fabric):
            each.dispatch()
        fabric.world.run(0.05)


def other(fabric, leader):
    return next(each for each in fabric.proxies.values() if each is not leader)


def check(fabric):
    fabric.judge.check_settled()
    fabric.judge.check_tasks(answered=True)


def test_all_are_at_the_standby_soon_after_the_leader_is_killed(fabric):
    (leader,) = fabric.leaders
    load(fabric, 0.5)

    leader.kill()
    load(fabric, KILLED_S)

    assert {each.at for each in fabric.clients} == {other(fabric, leader)}
    check(fabric)


def test_all_are_at_the_standby_soon_after_the_leader_is_stopped(fabric):
    (leader,) = fabric.leaders
    load(fabric, 0.5)

    leader.stop()
    load(fabric, KILLED_S)

    assert {each.at for each in fabric.clients} == {other(fabric, leader)}
    check(fabric)


def test_all_leave_a_leader_that_hangs_in_time_and_none_goes_back_to_it(fabric):
    (leader,) = fabric.leaders
    load(fabric, 0.5)
    leader.freeze()
    load(fabric, HUNG_S)
    moves = fabric.moves
    at = {each.at for each in fabric.clients}

    leader.thaw()
    load(fabric, 2.0)

    assert at == {other(fabric, leader)}
    assert fabric.leaders == [other(fabric, leader)]
    assert fabric.moves == moves
    check(fabric)


def test_nobody_moves_when_the_standby_ends_and_returns(fabric):
    (leader,) = fabric.leaders
    moves = fabric.moves

    standby = other(fabric, leader)
    standby.kill()
    load(fabric, 2.0)
    fabric.start_proxy(standby.place)
    load(fabric, 2.0)

    assert (fabric.leaders, fabric.moves) == ([leader], moves)
    check(fabric)


def test_nobody_moves_when_only_the_proxies_cannot_reach_each_other(fabric):
    (leader,) = fabric.leaders
    moves = fabric.moves

    fabric.world.cut(*fabric.places)
    load(fabric, 8.0)

    assert (fabric.leaders, fabric.moves) == ([leader], moves)
    assert all(each.is_half for each in fabric.clients)

    fabric.world.heal(*fabric.places)
    check(fabric)
    assert not any(each.is_half for each in fabric.clients)


def test_each_half_of_a_network_has_a_leader_that_says_so_and_one_stays(fabric):
    (leader,) = fabric.leaders
    far = [other(fabric, leader).place, *(each.place for each in fabric.clients[:3])]
    near = [leader.place, *(each.place for each in fabric.clients[3:])]
    for one in near:
        for another in far:
            fabric.world.cut(one, another)

    load(fabric, 8.0)

    assert {each.place: each.at.place for each in fabric.clients} == {
        each.place: (far if each.place in far else near)[0] for each in fabric.clients
    }
    assert all(each.is_half for each in fabric.clients)

    fabric.world.heal_all()
    fabric.judge.check_settled()
    fabric.judge.check_tasks(answered=False)
