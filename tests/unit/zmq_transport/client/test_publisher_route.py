"""Which way the publications of a client go."""

import pytest

from zmq_transport.client.publisher_route import (
    MAX_HELD,
    MAX_HELD_BYTES,
    MAX_SELDOM,
    PublisherRoute,
    PublisherState,
)

ONE, OTHER = (1, b"trace", b"one"), (1, b"trace", b"other")


@pytest.fixture
def asking():
    """A route that waits for the answer that all is out."""
    route = PublisherRoute()
    route.open()
    route.on_sentinel(True, hands_over=True)
    assert route.ask()
    return route


def test_a_socket_is_opened_once():
    route = PublisherRoute()

    assert [route.open(), route.open()] == [True, False]


def test_with_an_older_proxy_it_is_live_at_the_sentinel():
    route = PublisherRoute()
    route.open()

    assert route.on_sentinel(True, hands_over=False) == []
    assert route.state is PublisherState.LIVE


def test_nothing_is_asked_before_the_listeners_are_known():
    route = PublisherRoute()

    assert not route.ask()
    route.open()
    assert not route.ask()


def test_what_was_held_goes_first_by_the_socket(asking):
    assert [asking.hold(ONE), asking.hold(OTHER)] == [True, True]

    assert asking.on_answer(asking.turn) == [ONE, OTHER]
    assert asking.state is PublisherState.LIVE


def test_an_answer_about_an_earlier_turn_says_nothing(asking):
    turn = asking.turn
    asking.hold(ONE)

    assert asking.overflow() == [ONE]
    assert asking.on_answer(turn) == []
    assert asking.state is PublisherState.ASKING


def test_it_holds_a_bounded_number(asking):
    assert all(asking.hold(ONE) for _ in range(MAX_HELD))

    assert not asking.hold(ONE)


def test_it_holds_a_bounded_size(asking):
    half = (1, b"", bytes(MAX_HELD_BYTES // 2))
    assert [asking.hold(half), asking.hold(half)] == [True, True]

    assert not asking.hold(ONE)


def test_what_is_held_is_handed_over_when_the_connection_ends(asking):
    asking.hold(ONE)

    assert asking.on_sentinel(False, hands_over=True) == [ONE]
    assert asking.state is PublisherState.OPENING
    assert not asking.ask()


def test_a_socket_that_is_live_stays_so_without_a_connection(asking):
    asking.on_answer(asking.turn)

    assert asking.on_sentinel(False, hands_over=True) == []
    assert asking.state is PublisherState.LIVE


def test_seldom_is_up_to_a_hundred_in_a_second():
    route = PublisherRoute()

    often = [route.is_often(7.0) for _ in range(MAX_SELDOM + 1)]

    assert often == [False] * MAX_SELDOM + [True]
    assert not route.is_often(8.0)
