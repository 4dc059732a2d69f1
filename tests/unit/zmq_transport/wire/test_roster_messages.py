"""Questions about who is here, and their answers, page by page."""

import msgpack
import pytest

from zmq_transport.errors import WireError
from zmq_transport.proxy.peers import Peers
from zmq_transport.proxy.roster import MAX_TOLD, PAGE_BYTES, roster_page, short_facts
from zmq_transport.proxy.routing import Routes, Seat
from zmq_transport.wire import roster_messages
from zmq_transport.wire.roster_messages import PAGE_SEATS, RosterQuery, SeatInfo


@pytest.fixture
def peer():
    return Peers(b"p" * 16).admit(b"conn", b"i" * 16, "host", "demo", b"", 0.0)


def seat_of(peer, name, *capabilities, **facts):
    return Seat(peer, name, frozenset(capabilities), short_facts(facts))


def told(question, seats):
    routes = Routes()
    for seat in seats:
        routes.add(seat)
    return roster_messages.unpack_answer(roster_page(question, routes))


def names(question, seats):
    infos, more = told(question, seats)
    return [info.name for info in infos], more


@pytest.mark.parametrize(
    "question", [RosterQuery(), RosterQuery("a", "b", 7), RosterQuery("é" * 100)]
)
def test_a_question_is_read_as_it_was_written(question):
    assert roster_messages.unpack_question(roster_messages.pack_question(question)) == question


def test_a_question_without_fields_asks_for_everyone():
    assert roster_messages.unpack_question(msgpack.packb({})) == RosterQuery()


def test_fields_of_a_newer_version_do_no_harm():
    assert roster_messages.unpack_question(
        msgpack.packb({"name": "a", "colour": 7})
    ) == RosterQuery("a")


@pytest.mark.parametrize(
    "fields",
    [
        {"name": 7},
        {"name": None},
        {"name": b"a"},
        {"capability": ["a"]},
        {"after": -1},
        {"after": 1.0},
        {"after": True},
        {"after": "1"},
        {"after": None},
        [],
        7,
        {7: "a"},
        {"name": "x" * 10_000},
    ],
)
def test_what_is_no_question_is_refused(fields):
    with pytest.raises(WireError):
        roster_messages.unpack_question(msgpack.packb(fields))


@pytest.mark.parametrize("body", [b"", b"\xc1", b"\x81", b"\xdf\xff\xff\xff\xff", b"\x91" * 5000])
def test_bytes_that_are_no_question_and_no_answer_are_refused(body):
    with pytest.raises(WireError):
        roster_messages.unpack_question(body)
    with pytest.raises(WireError):
        roster_messages.unpack_answer(body)


def test_an_answer_says_what_is_known_of_a_seat(peer):
    seat = seat_of(peer, "echo", "fr", "chat", version="1.2", capabilities=["fr", "chat"])
    seat.vitals = {"running": 3}
    seat.open[b"key"] = None

    assert told(RosterQuery(), [seat]) == (
        [
            SeatInfo(
                "echo",
                ("chat", "fr"),
                "host",
                b"i" * 16,
                "alive",
                1,
                {"version": "1.2"},
                {"running": 3},
                1,
            )
        ],
        False,
    )


@pytest.mark.parametrize(
    ("available", "absent_at_s", "state"),
    [(True, None, "alive"), (False, None, "stuck"), (False, 1.0, "away"), (True, 0.0, "away")],
)
def test_the_state_is_alive_stuck_or_away(available, absent_at_s, state, peer):
    seat = seat_of(peer, "echo")
    seat.available, peer.absent_at_s = available, absent_at_s

    assert told(RosterQuery(), [seat])[0][0].state == state


@pytest.mark.parametrize(
    ("question", "found"),
    [
        (RosterQuery(), ["a", "a", "b", "c"]),
        (RosterQuery("a"), ["a", "a"]),
        (RosterQuery(capability="chat"), ["a", "b"]),
        (RosterQuery("a", "chat"), ["a"]),
        (RosterQuery("c", "chat"), []),
        (RosterQuery("d"), []),
        (RosterQuery(after=3), ["c"]),
        (RosterQuery(after=4), []),
        (RosterQuery(after=1 << 60), []),
        (RosterQuery("a", after=1), ["a"]),
    ],
)
def test_only_what_matches_is_told_from_where_the_last_page_ended(question, found, peer):
    seats = [
        seat_of(peer, "a", "chat"),
        seat_of(peer, "a"),
        seat_of(peer, "b", "chat", "fr"),
        seat_of(peer, "c", "fr"),
    ]

    assert names(question, seats) == (found, False)


