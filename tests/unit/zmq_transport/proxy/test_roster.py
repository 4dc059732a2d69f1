"""Which clients are here: workers, callers and watchers, page by page."""

import msgpack
import pytest

from zmq_transport.errors import WireError
from zmq_transport.wire import heads, resync_messages, roster_messages
from zmq_transport.wire.heads import Verb
from zmq_transport.wire.roster_messages import ClientInfo, RosterQuery

ROW = {
    "name": "web",
    "instance": b"i" * 16,
    "state": "alive",
    "seats": 0,
    "open": 0,
    "calls": False,
    "age_s": 1.0,
    "number": 1,
}


def answer_to(bench, guest, question):
    body = roster_messages.pack_question(question)
    (sent,) = bench.say(guest, heads.pack(Verb.ROSTER, len(body), task=b"q" * 16), body)
    return sent.body


def clients(bench, guest, after=0):
    return roster_messages.unpack_clients(
        answer_to(bench, guest, RosterQuery(after=after, clients=True))
    )


def test_workers_callers_and_watchers_are_listed_with_their_tasks_and_age(bench):
    worker, caller, watcher = (
        bench.join("worker", "echo"),
        bench.join("caller"),
        bench.join("watcher"),
    )
    bench.say(caller, *resync_messages.WORKERS_REQUEST)
    for number in range(3):
        bench.task(caller, task=bytes([number]) * 16)
    bench.tick(2.5)

    told, more = clients(bench, watcher)

    assert told == [
        ClientInfo("worker", worker.instance, "alive", 1, 0, False, 2.5, 1),
        ClientInfo("caller", caller.instance, "alive", 0, 3, True, 2.5, 2),
        ClientInfo("watcher", watcher.instance, "alive", 0, 0, False, 2.5, 3),
    ]
    assert more is False


def test_only_clients_of_ones_own_namespace_are_listed(bench):
    bench.join("other", namespace="other")
    guest = bench.join("guest")

    assert [each.name for each in clients(bench, guest)[0]] == ["guest"]


def test_the_state_of_a_client_is_alive_stuck_or_away(bench_with):
    bench = bench_with(silent_after_s=1.0, lost_after_s=60.0, orphaned_after_s=60.0)
    guest, _, gone = bench.join("guest"), bench.join("stuck", "echo"), bench.join("gone")
    bench.tick(1.5)
    bench.cut(gone)

    assert [each.state for each in clients(bench, guest)[0]] == ["alive", "stuck", "away"]


def test_a_client_that_comes_back_keeps_its_age_and_its_number(bench):
    guest = bench.join("guest")
    bench.tick(3.0)
    bench.hello("guest", connection=b"c-again")

    assert clients(bench, b"c-again")[0] == [
        ClientInfo("guest", guest.instance, "alive", 0, 0, False, 3.0, 1)
    ]


@pytest.mark.parametrize("count", [1, 100, 101, 250])
def test_every_client_is_on_one_page(bench, count):
    guests = [bench.join(f"guest-{number:03}") for number in range(count)]
    found, more = [], True
    while more:
        page, more = clients(bench, guests[0], found[-1].number if found else 0)
        found += page

    assert [each.name for each in found] == [f"guest-{number:03}" for number in range(count)]


def test_a_proxy_of_before_answers_about_seats_and_so_cannot_tell(bench):
    guest = bench.join("guest", "echo")
    seats = answer_to(bench, guest, RosterQuery())

    assert roster_messages.unpack_clients(seats) == ([], False)


def test_a_question_of_before_has_no_new_field_and_is_answered_about_seats(bench):
    guest = bench.join("guest", "echo")
    body = msgpack.packb({"name": "", "capability": "", "after": 0})

    assert roster_messages.pack_question(RosterQuery()) == body
    assert (
        roster_messages.unpack_answer(answer_to(bench, guest, RosterQuery()))[0][0].name == "echo"
    )


@pytest.mark.parametrize("value", [1, "yes", None, []])
def test_a_question_that_is_neither_is_refused(value):
    with pytest.raises(WireError):
        roster_messages.unpack_question(msgpack.packb({"clients": value}))


def test_a_newer_proxy_may_say_more_of_a_client():
    page = {"clients": [ROW | {"colour": 7}], "more": False, "weather": "fine"}

    assert [each.name for each in roster_messages.unpack_clients(msgpack.packb(page))[0]] == ["web"]


@pytest.mark.parametrize(
    "change",
    [
        {"name": 7},
        {"instance": b"i"},
        {"instance": "i" * 16},
        {"state": None},
        {"seats": -1},
        {"open": 1.5},
        {"open": True},
        {"calls": 1},
        {"age_s": 3},
        {"number": -1},
    ],
    ids=str,
)
def test_what_is_no_client_is_a_wire_error(change):
    with pytest.raises(WireError, match="not a list of clients"):
        roster_messages.unpack_clients(msgpack.packb({"clients": [ROW | change], "more": False}))


@pytest.mark.parametrize(
    "answer",
    [None, 7, {}, {"clients": []}, {"clients": 7, "more": False}, {"clients": [7], "more": 0}],
)
def test_what_is_no_answer_about_clients_is_a_wire_error(answer):
    with pytest.raises(WireError):
        roster_messages.unpack_clients(msgpack.packb(answer))
