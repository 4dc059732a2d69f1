"""Which address comes next, for how long, and after which pause."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zmq_transport.client import dial_plan
from zmq_transport.client.dial_plan import DialPlan
from zmq_transport.client.refusals import REFUSED_S
from zmq_transport.errors import AccessFault
from zmq_transport.sockets.endpoints import TcpEndpoint

A, B, C = (TcpEndpoint(f"10.0.0.{number}", 7070) for number in (1, 2, 3))


def plan(roll=0.5):
    return DialPlan(lambda: roll)


def welcomed(dialing):
    dialing.on_established()
    dialing.on_welcomed()


def addresses_tried(dialing, addresses, count):
    """Let `count` attempts fail; return their addresses."""
    tried = []
    for _ in range(count):
        tried.append(dialing.next_attempt(addresses).address)
        dialing.on_failed()
    return tried


def test_a_round_tries_every_address_once_in_order():
    assert addresses_tried(plan(), [A, B, C], 6) == [A, B, C, A, B, C]


def test_there_is_a_pause_after_a_round_and_none_within_it():
    dialing = plan()

    pauses = []
    for _ in range(6):
        dialing.next_attempt([A, B, C])
        pauses.append(dialing.on_failed())

    assert pauses == pytest.approx([0, 0, 0.02, 0, 0, 0.04])


def test_pauses_double_up_to_their_maximum():
    dialing = plan()

    pauses = []
    for _ in range(6):
        dialing.next_attempt([A])
        pauses.append(dialing.on_failed())

    assert pauses == pytest.approx([0.02, 0.04, 0.08, 0.16, 0.2, 0.2])


def test_a_stranger_is_asked_less_often_than_a_port_where_nobody_listens():
    dialing = plan()

    for _ in range(10):
        dialing.next_attempt([A])
        pause_s = dialing.on_failed(stranger=True)

    assert pause_s == dial_plan.STRANGER_PAUSE_MAX_S


def test_the_pauses_of_two_clients_differ_by_their_dice():
    pauses = []
    for roll in (0.0, 0.999):
        dialing = plan(roll)
        dialing.next_attempt([A])
        pauses.append(dialing.on_failed())

    assert pauses == pytest.approx([0.01, 0.03], rel=0.01)


def test_an_attempt_among_several_addresses_costs_less_than_a_second_in_the_first_round():
    attempts = [plan().next_attempt([A, B])]

    assert all(each.connect_s < 1.0 and each.handshake_s < 1.0 for each in attempts)


def test_a_single_address_has_the_whole_time_for_its_handshake():
    assert plan().next_attempt([A]).handshake_s == dial_plan.HANDSHAKE_MAX_S


def test_the_limits_grow_up_to_their_maximum():
    dialing = plan()
    addresses_tried(dialing, [A, B], 20)

    attempt = dialing.next_attempt([A, B])

    assert attempt.connect_s == dial_plan.CONNECT_MAX_S
    assert attempt.handshake_s == dial_plan.HANDSHAKE_MAX_S


def test_after_a_lost_connection_its_own_address_comes_first():
    dialing = plan()
    addresses_tried(dialing, [A, B], 1)
    assert dialing.next_attempt([A, B]).address == B
    welcomed(dialing)

    dialing.on_ended(60.0)

    assert addresses_tried(dialing, [A, B], 3) == [B, A, B]


def test_an_address_that_the_name_no_longer_has_is_left_at_once():
    dialing = plan()
    assert dialing.next_attempt([A]).address == A
    welcomed(dialing)
    dialing.on_ended(60.0)

    assert dialing.next_attempt([B]).address == B


def test_connections_that_end_at_once_are_made_less_and_less_often():
    dialing = plan()

    pauses = []
    for lasted_s in (0.1, 0.1, 0.1, 2.0):
        dialing.next_attempt([A])
        welcomed(dialing)
        pauses.append(dialing.on_ended(lasted_s))

    assert pauses == pytest.approx([0.02, 0.04, 0.08, 0.02])


@given(st.lists(st.lists(st.sampled_from([A, B, C]), min_size=1, unique=True), max_size=30))
def test_whatever_a_name_resolves_to_only_its_addresses_are_tried_and_each_soon(answers):
    dialing = plan()

    tried = []
    for addresses in answers:
        tried.append(dialing.next_attempt(addresses).address)
        assert 0.0 <= dialing.on_failed() <= 1.5 * dial_plan.PAUSE_MAX_S

    assert all(address in addresses for address, addresses in zip(tried, answers, strict=True))
    for answer, of_it in itertools.groupby(zip(answers, tried, strict=True), lambda each: each[0]):
        run = [address for _, address in of_it]
        assert len(run) < 2 * len(answer) or set(run) == set(answer)


@pytest.mark.parametrize("fault", REFUSED_S)
@pytest.mark.parametrize("roll", [0.0, 0.999])
def test_who_is_refused_asks_seldom_and_never_later_than_after_30_seconds(fault, roll):
    dialing = plan(roll)

    pauses = [dialing.on_refused(fault) for _ in range(12)]

    assert min(pauses) >= 0.3
    assert max(pauses) <= 30.0


@pytest.mark.parametrize("fault", [AccessFault.NEEDS_KEY, AccessFault.NO_KEYS])
def test_who_meets_a_proxy_of_the_other_kind_asks_each_second(fault):
    dialing = plan(0.999)

    assert max(dialing.on_refused(fault) for _ in range(12)) <= 1.0


def test_the_pauses_after_a_refusal_begin_anew_once_it_was_let_in():
    dialing = plan()
    first = [dialing.on_refused(AccessFault.UNLISTED) for _ in range(5)]
    dialing.next_attempt([A])
    dialing.on_established()

    again = [dialing.on_refused(AccessFault.UNLISTED) for _ in range(5)]

    assert first == again == pytest.approx([1, 2, 4, 8, 16])


def test_a_proxy_that_stands_by_is_left_for_the_next_one_without_a_pause():
    dialing = plan()
    pauses, tried = [], []

    for _ in range(4):
        tried.append(dialing.next_attempt([A, B]).address)
        dialing.on_established()
        pauses.append(dialing.on_standby())

    assert tried == [A, B, A, B]
    assert pauses == pytest.approx([0, 0.02, 0, 0.04])


def test_others_that_a_standby_names_are_tried_at_once_behind_it():
    dialing = plan()
    dialing.next_attempt([A])
    dialing.on_established()

    assert dialing.on_standby(has_named_others=True) == 0.0
    assert dialing.next_attempt([A, B]).address == B


def test_a_connection_that_ends_without_a_welcome_is_followed_by_the_next_address():
    dialing = plan()
    dialing.next_attempt([A, B])
    dialing.on_established()

    assert dialing.on_ended(2.0) == 0.0
    assert dialing.next_attempt([A, B]).address == B


def test_a_client_is_alone_once_each_address_was_tried_and_until_a_welcome():
    dialing, alone = plan(), []

    for _ in range(3):
        dialing.next_attempt([A, B])
        alone.append(dialing.is_alone)
        dialing.on_failed()
    dialing.next_attempt([A, B])
    welcomed(dialing)

    assert alone == [False, False, True]
    assert not dialing.is_alone


def test_an_address_that_is_new_is_tried_before_a_client_is_alone():
    dialing = plan()
    addresses_tried(dialing, [A, B], 2)

    dialing.next_attempt([A, B, C])

    assert not dialing.is_alone


def test_a_client_that_knows_no_address_is_not_alone():
    assert not plan().is_alone


def test_the_address_of_the_last_welcome_comes_first_in_each_round():
    dialing = plan()
    addresses_tried(dialing, [A, B, C], 1)
    dialing.next_attempt([A, B, C])
    welcomed(dialing)
    dialing.on_ended(60.0)

    assert addresses_tried(dialing, [A, B, C], 6) == [B, A, C] * 2


def test_an_address_that_took_all_its_time_comes_last_until_it_answers():
    dialing = plan()
    tried = []
    for is_silent in (True, False, False, False):
        tried.append(dialing.next_attempt([A, B]).address)
        dialing.on_failed(silent=is_silent)

    assert tried == [A, B, B, A]
    assert addresses_tried(dialing, [A, B], 2) == [A, B]


def test_a_second_try_of_an_address_is_part_of_its_round():
    dialing = plan()
    dialing.next_attempt([A, B])

    assert dialing.on_failed(stranger=True, again=True) == 0.0
    assert not dialing.is_alone
    assert addresses_tried(dialing, [A, B], 2) == [A, B]


@given(
    st.lists(
        st.tuples(
            st.integers(1, 3),
            st.sampled_from(["failed", "silent", "standby", "cut", "welcomed"]),
        ),
        max_size=60,
    )
)
def test_whatever_happens_no_address_waits_for_longer_than_two_rounds(steps):
    dialing = plan()
    waits = dict.fromkeys([A, B, C], 0)
    since_welcome = set()

    for count, outcome in steps:
        addresses = [A, B, C][:count]
        address = dialing.next_attempt(addresses).address
        assert address in addresses
        assert not dialing.is_alone or since_welcome.issuperset(addresses)
        waits = {each: waits[each] + 1 if each in addresses else 0 for each in waits}
        waits[address] = 0
        since_welcome.add(address)
        if outcome == "welcomed":
            since_welcome.clear()
            waits = dict.fromkeys(waits, 0)
        pause_s = after(dialing, outcome)
        assert 0.0 <= pause_s <= 1.5 * dial_plan.PAUSE_MAX_S
        assert max(waits.values()) < 2 * len(waits)


def after(dialing, outcome):
    """Let an attempt have an outcome; return the pause."""
    if outcome == "welcomed":
        welcomed(dialing)
    if outcome in ("welcomed", "cut"):
        dialing.on_established()
        return dialing.on_ended(0.5)
    if outcome == "standby":
        return dialing.on_standby()
    return dialing.on_failed(silent=outcome == "silent")


def test_where_a_connection_ended_in_silence_the_others_are_tried_first_and_soon_told_alone():
    dialing = plan()
    dialing.next_attempt([A, B])
    welcomed(dialing)
    dialing.on_ended(60.0, silent=True)

    tried, alone = [], []
    for _ in range(3):
        tried.append(dialing.next_attempt([A, B]).address)
        alone.append(dialing.is_alone)
        dialing.on_standby()

    assert tried == [B, B, A]
    assert alone == [False, True, True]


def test_the_only_address_is_tried_again_after_silence():
    dialing = plan()
    dialing.next_attempt([A])
    welcomed(dialing)

    assert dialing.on_ended(60.0, silent=True) == pytest.approx(0.02)
    assert dialing.next_attempt([A]).address == A