@pytest.mark.parametrize(
    ("count", "more"), [(0, False), (PAGE_SEATS, False), (PAGE_SEATS + 1, True), (500, True)]
)
def test_a_page_is_full_before_another_is_promised(count, more, peer):
    seats = [seat_of(peer, f"n{n}") for n in range(count)]

    found, is_more = names(RosterQuery(), seats)

    assert found == [f"n{n}" for n in range(min(count, PAGE_SEATS))]
    assert is_more is more


def test_long_or_deep_facts_stay_where_they_are(peer):
    seat = seat_of(
        peer, "echo", short="x", long="x" * 129, deep={"a": 1}, none=None, n=1.5, **{"k" * 129: 1}
    )

    assert told(RosterQuery(), [seat])[0][0].facts == {"short": "x", "n": 1.5}


def test_of_very_many_capabilities_the_first_are_told_and_their_number(peer):
    many = [f"c{number:03}" for number in range(250)]

    [of_many], _ = told(RosterQuery(capability="c249"), [seat_of(peer, "echo", *many, n=1)])
    [of_few], _ = told(RosterQuery(), [seat_of(peer, "echo", *many[:MAX_TOLD], n=1)])

    assert list(of_many.capabilities) == many[:MAX_TOLD]
    assert of_many.facts == {"n": 1, "capabilities": 250}
    assert of_few.facts == {"n": 1}


def test_a_page_is_bounded_in_bytes_and_all_seats_are_on_one(peer):
    """Seats with all that a REGISTER may say: 64 long names, and 64 long facts."""
    long = [f"{number:0128}" for number in range(64)]
    facts = {f"{number:0120}": "x" * 128 for number in range(64)}
    seats = [seat_of(peer, f"s{number:03}", *long, **facts) for number in range(150)]
    routes = Routes()
    for seat in seats:
        routes.add(seat)
    found, sizes, more = [], [], True
    while more:
        page = roster_page(RosterQuery(after=found[-1].number if found else 0), routes)
        infos, more = roster_messages.unpack_answer(page)
        found += infos
        sizes.append(len(page))

    assert [info.name for info in found] == [seat.name for seat in seats]
    assert max(sizes) <= PAGE_BYTES + 10
    assert len(sizes) > 10


def test_a_page_far_behind_costs_what_the_first_one_does(peer, steps_of):
    routes = Routes()
    for number in range(5_000):
        routes.add(seat_of(peer, f"s{number}"))

    first, late = (steps_of(roster_page, RosterQuery(after=after), routes) for after in (0, 4_000))

    assert late <= first + 10


ROW = ["echo", ["chat"], "host", b"i" * 16, "alive", 0, {}, {}, 1]


def with_field(index, value):
    return [[*ROW[:index], value, *ROW[index + 1 :]]], False


@pytest.mark.parametrize(
    "answer",
    [
        None,
        7,
        [],
        [[]],
        [[], False, 1],
        [7, False],
        [[7], False],
        [[[]], False],
        [[ROW[:-1]], False],
        [[[*ROW, 1]], False],
        {"a": 1},
        with_field(1, 7),
        with_field(1, None),
    ],
)
def test_what_is_no_answer_is_refused(answer):
    with pytest.raises(WireError):
        roster_messages.unpack_answer(msgpack.packb(answer))


@pytest.mark.parametrize(
    ("index", "value"),
    [
        (0, 7),
        (1, "chat"),
        (1, [7]),
        (2, None),
        (3, "i" * 16),
        (3, b"i"),
        (4, 1),
        (5, "0"),
        (5, -1),
        (6, []),
        (7, None),
        (8, -1),
        (8, None),
    ],
)
def test_an_answer_with_a_field_of_another_kind_is_refused(index, value):
    with pytest.raises(WireError):
        roster_messages.unpack_answer(msgpack.packb(with_field(index, value)))
