"""Open tasks page by page: whatever begins and ends meanwhile, one that stays open is told once."""

from unittest import mock

import msgpack
from hypothesis import given
from hypothesis import strategies as st

from zmq_transport.kernel import Entry
from zmq_transport.proxy import open_task_pages
from zmq_transport.proxy.open_task_pages import OpenTaskPages
from zmq_transport.proxy.parking import Parking
from zmq_transport.proxy.routing import Seat
from zmq_transport.proxy.settings import Settings
from zmq_transport.proxy.tables import Tables
from zmq_transport.wire.open_task_messages import TasksQuery, unpack_tasks

CALLERS = 4
TRACE = b"r" * 16
CHANGES = st.lists(
    st.one_of(
        st.tuples(st.just("begin"), st.integers(0, CALLERS - 1)),
        st.tuples(st.just("end"), st.integers(0, 40)),
        st.tuples(st.just("leave"), st.integers(0, CALLERS - 1)),
        st.tuples(st.just("page"), st.just(0)),
    ),
    max_size=60,
)


class Fabric:
    """The tables of a proxy with one worker and some callers, and a listing under way."""

    def __init__(self):
        self.tables = Tables(b"e" * 16, 0.0, Settings(), Parking(until_s=0.0))
        self.pages = OpenTaskPages(self.tables, lambda caller: ())
        worker = self._admit(b"w")
        self.seat = Seat(worker, "echo", frozenset(), {})
        self.callers = [self._admit(bytes([97 + number])) for number in range(CALLERS)]
        self.watcher = self._admit(b"z")
        self.count = 0
        self.after = b""
        self.told = []

    def _admit(self, letter):
        return self.tables.peers.admit(letter, letter * 16, letter.decode(), "demo", b"", 0.0)

    def begin(self, caller):
        self.count += 1
        task = self.count.to_bytes(16, "big")
        instance = self.callers[caller].instance
        entry = Entry(instance, task, TRACE, b"echo", self.seat, 10.0, True, 3, 1000)
        self.tables.ledger.enter(entry)

    def end(self, number):
        entries = list(self.tables.ledger)
        if entries:
            self.tables.ledger.settle(entries[number % len(entries)])

    def leave(self, caller):
        if not self.callers[caller].gone:
            self.tables.peers.forget(self.callers[caller])

    def page(self, _=0):
        page = unpack_tasks(self.pages.page(self.watcher, TasksQuery(self.after), 1.0))
        assert len(page.tasks) <= 3
        self.told += [each.task for each in page.tasks]
        self.after = page.after or b""
        return page.after is not None

    def open(self):
        return {entry.task for entry in self.tables.ledger}


@given(begun=st.lists(st.integers(0, CALLERS - 1), max_size=30), changes=CHANGES)
def test_what_stays_open_is_told_whatever_begins_ends_and_leaves(begun, changes):
    with mock.patch.object(open_task_pages, "PAGE_TASKS", 3):
        fabric = Fabric()
        for caller in begun:
            fabric.begin(caller)
        staying, has_left, more = fabric.open(), False, fabric.page()
        for what, number in changes:
            if not more:
                break
            has_left |= what == "leave"
            done = getattr(fabric, what)(number)
            more = done if what == "page" else more
            staying &= fabric.open()
        while more:
            more = fabric.page()

    assert staying <= set(fabric.told)
    assert has_left or len(fabric.told) == len(set(fabric.told))


@given(after=st.binary(max_size=64))
def test_any_place_is_answered_with_a_page(after):
    fabric = Fabric()
    for number in range(8):
        fabric.begin(number % CALLERS)
    fabric.leave(1)

    page = unpack_tasks(fabric.pages.page(fabric.watcher, TasksQuery(after), 1.0))

    assert {each.task for each in page.tasks} <= fabric.open()
    assert isinstance(msgpack.packb([each.age_ms for each in page.tasks]), bytes)
