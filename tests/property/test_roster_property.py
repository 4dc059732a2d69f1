"""Rosters: whatever comes is a question, an answer, or a `WireError`; pages show each seat once."""

import contextlib

import msgpack
from hypothesis import given
from hypothesis import strategies as st

from zmq_transport.errors import WireError
from zmq_transport.proxy.peers import Peers
from zmq_transport.proxy.roster import roster_page
from zmq_transport.proxy.routing import Seat
from zmq_transport.wire import roster_messages
from zmq_transport.wire.roster_messages import RosterQuery, SeatInfo

LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-(1 << 63), (1 << 64) - 1)
    | st.floats()
    | st.text(max_size=8)
    | st.binary(max_size=20)
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=9) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=20,
)
NAMES = st.sampled_from(["a", "b", "c"])
ROWS = st.lists(VALUES, min_size=8, max_size=10)


def routes_of(held):
    """Return the routes of one client with a seat for each (name, capabilities)."""
    peer = Peers(b"p" * 16).admit(b"conn", b"i" * 16, "host", "demo", b"", 0.0)
    for n, (name, offered) in enumerate(held):
        peer.namespace.routes.add(Seat(peer, name, offered, {"n": n}))
    return peer.namespace.routes


@given(body=st.binary(max_size=200) | VALUES.map(msgpack.packb))
def test_hostile_questions_raise_a_wire_error_or_are_questions(body):
    with contextlib.suppress(WireError):
        assert isinstance(roster_messages.unpack_question(body), RosterQuery)


@given(
    fields=st.fixed_dictionaries(
        {}, optional={"name": VALUES, "capability": VALUES, "after": VALUES}
    )
)
def test_a_question_that_is_taken_can_be_answered(fields):
    seats = routes_of((name, frozenset()) for name in "abc")
    with contextlib.suppress(WireError):
        question = roster_messages.unpack_question(msgpack.packb(fields))

        infos, more = roster_messages.unpack_answer(roster_page(question, seats))

        assert len(infos) <= 3
        assert not more


@given(
    body=st.binary(max_size=200)
    | VALUES.map(msgpack.packb)
    | st.tuples(st.lists(ROWS, max_size=3), st.booleans()).map(msgpack.packb)
)
def test_hostile_answers_raise_a_wire_error_or_are_answers(body):
    with contextlib.suppress(WireError):
        infos, more = roster_messages.unpack_answer(body)

        assert all(isinstance(each, SeatInfo) for each in infos)
        assert isinstance(more, bool)


@given(
    held=st.lists(st.tuples(NAMES, st.frozensets(NAMES)), max_size=350),
    name=NAMES | st.just(""),
    capability=NAMES | st.just(""),
)
def test_pages_together_are_every_seat_that_matches_in_order(held, name, capability):
    seats = routes_of(held)
    found, more = [], True

    while more:
        question = RosterQuery(name, capability, found[-1].number if found else 0)
        page, more = roster_messages.unpack_answer(roster_page(question, seats))
        assert page or not found
        found += page

    assert [info.facts["n"] for info in found] == [
        n
        for n, (each, offered) in enumerate(held)
        if name in ("", each) and (not capability or capability in offered)
    ]
