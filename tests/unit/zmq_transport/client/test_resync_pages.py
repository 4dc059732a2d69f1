"""Whom a caller names as those who may have its tasks."""

import pytest

from zmq_transport.client import resync_pages
from zmq_transport.client.resync_pages import FORMER_S, ResyncPages
from zmq_transport.wire import heads, resync_messages
from zmq_transport.wire.resync_messages import WorkersFlag

HERE, GONE = b"h" * 16, b"g" * 16
ALL = WorkersFlag.FIRST | WorkersFlag.LAST
OPENED = resync_messages.Opened(b"t" * 16, b"r" * 16, 0, 5000, keep=False)


class ResyncSource:
    """Keeps open tasks."""

    def __init__(self):
        self.tasks = [OPENED]

    def open_tasks(self):
        return self.tasks


def resync(now_s=100.0):
    subject = ResyncPages()
    subject.source = ResyncSource()
    subject.on_workers(ALL, [HERE, GONE], now_s)
    return subject


def pages(subject, now_s, *, is_new_proxy=True):
    """Return (kind, workers) of each page of workers that it sends."""
    listed = subject.listing((), now_s, is_new_proxy=is_new_proxy)
    singles = [(heads.unpack_single(head), body) for head, body in listed]
    return [
        (single[3], set(resync_messages.read_workers(body)))
        for single, body in singles
        if single[1] == heads.Verb.WORKERS
    ]


def named(subject, now_s, *, is_new_proxy=True):
    """Return the workers that it names beside its open task, whatever the proxy knows of them."""
    found = pages(subject, now_s, is_new_proxy=is_new_proxy)
    (sure,) = [who for kind, who in found if not kind & WorkersFlag.UNCONFIRMED]
    return sure


def test_who_is_here_is_named():
    assert named(resync(), 100.0) == {HERE, GONE}


def test_who_left_is_not_named():
    subject = resync()

    subject.on_workers(WorkersFlag.LEFT, [GONE], 101.0)

    assert named(subject, 101.0) == {HERE}


@pytest.mark.parametrize(("later_s", "who"), [(FORMER_S - 0.1, {HERE, GONE}), (FORMER_S, {HERE})])
def test_who_has_not_come_back_after_a_restart_is_named_for_a_while(later_s, who):
    subject = resync()

    subject.on_workers(ALL, [HERE], 101.0)

    assert named(subject, 101.0 + later_s) == who


def test_who_came_back_after_a_restart_and_left_then_is_not_named():
    subject = resync()
    subject.on_workers(ALL, [HERE, GONE], 101.0)

    subject.on_workers(WorkersFlag.LEFT, [GONE], 102.0)

    assert named(subject, 102.5) == {HERE}


def test_who_is_missing_since_two_restarts_is_named_as_long_as_since_the_second():
    subject = resync()
    subject.on_workers(ALL, [HERE], 101.0)
    subject.on_workers(0, [GONE], 102.0)
    subject.on_workers(ALL, [HERE], 109.0)

    assert named(subject, 109.0 + FORMER_S - 0.1) == {HERE, GONE}


def test_what_was_sent_after_a_restart_is_with_an_earlier_worker_only_if_the_proxy_met_it():
    subject = resync()
    subject.on_workers(ALL, [HERE], 101.0)
    subject.source.tasks = []
    subject.listing((), 101.0, is_new_proxy=True)
    subject.source.tasks = [OPENED]
    subject.on_workers(ALL, [HERE], 103.0)

    assert pages(subject, 103.0, is_new_proxy=False) == [
        (WorkersFlag.FIRST | WorkersFlag.UNCONFIRMED, {GONE}),
        (WorkersFlag.LAST, {HERE}),
    ]


def test_what_was_sent_before_a_restart_may_be_with_an_earlier_worker_also_at_the_next_list():
    subject = resync()
    subject.on_workers(ALL, [HERE], 101.0)
    subject.listing((), 101.0, is_new_proxy=True)
    subject.on_workers(ALL, [HERE], 103.0)

    assert named(subject, 103.0, is_new_proxy=False) == {HERE, GONE}


def test_a_worker_that_the_same_proxy_lost_meanwhile_may_have_what_it_was_sent():
    subject = resync()
    subject.on_workers(ALL, [HERE], 101.0)

    assert named(subject, 101.0, is_new_proxy=False) == {HERE, GONE}


def test_tasks_are_listed_with_those_who_may_have_them_and_nobody_else():
    subject = resync()
    subject.on_workers(ALL, [HERE], 101.0)
    subject.listing((), 101.0, is_new_proxy=True)
    subject.source.tasks = [OPENED, OPENED._replace(task=b"u" * 16)]
    subject.on_workers(ALL, [HERE], 101.0 + FORMER_S)

    both = [who for _, who in pages(subject, 101.0 + FORMER_S)]

    assert both == [{HERE, GONE}, {HERE}]


def test_a_list_of_workers_that_found_no_room_stays_cut_whatever_page_follows(monkeypatch):
    monkeypatch.setattr(resync_pages, "MAX_KNOWN", 1)
    subject = ResyncPages()
    first, last = int(WorkersFlag.FIRST), int(WorkersFlag.LAST)

    subject.on_workers(first, [b"a" * 16, b"b" * 16], 0.0)
    subject.on_workers(last, [b"c" * 16], 0.0)
    was_complete = subject._is_complete
    subject.on_workers(first | last, [b"c" * 16], 0.0)

    assert (was_complete, subject._is_complete) == (False, True)
