"""Whole messages in the ledger: all of their tasks are entered or settled, or none."""

from types import SimpleNamespace

import pytest

from zmq_transport.kernel import MAX_TTL_MS, enter_tasks, settle_replies
from zmq_transport.wire import heads
from zmq_transport.wire.heads import ItemFlag, Verb

CALLER, WORKER, TRACE = b"c" * 16, b"w" * 16, b"r" * 16
SETTLES, KEEP = int(ItemFlag.SETTLES), int(ItemFlag.KEEP)
ONE, TWO, THREE = (bytes([n]) * 16 for n in (1, 2, 3))


@pytest.fixture
def peer():
    return SimpleNamespace()


@pytest.fixture
def seat(peer):
    return SimpleNamespace(peer=peer, open={})


def task_head(*tasks, ttl_ms=5000, flags=0, kind=1, size=1, address=b"echo"):
    rows = [(int(Verb.TASK), flags, kind, ttl_ms, task, TRACE, size) for task in tasks]
    return heads.pack_items(rows, address=address)


def reply_head(*replies, kind=2, size=1, caller=CALLER):
    rows = [(int(Verb.REPLY), flags, kind, 0, task, TRACE, size) for task, flags in replies]
    return heads.pack_items(rows, peer=caller)


def enter(seat, entries, head, body_bytes, kinds=(), traces=()):
    kinds, traces = dict.fromkeys(kinds), dict.fromkeys(traces)
    return enter_tasks(head, body_bytes, CALLER, seat, b"seat", entries, kinds, traces, 100.0)


def settle(peer, entries, head, body_bytes, kinds=(), traces=()):
    kinds, traces = dict.fromkeys(kinds), dict.fromkeys(traces)
    return settle_replies(head, body_bytes, WORKER, peer, entries, kinds, traces)


@pytest.fixture
def entries(seat):
    """The ledger with three tasks."""
    made = {}
    enter(seat, made, task_head(ONE, TWO, THREE), 3)
    return made


def test_every_task_is_entered_and_the_head_goes_to_the_seat(seat):
    entries = {}

    head = enter(seat, entries, task_head(ONE, TWO, flags=KEEP), 2)

    assert head == heads.pack_items(
        [(int(Verb.TASK), KEEP, 1, 5000, task, TRACE, 1) for task in (ONE, TWO)],
        peer=CALLER,
        address=b"seat",
    )
    entry = entries[ONE]
    assert list(entries) == [ONE, TWO]
    assert list(seat.open) == [entry, entries[TWO]]
    assert (entry.caller, entry.task, entry.trace) == (CALLER, ONE, TRACE)
    assert (entry.address, entry.seat, entry.expires_at_s) == (b"echo", seat, 105.0)
    assert (entry.keep, entry.cancelled, entry.body_bytes) == (True, False, 1)
    assert entry.ttl_ms == 5000
    assert entry.number < entries[TWO].number


def test_a_task_may_have_the_longest_time(seat):
    entries = {}

    assert enter(seat, entries, task_head(ONE, ttl_ms=MAX_TTL_MS), 1) is not None
    assert entries[ONE].expires_at_s == 100.0 + MAX_TTL_MS / 1000


@pytest.mark.parametrize(
    ("head", "body_bytes", "special"),
    [
        (task_head(ONE), 2, {}),
        (task_head(ONE)[:-5], 1, {}),
        (task_head(TWO, ONE, ttl_ms=0), 2, {}),
        (task_head(TWO, ONE, ttl_ms=MAX_TTL_MS + 1), 2, {}),
        (task_head(TWO, TWO), 2, {}),
        (task_head(THREE), 1, {}),
        (task_head(ONE), 1, {"kinds": (1,)}),
        (task_head(ONE), 1, {"traces": (TRACE,)}),
        (reply_head((ONE, 0)), 1, {}),
    ],
)
def test_of_a_message_with_something_special_nothing_is_entered(head, body_bytes, special, seat):
    entries = {THREE: object()}

    assert enter(seat, entries, head, body_bytes, **special) is None

    assert list(entries) == [THREE]
    assert seat.open == {}


def test_the_tasks_that_end_are_settled_and_the_others_stay(peer, seat, entries):
    head, found, ended, ended_bytes = settle(
        peer, entries, reply_head((ONE, SETTLES), (TWO, 0), (TWO, 4), (THREE, SETTLES)), 4
    )

    assert head == heads.with_peer(
        reply_head((ONE, SETTLES), (TWO, 0), (TWO, 4), (THREE, SETTLES)), WORKER
    )
    assert (found, ended, ended_bytes) == (seat, 2, 2)
    assert list(entries) == [TWO]
    assert list(seat.open) == [entries[TWO]]


@pytest.mark.parametrize(
    ("replies", "body_bytes", "special"),
    [
        ([(ONE, SETTLES)], 2, {}),
        ([(ONE, SETTLES), (bytes(16), SETTLES)], 2, {}),
        ([(ONE, SETTLES), (ONE, 0)], 2, {}),
        ([(ONE, SETTLES), (ONE, SETTLES)], 2, {}),
        ([(ONE, SETTLES)], 1, {"kinds": (2,)}),
        ([(ONE, SETTLES)], 1, {"traces": (TRACE,)}),
    ],
)
def test_of_a_message_with_something_special_nothing_is_settled(
    replies, body_bytes, special, peer, seat, entries
):
    assert settle(peer, entries, reply_head(*replies), body_bytes, **special) is None

    assert len(entries) == len(seat.open) == 3


def test_a_cancelled_task_a_foreign_seat_and_a_second_seat_are_special(peer, seat, entries):
    other = SimpleNamespace(peer=peer, open={})
    enter(other, entries, task_head(b"4" * 16), 1)
    entries[ONE].cancelled = True

    assert settle(peer, entries, reply_head((ONE, SETTLES)), 1) is None
    assert settle(object(), entries, reply_head((TWO, SETTLES)), 1) is None
    assert settle(peer, entries, reply_head((TWO, SETTLES), (b"4" * 16, SETTLES)), 2) is None
    assert settle(peer, entries, b"", 0) is None
    assert len(entries) == 4
