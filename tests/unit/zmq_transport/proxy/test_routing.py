"""Who serves an address, and who of them is next."""

from types import SimpleNamespace

import pytest

from zmq_transport.errors import WireError
from zmq_transport.proxy.ledger import Ledger
from zmq_transport.proxy.routing import Routes, Seat


class Work:
    """Gives tasks to seats and settles them, through a ledger, as the engine does."""

    def __init__(self, entry):
        self.ledger = Ledger()
        self._entry = entry

    def give(self, seat, count=1):
        for _ in range(count):
            number = len(self.ledger) + 1
            self.ledger.enter(self._entry(b"%016d" % number, seat))

    def settle(self, seat):
        self.ledger.settle(next(iter(seat.open)))


@pytest.fixture
def work(entry_of):
    return Work(entry_of)


def seat_of(name, *capabilities):
    return Seat(SimpleNamespace(open_count=0, open_bytes=0), name, frozenset(capabilities), {})


def routes_of(*seats, **options):
    routes = Routes(**options)
    for seat in seats:
        routes.add(seat)
    return routes


def test_nobody_serves_a_name_that_nobody_registered():
    assert Routes().find(b"echo") is None


def test_a_seat_is_found_by_its_name():
    seat = seat_of("echo")

    assert routes_of(seat).find(b"echo").next() is seat


@pytest.mark.parametrize("address", [b"?chat", b"?fr", b"?chat,fr", b"?fr,chat"])
def test_a_seat_is_found_by_what_it_offers(address):
    seat = seat_of("echo", "chat", "fr", "de")

    assert routes_of(seat).find(address).next() is seat


def test_one_seat_must_offer_all_capabilities():
    routes = routes_of(seat_of("a", "chat"), seat_of("b", "fr"))

    assert routes.find(b"?chat,fr") is None


def test_what_is_no_address_is_refused():
    with pytest.raises(WireError):
        Routes().find(b"a b")


def test_a_seat_that_leaves_is_found_no_more():
    seat = seat_of("echo", "chat")
    routes = routes_of(seat)
    routes.find(b"?chat")

    routes.remove(seat)

    assert routes.find(b"echo") is None
    assert routes.find(b"?chat") is None
    assert (len(routes), list(routes), seat.pools) == (0, [], [])


def test_a_seat_that_comes_later_joins_the_pools_that_are_there():
    first, second = seat_of("a", "chat"), seat_of("b", "chat")
    routes = routes_of(first)
    pool = routes.find(b"?chat")

    routes.add(second)

    assert list(pool.seats) == [first, second]
    assert routes.find(b"?chat") is pool


def test_a_pool_that_is_empty_again_serves_whoever_comes_next():
    routes = routes_of(seat_of("a", "chat"))
    pool = routes.find(b"?chat")
    routes.remove(next(iter(pool.seats)))
    second = seat_of("b", "chat")

    routes.add(second)

    assert routes.find(b"?chat").next() is second


def test_the_seat_with_the_fewest_tasks_is_next(work):
    seats = [seat_of("echo") for _ in range(3)]
    pool = routes_of(*seats).find(b"echo")
    work.give(seats[0], 2)
    work.give(seats[1], 1)
    work.give(seats[2], 3)

    assert pool.next() is seats[1]


def test_among_equals_the_longest_idle_is_next(work):
    seats = [seat_of("echo") for _ in range(3)]
    pool = routes_of(*seats).find(b"echo")
    order = []

    for _ in range(6):
        order.append(seats.index(pool.next()))
        work.give(seats[order[-1]])

    assert order == [0, 1, 2, 0, 1, 2]


def test_who_settled_last_is_idle_the_shortest(work):
    first, second = seat_of("echo"), seat_of("echo")
    pool = routes_of(first, second).find(b"echo")
    work.give(first)
    work.give(second)
    work.settle(second)
    work.settle(first)

    assert pool.next() is second


def test_load_from_one_address_counts_at_another(work):
    first, second = seat_of("a", "chat"), seat_of("b", "chat")
    pool = routes_of(first, second).find(b"?chat")
    work.give(first)

    assert pool.next() is second


def test_load_from_before_a_second_seat_came_counts(work):
    first, second = seat_of("echo"), seat_of("echo")
    routes = routes_of(first)
    work.give(first)
    routes.add(second)

    assert routes.find(b"echo").next() is second


@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_seat_that_is_not_available_is_passed_over(count):
    seats = [seat_of("echo") for _ in range(count)]
    pool = routes_of(*seats).find(b"echo")

    for seat in seats:
        assert pool.next() is seat
        Routes.set_available(seat, False)

    assert pool.next() is None
    Routes.set_available(seats[-1], True)
    assert pool.next() is seats[-1]


def test_a_seat_that_is_not_available_stays_so_when_its_load_changes(work):
    first, second = seat_of("echo"), seat_of("echo")
    pool = routes_of(first, second).find(b"echo")
    work.give(first)
    work.give(second, 2)
    Routes.set_available(first, False)

    work.settle(first)

    assert pool.next() is second


def test_the_last_seat_of_a_pool_is_found_after_the_others_left(work):
    first, second = seat_of("echo"), seat_of("echo")
    routes = routes_of(first, second)
    work.give(second, 5)

    routes.remove(first)

    assert routes.find(b"echo").next() is second


def test_the_least_recently_used_query_is_forgotten_and_built_again():
    seat = seat_of("a", "c1", "c2", "c3")
    routes = routes_of(seat, max_queries=2)
    first, second = routes.find(b"?c1"), routes.find(b"?c2")
    routes.find(b"?c1")

    routes.find(b"?c3")

    assert routes.find(b"?c1") is first
    assert not second.seats
    assert len(seat.pools) == 3
    assert routes.find(b"?c2").next() is seat


def test_a_query_that_nobody_serves_is_not_remembered():
    routes = routes_of(seat_of("a", "chat"))

    for n in range(100):
        assert routes.find(b"?x%d" % n) is None

    assert not routes._queries
